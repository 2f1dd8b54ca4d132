"""The one list that every report begins with: root causes, ordered by what they take down, alike ones as one entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from upgate.reports.causes import Consequence, RootCauses
from upgate.reports.families import pattern_of, seen_from_outside, workload_family
from upgate.results import CheckResult, Finding, Results, Severity

#: What a cause takes down: what users come in by, workloads, or neither.
Reach = Literal["users", "workloads", "rest"]
REACHES: tuple[Reach, ...] = ("users", "workloads", "rest")
KEPT_RUNNING = ("Deployment/", "StatefulSet/", "DaemonSet/", "ReplicaSet/")


class Cause(NamedTuple):
    """What is wrong and does not follow from anything else: one finding, or several that are alike."""

    check: CheckResult
    findings: tuple[Finding, ...]
    consequences: tuple[Consequence, ...]

    @property
    def first(self) -> Finding:
        """The finding that is shown in place of all."""
        return self.findings[0]

    @property
    def reach(self) -> Reach:
        """The most important thing that is down: what was found itself counts too."""
        objects = [*(it.object for it in self.findings), *(it.finding.object for it in self.consequences)]
        if self.check.subject == "external" or any(map(seen_from_outside, objects)):
            return "users"
        return "workloads" if any(it.startswith(KEPT_RUNNING) for it in objects) else "rest"

    @property
    def rank(self) -> tuple[object, ...]:
        """The place in the list: critical and settled first, then new, far-reaching and large."""
        one = self.first
        place = REACHES.index(self.reach)
        return (
            one.severity != "critical",
            one.transitional,
            one.known,
            place,
            -len(self.consequences),
            -len(self.findings),
        )


class CauseList(NamedTuple):
    """What is wrong in one list of results, counted: each active finding is in a cause, or is a consequence of one."""

    causes: tuple[Cause, ...]

    @property
    def findings(self) -> int:
        """How many findings the causes stand for."""
        return sum(len(each.findings) for each in self.causes)

    @property
    def consequences(self) -> int:
        """How many findings follow from them."""
        return sum(len(each.consequences) for each in self.causes)


def cause_list(results: Results) -> CauseList:
    """The causes of a run, the most important first; equal ones stay in the battery's order."""
    return CauseList(tuple(sorted(grouped_causes(results), key=lambda each: each.rank)))


def grouped_causes(results: Results) -> Iterator[Cause]:
    """The causes, alike findings of one check as one."""
    causes = RootCauses(results)
    pools = {f"Node/{name}": pool.name for pool in results.pools for name in pool.nodes}
    for check in results.checks:
        shown = [finding for finding in check.active if not causes.explains(finding)] or stand_in(check)
        for alike in alike_findings(shown, pools):
            followers = [it for finding in alike for it in causes.consequences(check, finding)]
            yield Cause(check, tuple(alike), tuple(followers))


def stand_in(check: CheckResult) -> list[Finding]:
    """What stands for a check that failed and names no finding."""
    if check.findings or check.outcome not in ("failed", "warned"):
        return []
    severity: Severity = "critical" if check.outcome == "failed" else "warning"
    return [Finding(object=f"Check/{check.id}", observed=check.reason, expected=check.title, severity=severity)]


def alike_findings(findings: Iterable[Finding], pools: dict[str, str]) -> Iterable[list[Finding]]:
    """The findings of one check in groups: the same text about pods of one workload, or about nodes of one pool."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for each in findings:
        family = pools.get(each.object) or workload_family(each.object)
        kind = each.object.partition("/")[0]
        text = pattern_of(each.observed, each.object)
        key = (kind, family, text, each.severity, each.transitional, each.known)
        groups.setdefault(key, []).append(each)
    return groups.values()
