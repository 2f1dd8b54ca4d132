"""How objects belong together: what checks ask of more than one kind.

Each relation is a small object over the lists of one snapshot; `RELATIONS` says which lists it needs, so that it is
inconclusive exactly when one of them could not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.facts.backends import Backends, grouped
from upgate.facts.crews import Crew, DeploymentCrew
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.events import Event
from upgate.facts.jobs import Retries, Schedules
from upgate.facts.kinds import KINDS
from upgate.facts.meta import KubernetesObject
from upgate.facts.namespaces import Namespace
from upgate.facts.nodes import Lease, Node
from upgate.facts.pods import Pod
from upgate.facts.promises import Autoscalers, Deadlines
from upgate.facts.successors import Successors
from upgate.facts.words import duration
from upgate.facts.workloads import Workload

Lists = Mapping[str, list[Any]]
#: The annotation of kured's DaemonSet that holds its lock, in its two spellings.
KURED_LOCKS = ("weave.works/kured-node-lock", "kured.dev/kured-node-lock")
#: A lease may be renewed while the lists are being read; what lies further ahead of their moment comes from a wrong clock.
AHEAD = timedelta(minutes=10)


class Owners:
    """The controllers of pods."""

    needs = ("replicasets", "statefulsets", "daemonsets")

    def __init__(self, lists: Lists) -> None:
        self._by_uid: dict[str, Workload] = {each.metadata.uid: each for noun in self.needs for each in lists[noun]}

    def of(self, pod: Pod) -> Workload | None:
        """Its controller, as long as that is a workload of Kubernetes' own that exists."""
        owner = pod.metadata.controller
        return self._by_uid.get(owner.uid) if owner else None

    def whole_again(self, pod: Pod) -> bool:
        """Its controller has all the pods that it wants without this one."""
        owner = self.of(pod)
        return owner is not None and owner.whole


class Homes:
    """The nodes that pods run on."""

    needs = ("nodes",)

    def __init__(self, lists: Lists) -> None:
        self._by_name: dict[str, Node] = {node.name: node for node in lists["nodes"]}

    def node(self, pod: Pod) -> Node | None:
        """The pod's node; None where there is none, or none any more."""
        return self._by_name.get(pod.spec.node_name)

    def of(self, pod: Pod) -> str:
        """The pod's node and how it is, in words."""
        name = pod.spec.node_name
        if not name:
            return "it was never scheduled"
        node = self._by_name.get(name)
        return f"node {name} has {node.ready.type}={node.ready.status}" if node else f"node {name} does not exist"


class Tenants:
    """The pods in namespaces that are being deleted."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        self._leaving = grouped((pod for pod in lists["pods"] if pod.leaving), lambda pod: pod.namespace)

    def going(self, namespace: Namespace, moment: datetime, slack: timedelta) -> bool:
        """It waits for pods that are going, and none of them is overdue: their grace period may be long."""
        pods = self._leaving.get(namespace.name, [])
        return bool(pods) and not namespace.own_fault and all(pod.overdue(moment) < slack for pod in pods)


class Heartbeats:
    """The leases that kubelets renew."""

    needs = ("leases",)

    def __init__(self, lists: Lists) -> None:
        self._by_node: dict[str, Lease] = {lease.name: lease for lease in lists["leases"]}

    def of(self, node: Node) -> Lease | None:
        """The node's lease."""
        return self._by_node.get(node.name)

    def term(self, node: Node) -> timedelta:
        """How long one renewal holds."""
        return (self.of(node) or Lease(node.metadata)).term

    def silence(self, node: Node, moment: datetime) -> timedelta:
        """Time since its lease was renewed. Virtual kubelets may have none: then its status is its heartbeat.

        https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
        """
        return (self.of(node) or node).silence(moment)

    def lately(self, node: Node, moment: datetime) -> bool:
        """It was heard of within four lease durations; what lies far ahead is no word of now."""
        return -AHEAD < self.silence(node, moment) <= 4 * self.term(node)

    def words(self, node: Node, moment: datetime) -> str:
        """How long its kubelet has been silent."""
        silent = self.silence(node, moment)
        when = f"{duration(silent)} ago" if silent >= timedelta(0) else f"{duration(-silent)} ahead: its clock is wrong"
        return f"lease renewed {when}" if self.of(node) else f"no lease in kube-node-lease, last heard of {when}"


