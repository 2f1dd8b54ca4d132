"""What is wrong now and since when: the round that was just judged, joined with the history. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from upgate.monitor.alerts import GONE
from upgate.reports import words
from upgate.results import OUTCOMES, CheckResult, Outcome, Results

if TYPE_CHECKING:
    from upgate.monitor.records import CheckStatus

TROUBLE: tuple[Outcome, ...] = ("failed", "inconclusive", "warned")


class Wrong(NamedTuple):
    """One check that is not fine."""

    name: str
    outcome: Outcome
    #: What was seen, in one line.
    text: str
    #: It has been so in every round from then on; None where there is no history.
    since: datetime | None = None
    #: The round that said so, where that was not the last one.
    seen: datetime | None = None
    #: All of it follows from what others found.
    follows: bool = False


def wrong_now(results: Results, known: Iterable[CheckStatus]) -> list[Wrong]:
    """What this round found, and what earlier ones found that asked more; the worst and oldest first, causes before effects."""
    history = {check.name: check for check in known}
    rows = [*of_this_round(results, history), *of_earlier_rounds(results, history)]
    now = results.finished
    return sorted(rows, key=lambda row: (OUTCOMES.index(row.outcome), row.follows, row.since or now, row.name))


def of_this_round(results: Results, history: dict[str, CheckStatus]) -> Iterator[Wrong]:
    for check in results.checks:
        if check.outcome in TROUBLE:
            before = history.get(check.id)
            follows = bool(check.active) and not check.roots
            since = before.since if before else None
            yield Wrong(check.id, check.outcome, wrong_text(check, follows), since, follows=follows)


def wrong_text(check: CheckResult, follows: bool) -> str:
    """What was seen, and from what it follows."""
    return words.check_headline(check) + (f" — {words.cause(check.active[0])}" if follows else "")


def of_earlier_rounds(results: Results, history: dict[str, CheckStatus]) -> Iterator[Wrong]:
    asked = {check.id for check in results.checks}
    for name, check in history.items():
        if name not in asked and check.outcome in TROUBLE and results.finished - check.seen < GONE:
            yield Wrong(name, check.outcome, check.detail, check.since, check.seen)
