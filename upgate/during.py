"""`upgate watch` and `upgate timeline`: measure an upgrade while it runs, and show what was measured."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from upgate.base.errors import UsageError

if TYPE_CHECKING:
    from upgate.battery.registry import Registry
    from upgate.profile import Profile
    from upgate.watch.planning import WatchPlan

FORMATS = ("text", "json", "html", "junit")
ProfileOf = Callable[["str | None", "Registry"], "Profile"]


def add_watch_commands(commands: argparse._SubParsersAction, profile_named: ProfileOf) -> None:
    """Declare them."""
    watch = commands.add_parser("watch", help="measure how long users are cut off while the upgrade runs")
    watch.add_argument("--profile", metavar="NAME|PATH", help="which environment")
    watch.add_argument(
        "--for", dest="length", metavar="DURATION", help="end after so long; default: on SIGINT or SIGTERM"
    )
    watch.add_argument(
        "--interval", metavar="DURATION", help="the time between two samples; default: the profile's, or 1s"
    )
    watch.add_argument("--until-file", metavar="PATH", type=Path, help="end as soon as this file is there")
    watch.add_argument("--reports", metavar="DIR", type=Path, help="where to write; default: reports/<profile>/")
    watch.set_defaults(command=lambda options: run_watch(options, profile_named))
    timeline = commands.add_parser("timeline", help="show what `upgate watch` has recorded")
    timeline.add_argument("file", metavar="FILE", type=Path, help="disruption.jsonl")
    timeline.add_argument("--format", choices=FORMATS, default="text")
    timeline.set_defaults(command=show_timeline)


def run_watch(options: argparse.Namespace, profile_named: ProfileOf) -> int:
    """`upgate watch`. Raises UsageError."""
    from upgate.battery.commands import load_registry

    profile = profile_named(options.profile, load_registry([]))
    home = options.reports or Path("reports", profile.name)
    interval = interval_of(options, profile)
    ended = ending_of(options)
    with only_watch(home), planned_watch(profile) as known:
        watch_cluster(profile, known, home, interval, ended)
    print_summary(home)
    return 0


def watch_cluster(
    profile: Profile, known: WatchPlan, home: Path, interval: timedelta, ended: Callable[[], bool]
) -> None:
    """Run the watch to its end."""
    from upgate.reports.heartbeat import Heartbeat
    from upgate.watch.planning import begin_story, ready_watch

    watch = ready_watch(profile, known, home, interval)
    print(
        f"watching {len({each.series.name for each in watch.targets})} targets; the record is {watch.path}", flush=True
    )
    for gap in sorted({known.gap, *known.snapshot.gaps.values()} - {""}):
        print(f"not watched: {gap}", flush=True)
    if known.login:
        begin_story(known.login.connection, watch)
    watch.show = Heartbeat(watch.begin, sys.stdout).show
    watch.run(ended)


@contextmanager
def planned_watch(profile: Profile) -> Iterator[WatchPlan]:
    """What the watch needs to know of its cluster. Raises UsageError."""
    from upgate.watch.planning import watch_plan

    with watch_plan(profile) as known:
        yield known


@contextmanager
def only_watch(home: Path) -> Iterator[None]:
    """Two watches must not write one record. Raises UsageError."""
    from upgate.base.files import locked, worded_os_errors

    with worded_os_errors("lock", home), locked(home / ".disruption.lock") as taken:
        if not taken:
            raise UsageError(f"another upgate watch writes to {home}: end it, or use --reports")
        yield


def interval_of(options: argparse.Namespace, profile: Profile) -> timedelta:
    """The time between two samples. Raises UsageError."""
    from upgate.profile.quantities import parse_duration
    from upgate.profile.watching import within_limits

    if options.interval is None:
        return profile.watch.interval
    return wanted_option("--interval", options.interval, lambda text: within_limits(parse_duration(text)))


def wanted_option(name: str, text: str, parse: Callable[[str], timedelta]) -> timedelta:
    """The option's value. Raises UsageError."""
    try:
        return parse(text)
    except ValueError as problem:
        raise UsageError(f"{name}={text}: {problem}") from problem


def ending_of(options: argparse.Namespace) -> Callable[[], bool]:
    """Whether the watch is to end: its time is over, its file is there, or a signal has come. Raises UsageError."""
    from upgate.base.waiting import Deadline
    from upgate.profile.quantities import parse_duration

    length = wanted_option("--for", options.length, parse_duration).total_seconds() if options.length else float("inf")
    deadline, signals = Deadline(length), []
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: signals.append(number))
    return lambda: deadline.passed or bool(signals) or bool(options.until_file and options.until_file.exists())


def print_summary(home: Path) -> None:
    """What was measured, at the end of a watch."""
    from upgate.reports.timeline_text import timeline_text
    from upgate.watch.account import load_timeline
    from upgate.watch.writing import FILE

    print(timeline_text(load_timeline(home / FILE)), end="")


def show_timeline(options: argparse.Namespace) -> int:
    """`upgate timeline FILE`. Raises UsageError."""
    from upgate.watch.account import load_timeline

    sys.stdout.buffer.write(rendered(options.format, load_timeline(options.file)))
    sys.stdout.buffer.flush()
    return 0


def rendered(format: str, timeline: object) -> bytes:
    """The timeline in one of the formats."""
    from upgate.reports.timeline_html import timeline_page
    from upgate.reports.timeline_json import timeline_json
    from upgate.reports.timeline_junit import timeline_junit
    from upgate.reports.timeline_text import timeline_text

    renderers: dict[str, Callable] = {
        "text": lambda timeline: timeline_text(timeline).encode(),
        "json": timeline_json,
        "html": timeline_page,
        "junit": timeline_junit,
    }
    return renderers[format](timeline)
