"""Who depends on whom: a pod on its node, a workload on its pods, a Service on what stands behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from upgate.base.errors import Inconclusive
from upgate.facts.backends import WORKLOADS, Backends, controller_of
from upgate.facts.deployments import Deployment
from upgate.facts.entrances import Entrances
from upgate.facts.owned_pods import DeploymentPods
from upgate.facts.pods import Pod
from upgate.facts.services import Service
from upgate.facts.workloads import Workload
from upgate.judge.absent_nodes import add_absent_nodes
from upgate.judge.beyond import NOUNS, add_beyond
from upgate.judge.front_dependencies import FRONTS, STORAGE, add_fronts, add_storage
from upgate.profile.parts import Patience
from upgate.snapshot import Snapshot
from upgate.sources.probes.explaining import Whereabouts

#: Object → the objects that it depends on.
Dependencies = Mapping[str, Sequence[str]]
#: What tells of pods that are gone.
EVENTS = DeploymentPods.helped_by
#: What promises a node.
PROMISES = ("machines", "nodeclaims")
AUTOSCALERS = "horizontalpodautoscalers"
OTHERS = ("pods", "nodes", "namespaces", "services", "endpointslices", AUTOSCALERS, *STORAGE, *FRONTS)
#: Namespace and UID of what controls something.
Owner = tuple[str, str]


def dependencies(snapshot: Snapshot) -> Dependencies:
    """Who depends on whom, as far as the lists were looked at."""
    lists = {noun: listed(snapshot, noun) for noun in {*WORKLOADS, *EVENTS, *NOUNS, *PROMISES, *OTHERS}}
    depends: dict[str, list[str]] = defaultdict(list)
    counts, backends = pods_counted(lists), Backends(lists)
    add_workloads(depends, lists, counts, snapshot.taken)
    add_pods(depends, lists)
    add_services(depends, lists, backends)
    add_promises(depends, lists)
    add_storage(depends, lists)
    add_fronts(depends, lists)
    add_autoscalers(depends, lists)
    add_absent_nodes(depends, lists, backends)
    add_probes(depends, snapshot)
    add_beyond(depends, lists, unmade_workloads(lists, counts), snapshot.taken)
    return depends


class PodCounts(NamedTuple):
    """How many pods each controller, and each Deployment behind one, has: that have not ended, and that are not ready."""

    there: Counter[Owner | None]
    unready: Counter[Owner | None]


def pods_counted(lists: dict[str, list[Any]]) -> PodCounts:
    """They are counted once."""
    there = by_workload(lists, lambda pod: not pod.done)
    return PodCounts(there, by_workload(lists, lambda pod: pod.terminating or not pod.ready.is_true))


def add_workloads(
    depends: dict[str, list[str]], lists: dict[str, list[Any]], counts: PodCounts, moment: datetime
) -> None:
    """A workload depends on what it controls, unless it has a fault of its own."""
    explained = explained_workloads(lists, counts, moment)
    for owned in [*lists["replicasets"], *lists["pods"]]:
        owner = controller_of(owned)
        if owner in explained:
            depends[explained[owner].ref].append(owned.ref)


def explained_workloads(
    lists: dict[str, list[Any]], counts: PodCounts, moment: datetime
) -> dict[Owner | None, Workload]:
    """The workloads, by namespace and UID, that their pods can explain: all that they miss was made, and is not ready.

    That pods are made again and again is not explained by the present ones, which have only just begun.
    """
    owned, slack = DeploymentPods(lists), Patience().terminating
    stranded = stranded_pods(lists)
    workloads: dict[Owner | None, Workload] = {
        (each.namespace, each.metadata.uid): each for noun in WORKLOADS for each in lists[noun]
    }
    return {
        key: each
        for key, each in workloads.items()
        if not each.own_fault_beside(stranded[key])
        and not (isinstance(each, Deployment) and each.held)
        and each.unready_created <= counts.unready[key]
        and each.claimed <= counts.there[key]
        and not owned.never_done(each, moment, slack)
    }


def unmade_workloads(lists: dict[str, list[Any]], counts: PodCounts) -> list[Workload]:
    """The workloads that lack pods, or whose controller does not see them, while all the pods that they have are ready."""
    keyed = ((each, (each.namespace, each.metadata.uid)) for noun in WORKLOADS for each in lists[noun])
    settled = ((each, key) for each, key in keyed if not counts.unready[key])
    return [each for each, key in settled if each.own_fault or counts.there[key] < each.desired]


def add_pods(depends: dict[str, list[str]], lists: dict[str, list[Any]]) -> None:
    """A pod depends on its node; a namespace that is being deleted on the pods that are going."""
    stuck = {each.name for each in lists["namespaces"] if each.held_otherwise}
    for pod in lists["pods"]:
        if pod.needs_its_node:
            depends[pod.ref].append(f"Node/{pod.spec.node_name}")
        if pod.terminating and pod.namespace not in stuck:
            depends[f"Namespace/{pod.namespace}"].append(pod.ref)


def stranded_pods(lists: dict[str, list[Any]]) -> Counter[Owner | None]:
    """How many pods of each controller are on nodes that are not ready."""
    down = {node.name for node in lists["nodes"] if not node.ready.is_true}
    return Counter(controller_of(pod) for pod in lists["pods"] if pod.spec.node_name in down)


def by_workload(lists: dict[str, list[Any]], rule: Callable[[Pod], bool]) -> Counter[Owner | None]:
    """How many pods of each controller, and of each Deployment behind one, the rule holds for: no more can they explain."""
    versions = {(each.namespace, each.metadata.uid): controller_of(each) for each in lists["replicasets"]}
    counts: Counter[Owner | None] = Counter()
    for pod in filter(rule, lists["pods"]):
        owner = controller_of(pod)
        maker = owner and versions.get(owner)
        counts.update({each for each in (owner, maker) if each})
    return counts


def add_services(depends: dict[str, list[str]], lists: dict[str, list[Any]], backends: Backends) -> None:
    """A Service of which no pod is ready depends on the workloads and the pods that it selects.

    They are written down once for each selector: many Services may have the same.
    """
    for service in lists["services"]:
        if isinstance(service, Service) and service.selects_pods and backends.none_ready(service):
            depends[service.ref].append(selection := selection_name(service))
            if selection not in depends:
                behind = [*backends.workloads(service), *backends.pods(service)]
                depends[selection] = [each.ref for each in behind]


def add_autoscalers(depends: dict[str, list[str]], lists: dict[str, list[Any]]) -> None:
    """An autoscaler depends on its target, if no pod of that is ready: nothing has metrics then."""
    down = {each.ref for noun in WORKLOADS for each in lists[noun] if each.desired and not each.claimed}
    for each in lists[AUTOSCALERS]:
        depends[each.ref] += {each.target} & down if each.lacks_metrics else ()


def selection_name(service: Service) -> str:
    """What stands for all that its selector matches; no object is called so."""
    return f"Selection/{service.namespace}/{sorted((service.spec.selector or {}).items())}"


def add_promises(depends: dict[str, list[str]], lists: dict[str, list[Any]]) -> None:
    """A Machine and a NodeClaim depend on their node."""
    for each in (each for noun in PROMISES for each in lists[noun]):
        if each.node:
            depends[each.ref].append(f"Node/{each.node}")


def add_probes(depends: dict[str, list[str]], snapshot: Snapshot) -> None:
    """What was asked from outside depends on whatever its address leads to."""
    whereabouts = Whereabouts(snapshot)
    for attempt in snapshot.attempts:
        depends[attempt.target] += whereabouts.behind(attempt)


def listed(snapshot: Snapshot, noun: str) -> list[Any]:
    """The facts of a kind; none where it could not be looked at: then nothing is explained by it."""
    try:
        return snapshot.facts(noun)
    except Inconclusive:
        return []


def entrance_refs(snapshot: Snapshot) -> set[str]:
    """The Services that users come in by: that they lead nowhere is felt at once."""
    entrances = Entrances({noun: listed(snapshot, noun) for noun in (*Entrances.needs, *Entrances.helped_by)})
    return {each.ref for each in listed(snapshot, "services") if entrances.lead_to(each)}
