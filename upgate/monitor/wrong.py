"""What is wrong now and since when: the causes of the round that was just judged, joined with the history. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from upgate.monitor.alerts import GONE
from upgate.reports.cause_list import cause_list
from upgate.reports.cause_words import cause_follows, cause_headline, cause_marks, unjudged_reasons
from upgate.reports.html_causes import tone_of
from upgate.results import Outcome, Results

if TYPE_CHECKING:
    from upgate.monitor.records import CheckStatus

TROUBLE: tuple[Outcome, ...] = ("failed", "inconclusive", "warned")


class Wrong(NamedTuple):
    """One thing that is not fine: a cause, a reason why checks could not be judged, or what an earlier round found."""

    #: The checks that say so.
    names: tuple[str, ...]
    outcome: Outcome
    #: What was seen, in one line.
    text: str
    #: What is to be known beside it.
    marks: tuple[str, ...] = ()
    #: The check has been so in every round from then on; None where there is no history.
    since: datetime | None = None
    #: The round that said so, where that was not the last one.
    seen: datetime | None = None


def wrong_now(results: Results, known: Iterable[CheckStatus]) -> list[Wrong]:
    """The causes of this round in the order of every report, what it could not judge, and what earlier ones found."""
    history = {check.name: check for check in known}
    return [*of_this_round(results, history), *of_earlier_rounds(results, history)]


def of_this_round(results: Results, history: dict[str, CheckStatus]) -> Iterator[Wrong]:
    """The causes, then the reasons."""
    for cause in cause_list(results).causes:
        marks = (*cause_marks(cause, compared=results.gone is not None), *cause_follows(cause))
        since = since_of((cause.check.id,), history)
        yield Wrong((cause.check.id,), tone_of(cause.first), cause_headline(cause), marks, since)
    for reason, sharing in unjudged_reasons(results).items():
        names = tuple(check.id for check in sharing)
        yield Wrong(names, "inconclusive", reason, since=since_of(names, history))


def since_of(names: Iterable[str], history: dict[str, CheckStatus]) -> datetime | None:
    """Since when the first of these checks has been as it is."""
    return min((history[name].since for name in names if name in history), default=None)


def of_earlier_rounds(results: Results, history: dict[str, CheckStatus]) -> Iterator[Wrong]:
    """What was not asked in this round, and was not fine when it was asked last."""
    asked = {check.id for check in results.checks}
    for name, check in history.items():
        if name not in asked and check.outcome in TROUBLE and results.finished - check.seen < GONE:
            yield Wrong((name,), check.outcome, check.detail, since=check.since, seen=check.seen)
