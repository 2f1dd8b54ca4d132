"""One check in `report.html`: a part that folds, with its findings in a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from upgate.reports import words
from upgate.reports.cause_list import alike_findings
from upgate.reports.causes import RootCauses
from upgate.reports.cleaning import one_line, shortened_text
from upgate.reports.html_causes import Anchors, hint_markup, known_word
from upgate.reports.naming import unique_names
from upgate.results import CheckResult, Finding

#: A page with more rows than this is slow on a phone; results.json has them all.
MOST_FINDINGS = 5_000
#: What cannot be in an address.
UNFIT = re.compile("[^A-Za-z0-9._-]+")
LONGEST_TEXT = 4_000


class CheckPage:
    """The checks of one run, as markup."""

    def __init__(self, causes: RootCauses, rounds: int, anchors: Anchors) -> None:
        self._causes = causes
        self._rounds = rounds
        self._anchors = anchors
        self._used: set[str] = set()

    def check(self, check: CheckResult, anchor: str) -> str:
        """One check with all that is known about it, folded: the causes stand above, and links open what they lead to."""
        return (
            f'<details class="check {check.outcome}" id="{escape(anchor)}" data-outcome="{check.outcome}"'
            f' data-subject="{escape(check.subject)}" data-words="{escape(searchable(check))}">'
            f"<summary>{summary_line(check)}</summary>"
            f'<div class="body">{"".join(self._body(check))}</div></details>'
        )

    def _body(self, check: CheckResult) -> Iterator[str]:
        told = self._causes.told(check)
        yield from paragraphs(check)
        shown = unlike_first(told.shown)
        yield self._list(check, shown[: words.FIRST])
        yield self._fold(words.more(len(shown) - words.FIRST), check, shown[words.FIRST :])
        yield self._fold(words.explained_elsewhere(len(told.explained)), check, told.explained)
        if check.outcome == "waived":
            yield self._list(check, told.waived)
        else:
            yield self._fold(f"{len(told.waived)} waived", check, told.waived)
        yield f'<p class="record">{escape(words.check_record(check))}</p>'

    def _fold(self, label: str, check: CheckResult, findings: Sequence[Finding]) -> str:
        """Findings behind a line that opens them."""
        if not findings:
            return ""
        rows = self._list(check, findings)
        return f'<details class="fold"><summary>{escape(label)}</summary>{rows}</details>'

    def _list(self, check: CheckResult, findings: Sequence[Finding]) -> str:
        if not findings:
            return ""
        rows = "".join(self._finding(check, finding) for finding in findings[:MOST_FINDINGS])
        rest = len(findings) - MOST_FINDINGS
        left_out = f'<p class="left-out">{words.more(rest, "results.json")}</p>' if rest > 0 else ""
        return f'<ul class="findings">{rows}</ul>{left_out}'

    def _finding(self, check: CheckResult, finding: Finding) -> str:
        """One object: what was seen, what should be, where to look, what follows from it."""
        lines = "".join(self._lines(check, finding))
        return (
            f'<li class="finding"{self._id(check, finding)} data-namespace="{escape(finding.namespace)}"'
            f' data-known="{known_word(finding)}"><div class="object">{cluster_text(finding.object)}</div>{lines}</li>'
        )

    def _id(self, check: CheckResult, finding: Finding) -> str:
        """The address of the finding; of equal ones the first has it."""
        anchor = self._anchors.of_finding(check, finding)
        if anchor in self._used:
            return ""
        self._used.add(anchor)
        return f' id="{escape(anchor)}"'

    def _lines(self, check: CheckResult, finding: Finding) -> Iterator[str]:
        yield f"<p>{cluster_text(finding.observed)}</p>"
        if finding.expected:
            yield f'<p><span class="label">expected:</span> {cluster_text(finding.expected)}</p>'
        if finding.transitional:
            yield f'<p class="aside">{words.unfinished(self._rounds)}</p>'
        if finding.known:
            yield f'<p class="aside">{words.KNOWN}</p>'
        if finding.because:
            yield f'<p class="dim">{self._cause_link(check, finding)}</p>'
        if finding.waived:
            yield f'<p class="dim">waived: {cluster_text(finding.waived)}</p>'
        if finding.hint:
            yield hint_markup(shortened_text(finding.hint, LONGEST_TEXT))
        if followers := self._causes.followers(check, finding):
            yield f'<p class="dim">{escape(words.consequences(followers, 10))}</p>'

    def _cause_link(self, check: CheckResult, finding: Finding) -> str:
        """What it follows from, as a link where that is on the page."""
        said, root = escape(words.cause(finding)), self._causes.cause_of(finding)
        return f'<a href="#{self._anchors.of_finding(*root)}">{said}</a>' if root else said


def unlike_first(findings: list[Finding]) -> list[Finding]:
    """One finding of each kind, then those that are like one of them."""
    groups = list(alike_findings(findings, {}))
    return [*(group[0] for group in groups), *(each for group in groups for each in group[1:])]


def summary_line(check: CheckResult) -> str:
    """The line that stays visible when the check is folded."""
    expected = "" if check.outcome in ("passed", "skipped") else "expected: "
    return (
        f'<h4><span class="id">{escape(check.id)}</span> — <span class="denominator">{escape(words.denominator(check))}</span>'
        f' — <span class="title">{expected}{escape(one_line(check.title))}</span></h4>'
    )


def paragraphs(check: CheckResult) -> Iterator[str]:
    """Why it could not be judged, and why it is asked at all."""
    if check.reason:
        yield f'<p class="reason">{cluster_text(check.reason)}</p>'
    if check.why:
        yield f'<p class="why">{cluster_text(check.why)}</p>'


def searchable(check: CheckResult) -> str:
    """What the free-text filter finds a check by, its findings aside."""
    return one_line(f"{check.id} {check.title} {check.reason}")


def cluster_text(value: str) -> str:
    """Text from the cluster, cut to what a page can show."""
    return escape(shortened_text(value, LONGEST_TEXT))


def anchors(checks: Iterable[CheckResult]) -> list[str]:
    """An address within the page for each check, the same in every run."""
    names = (f"check-{UNFIT.sub('-', check.id)}" for check in checks)
    return list(unique_names(names, "{name}-{number}"))
