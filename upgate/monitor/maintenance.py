"""Maintenance windows: the profile's, and those that were announced by command. Rounds go on in them, and no alert is sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from upgate.base.redaction import redact
from upgate.monitor import updates
from upgate.monitor.history import History
from upgate.monitor.records import Window, milliseconds

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
Times = tuple[datetime, datetime, str]


def planned(entries: Sequence[PlannedMaintenance], at: datetime) -> list[Times]:
    """The profile's windows in which this moment is."""
    return [window for entry in entries for window in occurrences(entry, at, at) if window[0] <= at < window[1]]


def occurrences(entry: PlannedMaintenance, since: datetime, until: datetime) -> Iterator[Times]:
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
) -> list[Times]:
    """The windows that are open at this moment; those of the profile are recorded now."""
    met = [(begins, ends, redact(reason, secrets)) for begins, ends, reason in planned(entries, at)]
    withdraw(db, met, at)
    for begins, ends, reason in met:
        updates.upsert_window(db, begins, ends, reason, "profile")
    return [*announced(db, at), *met]


def withdraw(db: sqlite3.Connection, met: Sequence[Times], at: datetime) -> None:
    """End what the profile once said and says no longer: readers must not think that alerts are still muted."""
    there = {(milliseconds(begins), reason) for begins, _, reason in met}
    for window in open_by(db, "profile", at):
        if (milliseconds(window.since), window.reason) not in there:
            updates.end_window(db, window.id, at)


def announced(db: sqlite3.Connection, at: datetime) -> list[Times]:
    """The announced windows that are open at this moment."""
    return [(each.since, each.until, each.reason) for each in open_by(db, "command", at)]


def open_by(db: sqlite3.Connection, source: str, at: datetime) -> list[Window]:
    """The recorded windows of this source in which this moment is."""
    return [each for each in History(db).open_windows(at) if each.source == source]


def end_announced(db: sqlite3.Connection, at: datetime) -> int:
    """End what was announced now; how many windows there were."""
    found = open_by(db, "command", at)
    for each in found:
        updates.end_window(db, each.id, at)
    return len(found)


def open_until(db: sqlite3.Connection, at: datetime) -> datetime | None:
    """When the last window that is open at this moment is over; None where there is none that a round has met."""
    return max((each.until for each in History(db).open_windows(at)), default=None)
