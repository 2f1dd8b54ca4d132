"""The causes in `report.html`: what is wrong, what to look at first, and what follows from it, with links to the findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from upgate.base.text import counted
from upgate.reports import words
from upgate.reports.cause_list import Cause, CauseList
from upgate.reports.cause_words import affected, cause_log, cause_marks, cause_object, unjudged_reasons
from upgate.reports.cleaning import begun, one_line
from upgate.reports.families import home, without_log
from upgate.results import CheckResult, Finding, Outcome, Results

#: So many causes are in sight at once; all others are behind a line that opens them.
FIRST_CAUSES = 12
#: So many consequences of one cause are linked.
MOST_LINKED = 20
#: So many lines of a log are shown.
LOG_LINES = 8


class Anchors:
    """The addresses within the page: of each check, and of each finding; the same in every run over equal results."""

    def __init__(self, linked: Iterable[tuple[CheckResult, str]]) -> None:
        self._checks: dict[int, str] = {}
        self._findings: dict[tuple[int, int], str] = {}
        for check, anchor in linked:
            self._checks[id(check)] = anchor
            for finding in check.findings:
                self._findings.setdefault((id(check), id(finding)), f"finding-{len(self._findings) + 1}")

    def of_check(self, check: CheckResult) -> str:
        """The id of the check's element."""
        return self._checks[id(check)]

    def of_finding(self, check: CheckResult, finding: Finding) -> str:
        """The id of the finding's element; that of its check where the finding only stands for it."""
        return self._findings.get((id(check), id(finding)), self._checks[id(check)])


def causes_section(results: Results, listed: CauseList, anchors: Anchors) -> str:
    """What is wrong: the causes, then what could not be judged."""
    items = [cause_item(cause, anchors, results.gone is not None) for cause in listed.causes]
    rest = items[FIRST_CAUSES:]
    fold = (
        f'<details class="fold more-causes"><summary>{words.more(len(rest))}</summary>{causes_as_list(rest)}</details>'
        if rest
        else ""
    )
    unjudged = "".join(unjudged_items(unjudged_reasons(results), anchors))
    asked = f'<h3>Not judged, so not a pass</h3><ul class="trouble">{unjudged}</ul>' if unjudged else ""
    nothing = f"<p>{words.nothing_wrong(results)}</p>" if not items and not unjudged else ""
    shown = causes_as_list(items[:FIRST_CAUSES]) if items else ""
    return f'<section aria-labelledby="wrong"><h2 id="wrong">What is wrong</h2>{shown}{fold}{asked}{nothing}</section>'


def causes_as_list(items: Sequence[str]) -> str:
    """Some of the causes as a list."""
    return f'<ul class="causes">{"".join(items)}</ul>'


def tone_of(finding: Finding) -> Outcome:
    """The outcome by which a finding is coloured."""
    if finding.waived:
        return "waived"
    return "inconclusive" if finding.transitional else "warned" if finding.severity == "warning" else "failed"


def cause_item(cause: Cause, anchors: Anchors, compared: bool) -> str:
    """One cause: the object and what is wrong with it, marks, the command to look first, what follows."""
    one, check = cause.first, cause.check
    lines = "".join(cause_parts(cause, anchors, compared))
    touched = (*cause.findings, *(it.finding for it in cause.consequences))
    places = " ".join(sorted({home(each.object) or "-" for each in touched}))
    subjects = " ".join(sorted({check.subject, *(it.check.subject for it in cause.consequences)}))
    return (
        f'<li class="cause {tone_of(one)}" data-namespace="{escape(places)}" data-subject="{escape(subjects)}"'
        f' data-known="{known_word(one)}"><h3><a class="object" href="#{anchors.of_finding(check, one)}">'
        f"{escape(cause_object(cause))}</a></h3>{lines}</li>"
    )


def known_word(finding: Finding) -> str:
    """How the filter knows what is new."""
    return "known" if finding.known else "new"


def cause_parts(cause: Cause, anchors: Anchors, compared: bool) -> Iterator[str]:
    """Everything but the headline's object."""
    one, check = cause.first, cause.check
    yield f'<p class="observed">{escape(one_line(without_log(one.observed), 300))}</p>'
    if one.expected:
        yield f'<p class="quiet">expected: {escape(one_line(one.expected, 300))}</p>'
    marks = "".join(f'<span class="mark">{escape(mark)}</span> ' for mark in cause_marks(cause, compared=compared))
    name = f'<a href="#{escape(anchors.of_check(check))}">{escape(one_line(check.id))}</a>'
    yield f'<p class="marks">{name} {marks}</p>'
    if log := cause_log(cause, LOG_LINES):
        yield f'<pre class="log">{escape(chr(10).join(log))}</pre>'
    if one.hint:
        yield hint_markup(one_line(one.hint, 1_000))
    if cause.consequences:
        yield followers_fold(cause, anchors)


def hint_markup(hint: str) -> str:
    """A command to be copied, or a sentence."""
    tag = "code" if words.is_command(hint) else "p"
    return f"<{tag}>{escape(hint)}</{tag}>"


def followers_fold(cause: Cause, anchors: Anchors) -> str:
    """What follows, each object as a link to what was found on it."""
    others = affected(cause)
    items = [
        f'<li><a href="#{anchors.of_finding(it.check, it.finding)}">{escape(one_line(it.finding.object))}</a>'
        f" {escape(begun(it.finding.observed, 100))}</li>"
        for it in others[:MOST_LINKED]
    ]
    rest = len(others) - MOST_LINKED
    more = f"<li>{words.more(rest, 'the list below')}</li>" if rest > 0 else ""
    own = "" if others else "<li>all on the same object</li>"
    number = counted(len(cause.consequences), "consequence")
    first = f": {words.shortened_list([one_line(it.finding.object) for it in others], 2)}" if others else ""
    return f"<details><summary>{number}{escape(first)}</summary><ul>{''.join(items)}{more}{own}</ul></details>"


def unjudged_items(reasons: Mapping[str, Sequence[CheckResult]], anchors: Anchors) -> Iterator[str]:
    """One line for each reason, with the checks that share it."""
    for reason, sharing in reasons.items():
        links = [f'<a href="#{escape(anchors.of_check(check))}">{escape(one_line(check.id))}</a>' for check in sharing]
        yield f'<li class="inconclusive">{words.shortened_list(links, 3)}: {escape(reason)}</li>'
