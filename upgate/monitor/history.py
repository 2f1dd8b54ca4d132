"""What history.sqlite holds, and how to ask for it: every statement that reads.

    with history.opened(path) as past:
        past.rounds(since)

Everything comes oldest first, in the order in which rounds ran, which is that of time as long as no clock jumped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from upgate.monitor import storage
from upgate.monitor.records import (
    DAY,
    EPOCH,
    FIRST_DAY,
    CheckStatus,
    Counts,
    Incident,
    OutboxMessage,
    Round,
    Span,
    TargetDay,
    TargetHour,
    Window,
    column_value,
    row_values,
)

FILE = "history.sqlite"
BEGINNING = EPOCH
T = TypeVar("T")


@dataclass(frozen=True)
class History:
    """Everything that is known from earlier rounds, at one moment."""

    connection: sqlite3.Connection

    def rounds(self, since: datetime = BEGINNING) -> list[Round]:
        """The rounds that began since then."""
        return self._rows(Round, "SELECT * FROM rounds WHERE at >= ? ORDER BY id", since)

    def last_round(self) -> Round | None:
        """The latest round."""
        return next(iter(self._rows(Round, "SELECT * FROM rounds ORDER BY id DESC LIMIT 1")), None)

    def round_before(self, id: int) -> Round | None:
        """The round before this one."""
        return next(iter(self._rows(Round, "SELECT * FROM rounds WHERE id < ? ORDER BY id DESC LIMIT 1", id)), None)

    def oldest_kept(self, days: int) -> Round | None:
        """The first round of the last `days` days on which rounds ran; None where there were not so many.

        Counted in days with rounds, and not by the clock: a clock that jumps ten years ahead must not delete everything.
        """
        query = """
            SELECT * FROM rounds WHERE id =
            (SELECT min(id) AS first FROM rounds GROUP BY at / ? ORDER BY first DESC LIMIT 1 OFFSET ?)"""
        return next(iter(self._rows(Round, query, DAY, days)), None)

    def last_clear(self) -> Round | None:
        """The latest round that was clear."""
        query = "SELECT * FROM rounds WHERE verdict = 'clear' ORDER BY id DESC LIMIT 1"
        return next(iter(self._rows(Round, query)), None)

    def checks(self) -> list[CheckStatus]:
        """Every check as it is now."""
        query = """
            SELECT checks.*, spans.outcome, spans.since, spans.until AS seen, spans.detail FROM checks
            JOIN spans ON spans.id = (SELECT max(id) FROM spans WHERE name = checks.name) ORDER BY checks.name"""
        return self._rows(CheckStatus, query)

    def spans(self, since: datetime = BEGINNING, name: str | None = None) -> list[Span]:
        """The times of one outcome that had not ended by then, of all checks or of one."""
        query = "SELECT * FROM spans WHERE until >= ? AND name = ifnull(?, name) ORDER BY id"
        return self._rows(Span, query, since, name)

    def days(self, since: date = FIRST_DAY) -> list[Counts]:
        """Rounds by check, day and outcome; maintenance is counted separately."""
        return self._rows(Counts, "SELECT * FROM days WHERE day >= ? ORDER BY day, name, maintenance", since)

    def targets(self, since: datetime = BEGINNING) -> list[TargetHour]:
        """Latency and availability by target and hour; maintenance is counted separately."""
        hour = (since - EPOCH) // timedelta(hours=1)
        return self._rows(TargetHour, "SELECT * FROM targets WHERE hour >= ? ORDER BY hour, target, maintenance", hour)

    def target_days(self, since: date) -> list[TargetDay]:
        """The same by day, all endpoints of an entry of `external:` together."""
        query = """
            SELECT name, hour / 24 AS day, maintenance, sum(up) AS up, sum(down) AS down, sum(unknown) AS unknown,
            sum(took) AS took, max(slowest) AS slowest FROM targets WHERE hour >= ? * 24
            GROUP BY name, day, maintenance ORDER BY day, name, maintenance"""
        return self._rows(TargetDay, query, since)

    def incidents(self, since: datetime = BEGINNING) -> list[Incident]:
        """The incidents that had not ended by then."""
        return self._rows(Incident, "SELECT * FROM incidents WHERE until IS NULL OR until >= ? ORDER BY id", since)

    def open_incidents(self) -> list[Incident]:
        """The open incidents."""
        return self._rows(Incident, "SELECT * FROM incidents WHERE until IS NULL ORDER BY id")

    def open_incident_ids(self) -> dict[tuple[str, str], int]:
        """The same by check and kind."""
        rows = self.connection.execute("SELECT id, name, kind FROM incidents WHERE until IS NULL")
        return {(row["name"], row["kind"]): row["id"] for row in rows}

    def alert_states(self) -> dict[str, str]:
        """What the last round left of each check's alerts, as JSON."""
        return {row["name"]: row["state"] for row in self.connection.execute("SELECT name, state FROM alerts")}

    def windows(self, since: datetime = BEGINNING) -> list[Window]:
        """The maintenance windows that had not ended by then."""
        return self._rows(Window, "SELECT * FROM windows WHERE until > ? ORDER BY since, id", since)

    def open_windows(self, at: datetime) -> list[Window]:
        """The maintenance windows in which this moment is."""
        query = "SELECT * FROM windows WHERE since <= ?1 AND ?1 < until ORDER BY since, id"
        return self._rows(Window, query, at)

    def recipients(self) -> set[str]:
        """The recipients of the last round, as digests."""
        return {row["recipient"] for row in self.connection.execute("SELECT recipient FROM recipients")}

    def messages(self, since: datetime = BEGINNING) -> list[OutboxMessage]:
        """What was sent, or is still to be sent."""
        return self._rows(OutboxMessage, "SELECT * FROM outbox WHERE created >= ? ORDER BY id", since)

    def due_messages(self, at: datetime, horizon: datetime) -> list[OutboxMessage]:
        """What is due, by recipient and oldest first. A next time beyond the horizon was said by a clock that was wrong.

        A message waits for the older ones to the same recipient, and recipients that answer do not wait for one that does not.
        """
        query = """
            SELECT * FROM outbox AS it WHERE sent IS NULL AND NOT EXISTS (
                SELECT 1 FROM outbox WHERE sent IS NULL AND recipient = it.recipient AND id <= it.id
                AND next > ?1 AND next <= ?2)
            ORDER BY (SELECT max(attempts) FROM outbox WHERE sent IS NULL AND recipient = it.recipient), recipient, id"""
        return self._rows(OutboxMessage, query, at, horizon)

    def count_undelivered(self) -> int:
        """How many messages have not arrived."""
        return self.connection.execute("SELECT count(*) FROM outbox WHERE sent IS NULL").fetchone()[0]

    def _rows(self, kind: type[T], query: str, *values: object) -> list[T]:
        found = self.connection.execute(query, [column_value(value) for value in values])
        return [msgspec.convert(row_values(row), kind, strict=False) for row in found]


@contextmanager
def opened(path: Path) -> Iterator[History]:
    """The history in a file. Raises UsageError where there is none, storage.Unusable where it cannot be read."""
    with storage.reading(path) as connection:
        yield History(connection)
