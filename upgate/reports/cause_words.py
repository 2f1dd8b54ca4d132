"""How causes are said: every format has the same headline, marks and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from upgate.base.text import counted
from upgate.reports import words
from upgate.reports.cause_list import Cause, CauseList, Reach
from upgate.reports.causes import Consequence
from upgate.reports.cleaning import one_line
from upgate.reports.families import log_lines, seen_from_outside, without_log, workload_family
from upgate.results import CheckResult, Results

REACH_WORDS: dict[Reach, str] = {"users": "users may notice", "workloads": "", "rest": ""}
#: Characters of what was observed that a headline has.
HEADLINE = 150


def cause_counts(listed: CauseList) -> str:
    """How much is wrong: `3 causes (5 findings), 9 consequences`; empty where nothing is."""
    causes, findings = len(listed.causes), listed.findings
    alike = f" ({counted(findings, 'finding')})" if findings != causes else ""
    return f"{counted(causes, 'cause')}{alike}, {counted(listed.consequences, 'consequence')}" if causes else ""


def cause_object(cause: Cause) -> str:
    """The object that a cause is on; of several alike ones what they have in common, and their number."""
    first, number = cause.first.object, len(cause.findings)
    if number == 1:
        return one_line(first)
    families = {workload_family(each.object) for each in cause.findings}
    if len(families) == 1 and (family := families.pop()) != first:
        return f"{one_line(family)} ({number:,} of them)"
    return f"{one_line(first)} (and {number - 1:,} more like it)"


def cause_observed(cause: Cause) -> str:
    """What was seen, as long as a headline may be."""
    text = one_line(without_log(cause.first.observed))
    return text if len(text) <= HEADLINE else f"{text[: HEADLINE - 1]}…"


def cause_log(cause: Cause, last: int) -> list[str]:
    """The last lines that the container wrote, where they were looked at."""
    return [one_line(line, 200) for line in log_lines(cause.first.observed)[-last:]]


def cause_headline(cause: Cause) -> str:
    """What is wrong, in one line."""
    return f"{cause_object(cause)}: {cause_observed(cause)}"


def cause_marks(cause: Cause, *, compared: bool = False) -> list[str]:
    """What is to be known of a cause at a glance; where it was compared with a baseline, what is new says so."""
    first = cause.first
    marks = (
        "warning" if first.severity == "warning" else "",
        "not finished yet" if first.transitional else "",
        words.KNOWN if first.known else "new since the baseline" if compared else "",
        REACH_WORDS[cause.reach] if first.severity == "critical" else "",
    )
    return [mark for mark in marks if mark]


def affected(cause: Cause) -> list[Consequence]:
    """One consequence for each object beside the cause's own, those that users see first."""
    own = {each.object for each in cause.findings}
    others: dict[str, Consequence] = {}
    for each in cause.consequences:
        if each.finding.object not in own:
            others.setdefault(each.finding.object, each)
    return sorted(others.values(), key=lambda it: not seen_from_outside(it.finding.object))


def cause_follows(cause: Cause, first: int = 3) -> list[str]:
    """How much follows from a cause, and on which other objects, as one phrase; none where nothing does."""
    if not cause.consequences:
        return []
    objects = [one_line(it.finding.object) for it in affected(cause)]
    named = f": {words.shortened_list(objects, first)}" if objects else ""
    return [f"{counted(len(cause.consequences), 'consequence')}{named}"]


def unjudged_reasons(results: Results) -> dict[str, list[CheckResult]]:
    """Why checks could not be judged, each reason once; what is merely not finished is among the causes."""
    return words.reasons([check for check in results.having("inconclusive") if not is_only_unfinished(check)])


def is_only_unfinished(check: CheckResult) -> bool:
    """Its findings say it all."""
    return bool(check.active) and (not check.reason or check.reason.startswith("not yet: "))


def rest_of_causes(left: Sequence[Cause]) -> str:
    """The causes that are not shown, by check: `12 pods.crashing, 3 deployments.ready`."""
    numbers: dict[str, int] = {}
    for each in left:
        numbers[each.check.id] = numbers.get(each.check.id, 0) + 1
    return words.shortened_list([f"{number:,} {one_line(id)}" for id, number in numbers.items()], 5)
