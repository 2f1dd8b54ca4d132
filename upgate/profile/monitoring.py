"""What a profile says about continuous monitoring: when and how alerts are sent, and when they are muted."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo

from upgate.profile.network import Url
from upgate.profile.parts import written
from upgate.profile.quantities import Duration, FilePath, Rate, Span, Text, json_type, parse_moment, some
from upgate.profile.section import Section

Weekday = Literal["day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
#: A scheme, and something behind it.
ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://\S+")
#: Less would cut the 90 days of a status page; and a day is what is tidied at once.
SHORTEST = timedelta(days=1)


def parse_time(value: object) -> datetime:
    """A time with its zone. Raises ValueError."""
    moment = parse_moment(value)
    if not isinstance(moment, datetime):
        raise ValueError("not a time with its zone, such as 2026-11-21T01:30:00Z")
    return moment


def check_clock(value: str) -> str:
    """A time of the day. Raises ValueError."""
    if not CLOCK.fullmatch(value):
        raise ValueError('not a time of the day such as "02:30"')
    return value


def check_zone(value: str) -> str:
    """A time zone that is known here. Raises ValueError."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as UTC or Europe/Berlin") from None
    return value


def check_address(value: str) -> str:
    """Something that apprise could deliver to; it says more when the first round begins. Raises ValueError."""
    if not ADDRESS.fullmatch(value):
        raise ValueError("not a URL such as https://hooks.example.com/alerts, slack://… or mailto://…")
    return value


def long_enough(value: timedelta) -> timedelta:
    """A time that makes sense. Raises ValueError."""
    if value < SHORTEST:
        raise ValueError("must be a day or longer")
    return value


def after_its_beginning(value: datetime, info: ValidationInfo) -> datetime:
    """No window ends before it begins. Raises ValueError."""
    begins = info.data.get("from_")
    if begins and value <= begins:
        raise ValueError("must be later than from")
    return value


Time = Annotated[
    datetime, BeforeValidator(parse_time), PlainSerializer(datetime.isoformat), json_type("string", format="date-time")
]
Clock = Annotated[str, AfterValidator(check_clock)]
Zone = Annotated[Text, AfterValidator(check_zone)]
Address = Annotated[str, AfterValidator(check_address)]


class Maintenance(Section):
    """A time in which the pager is mute: once (`from` and `to`), or again and again (`every`, `at` and `for`)."""

    reason: Annotated[str, AfterValidator(written)]
    """Why."""
    from_: Time | None = Field(default=None, alias="from")
    """When it begins, once."""
    to: Annotated[Time, AfterValidator(after_its_beginning)] | None = None
    """When it is over."""
    every: Annotated[
        tuple[Weekday, ...],
        Field(min_length=1),
        BeforeValidator(some, json_schema_input_type=Weekday | tuple[Weekday, ...]),
    ] = None  # type: ignore[assignment]  # null is left out before
    """The days on which it begins: `day` for each, or weekdays."""
    at: Clock | None = None
    """The time of the day at which it begins, quoted."""
    for_: Span | None = Field(default=None, alias="for")
    """How long it takes."""
    zone: Zone | None = None
    """The time zone of `at`; default: UTC."""


class Monitor(Section):
    """Continuous monitoring: `--monitor`."""

    fail_after: Rate = Field(default="2 of 3", validate_default=True)
    """Alert when a check failed in so many of the last rounds."""
    inconclusive_after: Rate = Field(default="3 of 5", validate_default=True)
    """Alert when a check could not be judged in so many of the last rounds."""
    remind: Duration = timedelta(hours=4)
    """Repeat an alert that still holds after so long."""
    maintenance: tuple[Maintenance, ...] = ()
    """Times in which rounds go on and no alerts are sent."""
    notify: tuple[Address, ...] = ()
    """Where alerts are sent: URLs of apprise (slack://, mailto://, …), or of webhooks that take JSON."""
    report: Url | None = None
    """Where people find the report or the status page; alerts say so. Default: the path of the report."""
    heartbeat: Url | None = None
    """A URL to call after each round that was really judged, so that silence is noticed."""
    keep: Annotated[Duration, AfterValidator(long_enough)] = timedelta(days=90)
    """How much history is kept, in days on which rounds ran."""
    textfile: FilePath | None = None
    """Metrics for node_exporter's textfile collector."""
    pushgateway: Url | None = None
    """Metrics for a Prometheus Pushgateway."""
