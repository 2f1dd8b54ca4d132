"""With a baseline: what was wrong before the upgrade, and what is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgate.base.text import counted
from upgate.baseline import Baseline
from upgate.facts.lasting_names import LastingNames
from upgate.facts.recorded.differences import PART_WORDS
from upgate.judge.outcome import ONLY_NEW
from upgate.results import CheckResult, ComparedWith, Finding, Severity

if TYPE_CHECKING:
    from upgate.battery.evidence import Evidence


def known_marked(check_id: str, findings: Sequence[Finding], evidence: Evidence) -> list[Finding]:
    """The findings of a check, each marked that the baseline knows; as they are where there is none."""
    if evidence.baseline is None or not evidence.baseline.wrong.get(check_id) or not findings:
        return list(findings)
    return marked(check_id, findings, evidence.baseline, evidence.lasting_names)


def compare_with_baseline(checks: Sequence[CheckResult], evidence: Evidence) -> list[CheckResult]:
    """The checks, each finding marked that the baseline knows; also of those that pytest itself has judged."""
    return [replace(each, findings=tuple(known_marked(each.id, each.findings, evidence))) for each in checks]


def marked(check_id: str, findings: Sequence[Finding], baseline: Baseline, names: LastingNames) -> list[Finding]:
    """The same. A pod with a new name is known if as many pods of its Deployment were wrong before."""
    exact = [baseline.knows(check_id, each) for each in findings]
    left = unmatched(baseline.wrong_generated.get(check_id, {}), {each.object for each in findings})
    return [
        replace(each, known=known or took(left.get(names.maker(each.object)), each.severity))
        for each, known in zip(findings, exact, strict=True)
    ]


def unmatched(before: dict[str, dict[str, Severity]], now: set[str]) -> dict[str, list[Severity]]:
    """By what makes them: the severities of what was wrong under names that are not wrong now."""
    return {maker: [severity for object, severity in had.items() if object not in now] for maker, had in before.items()}


def took(left: list[Severity] | None, severity: Severity) -> bool:
    """One of these was no less severe: it stands for one finding, and for no other."""
    enough: tuple[Severity, ...] = ("critical",) if severity == "critical" else ("warning", "critical")
    alike = next((each for each in enough if left and each in left), None)
    if left and alike:
        left.remove(alike)
    return alike is not None


def comparison_of(baseline: Baseline | None, checks: Iterable[CheckResult]) -> ComparedWith | None:
    """How many findings are new, and how many known; those that the profile waives are neither."""
    if baseline is None:
        return None
    told = [each for check in checks for each in check.findings if each.waived in (None, ONLY_NEW)]
    known = sum(each.known for each in told)
    return ComparedWith(taken=baseline.taken, new=len(told) - known, known=known)


def already_wrong(checks: Sequence[CheckResult], *, partial: bool) -> list[str]:
    """What the saved baseline holds that is not as it should be, and what it cannot know, one sentence each."""
    failed = [check for check in checks if check.outcome == "failed"]
    unjudged = [check.id for check in checks if check.outcome == "inconclusive"]
    notes = []
    if failed:
        wrong = counted(sum(len(check.active) for check in failed), "finding")
        ids = ", ".join(check.id for check in failed)
        notes.append(f"the cluster is not clear: the baseline keeps {wrong} as known, of {ids}")
    if unjudged:
        notes.append(
            f"the baseline does not know what is wrong where checks could not be judged: {', '.join(unjudged)}"
        )
    if partial:
        notes.append("the baseline knows only what this partial run found: run the whole battery to save all findings")
    return notes


def parts_unseen(baseline: Baseline) -> list[str]:
    """What cannot be compared with a baseline that was saved just now, one sentence for each reason."""
    by_reason: dict[str, list[str]] = {}
    for part, why in (baseline.inventory.gaps if baseline.inventory else {}).items():
        by_reason.setdefault(why, []).append(PART_WORDS[part])
    return [
        f"the baseline has nothing to compare with of {', '.join(parts)}: {why}" for why, parts in by_reason.items()
    ]
