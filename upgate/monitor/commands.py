"""`upgate history`, `upgate maintenance` and `upgate status`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from upgate.base.errors import UsageError
from upgate.base.harmless import harmless

FORMATS = ("text", "json", "csv")
#: What CSV can give: one table at a time.
TABLES = ("transitions", "rounds", "incidents", "days", "targets", "maintenance")


def add_monitor_commands(commands: argparse._SubParsersAction) -> None:
    """Declare them."""
    past = commands.add_parser("history", help="show what rounds with --monitor have seen")
    of_profile(past)
    past.add_argument("--since", metavar="TIME|DURATION", default="7d", help="how far back; default: 7d")
    past.add_argument("--format", choices=FORMATS, default="text")
    past.add_argument("--table", choices=TABLES, default="transitions", help="of CSV; default: transitions")
    past.set_defaults(command=show_history)
    windows = commands.add_parser("maintenance", help="mute alerts for a while; measuring goes on")
    actions = windows.add_subparsers(required=True, metavar="COMMAND")
    begin = action(actions, "start", start_maintenance, "stop sending alerts from now on")
    begin.add_argument("--for", dest="length", metavar="DURATION", required=True, help="how long: 2h, 30m")
    begin.add_argument("--reason", required=True, help="why; shown in lists and on the status page")
    action(actions, "stop", stop_maintenance, "end it now; the next round sends alerts for what is wrong then")
    action(actions, "list", list_windows, "list the windows of the last week and the planned ones")
    add_status_command(commands)
    notify = commands.add_parser("notify", help="look after the recipients of alerts")
    trial = notify.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "test", help="send a test message to each recipient of the profile"
    )
    trial.add_argument("--profile", metavar="NAME|PATH", required=True, help="whose recipients")
    trial.set_defaults(command=try_recipients)


def try_recipients(options: argparse.Namespace) -> int:
    """`upgate notify test`. Raises UsageError."""
    from upgate.monitor.trying import send_test

    return send_test(options)


def add_status_command(commands: argparse._SubParsersAction) -> None:
    """Declare `upgate status`."""
    added = commands.add_parser("status", help="write the status pages of several profiles, and an index over them")
    added.add_argument("--output", metavar="DIR", type=Path, required=True, help="where the pages are written")
    added.add_argument("--reports", metavar="DIR", type=Path, default=Path("reports"), help="default: reports/")
    added.add_argument("--public", action="store_true", help="pages that name no object, server or address")
    added.add_argument("profiles", metavar="PROFILE", nargs="+", help="folders below --reports")
    added.set_defaults(command=status_command)


def status_command(options: argparse.Namespace) -> int:
    """`upgate status`. Raises UsageError."""
    from upgate.monitor.status_index import write_status_pages

    return write_status_pages(options)


def action(
    actions: argparse._SubParsersAction, name: str, command: Callable[[argparse.Namespace], int], help: str
) -> argparse.ArgumentParser:
    """Add a command of `upgate maintenance`."""
    added = actions.add_parser(name, help=help)
    of_profile(added)
    added.set_defaults(command=command)
    return added


def of_profile(parser: argparse.ArgumentParser) -> None:
    """Whose history: that of a profile, wherever its reports are."""
    parser.add_argument("--profile", metavar="NAME|PATH", help="whose history")
    parser.add_argument("--reports", metavar="DIR", type=Path, help="where it is; default: reports/<profile>/")


def history_path(options: argparse.Namespace) -> Path:
    """The history's file. Raises UsageError."""
    from upgate.monitor.history import FILE
    from upgate.profile.files import DEFAULT, SEARCH, find, listing

    if options.reports:
        return options.reports / FILE
    if not options.profile:
        raise UsageError(f"which history? Use --profile=NAME or --reports=DIR. {listing(SEARCH)}")
    found = find(options.profile, SEARCH)
    return Path("reports", found.stem if found else DEFAULT, FILE)


