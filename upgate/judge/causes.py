"""One root cause gives one red line: what follows from another finding says so.

An object depends on others: a pod on its node, a workload on its pods unless it has a fault of its own, a Service on what
stands behind it if none of that is ready. Each check names the checks whose findings explain its own (`after`): on the same
object, or on one that it depends on. Nothing is taken away: the finding stays, and says `because`. Where all that explains
it is only "not yet", so is the finding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from upgate.judge.dependencies import Dependencies, dependencies
from upgate.judge.earlier import Found, before_its_node
from upgate.judge.idle import explained_by_work, room_of_nodes
from upgate.judge.outcome import not_yet
from upgate.results import CheckResult, Finding, Severity, finding_key
from upgate.snapshot import Snapshot

#: What is made of parts: a cause of some of them does not explain it.
WHOLES = ("Deployment/", "ReplicaSet/", "StatefulSet/", "DaemonSet/", "Service/")
#: Kinds of trouble that show in more than one way: its pods do not run well, or nothing takes them.
ALIKE = {
    "running": ("pods.crashing", "pods.ready", "pods.failed"),
    "starting": ("pods.pending", "pods.scheduler-silent"),
    "nodes": ("nodes.ready", "nodes.heartbeat", "nodes.work"),
}


def relate(
    results: Sequence[CheckResult],
    snapshot: Snapshot,
    after: Mapping[str, Sequence[str]],
    *,
    felt: Container[str] = (),
) -> list[CheckResult]:
    """The results, each finding with the root cause that is found for it.

    What is wrong with one of the objects that are `felt` is so, although its cause may be only "not yet".
    """
    if not any(result.active for result in results):
        return list(results)
    depends = {**dependencies(snapshot), **room_of_nodes(results, snapshot)}
    earlier, worked = before_its_node(results, snapshot), explained_by_work(results, snapshot)
    return ActiveCauses(results, depends, after, earlier, worked, felt).related()


class ActiveCauses:
    """The active findings of a run that explain others, by object: the critical ones, and rollouts under way."""

    def __init__(
        self,
        results: Sequence[CheckResult],
        depends: Dependencies,
        after: Mapping[str, Sequence[str]],
        earlier: Collection[Found] = (),
        explained: Mapping[str, Collection[str]] = MappingProxyType({}),
        felt: Container[str] = (),
    ) -> None:
        self._results = results
        #: The id of a check that does not explain all that depends on what it found → the objects that it does.
        self._explained_by = explained
        #: What was found of a time before the trouble of its node: that does not explain it.
        self._earlier = earlier
        self._felt = felt
        self._depends = depends
        self._after = after
        self._found = {
            (each.id, finding.object)
            for each in results
            for finding in each.active
            if finding.severity == "critical" or finding.transitional
        }
        self._kinds: dict[Found, str] = {}
        self._causes: dict[Found, Found | None] = {}
        self._under_way: dict[Found, Severity] = {}
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
        explained = replace(finding, because=finding_key(*root))
        if finding.transitional or finding.object in self._felt or (check, finding.object) not in self._under_way:
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
        """The finding that explains this one; it is worked out once."""
        found = check, object
        if found not in self._causes:
            self._causes[found] = self._chosen(check, object)
        return self._causes[found]

    def _chosen(self, check: str, object: str) -> Found | None:
        """The finding that explains this one: of the first check in its `after` that has one, the nearest.

        Of what is made of parts, a workload or what stands behind a Service, only a cause that all its parts have in common.
        A node explains anything else only if it explains all that was found below: else what it leaves unexplained is told.
        """
        found = list(self._explaining(check, object))
        first = next(iter(found), None)
        if first is None or first[1] == object or set(found) <= self._under_way.keys():
            return first
        if object.startswith(WHOLES):
            return first if len(self._kinds_of_parts(check, object)) <= 1 else None
        return next((each for each in found if not self._of_node(each)), first) if self._of_node(first) else first

    def _kinds_of_parts(self, check: str, object: str) -> set[str]:
        """What kinds of causes there are for the parts of it that were found."""
        causes = [cause for cause in self._after.get(check, ()) if cause != check]
        parts = [self._first_found(causes, each) for each in self._nearest(causes, object)]
        return {self._kind(each) for each in parts if each}

    def _kind(self, found: Found) -> str:
        """The check at the root of a finding; for those of the same trouble of a pod one word."""
        if found not in self._kinds:
            self._kinds[found] = found[0]
            root = self._root(*found)
            self._kinds[found] = next((kind for kind, checks in ALIKE.items() if root[0] in checks), root[0])
        return self._kinds[found]

    def _first_found(self, causes: Sequence[str], object: str) -> Found | None:
        return next(((each, object) for each in causes if (each, object) in self._found), None)

    def _nearest(self, causes: Sequence[str], object: str) -> list[str]:
        """What it depends on and was found, but nothing that stands below another such: that speaks for it."""
        parts, covered, todo = [], {object}, deque(self._depends.get(object, ()))
        while todo:
            current = todo.popleft()
            if current in covered:
                continue
            covered.add(current)
            if self._first_found(causes, current):
                parts.append(current)
                covered.update(self._below("", current))
            else:
                todo.extend(self._depends.get(current, ()))
        return parts

    def _explaining(self, check: str, object: str) -> Iterator[Found]:
        """What was found on the object, or on what it depends on, by the checks that explain this one."""
        causes = [cause for cause in self._after.get(check, ()) if cause != check and self._may_explain(cause, object)]
        below = list(self._below(check, object)) if causes else []
        if (check, object) in self._earlier:
            below = [each for each in below if not each.startswith("Node/")]
        return ((cause, other) for cause in causes for other in below if (cause, other) in self._found)

    def _may_explain(self, cause: str, object: str) -> bool:
        return cause not in self._explained_by or object in self._explained_by[cause]

    def _of_node(self, found: Found) -> bool:
        """It is on a node, or follows from one."""
        chain = [found]
        while (cause := next(self._explaining(*chain[-1]), None)) and cause not in chain:
            chain.append(cause)
        return chain[-1][1].startswith("Node/")

    def _below(self, check: str, object: str) -> Iterator[str]:
        """The object, and all that it depends on, the nearest first."""
        first = [object, *self._depends.get(finding_key(check, object), ())]
        seen, todo = set(first), deque(first)
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
