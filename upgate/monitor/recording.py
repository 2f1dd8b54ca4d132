"""Records one round, and deletes what is too old or too much.

What is kept is transitions and sums, not every check of every round, so that 90 days of a round a minute stay small.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from upgate.facts.attempts import Attempt
from upgate.monitor import updates
from upgate.monitor.history import History
from upgate.monitor.records import DAY, HOUR, milliseconds
from upgate.monitor.storage import check_through
from upgate.reports.cleaning import begun
from upgate.results import CheckResult, Results

#: Transitions that are kept of one check: one that changes with every round must not fill the disk.
SPANS = 2000
#: Targets of one entry that are counted each for itself: a thousand nodes are counted together.
TARGETS = 20
#: How the ids of checks begin that are made for entries of the profile.
OF_ENTRIES = ("external.", "expect.", "alerts.query.")
#: Characters of what was found.
DETAIL = 300


class ExternalEntry(Protocol):
    """An entry of the profile that has a check of its own."""

    @property
    def id(self) -> str: ...


def record_round(db: sqlite3.Connection, results: Results, attempts: Sequence[Attempt], maintenance: bool) -> int:
    """Write a round down; its number."""
    at, counts = milliseconds(results.started), results.count()
    took = milliseconds(results.finished) - at
    numbers = [counts.get(outcome, 0) for outcome in ("failed", "inconclusive", "warned")]
    id = updates.insert_round(db, (at, max(took, 0), results.verdict, *numbers, maintenance))
    for check in results.checks:
        add_check(db, check, id, at)
        add_span(db, check, at)
        add_to_day(db, check, id, at, maintenance)
    for check, attempt, name in pairs(results.checks, attempts):
        add_target(db, check, attempt, name, (id, at, maintenance))
    return id


def removed(db: sqlite3.Connection, results: Results, entries: Sequence[ExternalEntry]) -> list[CheckResult]:
    """The checks of entries that the profile had and no longer has, as skipped, once: no round looks at them any more."""
    there = {entry.id for entry in entries} | {check.id for check in results.checks}
    return [
        CheckResult(id=each.name, title=each.title, severity=each.severity, outcome="skipped")
        for each in History(db).checks()
        if each.name.startswith(OF_ENTRIES) and each.outcome != "skipped" and each.name not in there
    ]


def add_check(db: sqlite3.Connection, check: CheckResult, round: int, at: int) -> None:
    """How the check is now."""
    good = at if check.outcome in ("passed", "warned", "waived") else None
    row = (check.id, check.title, check.severity, check.examined, len(check.active), check.duration, round, good)
    updates.upsert_check(db, row)


def add_span(db: sqlite3.Connection, check: CheckResult, at: int) -> None:
    """Lengthen the time in which the check has this outcome, or begin a new one."""
    if not updates.lengthen_span(db, check.id, check.outcome, at):
        updates.insert_span(db, check.id, check.outcome, at, detail(check))


def detail(check: CheckResult) -> str:
    """What was found first, or why it could not be judged."""
    first = next(iter(check.roots or check.active or check.findings), None)
    text = f"{first.object}: {first.observed}" if first else check.reason
    return begun(text, DETAIL)


def add_to_day(db: sqlite3.Connection, check: CheckResult, round: int, at: int, maintenance: bool) -> None:
    """Count the round for its day."""
    took = check.duration
    updates.count_outcome(db, check.outcome, (check.id, at // DAY, maintenance, round, took, took))


def pairs(checks: Sequence[CheckResult], attempts: Sequence[Attempt]) -> Iterator[tuple[CheckResult, Attempt, str]]:
    """The attempts, each with the check that judged it, and the name under which it is counted."""
    by_id, many = {check.id: check for check in checks}, Counter(map(entry_of, attempts))
    for attempt in attempts:
        if check := by_id.get(entry_of(attempt)):
            yield check, attempt, attempt.target if many[check.id] <= TARGETS else check.id


def entry_of(attempt: Attempt) -> str:
    """The id of the check of an attempt; those at each node have the node's name behind it."""
    return attempt.id.partition("[")[0]


def state_of(check: CheckResult, attempt: Attempt) -> str:
    """Whether a target was up, from the findings of its check; the profile decides how severe it is if it was not.

    Right at a later attempt is up, and a warning too.
    """
    found = [each for each in check.findings if each.object == attempt.target]
    if any(each.severity == "critical" or not attempt.flaky_after for each in found):
        return "down"
    return "unknown" if check.outcome in ("inconclusive", "skipped") else "up"


def add_target(
    db: sqlite3.Connection, check: CheckResult, attempt: Attempt, name: str, when: tuple[int, int, bool]
) -> None:
    """Count the attempt for its hour."""
    round, at, maintenance = when
    state = state_of(check, attempt)
    took = attempt.elapsed.total if state == "up" else 0.0
    updates.count_attempt(db, state, (name, check.id, at // HOUR, maintenance, round, took, took))


def forget_old_rounds(db: sqlite3.Connection, round: int, at: datetime, keep: timedelta) -> None:
    """Once a day: check that the file is not corrupt, and delete what is too old. Raises sqlite3.DatabaseError."""
    past = History(db)
    before = past.round_before(round)
    if before and milliseconds(before.at) // DAY != milliseconds(at) // DAY:
        check_through(db)
        if first := past.oldest_kept(max(keep.days, 1)):
            updates.delete_before(db, first.id, milliseconds(min(first.at, at - keep)))
        updates.keep_latest_spans(db, SPANS)
