"""Cron schedules as Kubernetes reads them, and the latest time that one named.

Kubernetes' own parser is https://pkg.go.dev/github.com/robfig/cron/v3, whose dialect no Python library has: `?`, `0/5`, `@every`,
no 7 for Sunday, `*/2` that is a restriction of days, and times that a change of the clock leaves out are never made up for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
#: No longer text is read; and no number has more digits.
LONGEST, DIGITS = 500, 4
EVERY = "@every "
#: A duration of Go's: `1h30m`, `90s`.
SPAN = re.compile(r"(?:\d{1,6}(?:\.\d{1,6})?(?:h|m|s|ms|us|µs|ns))+")
AMOUNT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(h|ms|m|s|us|µs|ns)")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
ZONE = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)", re.DOTALL)


class Range(NamedTuple):
    """The values that a field may have, and the names of some."""

    first: int
    last: int
    names: tuple[str, ...] = ()


RANGES = (Range(0, 59), Range(0, 23), Range(1, 31), Range(1, 12, MONTHS), Range(0, 6, DAYS))


class Field(NamedTuple):
    """The values of one field, and whether it is a star: of the two fields of days a star restricts nothing."""

    values: frozenset[int]
    star: bool


class Schedule(NamedTuple):
    """When something runs: at these minutes of these days, or always so long after the time before."""

    fields: tuple[Field, ...] = ()
    every: timedelta | None = None
    #: The time zone that the schedule itself names; empty where it names none.
    zone: str = ""

    def latest(self, after: datetime, until: datetime, zone: tzinfo) -> datetime | None:
        """The latest of its times between these two, the first not included; None where there is none."""
        if self.every:
            rounds = (until - after) // self.every
            return after + rounds * self.every if rounds > 0 else None
        end = until.astimezone(zone)
        days = self._days(after.astimezone(zone).date(), end.date())
        found = (each for day in days for each in self._times(day, end.hour if day == end.date() else 23, zone))
        return next((each for each in found if after < each <= until), None)

    def names(self, moment: datetime, zone: tzinfo) -> bool:
        """It is one of its times."""
        return self.latest(moment - timedelta(seconds=1), moment, zone) is not None

    def _days(self, first: date, last: date) -> Iterator[date]:
        """The days that it names, the latest first."""
        day = last
        while day >= first:
            in_month = day.month in self.fields[3].values
            if in_month and self._names_day(day):
                yield day
            day = (day if in_month else day.replace(day=1)) - timedelta(days=1)

    def _names_day(self, day: date) -> bool:
        """Of month and week both must fit where one is a star, and else either."""
        month, week = self.fields[2], self.fields[4]
        fits = day.day in month.values, day.isoweekday() % 7 in week.values
        return all(fits) if month.star or week.star else any(fits)

    def _times(self, day: date, last: int, zone: tzinfo) -> Iterator[datetime]:
        """Its times on a day up to that hour, the latest first: an hour that comes twice has them twice, a missing one none."""
        minutes, hours = (sorted(each.values, reverse=True) for each in self.fields[:2])
        for hour in (each for each in hours if each <= last):
            for fold in (1, 0) if comes_twice(day, hour, zone) else (0,):
                walls = (datetime.combine(day, time(hour, minute, fold=fold), zone) for minute in minutes)
                yield from (wall.astimezone(UTC) for wall in walls if is_real(wall))


def comes_twice(day: date, hour: int, zone: tzinfo) -> bool:
    """The hour, or a part of it, comes a second time: the clocks are put back."""
    return any(is_real(datetime.combine(day, time(hour, minute, fold=1), zone)) for minute in (0, 59))


def is_real(wall: datetime) -> bool:
    """A clock on the wall shows it; its second time is only that where it has a first one."""
    there = wall.astimezone(UTC).astimezone(wall.tzinfo)
    return there.replace(tzinfo=None) == wall.replace(tzinfo=None) and there.fold == wall.fold


@lru_cache(maxsize=10_000)
def parsed(text: str) -> Schedule:
    """The schedule that a text says. Raises ValueError for one that Kubernetes would refuse."""
    if len(text) > LONGEST:
        raise ValueError(f"a schedule of {len(text)} characters")
    prefix = ZONE.fullmatch(text.strip())
    zone, said = (prefix[1], prefix[2].strip()) if prefix else ("", text.strip())
    if said.startswith(EVERY):
        return Schedule(every=parse_interval(said.removeprefix(EVERY).strip()), zone=zone)
    words = MACROS.get(said, said).split()
    if len(words) != len(RANGES):
        raise ValueError(f"the schedule {said!r} does not have 5 fields")
    return Schedule(tuple(parse_field(word, range) for word, range in zip(words, RANGES, strict=True)), zone=zone)


def parse_interval(text: str) -> timedelta:
    """A duration of at least a second. Raises ValueError."""
    if not SPAN.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration")
    seconds = sum(float(number) * SECONDS[unit] for number, unit in AMOUNT.findall(text))
    return timedelta(seconds=max(1, int(seconds)))


def parse_field(text: str, range: Range) -> Field:
    """One field: values, ranges and steps, with commas between them. Raises ValueError."""
    parts = [parse_range(each, range) for each in text.split(",")]
    return Field(frozenset().union(*(each.values for each in parts)), any(each.star for each in parts))


def parse_range(text: str, known: Range) -> Field:
    """`*`, `?`, `5`, `1-5`, `mon-fri`, each with a step behind it or none. Raises ValueError."""
    span, slash, by = text.partition("/")
    low, dash, high = span.partition("-")
    star, step = span in ("*", "?"), number(by) if slash else 1
    first = known.first if star else value(low, known)
    last = value(high, known) if dash else known.last if star or slash else first
    if step == 0 or not known.first <= first <= last <= known.last:
        raise ValueError(f"{text!r} is not between {known.first} and {known.last}")
    return Field(frozenset(range(first, last + 1, step)), star and step == 1)


def value(text: str, known: Range) -> int:
    """A number or a name. Raises ValueError."""
    name = text.lower()
    return known.names.index(name) + known.first if name in known.names else number(text)


def number(text: str) -> int:
    """Raises ValueError for anything but digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise ValueError(f"{text!r} is not a number")
    return int(text)


@lru_cache(maxsize=1000)
def zone_named(name: str) -> tzinfo:
    """A time zone by its name. Raises ValueError where this machine does not know it."""
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (LookupError, ValueError, OSError) as problem:
        raise ValueError(f"this machine does not know the time zone {name!r}") from problem
