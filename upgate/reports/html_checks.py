"""One check in `report.html`: a part that folds, with its findings in a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from upgate.reports import words
from upgate.reports.causes import RootCauses
from upgate.reports.cleaning import one_line, shortened_text
from upgate.reports.naming import unique_names
from upgate.results import CheckResult, Finding

#: A page with more rows than this is slow on a phone; results.json has them all.
MOST_FINDINGS = 5_000
#: What cannot be in an address.
UNFIT = re.compile("[^A-Za-z0-9._-]+")
LONGEST_TEXT = 4_000


class CheckPage:
    """The checks of one run, as markup."""

    def __init__(self, causes: RootCauses, rounds: int) -> None:
        self._causes = causes
        self._rounds = rounds

    def check(self, check: CheckResult, anchor: str) -> str:
        """One check with all that is known about it; what needs attention stands open."""
        is_open = " open" if self._causes.told(check).shown or check.outcome == "waived" else ""
        return (
            f'<details class="check {check.outcome}" id="{escape(anchor)}" data-outcome="{check.outcome}"'
            f' data-words="{escape(searchable(check))}"{is_open}><summary>{summary_line(check)}</summary>'
            f'<div class="body">{"".join(self._body(check))}</div></details>'
        )

    def _body(self, check: CheckResult) -> Iterator[str]:
        told = self._causes.told(check)
        yield from paragraphs(check)
        yield self._list(check, told.shown[: words.FIRST])
        yield self._fold(words.more(len(told.shown) - words.FIRST), check, told.shown[words.FIRST :])
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
            f'<li class="finding" data-namespace="{escape(finding.namespace)}">'
            f'<div class="object">{cluster_text(finding.object)}</div><div>{lines}</div></li>'
        )

    def _lines(self, check: CheckResult, finding: Finding) -> Iterator[str]:
        yield f"<p>{cluster_text(finding.observed)}</p>"
        if finding.expected:
            yield f'<p><span class="label">expected:</span> {cluster_text(finding.expected)}</p>'
        if finding.transitional:
            yield f'<p class="aside">{words.unfinished(self._rounds)}</p>'
        if finding.known:
            yield f'<p class="aside">{words.KNOWN}</p>'
        if finding.because:
            yield f'<p class="dim">{escape(words.cause(finding))}</p>'
        if finding.waived:
            yield f'<p class="dim">waived: {cluster_text(finding.waived)}</p>'
        if finding.hint:
            tag = "code" if words.is_command(finding.hint) else "p"
            yield f"<{tag}>{cluster_text(finding.hint)}</{tag}>"
        if followers := self._causes.followers(check, finding):
            yield f'<p class="dim">{escape(words.consequences(followers, 10))}</p>'


def summary_line(check: CheckResult) -> str:
    """The line that stays visible when the check is folded."""
    return (
        f'<h4><span class="id">{escape(check.id)}</span> — <span class="denominator">{escape(words.denominator(check))}</span>'
        f' — <span class="title">{escape(one_line(check.title))}</span></h4>'
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