class Cordons:
    """Who cordoned nodes: kured keeps its lock on its own DaemonSet, the others leave marks on the node."""

    needs = ("daemonsets",)

    def __init__(self, lists: Lists) -> None:
        annotations = [each.metadata.annotations or {} for each in lists["daemonsets"]]
        self._locks = [each[key] for each in annotations for key in KURED_LOCKS if key in each]

    def words(self, node: Node) -> str:
        """Who, and since when, as far as anything tells."""
        # With one holder the lock is an object with a nodeID, with several a list of them: the name is quoted in both.
        kured = ["kured (it holds its lock)"] if any(f'"{node.name}"' in lock for lock in self._locks) else []
        since = node.cordoned_since
        who = ", ".join([*kured, *node.cordon_marks]) or "an unknown hand"
        return f"cordoned by {who}" + (f" since {since:%Y-%m-%dT%H:%M:%SZ}" if since else "")


class Complaints:
    """Warning events, by the object that they are about."""

    needs = ("warnings",)

    def __init__(self, lists: Lists) -> None:
        self._by_object = grouped(lists["warnings"], lambda event: event.about)

    def about(self, item: KubernetesObject) -> list[Event]:
        """All of them about this very object: an earlier one of the same name had another UID."""
        alike = self._by_object.get((item.kind, item.namespace, item.name), [])
        return [each for each in alike if each.involved_object.uid in ("", item.metadata.uid)]

    def of_scheduler(self, pod: Pod) -> bool:
        """A scheduler has complained about this pod."""
        return any(each.by_scheduler(pod.spec.scheduler_name) for each in self.about(pod))

    def latest(self, item: KubernetesObject) -> str:
        """The latest one in words; empty where there is none."""
        last = max(self.about(item), key=lambda each: each.time.timestamp() if each.time else 0.0, default=None)
        return f"{last.reason}: {' '.join(last.message.split())}" if last else ""


class Ground:
    """The nodes that a DaemonSet is meant for."""

    needs = ("nodes",)

    def __init__(self, lists: Lists) -> None:
        self._nodes: list[Node] = lists["nodes"]

    def for_(self, daemonset: DaemonSet) -> bool:
        """Some node matches its node selector. What affinity rules exclude is not guessed at."""
        spec = daemonset.spec.template.spec
        wanted = (spec.node_selector or {}).items()
        return not spec.affinity and any(wanted <= node.labels.items() for node in self._nodes)

    def shrinks(self, daemonset: DaemonSet, pods: Iterable[Pod], moment: datetime) -> bool:
        """It is whole, but for pods that still run on nodes that are being removed: their taint says that they should not."""
        going = {node.name for node in self._nodes if node.going(moment)}
        stranded = sum(pod.spec.node_name in going for pod in pods)
        return daemonset.whole and stranded > 0 and not daemonset.own_fault_beside(stranded)


RELATIONS: dict[str, type[Any]] = {
    "owners": Owners,
    "homes": Homes,
    "tenants": Tenants,
    "heartbeats": Heartbeats,
    "cordons": Cordons,
    "complaints": Complaints,
    "crew": Crew,
    "deployment_crew": DeploymentCrew,
    "ground": Ground,
    "backends": Backends,
    "deadlines": Deadlines,
    "autoscalers": Autoscalers,
    "successors": Successors,
    "retries": Retries,
    "schedules": Schedules,
}


#: What is looked at beside the lists, where a check takes it.
ASIDE = ("hosts",)


def lists_for(names: Iterable[str]) -> set[str]:
    """The lists behind these nouns and relations, and what else is looked at for them."""
    needs: set[str] = set()
    for name in names:
        needs.update(RELATIONS[name].needs if name in RELATIONS else {name} & {*KINDS, *ASIDE})
    return needs
