from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.profile_files import Folder
from upgate.monitor.maintenance import planned
from upgate.profile.monitoring import Maintenance

SUNDAYS = {"every": "sunday", "at": "02:00", "for": "2h", "zone": "Europe/Berlin", "reason": "backup"}
NIGHTS = {"every": "day", "at": "23:30", "for": "1h", "reason": "night"}
WEEKEND = {"every": ("saturday",), "at": "00:00", "for": "2d", "reason": "weekend"}
ONCE = {"from": "2026-11-21T01:00:00Z", "to": "2026-11-21T03:00:00+01:00", "reason": "upgrade"}


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (ONCE, ["2026-11-21T01:00", "2026-11-21T01:59"], ["2026-11-21T00:59", "2026-11-21T02:00"]),
        (
            SUNDAYS,
            ["2026-11-22T01:00", "2026-11-22T02:59"],
            ["2026-11-22T00:59", "2026-11-22T03:00", "2026-11-21T01:30"],
        ),
        (SUNDAYS, ["2026-07-05T00:00", "2026-07-05T01:59"], ["2026-07-05T02:00", "2026-07-04T23:59"]),
        (NIGHTS, ["2026-11-21T23:30", "2026-11-22T00:29"], ["2026-11-22T00:30", "2026-11-21T23:29"]),
        (WEEKEND, ["2026-11-21T00:00", "2026-11-22T23:59"], ["2026-11-20T23:59", "2026-11-23T00:00"]),
    ],
)
def test_a_window_is_from_its_beginning_until_before_its_end(window, inside, outside) -> None:
    """Once or again and again, over midnight, for days, and by the clock of its own zone, in summer too."""
    entry = Maintenance.model_validate(window)

    def within(time: str) -> bool:
        return bool(planned([entry], datetime.fromisoformat(time).replace(tzinfo=UTC)))

    assert all(map(within, inside))
    assert not any(map(within, outside))


def test_the_night_of_a_change_of_clocks_has_its_window() -> None:
    """02:00 does not exist in that night; the window takes its two hours all the same."""
    entry = Maintenance.model_validate(SUNDAYS)
    minutes = (datetime(2026, 3, 28, 20, tzinfo=UTC) + timedelta(minutes=each) for each in range(720))
    assert sum(bool(planned([entry], at)) for at in minutes) == 120


def test_a_profile_says_when_nobody_is_told(tmp_path) -> None:
    """The two forms, and their values."""
    folder = Folder(tmp_path)
    folder.write(
        "monitor:\n  inconclusive-after: 1 of 1\n  keep: 30d\n  notify: ['slack://a/b/c', 'https://a.example.com/x']\n"
        "  maintenance:\n"
        "    - {from: 2026-11-21T01:00:00Z, to: 2026-11-21T03:00:00Z, reason: upgrade}\n"
        '    - {every: [saturday, sunday], at: "12:30", for: 90m, zone: Asia/Tokyo, reason: batch}\n'
    )
    monitor = folder.load().monitor
    once, again = monitor.maintenance
    assert (once.from_, once.to) == (datetime(2026, 11, 21, 1, tzinfo=UTC), datetime(2026, 11, 21, 3, tzinfo=UTC))
    assert (again.every, again.at, again.for_) == (("saturday", "sunday"), "12:30", timedelta(minutes=90))
    assert (monitor.inconclusive_after, monitor.keep) == ((1, 1), timedelta(days=30))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{reason: a}", "monitor.maintenance[0]: needs exactly one of from, every; has none"),
        ("{reason: a, from: 2026-11-21T01:00:00Z}", "monitor.maintenance[0]: needs the key to together with from"),
        ('{reason: a, every: day, at: "02:00"}', "monitor.maintenance[0]: needs the key for together with every"),
        (
            '{reason: a, every: day, at: "2:00", for: 1h}',
            'monitor.maintenance[0].at: not a time of the day such as "02:30"',
        ),
        (
            "{reason: a, every: day, at: 12:30, for: 1h}",
            'monitor.maintenance[0].at: expected text; YAML reads 12:30 as a number; quote it: "12:30"',
        ),
        (
            '{reason: a, every: day, at: "12:30", for: 0s}',
            "monitor.maintenance[0].for: must be longer than zero",
        ),
        (
            '{reason: a, every: day, at: "12:30", for: 1h, zone: Mars/Olympus}',
            "monitor.maintenance[0].zone: not a time zone such as UTC or Europe/Berlin",
        ),
        (
            "{reason: a, from: 2026-11-21T01:00:00Z, to: 2026-11-21T01:00:00Z}",
            "monitor.maintenance[0].to: must be later than from",
        ),
        (
            "{reason: a, from: 1h, to: 2026-11-21T01:00:00Z}",
            "monitor.maintenance[0].from: not a time with its zone, such as 2026-11-21T01:30:00Z",
        ),
    ],
)
def test_a_window_that_cannot_be_is_an_error(tmp_path, entry, problem) -> None:
    """One sentence says where, what is wrong, and what would be right."""
    (error,) = Folder(tmp_path).errors(f"monitor:\n  maintenance:\n    - {entry}\n")
    assert error.endswith(problem), error


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{keep: 1h}", "monitor.keep: must be a day or longer"),
        ("{inconclusive-after: often}", "monitor.inconclusive-after: not of the form `2 of 3`"),
        ("{notify: [nowhere]}", "monitor.notify[0]: not a URL such as https://hooks.example.com/alerts"),
    ],
)
def test_what_monitoring_cannot_do_is_an_error(tmp_path, text, problem) -> None:
    """The same for the other keys."""
    (error,) = Folder(tmp_path).errors(f"monitor: {text}\n")
    assert problem in error
