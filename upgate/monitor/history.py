"""What history.sqlite holds, as types, and how to ask for it. Times are aware and in UTC, durations seconds.

    with history.opened(path) as past:
        past.rounds(since)

Everything comes oldest first, in the order in which rounds ran, which is that of time as long as no clock jumped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from upgate.monitor import storage
from upgate.results import Outcome, Severity, Verdict

FILE = "history.sqlite"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGINNING, FIRST_DAY = EPOCH, EPOCH.date()
T = TypeVar("T")


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One round of the battery."""

    id: int
    at: datetime
    took: float
    verdict: Verdict
    #: How many checks had this outcome.
    failed: int
    inconclusive: int
    warned: int
    #: It ran in a maintenance window.
    maintenance: bool


class CheckStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it was judged last."""

    name: str
    title: str
    severity: Severity
    outcome: Outcome
    #: The outcome has been the same in every round since then.
    since: datetime
    #: The round that judged it last; older than the last round where that did not select it.
    seen: datetime
    #: What was found wrong, or why it could not be judged; empty where all is well.
    detail: str
    examined: int
    findings: int
    took: float
    #: When it was last judged and not failed; None if never.
    good: datetime | None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a check had one outcome in every round that judged it: two of them in a row are a transition."""

    name: str
    outcome: Outcome
    since: datetime
    #: The last round in which it was seen.
    until: datetime
    rounds: int
    #: The first finding, or the reason, when it began.
    detail: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many rounds of one day had which outcome, for one check, in or out of maintenance."""

    name: str
    day: date
    maintenance: bool
    passed: int
    failed: int
    warned: int
    inconclusive: int
    waived: int
    skipped: int
    #: Of all those rounds together, and of the slowest.
    took: float
    slowest: float

    @property
    def good(self) -> int:
        """Rounds in which it was judged, and did not fail."""
        return self.passed + self.warned + self.waived

    @property
    def judged(self) -> int:
        """Rounds in which it was judged."""
        return self.good + self.failed


class TargetHour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of one target from outside, in or out of maintenance."""

    target: str
    #: The id of the check that asks it.
    name: str
    hour: datetime
    maintenance: bool
    up: int
    down: int
    #: We could not look.
    unknown: int
    #: Of all attempts that were up together, and of the slowest.
    took: float
    slowest: float

    @property
    def latency(self) -> float | None:
        """The mean of the attempts that were up."""
        return self.took / self.up if self.up else None


class TargetDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of all endpoints of an entry of `external:`, in or out of maintenance."""

    #: The id of the check that asks them.
    name: str
    day: date
    maintenance: bool
    up: int
    down: int
    unknown: int
    took: float
    slowest: float


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which an alert was on."""

    id: int
    name: str
    kind: Literal["failing", "inconclusive"]
    #: The first bad round of those that set it off.
    since: datetime
    #: None while it goes on.
    until: datetime | None
    flapping: bool
    #: People were told of it; not so when it came and went in a maintenance window.
    told: bool
    #: It began in a maintenance window.
    maintenance: bool
    objects: tuple[str, ...]
    #: What was seen of the first object.
    observed: str


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A maintenance window, announced or met."""

    id: int
    since: datetime
    until: datetime
    reason: str
    source: Literal["command", "profile"]


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message for one recipient."""

    id: int
    #: The same for all recipients and every attempt: a repetition can be recognised by it.
    message: str
    #: A digest of the URL, which may hold a token.
    recipient: str
    title: str
    body: str
    created: datetime
    attempts: int
    #: None while it is not delivered.
    sent: datetime | None
    error: str


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
        """The times of one outcome that were not over then, of all checks or of one."""
        query = "SELECT * FROM spans WHERE until >= ? AND name = ifnull(?, name) ORDER BY id"
        return self._rows(Span, query, since, name)

    def days(self, since: date = FIRST_DAY) -> list[Counts]:
        """Rounds by check, day and outcome; maintenance is booked apart."""
        return self._rows(Counts, "SELECT * FROM days WHERE day >= ? ORDER BY day, name, maintenance", since)

    def targets(self, since: datetime = BEGINNING) -> list[TargetHour]:
        """Latency and availability by target and hour; maintenance is booked apart."""
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
        """The incidents that were not over then."""
        return self._rows(Incident, "SELECT * FROM incidents WHERE until IS NULL OR until >= ? ORDER BY id", since)

    def open_incidents(self) -> list[Incident]:
        """The incidents that go on."""
        return self._rows(Incident, "SELECT * FROM incidents WHERE until IS NULL ORDER BY id")

    def windows(self, since: datetime = BEGINNING) -> list[Window]:
        """The maintenance windows that were not over then."""
        return self._rows(Window, "SELECT * FROM windows WHERE until > ? ORDER BY since, id", since)

    def messages(self, since: datetime = BEGINNING) -> list[OutboxMessage]:
        """What was sent, or is still to be sent."""
        return self._rows(OutboxMessage, "SELECT * FROM outbox WHERE created >= ? ORDER BY id", since)

    def _rows(self, kind: type[T], query: str, *values: object) -> list[T]:
        found = self.connection.execute(query, [stored(value) for value in values])
        return [msgspec.convert(row_values(row), kind, strict=False) for row in found]


@contextmanager
def opened(path: Path) -> Iterator[History]:
    """The history in a file. Raises UsageError where there is none, storage.Unusable where it cannot be read."""
    with storage.reading(path) as connection:
        yield History(connection)


def from_milliseconds(milliseconds: int) -> datetime:
    """A stored time."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(time: datetime) -> int:
    """A time as it is stored."""
    return (time - EPOCH) // timedelta(milliseconds=1)


def stored(value: object) -> object:
    """A value as the tables hold it."""
    if isinstance(value, datetime):
        return milliseconds(value)
    return (value - FIRST_DAY).days if isinstance(value, date) else value


#: How to read the columns that are not what they look like. In `rounds`, `took` is in milliseconds.
COLUMNS = {
    **dict.fromkeys(("at", "since", "until", "seen", "good", "created", "sent"), from_milliseconds),
    "day": lambda days: FIRST_DAY + timedelta(days=days),
    "hour": lambda hours: EPOCH + timedelta(hours=hours),
    "objects": lambda text: msgspec.json.decode(text),
    "maintenance": bool,
    "flapping": bool,
    "told": bool,
}


def row_values(row: sqlite3.Row) -> dict[str, Any]:
    """A row's values in our types."""
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118 - iterating a row gives its values
    if "verdict" in values:
        values["took"] /= 1000
    return {
        key: COLUMNS[key](value) if key in COLUMNS and value is not None else value for key, value in values.items()
    }
