"""Histories for tests: rounds that were recorded as they are in real life, and what people were told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from upgate.monitor import storage
from upgate.monitor.recording import record_round
from upgate.monitor.records import milliseconds
from upgate.results import Results

#: A round of some moment, and whether it is in maintenance.
Rounds = Callable[[int], tuple[Results, bool]]


def recorded(path: Path, now: datetime, days: int, rounds: Rounds, a_day: int = 4) -> Path:
    """Write a history of so many days up to now, with the round that belongs to so many days ago, several times a day."""
    with storage.transaction(path) as db:
        for number in range(days * a_day):
            at = now - timedelta(days=days) + timedelta(days=(number + 1) / a_day)
            results, maintenance = rounds((now.date() - at.date()).days)
            took = results.finished - results.started
            record_round(db, msgspec.structs.replace(results, started=at - took, finished=at), (), maintenance)
    return path


def add_incident(path: Path, name: str, since: datetime, until: datetime | None = None, **more: object) -> None:
    """People were told of something."""
    values = {
        "kind": "failing",
        "flapping": 0,
        "told": 1,
        "maintenance": 0,
        "objects": '["Pod/a/b"]',
        "observed": "it crashes",
    }
    add(path, "incidents", {"name": name, "since": since, "until": until, "round": 1, **values, **more})


def add_window(path: Path, since: datetime, until: datetime, reason: str) -> None:
    """Maintenance was announced."""
    add(path, "windows", {"since": since, "until": until, "reason": reason, "source": "command"})


def add_target_hour(path: Path, name: str, at: datetime, up: int, down: int, took: float = 0.1) -> None:
    """A target was asked several times in an hour."""
    hour = milliseconds(at) // 3_600_000
    values = {"maintenance": 0, "unknown": 0, "took": up * took, "slowest": 2 * took, "first": 1}
    add(path, "targets", {"hour": hour, "target": f"https://{name}/", "name": name, "up": up, "down": down, **values})


def add(path: Path, table: str, values: dict[str, object]) -> None:
    """Insert one row."""
    plain = [milliseconds(each) if isinstance(each, datetime) else each for each in values.values()]
    marks = ", ".join("?" * len(values))
    with storage.transaction(path) as db:
        db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", plain)


def ago_hours(now: datetime, hours: float) -> datetime:
    """So many hours before then."""
    return now - timedelta(hours=hours)
