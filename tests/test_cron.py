"""Cron schedules are read as Kubernetes reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from upgate.facts.cron import parsed, zone_named

BERLIN = zone_named("Europe/Berlin")


def latest(schedule, until, after="2020-01-01T00:00Z", zone=UTC):
    """The latest time of a schedule, as text in UTC; None where there is none."""
    found = parsed(schedule).latest(datetime.fromisoformat(after), datetime.fromisoformat(until), zone)
    return found and f"{found:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("schedule", "time"),
    [
        ("0 4 * * *", "2026-11-21T04:00"),
        ("*/5 * * * *", "2026-11-21T12:30"),
        ("7/20 * * * *", "2026-11-21T12:27"),
        ("0 9-17/4 * * *", "2026-11-21T09:00"),
        ("0,31 12 * * *", "2026-11-21T12:31"),
        ("0 0 * * mon-FRI", "2026-11-20T00:00"),
        ("0 0 ? JAN,mar ?", "2026-03-31T00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00"),
        ("0 0 1 * 5", "2026-11-20T00:00"),
        ("0 0 */2 * 1", "2026-11-21T00:00"),
        ("0 0 * * sun", "2026-11-15T00:00"),
        ("@hourly", "2026-11-21T12:00"),
        ("@daily", "2026-11-21T00:00"),
        ("@midnight", "2026-11-21T00:00"),
        ("@weekly", "2026-11-15T00:00"),
        ("@monthly", "2026-11-01T00:00"),
        ("@yearly", "2026-01-01T00:00"),
        ("@annually", "2026-01-01T00:00"),
        ("  0  4 * * *  ", "2026-11-21T04:00"),
    ],
)
def test_what_a_schedule_means(schedule, time):
    """Names, ranges, steps, lists, macros and `?`; where day of month and day of week both restrict, either is enough."""
    assert latest(schedule, "2026-11-21T12:31Z") == time


def test_an_interval_counts_from_the_time_before():
    """`@every` has no times of its own."""
    assert latest("@every 1h30m", "2026-11-21T05:00Z", after="2026-11-21T00:00Z") == "2026-11-21T04:30"
    assert latest("@every 1h30m", "2026-11-21T01:00Z", after="2026-11-21T00:00Z") is None


def test_a_day_that_never_comes():
    """The 30th of February is looked for no further back than asked."""
    assert latest("0 0 30 2 *", "2026-11-21T12:31Z") is None


@pytest.mark.parametrize(
    ("until", "time"),
    [
        ("2026-03-29T12:00Z", "2026-03-28T01:30"),
        ("2026-03-30T12:00Z", "2026-03-30T00:30"),
        ("2026-10-25T00:45Z", "2026-10-25T00:30"),
        ("2026-10-25T01:45Z", "2026-10-25T01:30"),
    ],
)
def test_changes_of_the_clock(until, time):
    """A time that the clock leaves out is not made up for; one that it shows twice comes twice."""
    assert latest("30 2 * * *", until, zone=BERLIN) == time


def test_every_minute_of_an_hour_that_comes_twice():
    """The latest is the latest, whatever the clock shows."""
    assert latest("* * * * *", "2026-10-25T01:03Z", zone=BERLIN) == "2026-10-25T01:03"


@pytest.mark.parametrize("prefix", ["TZ=Asia/Tokyo ", "CRON_TZ=Asia/Tokyo  "])
def test_a_zone_in_the_schedule(prefix):
    """Older objects have their zone there."""
    schedule = parsed(f"{prefix}0 4 * * *")
    assert (schedule.zone, schedule.fields) == ("Asia/Tokyo", parsed("0 4 * * *").fields)


@pytest.mark.parametrize(
    "schedule",
    [
        *("", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7"),
        *("*/0 * * * *", "5-1 * * * *", "1- * * * *", "-1 * * * *", "a * * * *", "\u0661 * * * *", "1.5 * * * *"),
        *("@every", "@every 1", "@every -1h", "@reboot", "@Hourly", "9" * 600, "* * * * *," * 60),
    ],
)
def test_what_kubernetes_would_refuse(schedule):
    """Such a schedule has no times, and no other error than ValueError."""
    with pytest.raises(ValueError, match=r"."):
        parsed(schedule)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe", "a" * 5000, "\0", "é"])
def test_a_zone_that_is_not_known(name):
    """Whatever somebody writes there, it is no more than unknown."""
    with pytest.raises(ValueError, match="does not know the time zone"):
        zone_named(name)
