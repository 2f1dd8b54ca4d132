"""PodDisruptionBudgets: whether they let pods go that a drain takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upgate.base.text import counted
from upgate.facts.backends import WORKLOADS, grouped, is_version, uids
from upgate.facts.meta import Condition, Fact, KubernetesObject, ManagedMeta, condition
from upgate.facts.pods import Pod
from upgate.facts.selectors import LabelSelector

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

#: So many pods are named in a finding.
NAMED = 3


class BudgetSpec(Fact):
    """`spec` of a PodDisruptionBudget."""

    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    #: An empty one selects all pods of the namespace, none at all selects none.
    selector: LabelSelector | None = None
    unhealthy_pod_eviction_policy: str = "IfHealthyBudget"


class BudgetStatus(Fact):
    """`status` of a PodDisruptionBudget."""

    observed_generation: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    disruptions_allowed: int = 0
    expected_pods: int = 0
    conditions: list[Condition] | None = None


class PodDisruptionBudget(KubernetesObject):
    """https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets"""

    metadata: ManagedMeta
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()

    @property
    def labels_asked(self) -> list[tuple[str, str, str]]:
        """The labels that its pods must have, each as namespace, key and value."""
        labels = self.spec.selector.match_labels if self.spec.selector else None
        return [(self.namespace, key, value) for key, value in (labels or {}).items()]

    @property
    def bound(self) -> str:
        """What it demands, as it is written."""
        if self.spec.max_unavailable is not None:
            return f"maxUnavailable {self.spec.max_unavailable}"
        return f"minAvailable {'1 (the default)' if self.spec.min_available is None else self.spec.min_available}"

    @property
    def unseen(self) -> bool:
        """Its controller has not seen its present generation: its counts are of the one before."""
        return self.status.observed_generation < self.metadata.generation

    @property
    def keeps_unready(self) -> bool:
        """Pods that run and are not ready must stay, too, while fewer are healthy than it demands.

        https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy
        """
        short = self.status.current_healthy < self.status.desired_healthy
        return short and self.spec.unhealthy_pod_eviction_policy != "AlwaysAllow"

    @property
    def counts(self) -> str:
        """How many of its pods are healthy, and how many must be; and what its controller could not find out."""
        failed = condition(self.status.conditions, "DisruptionAllowed")
        why = f" ({failed.message})" if failed.reason == "SyncFailed" and failed.message else ""
        have = self.status
        healthy = f"{have.current_healthy} of {have.expected_pods} pods healthy, {have.desired_healthy} must be"
        return f"no disruption is allowed: {healthy} ({self.bound}){why}"


class Budgets:
    """PodDisruptionBudgets with the pods that they select."""

    needs = ("poddisruptionbudgets", "pods", *WORKLOADS)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        budgets: list[PodDisruptionBudget] = lists["poddisruptionbudgets"]
        homes = {each.namespace for each in budgets}
        self._pods = grouped((pod for pod in lists["pods"] if pod.namespace in homes), lambda pod: pod.namespace)
        #: The pods with each label that a budget asks for.
        self._labelled: dict[tuple[str, str, str], list[Pod]] = {
            label: [] for each in budgets for label in each.labels_asked
        }
        for pod in (pod for home in self._pods.values() for pod in home):
            for label in ((pod.namespace, *pair) for pair in pod.labels.items()):
                if label in self._labelled:
                    self._labelled[label].append(pod)
        makers = uids(lists["deployments"])
        workloads = (each for noun in WORKLOADS for each in lists[noun] if not is_version(each, makers))
        self._workloads = grouped(workloads, lambda each: each.namespace)
        self._of = {each.ref: self._selected(each) for each in budgets}
        evicted = {id(pod) for home in self._pods.values() for pod in home if evicted_by_drain(pod)}
        #: The pods of each budget that a drain evicts, and which budgets a pod has, where it has several.
        self._drained = {ref: [pod for pod in pods if id(pod) in evicted] for ref, pods in self._of.items()}
        times = Counter(id(pod) for pods in self._drained.values() for pod in pods)
        self._shared: dict[int, list[str]] = {pod: [] for pod, count in times.items() if count > 1}
        for ref, pods in self._drained.items() if self._shared else ():
            for pod in pods:
                self._shared.get(id(pod), []).append(ref)

    def wrong(self, budget: PodDisruptionBudget, *, strict: bool) -> str:
        """What stands against a drain, or is not as it was meant. Empty where all is well."""
        return self.overlapping(budget) or self.blocks(budget, strict=strict) or self.unmatched(budget)

    def blocks(self, budget: PodDisruptionBudget, *, strict: bool) -> str:
        """It lets no pod go that a drain takes. Unless strict, only where all its pods are healthy: others judge the rest."""
        healthy = budget.status.current_healthy >= budget.status.expected_pods
        if budget.status.disruptions_allowed > 0 or not (strict or healthy):
            return ""
        kept = [pod for pod in self._drained[budget.ref] if keeps(budget, pod)]
        return f"{budget.counts}; {named(kept)} cannot be evicted" if kept else ""

    def overlapping(self, budget: PodDisruptionBudget) -> str:
        """Other budgets select some of its pods: the API server refuses to evict a pod that has two. Else empty."""
        twice = [pod for pod in self._drained[budget.ref] if id(pod) in self._shared]
        others = sorted({ref for pod in twice for ref in self._shared[id(pod)]} - {budget.ref})
        return f"{named(twice)} cannot be evicted: also selected by {', '.join(others[:NAMED])}" if twice else ""

    def unmatched(self, budget: PodDisruptionBudget) -> str:
        """It selects no pod, and no workload would make one for it; operators make theirs ahead. Else empty."""
        selector, operated = budget.spec.selector, budget.metadata.controller is not None
        if operated or self._of[budget.ref] or self._awaited(budget):
            return ""
        return f"its selector {selector} matches no pod and no workload" if selector else "it has no selector"

    def hinders(self, budget: PodDisruptionBudget) -> bool:
        """It stops a drain; one that selects nothing does not."""
        return bool(self.overlapping(budget) or self.blocks(budget, strict=True))

    def under_way(self, budget: PodDisruptionBudget, moment: datetime, patience: Patience) -> bool:
        """Its controller has yet to see it, or pods that it waits for have time left to start."""
        changed = budget.metadata.changed or budget.metadata.creation_timestamp
        if self.overlapping(budget):
            return False
        if budget.unseen and changed is not None and moment - changed < patience.start_up:
            return True
        late = [pod for pod in self._of[budget.ref] if pod.active and not pod.ready.is_true]
        times = patience.pending, patience.start_up
        return bool(late) and all(pod.starting(moment, *times) for pod in late)

    def _selected(self, budget: PodDisruptionBudget) -> list[Pod]:
        """The pods that it selects. Of the labels that it asks for, the rarest is looked up."""
        selector, everything = budget.spec.selector, self._pods.get(budget.namespace, [])
        if selector is None:
            return []
        candidates = min((self._labelled[each] for each in budget.labels_asked), key=len, default=everything)
        return [pod for pod in candidates if selector.matches(pod.labels)]

    def _awaited(self, budget: PodDisruptionBudget) -> bool:
        """A workload makes pods that it selects, be it scaled to zero."""
        selector = budget.spec.selector
        workloads = self._workloads.get(budget.namespace, [])
        return selector is not None and any(selector.matches(each.template_labels) for each in workloads)


def evicted_by_drain(pod: Pod) -> bool:
    """`kubectl drain` evicts it, and its budget is asked: not pods of DaemonSets and nodes, and none that does not run yet."""
    owner = pod.metadata.controller
    stays = owner is not None and owner.kind in ("DaemonSet", "Node")
    return pod.active and pod.status.phase != "Pending" and not stays


def keeps(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """While no disruption is allowed, the budget lets this pod not go."""
    return pod.ready.is_true or budget.keeps_unready


def named(pods: list[Pod]) -> str:
    """The first of these pods."""
    more = f" and {len(pods) - NAMED} more" if len(pods) > NAMED else ""
    return f"{counted(len(pods), 'pod')} ({', '.join(pod.name for pod in pods[:NAMED])}{more})"