def show_history(options: argparse.Namespace) -> int:
    """`upgate history`. Raises UsageError, Unusable."""
    from upgate.monitor import exports
    from upgate.monitor.history import opened

    since = since_option(options.since)
    with usable_history(), opened(history_path(options)) as past:
        if options.format == "json":
            print(msgspec.json.format(msgspec.json.encode(exports.everything(past, since)), indent=2).decode())
        elif options.format == "csv":
            print_csv(exports.history_rows(past, options.table, since))
        else:
            print(harmless(exports.history_text(past, since, datetime.now(UTC))))
    return 0


def print_csv(rows: Iterator[dict[str, Any]]) -> None:
    """Print rows as CSV."""
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, row, lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)


def since_option(text: str) -> datetime:
    """A time, or how long ago. Raises UsageError."""
    from upgate.profile.quantities import parse_moment

    moment = wanted("--since", text, parse_moment)
    if isinstance(moment, datetime):
        return moment
    try:
        return datetime.now(UTC) - moment
    except OverflowError:
        raise UsageError(f"--since={text}: too long ago") from None


def wanted(option: str, text: str, parse: Callable[[object], Any]) -> Any:
    """The value of an option. Raises UsageError."""
    try:
        return parse(text)
    except ValueError as problem:
        raise UsageError(f"{option}={text}: {problem}") from None


@contextmanager
def usable_history() -> Iterator[None]:
    """Turn a history that cannot be used into a usage error. Raises UsageError."""
    from upgate.monitor.storage import Unusable

    try:
        yield
    except Unusable as problem:
        raise UsageError(str(problem)) from problem


def start_maintenance(options: argparse.Namespace) -> int:
    """`upgate maintenance start`. Raises UsageError."""
    from upgate.monitor import storage, updates
    from upgate.monitor.history import History
    from upgate.profile.quantities import parse_duration

    length: timedelta = wanted("--for", options.length, parse_duration)
    if not length:
        raise UsageError("--for: the duration must be longer than zero")
    if not options.reason.strip():
        raise UsageError("--reason: must not be empty")
    begins, path = datetime.now(UTC), history_path(options)
    with usable_history(), storage.transaction(path) as db:
        updates.upsert_window(db, begins, begins + length, options.reason.strip(), "command")
        last = History(db).last_round()
    print(f"maintenance until {begins + length:%Y-%m-%d %H:%M} UTC: rounds go on, and alerts are not sent")
    if last is None:
        print(
            f"No round has run there yet: is {path.parent} where rounds with --monitor write? If not, use --reports=DIR"
        )
    return 0


def stop_maintenance(options: argparse.Namespace) -> int:
    """`upgate maintenance stop`. Raises UsageError."""
    from upgate.monitor import maintenance, storage

    path, now = existing(options), datetime.now(UTC)
    with usable_history(), storage.transaction(path) as db:
        stopped = maintenance.end_announced(db, now)
        ends = maintenance.open_until(db, now)
    print("the announced maintenance has ended" if stopped else "no maintenance was announced")
    if ends:
        print(f"a window of the profile goes on until {ends:%Y-%m-%d %H:%M} UTC")
    elif stopped:
        print("the next round sends alerts for what is wrong now")
    return 0


def list_windows(options: argparse.Namespace) -> int:
    """`upgate maintenance list`. Raises UsageError."""
    from upgate.monitor.exports import window_lines
    from upgate.monitor.history import opened

    now = datetime.now(UTC)
    with usable_history(), opened(existing(options)) as past:
        print(
            "\n".join(window_lines(past, now - timedelta(days=7), now))
            or "no maintenance in the last week, and none ahead"
        )
    return 0


def existing(options: argparse.Namespace) -> Path:
    """The history's file, which must be there. Raises UsageError."""
    path = history_path(options)
    if not path.exists():
        raise UsageError(f"there is no history {path}: runs with --monitor, and `maintenance start`, write one")
    return path
