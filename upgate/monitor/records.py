"""What history.sqlite holds, as types, and how its columns hold it. Times are aware and in UTC, durations seconds."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec

from upgate.results import Outcome, Severity, Verdict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = EPOCH.date()
#: In milliseconds.
DAY, HOUR = 86_400_000, 3_600_000


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
    #: A message was sent about it; false if it came and went in a maintenance window.
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


def from_milliseconds(milliseconds: int) -> datetime:
    """A stored time."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(time: datetime) -> int:
    """A time as it is stored."""
    return (time - EPOCH) // timedelta(milliseconds=1)


def column_value(value: object) -> object:
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
