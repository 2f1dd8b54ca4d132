"""The results for people at a terminal: what to know aside first, then the causes, the verdict last, where the eye is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from upgate.base.harmless import OPENING, broken_commands
from upgate.base.text import counted
from upgate.reports import words
from upgate.reports.cause_list import Cause, cause_list
from upgate.reports.cause_words import (
    cause_counts,
    cause_follows,
    cause_headline,
    cause_log,
    cause_marks,
    rest_of_causes,
    unjudged_reasons,
)
from upgate.reports.cleaning import cleaned, one_line
from upgate.reports.html_checks import anchors
from upgate.reports.prose import Line, Style
from upgate.results import CheckResult, Outcome, Results, Verdict

#: SGR parameters of ECMA-48.
CODES: dict[Style, str] = {"bold": "1", "dim": "2", "red": "1;31", "yellow": "1;33", "green": "1;32"}
STYLES: dict[Outcome, Style] = {"failed": "red", "inconclusive": "yellow", "warned": "yellow"}
VERDICT_STYLES: dict[Verdict, Style] = {"clear": "green", "not clear": "red", "inconclusive": "yellow"}
NARROWEST = 40
#: So many causes are shown; report.html has them all.
MOST_CAUSES = 25
#: Characters of a headline with what was expected: two lines of 80 columns.
FITTING = 154
#: So many lines of a log are shown.
LOG_LINES = 2
#: So many waived findings are shown.
MOST_WAIVED = 5


def render_terminal(results: Results, *, colour: bool, width: int, report: str = "") -> str:
    """The whole report as text that fits into `width` columns; with the URI of `report.html`, causes are links into it."""
    lines = report_lines(cleaned(results), report)
    return "\n".join(text for line in lines for text in printed(line, colour, max(width, NARROWEST))) + "\n"


def report_lines(results: Results, report: str) -> Iterator[Line]:
    """The report, line by line: header, what is not judged, causes, verdict."""
    yield Line(f"{results.profile}: {words.cluster(results)}", style="bold")
    yield Line(words.when(results), style="dim")
    yield from skipped_lines(results.having("skipped"))
    yield from waived_lines(results)
    yield from map(Line, words.asides(results))
    yield from unjudged_lines(results)
    yield from cause_lines(results, report)
    yield Line("")
    yield from verdict_lines(results)


def verdict_lines(results: Results) -> Iterator[Line]:
    """The verdict, and how much is wrong."""
    causes = cause_counts(cause_list(results))
    yield Line(words.verdict(results), style=VERDICT_STYLES[results.verdict])
    yield Line("; ".join(filter(None, (causes, words.counts(results)))))


def skipped_lines(checks: list[CheckResult]) -> Iterator[Line]:
    """How many checks were not asked; `upgate checks` says why."""
    if checks:
        subjects = words.shortened_list(sorted({one_line(check.subject) for check in checks}), 8)
        text = f"skipped: {counted(len(checks), 'check')} that the profile does not ask for ({subjects})"
        yield Line(text, style="dim")


def waived_lines(results: Results) -> Iterator[Line]:
    """What is wrong and accepted, a line each."""
    waived = [(check, each) for check in results.checks for each in check.findings if each.waived]
    for check, each in waived[:MOST_WAIVED]:
        text = f"waived: {one_line(each.object)}: {one_line(each.observed, 120)} ({one_line(each.waived or '', 200)})"
        yield Line(f"{text} [{one_line(check.id)}]", style="dim")
    if len(waived) > MOST_WAIVED:
        yield Line(f"waived: {words.more(len(waived) - MOST_WAIVED, 'report.html')}", style="dim")


def unjudged_lines(results: Results) -> Iterator[Line]:
    """One line for each reason, under the checks that share it."""
    if reasons := unjudged_reasons(results):
        yield Line("")
        yield Line("NOT JUDGED (so not a pass)", style="yellow")
    for reason, sharing in reasons.items():
        yield Line(f"{words.shortened_list([check.id for check in sharing])}: {reason}", 1)


def cause_lines(results: Results, report: str) -> Iterator[Line]:
    """The causes, the most important first."""
    listed = cause_list(results)
    places = dict(zip(map(id, results.checks), anchors(results.checks), strict=True)) if report else {}
    if listed.causes:
        yield Line("")
        yield Line(f"WRONG: {cause_counts(listed)}", style="red" if results.having("failed") else "yellow")
    for number, cause in enumerate(listed.causes[:MOST_CAUSES], 1):
        yield from one_cause(number, cause, f"{report}#{places[id(cause.check)]}" if report else "")
    if left := listed.causes[MOST_CAUSES:]:
        yield Line(f"{words.more(len(left), 'report.html')}: {rest_of_causes(left)}", style="dim")


def one_cause(number: int, cause: Cause, link: str) -> Iterator[Line]:
    """One cause: its headline, what was expected, what follows, where to look first."""
    style: Style = "red" if cause.first.severity == "critical" and not cause.first.transitional else "yellow"
    yield Line(f"{number}. {told_within(cause, FITTING)}", style=style, link=link)
    yield Line("; ".join(map(one_line, (cause.check.id, *cause_marks(cause), *cause_follows(cause, 1)))), 2, "dim")
    yield from (Line(f"| {line}", 2, "dim") for line in cause_log(cause, LOG_LINES))
    if cause.first.hint:
        yield Line(one_line(cause.first.hint), 2)


def told_within(cause: Cause, limit: int) -> str:
    """The headline, with what was expected where that fits in."""
    headline, expected = cause_headline(cause), one_line(cause.first.expected)
    whole = f"{headline} (expected: {expected})" if expected else headline
    return whole if len(whole) <= limit else headline


def printed(line: Line, colour: bool, width: int) -> list[str]:
    """The line wrapped and coloured; what is wrapped hangs two columns further in; a command stays whole to be copied."""
    indent = "  " * line.indent
    if words.is_command(line.text):
        return [coloured(indent + line.text, line.style, colour)]
    wrapped = textwrap.wrap(
        line.text, width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )
    # Where a long word was broken, a command may begin that was none inside it.
    shown = [coloured(broken_commands(text), line.style, colour) for text in wrapped] or [""]
    return [linked_number(shown[0], line.link), *shown[1:]]


def linked_number(text: str, link: str) -> str:
    """The text, its first word as a link."""
    word, blank, rest = text.partition(" ")
    return f"{OPENING.format(link)}{word}{OPENING.format('')}{blank}{rest}" if link else text


def coloured(text: str, style: Style, colour: bool) -> str:
    return f"\x1b[{CODES[style]}m{text}\x1b[0m" if colour and style in CODES else text
