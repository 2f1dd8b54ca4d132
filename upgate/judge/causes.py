"""One root cause gives one red line: what follows from another finding says so.

An object depends on others: a pod on its node, a workload on its pods unless it has a fault of its own, a Service on what
stands behind it if none of that is ready. Each check names the checks whose findings explain its own (`after`): on the same
object, or on one that it depends on. Nothing is taken away: the finding stays, and says `because`. Where all that explains
it is only "not yet", so is the finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from upgate.base.errors import Inconclusive
from upgate.facts.backends import WORKLOADS, Backends, controller_of
from upgate.facts.deployments import Deployment
from upgate.facts.pods import Pod
from upgate.facts.services import Service
from upgate.facts.workloads import Workload
from upgate.judge.front_dependencies import FRONTS, STORAGE, add_fronts, add_storage
from upgate.judge.outcome import not_yet
from upgate.results import CheckResult, Finding, Severity
from upgate.snapshot import Snapshot
from upgate.sources.probes.explaining import Whereabouts

#: Object → the objects that it depends on.
Dependencies = Mapping[str, Sequence[str]]
#: The id of a check, and an object that it found.
Found = tuple[str, str]
#: Namespace and UID of what controls something.
Owner = tuple[str, str]


def relate(results: Sequence[CheckResult], snapshot: Snapshot, after: Mapping[str, Sequence[str]]) -> list[CheckResult]:
    """The results, each finding with the root cause that is found for it."""
    if not any(result.active for result in results):
        return list(results)
    return Causes(results, dependencies(snapshot), after).related()


class Causes:
    """The active findings of a run that explain others, by object: the critical ones, and rollouts under way."""

    def __init__(
        self, results: Sequence[CheckResult], depends: Dependencies, after: Mapping[str, Sequence[str]]
    ) -> None:
        self._results = results
        self._depends = depends
        self._after = after
        self._found = {
            (each.id, finding.object)
            for each in results
            for finding in each.active
            if finding.severity == "critical" or finding.transitional
        }
        self._under_way = self._passing()

    def related(self) -> list[CheckResult]:
        """The results with `because` filled in."""
        return [
            judged_again(each, tuple(self._explained(each.id, finding) for finding in each.findings))
            for each in self._results
        ]

    def _explained(self, check: str, finding: Finding) -> Finding:
        root = self._root(check, finding.object)
        if root == (check, finding.object):
            return finding
        explained = replace(finding, because=f"{root[0]}: {root[1]}")
        if finding.transitional or (check, finding.object) not in self._under_way:
            return explained
        return replace(explained, transitional=True, severity=self._under_way[check, finding.object])

    def _passing(self) -> dict[Found, Severity]:
        """What is under way, or explained by nothing but that; each with the severity that "not yet" has in this run."""
        active = {(each.id, f.object): f for each in self._results for f in each.active}
        passing = {found: active[found].severity for found in self._found if active[found].transitional}
        lasting = self._found - passing.keys() if passing else set()
        reasons = {found: why for found in lasting if (why := set(self._explaining(*found)))}
        while new := [found for found, why in reasons.items() if found not in passing and why <= passing.keys()]:
            passing.update({found: passing[min(reasons[found])] for found in new})
        return passing

    def _root(self, check: str, object: str) -> Found:
        """The finding at the end of the chain of causes; itself where there is none. Of a circle one is the root for all."""
        chain = [(check, object)]
        while (cause := self._cause(*chain[-1])) and cause not in chain:
            chain.append(cause)
        return min(chain[chain.index(cause) :]) if cause else chain[-1]

    def _cause(self, check: str, object: str) -> Found | None:
        """The finding that explains this one: of the first check in its `after` that has one, the nearest.

        A node explains it only if it explains all that was found below: else what it leaves unexplained is told.
        """
        found = self._explaining(check, object)
        first = next(found, None)
        if first is None or not self._of_node(first):
            return first
        return next((each for each in found if not self._of_node(each)), first)

    def _explaining(self, check: str, object: str) -> Iterator[Found]:
        """What was found on the object, or on what it depends on, by the checks that explain this one."""
        causes = [cause for cause in self._after.get(check, ()) if cause != check]
        below = list(self._below(object)) if causes else []
        return ((cause, other) for cause in causes for other in below if (cause, other) in self._found)

    def _of_node(self, found: Found) -> bool:
        """It is on a node, or follows from one."""
        chain = [found]
        while (cause := next(self._explaining(*chain[-1]), None)) and cause not in chain:
            chain.append(cause)
        return chain[-1][1].startswith("Node/")

    def _below(self, object: str) -> Iterator[str]:
        """The object, and all that it depends on, the nearest first."""
        seen, todo = {object}, deque([object])
        while todo:
            yield (current := todo.popleft())
            new = [other for other in self._depends.get(current, ()) if other not in seen]
            seen.update(new)
            todo.extend(new)


def judged_again(result: CheckResult, findings: tuple[Finding, ...]) -> CheckResult:
    """The result with these findings; one that failed does so no more where each of its failures is only not yet right."""
    related = replace(result, findings=findings)
    critical = [each for each in related.active if each.severity == "critical"]
    if result.outcome != "failed" or not all(each.transitional for each in critical):
        return related
    reasons = [*filter(None, [result.reason]), *not_yet(critical)]
    return replace(related, outcome="inconclusive" if reasons else "warned", reason="; ".join(reasons))


def dependencies(snapshot: Snapshot) -> Dependencies:
    """Who depends on whom, as far as the lists were looked at."""
    lists = {
        noun: listed(snapshot, noun)
        for noun in {*WORKLOADS, "pods", "nodes", "namespaces", "services", "endpointslices", *STORAGE, *FRONTS}
    }
    depends: dict[str, list[str]] = defaultdict(list)
    add_workloads(depends, lists)
    add_pods(depends, lists)
    add_services(depends, lists)
    add_storage(depends, lists)
    add_fronts(depends, lists)
    add_probes(depends, snapshot)
    return depends


def add_workloads(depends: dict[str, list[str]], lists: dict[str, list[Any]]) -> None:
    """A workload depends on what it controls, unless it has a fault of its own."""
    explained = explained_workloads(lists)
    for owned in [*lists["replicasets"], *lists["pods"]]:
        owner = controller_of(owned)
        if owner in explained:
            depends[explained[owner].ref].append(owned.ref)


def explained_workloads(lists: dict[str, list[Any]]) -> dict[Owner | None, Workload]:
    """The workloads, by namespace and UID, that their pods can explain: all that they miss was made, and is not ready."""
    stranded = stranded_pods(lists)
    there = by_workload(lists, lambda pod: not pod.done)
    unready = by_workload(lists, lambda pod: pod.terminating or not pod.ready.is_true)
    workloads: dict[Owner | None, Workload] = {
        (each.namespace, each.metadata.uid): each for noun in WORKLOADS for each in lists[noun]
    }
    return {
        key: each
        for key, each in workloads.items()
        if not each.own_fault_beside(stranded[key])
        and not (isinstance(each, Deployment) and each.held)
        and each.unready_created <= unready[key]
        and each.claimed <= there[key]
    }


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


def add_services(depends: dict[str, list[str]], lists: dict[str, list[Any]]) -> None:
    """A Service of which no pod is ready depends on the workloads and the pods that it selects.

    They are written down once for each selector: many Services may have the same.
    """
    backends = Backends(lists)
    for service in lists["services"]:
        if isinstance(service, Service) and service.selects_pods and backends.none_ready(service):
            depends[service.ref].append(selection := selection_name(service))
            if selection not in depends:
                behind = [*backends.workloads(service), *backends.pods(service)]
                depends[selection] = [each.ref for each in behind]


def selection_name(service: Service) -> str:
    """What stands for all that its selector matches; no object is called so."""
    return f"Selection/{service.namespace}/{sorted((service.spec.selector or {}).items())}"


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
