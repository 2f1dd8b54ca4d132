"""Every statement that writes to history.sqlite. All of them raise sqlite3.Error."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from upgate.monitor.records import milliseconds

Row = Sequence[object]


def insert_round(db: sqlite3.Connection, row: Row) -> int:
    """A new round: at, took, verdict, failed, inconclusive, warned, maintenance. Its number."""
    return _inserted(
        db,
        "INSERT INTO rounds (at, took, verdict, failed, inconclusive, warned, maintenance) VALUES (?, ?, ?, ?, ?, ?, ?)",
        row,
    )


def upsert_check(db: sqlite3.Connection, row: Row) -> None:
    """A check as it is now: all columns. When it was last good stays where the row has no time for that."""
    db.execute(
        """INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
        title = excluded.title, severity = excluded.severity, examined = excluded.examined,
        findings = excluded.findings, took = excluded.took, round = excluded.round,
        good = ifnull(excluded.good, good)""",
        row,
    )


def lengthen_span(db: sqlite3.Connection, name: str, outcome: str, at: int) -> bool:
    """One more round in which the check has the outcome that it had; whether it had this one."""
    found = db.execute(
        """UPDATE spans SET until = ?, rounds = rounds + 1
        WHERE id = (SELECT max(id) FROM spans WHERE name = ?) AND outcome = ?""",
        (at, name, outcome),
    )
    return found.rowcount > 0


def insert_span(db: sqlite3.Connection, name: str, outcome: str, at: int, detail: str) -> None:
    """The check has this outcome from now on."""
    db.execute(
        "INSERT INTO spans (name, outcome, since, until, rounds, detail) VALUES (?, ?, ?, ?, 1, ?)",
        (name, outcome, at, at, detail),
    )


def count_outcome(db: sqlite3.Connection, outcome: str, row: Row) -> None:
    """Count a check's outcome for its day: name, day, maintenance, first, took, slowest."""
    db.execute(
        f"""INSERT INTO days (name, day, maintenance, first, {outcome}, took, slowest) VALUES (?, ?, ?, ?, 1, ?, ?)
        ON CONFLICT DO UPDATE SET {outcome} = {outcome} + 1, took = took + excluded.took,
        slowest = max(slowest, excluded.slowest)""",  # noqa: S608 - one of six words of ours
        row,
    )


def count_attempt(db: sqlite3.Connection, state: str, row: Row) -> None:
    """Count a target's state for its hour: target, name, hour, maintenance, first, took, slowest."""
    db.execute(
        f"""INSERT INTO targets (target, name, hour, maintenance, first, {state}, took, slowest)
        VALUES (?, ?, ?, ?, ?, 1, ?, ?)
        ON CONFLICT DO UPDATE SET {state} = {state} + 1, took = took + excluded.took,
        slowest = max(slowest, excluded.slowest)""",  # noqa: S608 - one of three words of ours
        row,
    )


def delete_before(db: sqlite3.Connection, first: int, time: int) -> None:
    """Delete the rounds before the first that is kept, and all that was over before that time."""
    db.execute("DELETE FROM rounds WHERE id < ?", (first,))
    for table in ("days", "targets"):
        db.execute(f"DELETE FROM {table} WHERE first < ?", (first,))  # noqa: S608 - two words of ours
    db.execute("DELETE FROM checks WHERE round < ?", (first,))
    db.execute("DELETE FROM incidents WHERE until < ?", (time,))
    db.execute("DELETE FROM windows WHERE until < ?", (time,))
    db.execute("DELETE FROM spans WHERE until < ?", (time,))
    db.execute("DELETE FROM outbox WHERE created < ?", (time,))


def keep_latest_spans(db: sqlite3.Connection, number: int) -> None:
    """Delete all but the latest spans of each check."""
    db.execute(
        """DELETE FROM spans WHERE id IN
        (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY name ORDER BY id DESC) AS age FROM spans)
        WHERE age > ?)""",
        (number,),
    )


def replace_alert_states(db: sqlite3.Connection, states: Iterable[tuple[str, str]]) -> None:
    """What the next round reads of each check's alerts, as JSON."""
    db.execute("DELETE FROM alerts")
    db.executemany("INSERT INTO alerts VALUES (?, ?)", states)


def insert_incident(db: sqlite3.Connection, row: Row) -> int:
    """A new incident: name, kind, since, maintenance, round. Its number."""
    return _inserted(
        db,
        "INSERT INTO incidents (name, kind, since, maintenance, round, objects, observed) VALUES (?, ?, ?, ?, ?, '[]', '')",
        row,
    )


