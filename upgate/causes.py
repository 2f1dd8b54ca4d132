"""One root cause gives one red line: what follows from another finding says so.

An object depends on others: a pod on its node, a workload on its pods, a Service on what stands behind it. Each check
names the checks whose findings explain its own (`after`): on the same object, or on one that it depends on. Nothing is
taken away: the finding stays, and says `because`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from upgate.errors import Inconclusive
from upgate.facts.relations import WORKLOADS, Backends
from upgate.facts.services import Service
from upgate.snapshot import Snapshot
from upgate.verdict import CheckResult, Finding

#: Object → the objects that it depends on.
Dependencies = Mapping[str, Sequence[str]]


def relate(results: Sequence[CheckResult], snapshot: Snapshot, after: Mapping[str, Sequence[str]]) -> list[CheckResult]:
    """The results, each finding with the root cause that is found for it."""
    if not any(result.active for result in results):
        return list(results)
    return Causes(results, dependencies(snapshot), after).related()


class Causes:
    """The active critical findings of a run, by object."""

    def __init__(
        self, results: Sequence[CheckResult], depends: Dependencies, after: Mapping[str, Sequence[str]]
    ) -> None:
        self._results = results
        self._depends = depends
        self._after = after
        self._found = {
            (each.id, finding.object) for each in results for finding in each.active if finding.severity == "critical"
        }

    def related(self) -> list[CheckResult]:
        """The results with `because` filled in."""
        return [
            replace(each, findings=tuple(self._explained(each.id, f) for f in each.findings)) for each in self._results
        ]

    def _explained(self, check: str, finding: Finding) -> Finding:
        root = self._root(check, finding.object)
        return finding if root == (check, finding.object) else replace(finding, because=f"{root[0]}: {root[1]}")

    def _root(self, check: str, object: str) -> tuple[str, str]:
        """The finding at the end of the chain of causes; itself where there is none."""
        causes = self._after.get(check, ())
        for other in self._below(object) if causes else ():
            for cause in causes:
                if (cause, other) in self._found and cause != check:
                    return self._root(cause, other)
        return check, object

    def _below(self, object: str) -> Iterator[str]:
        """The object, and all that it depends on, the nearest first."""
        seen, todo = {object}, deque([object])
        while todo:
            yield (current := todo.popleft())
            new = [other for other in self._depends.get(current, ()) if other not in seen]
            seen.update(new)
            todo.extend(new)


def dependencies(snapshot: Snapshot) -> Dependencies:
    """Who depends on whom, as far as the lists were looked at."""
    lists = {noun: listed(snapshot, noun) for noun in {*WORKLOADS, "pods", "services", "endpointslices"}}
    depends: dict[str, list[str]] = defaultdict(list)
    owners = {each.metadata.uid: each.ref for noun in WORKLOADS for each in lists[noun]}
    for owned in [*lists["replicasets"], *lists["pods"]]:
        owner = owned.metadata.controller
        if owner and owner.uid in owners:
            depends[owners[owner.uid]].append(owned.ref)
    for pod in lists["pods"]:
        depends[pod.ref].append(f"Node/{pod.spec.node_name}")
        if pod.leaving:
            depends[f"Namespace/{pod.namespace}"].append(pod.ref)
    add_services(depends, lists)
    return depends


def add_services(depends: dict[str, list[str]], lists: dict[str, list[Any]]) -> None:
    """A Service depends on the workloads and the pods that it selects."""
    backends = Backends(lists)
    for service in lists["services"]:
        if isinstance(service, Service) and service.selects_pods:
            behind = [*backends.workloads(service), *backends.pods(service)]
            depends[service.ref] += [each.ref for each in behind]


def listed(snapshot: Snapshot, noun: str) -> list[Any]:
    """The facts of a kind; none where it could not be looked at: then nothing is explained by it."""
    try:
        return snapshot.facts(noun)
    except Inconclusive:
        return []
