"""With a baseline: what was wrong before the upgrade, and what is new."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from upgate.base.text import counted
from upgate.baseline import Baseline
from upgate.results import CheckResult, Finding


def compare_with_baseline(checks: Sequence[CheckResult], baseline: Baseline) -> list[CheckResult]:
    """The checks, each finding marked that the baseline knows."""
    return [replace(check, findings=marked(check, baseline)) for check in checks]


def marked(check: CheckResult, baseline: Baseline) -> tuple[Finding, ...]:
    """The findings of one check."""
    return tuple(replace(each, known=baseline.knows(check.id, each)) for each in check.findings)


def number_known(checks: Sequence[CheckResult]) -> list[str]:
    """How many findings are known, as a note; empty where none is."""
    active = [each for check in checks for each in check.active]
    known = sum(each.known for each in active)
    return (
        [f"{known} of {counted(len(active), 'finding')} known since before the upgrade: see the baseline"]
        if known
        else []
    )


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
