"""Maintenance windows: the profile's, and those that somebody announced. Rounds go on in them, and no alert is sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from upgate.base.redaction import redact
from upgate.monitor.history import from_milliseconds, milliseconds

#: The window is open at the moment ?1.
OPEN = "since <= ?1 AND ?1 < until"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class PlannedMaintenance(Protocol):
    """An entry of the profile's `monitor.maintenance:`."""

    @property
    def reason(self) -> str: ...

    @property
    def from_(self) -> datetime | None: ...

    @property
    def to(self) -> datetime | None: ...

    @property
    def every(self) -> Sequence[str] | None: ...

    @property
    def at(self) -> str | None: ...

    @property
    def for_(self) -> timedelta | None: ...

    @property
    def zone(self) -> str | None: ...


#: When it begins, when it is over, and why.
Window = tuple[datetime, datetime, str]


def planned(entries: Sequence[PlannedMaintenance], at: datetime) -> list[Window]:
    """The profile's windows in which this moment is."""
    return [window for entry in entries for window in occurrences(entry, at, at) if window[0] <= at < window[1]]


def occurrences(entry: PlannedMaintenance, since: datetime, until: datetime) -> Iterator[Window]:
    """The times of an entry that may overlap with this one, oldest first."""
    if entry.from_ and entry.to:
        yield entry.from_, entry.to, entry.reason
        return
    length, zone = entry.for_ or timedelta(), ZoneInfo(entry.zone or "UTC")
    day = (since - length).astimezone(zone).date() - timedelta(days=1)
    while day <= until.astimezone(zone).date():
        if {"day", WEEKDAYS[day.weekday()]} & set(entry.every or ()):
            begins = datetime.combine(day, time.fromisoformat(entry.at or "00:00"), zone).astimezone(UTC)
            yield begins, begins + length, entry.reason
        day += timedelta(days=1)


def windows_in_force(
    db: sqlite3.Connection, entries: Sequence[PlannedMaintenance], at: datetime, secrets: Sequence[str] = ()
) -> list[Window]:
    """The windows in which this moment is; those of the profile are written down now."""
    met = [(begins, ends, redact(reason, secrets)) for begins, ends, reason in planned(entries, at)]
    withdraw(db, met, at)
    for begins, ends, reason in met:
        book(db, begins, ends, reason, "profile")
    return [*announced(db, at), *met]


def withdraw(db: sqlite3.Connection, met: Sequence[Window], at: datetime) -> None:
    """End what the profile once said and says no longer: readers must not think that alerts are still muted."""
    there = {(milliseconds(begins), reason) for begins, _, reason in met}
    query = f"SELECT id, since, reason FROM windows WHERE source = 'profile' AND {OPEN}"  # noqa: S608 - words of ours
    for row in db.execute(query, (milliseconds(at),)).fetchall():
        if (row["since"], row["reason"]) not in there:
            db.execute("UPDATE windows SET until = ? WHERE id = ?", (milliseconds(at), row["id"]))


def announced(db: sqlite3.Connection, at: datetime) -> list[Window]:
    """The windows that somebody announced, and in which this moment is."""
    rows = db.execute(
        f"SELECT since, until, reason FROM windows WHERE source = 'command' AND {OPEN} ORDER BY since",  # noqa: S608 - the same
        (milliseconds(at),),
    )
    return [(from_milliseconds(row["since"]), from_milliseconds(row["until"]), row["reason"]) for row in rows]


def book(db: sqlite3.Connection, since: datetime, until: datetime, reason: str, source: str) -> None:
    """Write a window down."""
    db.execute(
        """INSERT INTO windows (since, until, reason, source) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET until = excluded.until""",
        (milliseconds(since), milliseconds(until), reason, source),
    )


def end_announced(db: sqlite3.Connection, at: datetime) -> int:
    """End what was announced now; how many there were."""
    return db.execute(
        f"UPDATE windows SET until = ?1 WHERE source = 'command' AND {OPEN}",  # noqa: S608 - the same
        (milliseconds(at),),
    ).rowcount


def open_until(db: sqlite3.Connection, at: datetime) -> datetime | None:
    """When the last window that is open at this moment is over; None where there is none that a round has met."""
    row = db.execute(f"SELECT max(until) AS until FROM windows WHERE {OPEN}", (milliseconds(at),)).fetchone()  # noqa: S608 - the same
    return None if row["until"] is None else from_milliseconds(row["until"])
