"""One round is written down; what is too old, or too much, goes.

What is kept is transitions and sums, not every check of every round, so that 90 days of a round a minute stay small.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from upgate.facts.attempts import Attempt
from upgate.monitor.history import milliseconds
from upgate.monitor.storage import check_through, inserted
from upgate.reports.cleaning import begun
from upgate.results import CheckResult, Results

DAY, HOUR = 86_400_000, 3_600_000
#: Transitions that are kept of one check: one that changes with every round must not fill the disk.
SPANS = 2000
#: Targets of one entry that are counted each for itself: a thousand nodes are counted together.
TARGETS = 20
#: Characters of what was found.
DETAIL = 300


class ExternalEntry(Protocol):
    """An entry of the profile's `external:`."""

    @property
    def id(self) -> str: ...


def record_round(db: sqlite3.Connection, results: Results, attempts: Sequence[Attempt], maintenance: bool) -> int:
    """Write a round down; its number."""
    at, counts = milliseconds(results.started), results.count()
    took = milliseconds(results.finished) - at
    numbers = [counts.get(outcome, 0) for outcome in ("failed", "inconclusive", "warned")]
    row = (at, max(took, 0), results.verdict, *numbers, maintenance)
    id = inserted(
        db,
        "INSERT INTO rounds (at, took, verdict, failed, inconclusive, warned, maintenance) VALUES (?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    for check in results.checks:
        add_check(db, check, id, at)
        add_span(db, check, at)
        add_to_day(db, check, id, at, maintenance)
    for check, attempt, name in pairs(results.checks, attempts):
        add_target(db, check, attempt, name, (id, at, maintenance))
    return id


def removed(db: sqlite3.Connection, results: Results, entries: Sequence[ExternalEntry]) -> list[CheckResult]:
    """The entries of `external:` that the profile had and no longer has, as skipped, once: nobody looks at them any more."""
    there = {entry.id for entry in entries} | {check.id for check in results.checks}
    rows = db.execute(
        """SELECT name, title, severity FROM checks WHERE name LIKE 'external.%' AND
        (SELECT outcome FROM spans WHERE spans.name = checks.name ORDER BY id DESC LIMIT 1) <> 'skipped'"""
    )
    return [
        CheckResult(id=row["name"], title=row["title"], severity=row["severity"], outcome="skipped")
        for row in rows
        if row["name"] not in there
    ]


def add_check(db: sqlite3.Connection, check: CheckResult, round: int, at: int) -> None:
    """How the check is now."""
    good = at if check.outcome in ("passed", "warned", "waived") else None
    db.execute(
        """INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
        title = excluded.title, severity = excluded.severity, examined = excluded.examined,
        findings = excluded.findings, took = excluded.took, round = excluded.round,
        good = ifnull(excluded.good, good)""",
        (check.id, check.title, check.severity, check.examined, len(check.active), check.duration, round, good),
    )


def add_span(db: sqlite3.Connection, check: CheckResult, at: int) -> None:
    """Lengthen the time in which the check has this outcome, or begin a new one."""
    last = db.execute("SELECT id, outcome FROM spans WHERE name = ? ORDER BY id DESC LIMIT 1", (check.id,)).fetchone()
    if last and last["outcome"] == check.outcome:
        db.execute("UPDATE spans SET until = ?, rounds = rounds + 1 WHERE id = ?", (at, last["id"]))
        return
    db.execute(
        "INSERT INTO spans (name, outcome, since, until, rounds, detail) VALUES (?, ?, ?, ?, 1, ?)",
        (check.id, check.outcome, at, at, detail(check)),
    )


def detail(check: CheckResult) -> str:
    """What was found first, or why it could not be judged."""
    first = next(iter(check.roots or check.active or check.findings), None)
    text = f"{first.object}: {first.observed}" if first else check.reason
    return begun(text, DETAIL)


def add_to_day(db: sqlite3.Connection, check: CheckResult, round: int, at: int, maintenance: bool) -> None:
    """Count the round for its day."""
    took = check.duration
    db.execute(
        f"""INSERT INTO days (name, day, maintenance, first, {check.outcome}, took, slowest) VALUES (?, ?, ?, ?, 1, ?, ?)
        ON CONFLICT DO UPDATE SET {check.outcome} = {check.outcome} + 1, took = took + excluded.took,
        slowest = max(slowest, excluded.slowest)""",  # noqa: S608 - one of six words of ours
        (check.id, at // DAY, maintenance, round, took, took),
    )


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
    """Whether a target was up, by what its check says of it; whether that is a warning or worse is the profile's choice.

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
    db.execute(
        f"""INSERT INTO targets (target, name, hour, maintenance, first, {state}, took, slowest)
        VALUES (?, ?, ?, ?, ?, 1, ?, ?)
        ON CONFLICT DO UPDATE SET {state} = {state} + 1, took = took + excluded.took,
        slowest = max(slowest, excluded.slowest)""",  # noqa: S608 - one of three words of ours
        (name, check.id, at // HOUR, maintenance, round, took, took),
    )


def forget_old_rounds(db: sqlite3.Connection, round: int, at: datetime, keep: timedelta) -> None:
    """Once a day: see that the file is whole, and let go of what is too old. Raises sqlite3.DatabaseError."""
    before = db.execute("SELECT at FROM rounds WHERE id < ? ORDER BY id DESC LIMIT 1", (round,)).fetchone()
    if before and before["at"] // DAY != milliseconds(at) // DAY:
        check_through(db)
        forget(db, oldest_kept(db, keep), milliseconds(at - keep))


def oldest_kept(db: sqlite3.Connection, keep: timedelta) -> int:
    """The first round of the days that are kept: as many as fit in that time, of those on which rounds ran.

    Counted in days with rounds, and not by the clock: a clock that jumps ten years ahead must not delete everything.
    """
    rows = db.execute(
        "SELECT min(id) AS first FROM rounds GROUP BY at / ? ORDER BY first DESC LIMIT 1 OFFSET ?",
        (DAY, max(keep.days, 1)),
    )
    return (rows.fetchone() or {"first": 0})["first"]


def forget(db: sqlite3.Connection, first: int, before: int) -> None:
    """Let go of what was before that round."""
    edge = db.execute("SELECT at FROM rounds WHERE id = ?", (first,)).fetchone()
    if edge:
        cut = min(edge["at"], before)
        db.execute("DELETE FROM rounds WHERE id < ?", (first,))
        for table in ("days", "targets"):
            db.execute(f"DELETE FROM {table} WHERE first < ?", (first,))  # noqa: S608 - two words of ours
        db.execute("DELETE FROM checks WHERE round < ?", (first,))
        db.execute("DELETE FROM incidents WHERE until < ?", (cut,))
        db.execute("DELETE FROM windows WHERE until < ?", (cut,))
        db.execute("DELETE FROM spans WHERE until < ?", (cut,))
        db.execute("DELETE FROM outbox WHERE created < ?", (cut,))
    db.execute(
        """DELETE FROM spans WHERE id IN
        (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY name ORDER BY id DESC) AS age FROM spans)
        WHERE age > ?)""",
        (SPANS,),
    )
