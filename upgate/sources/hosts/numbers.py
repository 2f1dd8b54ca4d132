"""Numbers and times in a host's answer. Implausible values become None: a host may send anything."""

from __future__ import annotations

import re
from datetime import UTC, datetime

#: Digits of a number: no disk has 10**17 KiB.
WHOLE = re.compile(r"\d{1,17}", re.ASCII)
#: Digits of a time in seconds since 1970, which ends before the year 2287.
SECONDS = re.compile(r"\d{1,10}(?:\.\d{1,9})?", re.ASCII)
FRACTION = re.compile(r"(\.\d{6})\d+", re.ASCII)
#: The plausible years of a clock.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)


def whole(text: str) -> int | None:
    """A number without a sign."""
    return int(text) if WHOLE.fullmatch(text) else None


def from_unix(text: str) -> datetime | None:
    """Seconds since 1970."""
    return datetime.fromtimestamp(float(text), UTC) if SECONDS.fullmatch(text) else None


def from_rfc3339(text: str) -> datetime | None:
    """RFC 3339, with nanoseconds as Go writes them."""
    try:
        time = datetime.fromisoformat(FRACTION.sub(r"\1", text))
        return in_range(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def in_range(time: datetime) -> datetime | None:
    """The same time in UTC. Raises OverflowError if it is out of range."""
    moved = time.astimezone(UTC)
    return moved if FIRST <= moved < LAST else None
