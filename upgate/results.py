"""Findings, severities and waivers become outcomes, and outcomes become one verdict with one exit code.

Pure: nothing here reads a clock, a file or the network. `Results` is the one list that every report renders, and its
JSON form is `results.json`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Protocol

import msgspec

Severity = Literal["critical", "warning"]
Outcome = Literal["passed", "failed", "warned", "inconclusive", "waived", "skipped"]
Verdict = Literal["clear", "not clear", "inconclusive"]

#: The order in which people want to read outcomes at 3 a.m.
OUTCOMES: tuple[Outcome, ...] = ("failed", "inconclusive", "warned", "waived", "passed", "skipped")
#: EX_TEMPFAIL of sysexits.h: run again, or repair access.
EXIT_CODES: dict[Verdict, int] = {"clear": 0, "not clear": 1, "inconclusive": 75}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One object that is not as it should be."""

    #: `Kind/name`, `Kind/namespace/name`, or for probes the URL or `host:port`.
    object: str
    observed: str
    expected: str
    #: The command to run or the place to look at first.
    hint: str = ""
    #: The reason and end date of the waiver that covers it.
    waived: str | None = None
    #: A rollout that Kubernetes itself says is under way: not wrong, but not finished.
    transitional: bool = False
    #: The root cause elsewhere, as `check id: object`.
    because: str | None = None
    severity: Severity = "critical"
    #: With a baseline: it was wrong before the upgrade too.
    known: bool = False

    @property
    def namespace(self) -> str:
        """The namespace in `object`; empty for cluster-wide objects and probes."""
        parts = self.object.split("/")
        return parts[1] if len(parts) == 3 and parts[0].isalnum() else ""


def finding_key(check: str, object: str) -> str:
    """What names a finding: of the check with that id, on that object; as in `because`."""
    return f"{check}: {object}"


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found."""

    id: str
    title: str
    severity: Severity
    outcome: Outcome
    #: How many objects were looked at, and what they are called ("pods").
    examined: int = 0
    noun: str = "objects"
    #: Seconds.
    duration: float = 0.0
    #: Why it is inconclusive or skipped; else empty.
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    #: Why this is asked at all: the check's documentation behind its title.
    why: str = ""
    #: Seconds from the first round until it became clear for good, in a run with several rounds; 0 where it was from the
    #: first on, null while it is not.
    clear_after: float | None = None
    #: It was clear in one round and not in a later one.
    flapped: bool = False

    @property
    def subject(self) -> str:
        """The group that the id belongs to: `nodes` of `nodes.ready`."""
        return self.id.partition(".")[0]

    @property
    def active(self) -> tuple[Finding, ...]:
        """The findings that no waiver covers."""
        return tuple(finding for finding in self.findings if not finding.waived)

    @property
    def roots(self) -> tuple[Finding, ...]:
        """The active findings that are not the consequence of another one."""
        return tuple(finding for finding in self.active if not finding.because)


class ClusterSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Which cluster was judged. A count is null where it could not be looked at."""

    server: str = ""
    version: str | None = None
    nodes: int | None = None
    pods: int | None = None


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the battery; its JSON form is `results.json`."""

    schema: int = 1
    profile: str
    verdict: Verdict
    exit_code: int
    cluster: ClusterSummary
    #: The place that probes from outside were made from, as --vantage names it.
    vantage: str = ""
    #: Times in UTC.
    started: datetime
    finished: datetime
    rounds: int = 1
    #: "Since" in the checks means since this moment.
    reference: datetime | None = None
    #: What a reader should know beside the checks: waivers that match nothing, a run that was broken off, …
    notes: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...] = ()

    def count(self) -> dict[Outcome, int]:
        """How many checks had each outcome, in reading order, zeros left out."""
        counts = Counter(check.outcome for check in self.checks)
        return {outcome: counts[outcome] for outcome in OUTCOMES if counts[outcome]}

    def having(self, outcome: Outcome) -> list[CheckResult]:
        """The checks with this outcome, in the battery's order."""
        return [check for check in self.checks if check.outcome == outcome]


class HasOutcome(Protocol):
    """Whatever has an outcome."""

    @property
    def outcome(self) -> Outcome: ...


def decide(checks: Iterable[HasOutcome], *, fail_on_warnings: bool = False) -> Verdict:
    """The verdict over all checks: a failure decides; else anything not judged; a run that judged nothing is never clear."""
    outcomes = {check.outcome for check in checks}
    if "failed" in outcomes or (fail_on_warnings and "warned" in outcomes):
        return "not clear"
    judged = outcomes & {"passed", "warned", "waived"}
    return "clear" if judged and "inconclusive" not in outcomes else "inconclusive"
