"""The results for people at a terminal: what is wrong first, the verdict last, where the eye is."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator

from upgate.base.harmless import broken_commands
from upgate.reports import words
from upgate.reports.causes import RootCauses
from upgate.reports.cleaning import cleaned, one_line
from upgate.reports.prose import Line, Prose, Style
from upgate.results import CheckResult, Outcome, Results, Verdict

#: SGR parameters of ECMA-48.
CODES: dict[Style, str] = {"bold": "1", "dim": "2", "red": "1;31", "yellow": "1;33", "green": "1;32"}
STYLES: dict[Outcome, Style] = {"failed": "red", "inconclusive": "yellow", "warned": "yellow"}
VERDICT_STYLES: dict[Verdict, Style] = {"clear": "green", "not clear": "red", "inconclusive": "yellow"}
NARROWEST = 40


def render_terminal(results: Results, *, colour: bool, width: int) -> str:
    """The whole report as text that fits into `width` columns."""
    lines = report_lines(cleaned(results))
    return "\n".join(text for line in lines for text in printed(line, colour, max(width, NARROWEST))) + "\n"


def report_lines(results: Results) -> Iterator[Line]:
    """The report, line by line: header, groups, asides, verdict."""
    yield Line(f"{results.profile}: {words.cluster(results)}", style="bold")
    yield Line(words.when(results), style="dim")
    for outcome, tell in tellers(results).items():
        if checks := results.having(outcome):
            yield Line("")
            yield Line(f"{outcome.upper()} ({words.MEANINGS[outcome]})", style=STYLES.get(outcome, "bold"))
            yield from tell(checks)
    yield Line("")
    yield from map(Line, words.asides(results))
    yield Line(f"{words.verdict(results)}: {words.counts(results)}", style=VERDICT_STYLES[results.verdict])


def tellers(results: Results) -> dict[Outcome, Callable[[list[CheckResult]], Iterable[Line]]]:
    """How each outcome is shown; for the checks that passed the number is enough."""
    prose = Prose(RootCauses(results), results.rounds, first=words.FIRST, more_in="report.html")

    def each(checks: list[CheckResult]) -> Iterator[Line]:
        for check in checks:
            yield Line("")
            yield heading_line(check)
            yield from prose.findings(check)

    def by_reason(checks: list[CheckResult]) -> Iterator[Line]:
        yield from reason_lines([check for check in checks if not check.findings])
        yield from each([check for check in checks if check.findings])

    return {"failed": each, "inconclusive": by_reason, "warned": each, "waived": each, "skipped": by_reason}


def heading_line(check: CheckResult) -> Line:
    """The check, what it demands, and how much of what there is falls short."""
    reason = f" {one_line(check.reason)}" if check.reason else ""
    text = f"{check.id} — {words.denominator(check)} — {check.title}{reason}"
    return Line(text, style=STYLES.get(check.outcome, "bold"))


def reason_lines(checks: list[CheckResult]) -> Iterator[Line]:
    """One line for each reason, under the checks that share it."""
    for reason, sharing in words.reasons(checks).items():
        yield Line(f"{words.shortened_list([check.id for check in sharing])}: {reason}")


def printed(line: Line, colour: bool, width: int) -> list[str]:
    """The line wrapped and coloured; what is wrapped hangs two columns further in; a command stays whole to be copied."""
    indent = "  " * line.indent
    if words.is_command(line.text):
        return [coloured(indent + line.text, line.style, colour)]
    wrapped = textwrap.wrap(
        line.text, width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )
    # Where a long word was broken, a command may begin that was none inside it.
    return [coloured(broken_commands(text), line.style, colour) for text in wrapped] or [""]


def coloured(text: str, style: Style, colour: bool) -> str:
    return f"\x1b[{CODES[style]}m{text}\x1b[0m" if colour and style in CODES else text
