"""One check's judgement becomes its result: severities, waivers, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Protocol

from msgspec.structs import replace

from upgate.base.text import counted
from upgate.battery.check import Check
from upgate.battery.judgement import Judgement
from upgate.results import CheckResult, Finding, Outcome

WEEK = timedelta(days=7)


class WaiverLike(Protocol):
    """An entry of the profile's `waivers:`."""

    check: str
    object: str
    reason: str
    until: date


def conclude(
    judgement: Judgement, waivers: Sequence[WaiverLike], *, may_be_empty: bool = False, monitoring: bool = False
) -> CheckResult:
    """What the judgement comes to: a failure first, then what could not be judged, then warnings, then waived ones.

    What is still under way is neither right nor wrong: "not yet" is inconclusive, so that the gate is run again. In a
    monitoring round it only warns: a deployment wakes no one.
    """
    check = judgement.check
    found = map(only_warning, judgement.findings) if monitoring else judgement.findings
    findings = tuple(waive(check.id, finding, waivers) for finding in found)
    active = [finding for finding in findings if not finding.waived]
    critical = [finding for finding in active if finding.severity == "critical"]
    under_way = [finding for finding in critical if finding.transitional]
    reasons = [*judgement.gaps, *not_yet(under_way)] or nothing_examined(judgement, may_be_empty)
    outcome: Outcome = "passed"
    if len(under_way) < len(critical):
        outcome, reasons = "failed", judgement.gaps
    elif reasons:
        outcome = "inconclusive"
    elif active:
        outcome = "warned"
    elif findings:
        outcome = "waived"
    return result(check, outcome, "; ".join(reasons), judgement.examined, judgement.noun, findings)


def only_warning(finding: Finding) -> Finding:
    """The finding; one that is under way is no more than a warning."""
    return replace(finding, severity="warning") if finding.transitional else finding


def not_yet(findings: Sequence[Finding]) -> list[str]:
    """What is still under way, as a reason to run again; empty where nothing is."""
    if not findings:
        return []
    first = f"{findings[0].object}: {findings[0].observed}"
    more = f", and {counted(len(findings) - 1, 'other object')}" if len(findings) > 1 else ""
    return [f"not yet: {first}{more}"]


def nothing_examined(judgement: Judgement, may_be_empty: bool) -> list[str]:
    """The reason why a check that looked at nothing is not a pass; none where that is fine."""
    if judgement.examined or judgement.findings or judgement.check.none_is_fine or may_be_empty:
        return []
    return [
        f"examined nothing: there are no {judgement.noun} to judge. "
        f"If that is as it should be, say `expect: {{may-be-empty: [{judgement.check.id}]}}` in the profile"
    ]


def result(
    check: Check,
    outcome: Outcome,
    reason: str = "",
    examined: int = 0,
    noun: str = "objects",
    findings: tuple[Finding, ...] = (),
) -> CheckResult:
    """A result in the check's own words."""
    return CheckResult(
        id=check.id,
        title=check.title,
        severity=check.severity,
        outcome=outcome,
        examined=examined,
        noun=noun,
        reason=reason,
        findings=findings,
        why=check.why,
    )


def waiver_covers(waiver: WaiverLike, check_id: str, object: str) -> bool:
    """The waiver is about this object of this check; both may be globs."""
    return fnmatchcase(check_id, waiver.check) and is_like(object, waiver.object)


def is_like(object: str, pattern: str) -> bool:
    """The object is the pattern's. `*` and `?` are wildcards; `[` is itself, for it stands in URLs: `https://[fd00::1]:8443/`."""
    return fnmatchcase(object, pattern.replace("[", "[[]"))


def waive(check_id: str, finding: Finding, waivers: Sequence[WaiverLike]) -> Finding:
    """The finding, marked with the waiver that covers it, if one does."""
    waiver = next((each for each in waivers if waiver_covers(each, check_id, finding.object)), None)
    return replace(finding, waived=f"{waiver.reason} (until {waiver.until})") if waiver else finding


def unused(waivers: Sequence[WaiverLike], results: Iterable[CheckResult]) -> list[str]:
    """The waivers that match nothing any more, one sentence each; those of checks that could not be judged aside."""
    ran = [each for each in results if each.outcome != "skipped"]
    return [
        f"waiver matches nothing: {waiver.check} for {waiver.object} ({waiver.reason}); remove it from the profile"
        for waiver in waivers
        if is_unused(waiver, [each for each in ran if fnmatchcase(each.id, waiver.check)])
    ]


def waivers_in_force(waivers: Iterable[WaiverLike], today: date) -> list[WaiverLike]:
    """The waivers that still apply on this day."""
    return [waiver for waiver in waivers if waiver.until >= today]


def expired(waivers: Iterable[WaiverLike], today: date) -> list[str]:
    """The waivers that no longer apply, one sentence each: what they covered is a finding again."""
    return [
        f"waiver expired on {waiver.until} and no longer applies: {waiver.check} for {waiver.object} ({waiver.reason}); "
        "renew it or remove it from the profile"
        for waiver in waivers
        if waiver.until < today
    ]


def ending(waivers: Iterable[WaiverLike], today: date) -> list[str]:
    """The waivers that end within a week, one sentence each."""
    return [
        f"waiver ends on {waiver.until}: {waiver.check} for {waiver.object} ({waiver.reason}); renew it or remove it before"
        for waiver in waivers
        if timedelta() <= waiver.until - today < WEEK
    ]


def is_unused(waiver: WaiverLike, results: Sequence[CheckResult]) -> bool:
    """Of its checks each was judged, and none found anything that it covers."""
    judged = bool(results) and all(each.outcome != "inconclusive" for each in results)
    return judged and not any(
        waiver_covers(waiver, each.id, finding.object) for each in results for finding in each.findings
    )
