"""One check in lines of plain text, for the terminal and for JUnit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from upgate.reports import words
from upgate.reports.causes import RootCauses
from upgate.reports.cleaning import one_line
from upgate.results import CheckResult, Finding

Style = Literal["plain", "bold", "dim", "red", "yellow", "green"]


class Line(NamedTuple):
    """A line that may still be wrapped; `indent` counts steps."""

    text: str
    indent: int = 0
    style: Style = "plain"
    #: What its first word leads to, in a terminal that knows links.
    link: str = ""


class Prose:
    """The checks of one run in lines of text."""

    def __init__(self, causes: RootCauses, rounds: int, *, first: int, more_in: str) -> None:
        self._causes = causes
        self._rounds = rounds
        self._first = first
        self._more_in = more_in

    def findings(self, check: CheckResult) -> Iterator[Line]:
        """What is wrong, object by object; then in one line each what follows from elsewhere, and what is waived."""
        told = self._causes.told(check)
        for finding in told.shown[: self._first]:
            yield from self.finding(check, finding)
        yield from self._rest(len(told.shown))
        yield from explained_lines(told.explained)
        for finding in told.waived[: self._first]:
            yield Line(
                f"waived: {one_line(finding.object)}: {words.fact(finding)} ({one_line(finding.waived or '')})",
                1,
                "dim",
            )
        yield from self._rest(len(told.waived))

    def finding(self, check: CheckResult, finding: Finding) -> Iterator[Line]:
        """One object: what was seen, what should be, where to look, and what follows from it."""
        yield Line(one_line(finding.object), 1, "bold")
        yield Line(words.fact(finding), 2)
        if finding.transitional:
            yield Line(words.unfinished(self._rounds), 2, "yellow")
        if finding.known:
            yield Line(words.KNOWN, 2, "dim")
        if finding.because:
            yield Line(words.cause(finding), 2)
        if finding.hint:
            yield Line(one_line(finding.hint), 2)
        if followers := self._causes.followers(check, finding):
            yield Line(words.consequences(followers), 2, "dim")

    def _rest(self, number: int) -> Iterator[Line]:
        if number > self._first:
            yield Line(words.more(number - self._first, self._more_in), 1, "dim")


def explained_lines(findings: list[Finding]) -> Iterator[Line]:
    """The findings that are shown elsewhere already, in one line."""
    if findings:
        causes = list(dict.fromkeys(finding.because or "" for finding in findings))
        yield Line(f"{words.explained_elsewhere(len(findings))} ({words.shortened_list(causes, 2)})", 1, "dim")