def mark_incident(db: sqlite3.Connection, id: int, *, flapping: bool, told: bool) -> None:
    """Note that it flaps, or that a message about it was sent; both stay true."""
    db.execute(
        "UPDATE incidents SET flapping = flapping OR ?, told = told OR ? WHERE id = ?",
        (flapping, told, id),
    )


def set_incident_objects(db: sqlite3.Connection, id: int, objects: str, observed: str) -> None:
    """The objects of an incident, as JSON, and what was seen of the first of them."""
    db.execute("UPDATE incidents SET objects = ?, observed = ? WHERE id = ?", (objects, observed, id))


def end_incident(db: sqlite3.Connection, id: int, at: datetime) -> None:
    """An incident is over. It never ends before it began, even if the clock jumped back."""
    db.execute("UPDATE incidents SET until = max(since, ?) WHERE id = ?", (milliseconds(at), id))


def keep_latest_incidents(db: sqlite3.Connection, number: int) -> None:
    """Delete all but the latest."""
    db.execute("DELETE FROM incidents WHERE id <= (SELECT max(id) FROM incidents) - ?", (number,))


def upsert_window(db: sqlite3.Connection, since: datetime, until: datetime, reason: str, source: str) -> None:
    """A maintenance window; one that is there already gets this end."""
    db.execute(
        """INSERT INTO windows (since, until, reason, source) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET until = excluded.until""",
        (milliseconds(since), milliseconds(until), reason, source),
    )


def end_window(db: sqlite3.Connection, id: int, at: datetime) -> None:
    """A maintenance window is over at this time."""
    db.execute("UPDATE windows SET until = ? WHERE id = ?", (milliseconds(at), id))


def replace_recipients(db: sqlite3.Connection, recipients: Collection[str]) -> None:
    """The recipients that messages can be delivered to, as digests."""
    db.execute("DELETE FROM recipients")
    db.executemany("INSERT INTO recipients VALUES (?)", [(each,) for each in recipients])


def insert_message(db: sqlite3.Connection, row: Row) -> None:
    """A message for one recipient: message, recipient, title, body, created."""
    db.execute("INSERT INTO outbox (message, recipient, title, body, created) VALUES (?, ?, ?, ?, ?)", row)


def delete_delivered(db: sqlite3.Connection, keep: int) -> None:
    """Delete the delivered messages that are not among the latest."""
    db.execute("DELETE FROM outbox WHERE sent IS NOT NULL AND id <= (SELECT max(id) FROM outbox) - ?", (keep,))


def delete_for_others(db: sqlite3.Connection, recipients: Sequence[str]) -> int:
    """Delete the messages that wait for any other recipient; how many there were."""
    marks = ", ".join("?" * len(recipients))
    query = f"DELETE FROM outbox WHERE sent IS NULL AND recipient NOT IN ({marks})"  # noqa: S608 - only question marks
    return db.execute(query, recipients).rowcount


def keep_latest_waiting(db: sqlite3.Connection, recipient: str, number: int) -> int:
    """Delete all but the latest messages that wait for a recipient; how many there were."""
    return db.execute(
        """DELETE FROM outbox WHERE sent IS NULL AND recipient = ?1 AND id NOT IN
        (SELECT id FROM outbox WHERE sent IS NULL AND recipient = ?1 ORDER BY id DESC LIMIT ?2)""",
        (recipient, number),
    ).rowcount


def set_attempts(db: sqlite3.Connection, id: int, attempts: int, following: datetime) -> None:
    """How often a message was tried, and when it may be tried next."""
    db.execute("UPDATE outbox SET attempts = ?, next = ? WHERE id = ?", (attempts, milliseconds(following), id))


def set_error(db: sqlite3.Connection, id: int, error: str) -> None:
    """Why a message did not arrive."""
    db.execute("UPDATE outbox SET error = ? WHERE id = ?", (error, id))


def set_sent(db: sqlite3.Connection, id: int, at: datetime) -> None:
    """A message has arrived."""
    db.execute("UPDATE outbox SET sent = ?, error = '' WHERE id = ?", (milliseconds(at), id))


def _inserted(db: sqlite3.Connection, statement: str, row: Row) -> int:
    """Insert one row; its number."""
    return db.execute(f"{statement} RETURNING id", row).fetchone()[0]
