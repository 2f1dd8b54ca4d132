"""What the cluster does, told as it happens: changes of watched objects → events of the record. Pure but for its thread."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from upgate.sources.cluster.watching import ListChange
from upgate.watch.nodestory import NodeStory
from upgate.watch.record import Happening
from upgate.watch.seen import SeenBudget, SeenEvent, SeenLease, SeenNode, SeenPod, SeenSlice, SeenWorkload
from upgate.watch.services import ENDPOINTS, EXCUSED, SEEN_NODES, SEEN_SERVICES
from upgate.watch.servicestory import LAST_PODS, ServiceStory

#: The kinds of workloads, by noun.
WORKLOADS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
#: The leases of leaders that an upgrade changes, by the beginning of their names.
LEADERS = ("kube-scheduler", "kube-controller-manager", "cloud-controller-manager")
BUDGET = "PodDisruptionBudget"
#: The Service of the API server: with one control plane it has no endpoint while that is replaced.
API_SERVER = "Service/default/kubernetes"
#: What disruption.services is judged by: without them it cannot be.
NEEDED_LISTS = ("endpointslices", "nodes", "pods")


@dataclass
class Story:
    """Everything that was seen so far."""

    #: Services whose pods are told one by one: those behind targets.
    behind: frozenset[str] = frozenset()
    nodes: NodeStory = field(default_factory=NodeStory)
    services: ServiceStory = field(default_factory=ServiceStory)
    _pods: dict[str, SeenPod] = field(default_factory=dict)
    _workloads: dict[str, SeenWorkload] = field(default_factory=dict)
    _budgets: dict[str, SeenBudget] = field(default_factory=dict)
    #: PodDisruptionBudgets that hold a drain up.
    _holding: set[str] = field(default_factory=set)
    _moving: set[str] = field(default_factory=set)
    _holders: dict[str, str] = field(default_factory=dict)
    _lost_lists: set[str] = field(default_factory=set)
    _listed: set[str] = field(default_factory=set)
    _told: bool = False

    def take(self, change: ListChange, at: float) -> Iterator[Happening]:
        """What one change comes to. Raises nothing but what is a fault of this program."""
        match change.type:
            case "LISTED":
                yield from self._list(change, at)
            case "ADDED" | "MODIFIED":
                yield from self._each(change.noun, change.objects, at)
            case "DELETED":
                yield from self._delete(change.noun, [each.key for each in change.objects], at)
            case "REFUSED":
                needed = {"unseen": change.noun} if change.noun in NEEDED_LISTS else {}
                yield Happening(at=at, object="Watch", what=change.why, details=needed)
            case "AWAY":
                yield from self._lost(change, at)
            case "BACK":
                self._lost_lists.discard(change.noun)
                if not self._lost_lists:
                    yield Happening(at=at, object="Watch", what="the cluster is watched again")

    def _lost(self, change: ListChange, at: float) -> Iterator[Happening]:
        """The first list that cannot be watched tells it for all."""
        if not self._lost_lists:
            yield Happening(at=at, object="Watch", what=f"the cluster cannot be watched: {change.why}"[:300])
        self._lost_lists.add(change.noun)

    def _list(self, change: ListChange, at: float) -> Iterator[Happening]:
        """The first list is how it was; a later one is compared with what was known."""
        first = change.noun not in self._listed
        self._listed.add(change.noun)
        if change.noun == "events":
            return  # what was told before the watch, or in a gap of it, has no time of its own
        found = [*self._each(change.noun, change.objects, at)]
        there = {each.key for each in change.objects}
        found += self._delete(change.noun, [key for key in self._known(change.noun) if key not in there], at)
        yield from () if first else found
        if not self._told and {*NEEDED_LISTS} <= self._listed:
            self._told = True
            seen = {SEEN_SERVICES: str(len(self.services.served)), SEEN_NODES: str(len(self.nodes.nodes))}
            what = f"watches {seen[SEEN_NODES]} nodes and {seen[SEEN_SERVICES]} Services with a ready endpoint"
            yield Happening(at=at, object="Watch", what=what, details=seen)

    def _known(self, noun: str) -> Iterable[str]:
        if noun in WORKLOADS:
            kind = WORKLOADS[noun]
            return [key.partition("/")[2] for key in self._workloads if key.startswith(f"{kind}/")]
        known: dict[str, Iterable[str]] = {
            "nodes": self.nodes.nodes,
            "pods": self._pods,
            "endpointslices": self.services.slices,
            "budgets": self._budgets,
        }
        return list(known.get(noun, ()))

    def _each(self, noun: str, objects: Iterable[Any], at: float) -> Iterator[Happening]:
        for each in objects:
            match each:
                case SeenNode():
                    yield from self.nodes.seen(each, at)
                    yield from self._held_up(at)
                case SeenPod():
                    yield from self._pod(each.key, each, at)
                case SeenSlice():
                    yield from map(self._excused, self.services.seen(each, at))
                case SeenWorkload():
                    yield from self._workload(f"{WORKLOADS[noun]}/{each.key}", each, at)
                case SeenBudget():
                    self._budgets[each.key] = each
                    yield from self._held_up(at)
                case SeenLease():
                    yield from self._lease(each, at)
                case SeenEvent():
                    yield from self.nodes.told(each, at)

    def _delete(self, noun: str, keys: Iterable[str], at: float) -> Iterator[Happening]:
        for key in keys:
            if noun == "nodes":
                yield from self.nodes.gone(key, at)
            elif noun == "pods":
                yield from self._pod(key, None, at)
            elif noun == "endpointslices":
                yield from map(self._excused, self.services.gone(key, at))
            elif noun == "budgets":
                self._budgets.pop(key, None)
            elif noun in WORKLOADS:
                self._workloads.pop(f"{WORKLOADS[noun]}/{key}", None)

    def _pod(self, key: str, pod: SeenPod | None, at: float) -> Iterator[Happening]:
        before = self._pods.pop(key, None)
        if pod:
            self._pods[key] = pod
        yield from self.nodes.pod_seen(before, pod, at)
        if before and before.at_work and not (pod and pod.at_work) and self._is_behind(key):
            node = before.spec.node_name
            yield Happening(at=at, object=f"Pod/{key}", what=f"is being deleted from {node}", details={"node": node})

    def _is_behind(self, key: str) -> bool:
        namespace, _, name = key.partition("/")
        services = (each for each in self.behind if each.startswith(f"{namespace}/"))
        return any(name in (pod for pod, _ in self.services.ready(each)) for each in services)

    def _workload(self, ref: str, workload: SeenWorkload, at: float) -> Iterator[Happening]:
        before, self._workloads[ref] = self._workloads.get(ref), workload
        begun = before is not None and before.metadata.generation != workload.metadata.generation
        if begun and ref not in self._moving:
            self._moving.add(ref)
            yield Happening(at=at, object=ref, what="rollout or scaling began")
        if ref in self._moving and not workload.moving:
            self._moving.discard(ref)
            yield Happening(at=at, object=ref, what="rollout or scaling complete")

    def _held_up(self, at: float) -> Iterator[Happening]:
        """Tell which budgets allow no eviction of pods on cordoned nodes, and when they do again."""
        cordoned = [name for name, node in self.nodes.nodes.items() if node.spec.unschedulable]
        there = [
            self._pods[key] for name in cordoned for key in sorted(self.nodes.bound.get(name, ())) if key in self._pods
        ]
        for key, budget in self._budgets.items():
            held = next((pod for pod in there if budget.refuses(pod)), None)
            if held and key not in self._holding:
                self._holding.add(key)
                what = f"allows no eviction of {held.key} from {held.spec.node_name}, which is cordoned"
                yield Happening(at=at, object=f"{BUDGET}/{key}", what=what)
            elif not held and key in self._holding:
                self._holding.discard(key)
                yield Happening(at=at, object=f"{BUDGET}/{key}", what="holds no eviction up any more")

    def _lease(self, lease: SeenLease, at: float) -> Iterator[Happening]:
        if not lease.metadata.name.startswith(LEADERS):
            return
        holder = lease.spec.holder_identity
        before = self._holders.get(lease.key)
        self._holders[lease.key] = holder
        if before is not None and before != holder:
            what = f"has another leader: {holder}" if holder else "has no leader"
            yield Happening(at=at, object=f"Lease/{lease.key}", what=what)

    def _excused(self, event: Happening) -> Happening:
        """The event; where the Service lost its pods on purpose, with the reason."""
        if event.details.get(ENDPOINTS) != "0":
            return event
        if event.object == API_SERVER:
            return with_excuse(event, "it is the API server's own, which is a target itself")
        namespace = event.object.split("/")[1]
        pods = [f"{namespace}/{name}" for name in event.details.get(LAST_PODS, "").split(", ")]
        reasons = {self._on_purpose(namespace, key) for key in pods}
        if "" in reasons:
            return event
        return with_excuse(event, "; ".join(sorted(reasons)))

    def _on_purpose(self, namespace: str, key: str) -> str:
        """Why a pod is to be gone: its workload is scaled to 0, or it was a Job's; empty where nothing says so."""
        pod = self._pods.get(key)
        owner = pod.owner if pod else None
        if owner is None:
            return ""
        if owner.kind == "Job":
            return f"Job/{namespace}/{owner.name} is over" if pod and pod.status.phase == "Succeeded" else ""
        name = owner.name.rpartition("-")[0] if owner.kind == "ReplicaSet" else owner.name
        kind = "Deployment" if owner.kind == "ReplicaSet" else owner.kind
        workload = self._workloads.get(f"{kind}/{namespace}/{name}")
        return f"{kind}/{namespace}/{name} is scaled to 0" if workload and workload.spec.replicas == 0 else ""


def with_excuse(event: Happening, why: str) -> Happening:
    """The event, with the reason why it is as it should be."""
    return Happening(at=event.at, object=event.object, what=event.what, details={**event.details, EXCUSED: why})


def tell_story(
    story: Story, changes: queue.SimpleQueue[ListChange], now: Callable[[], float], tell: Callable[[Happening], None]
) -> None:
    """Tell what happens, for ever; a change that cannot be understood is told as such."""
    while True:
        change = changes.get()
        try:
            for event in story.take(change, now()):
                tell(event)
        except Exception as problem:  # one object must not end the story of all others
            why = f"a change of {change.noun} was not understood: {type(problem).__name__}: {problem}"
            tell(Happening(at=now(), object="Watch", what=why[:300]))
