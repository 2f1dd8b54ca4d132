"""The command `upgate`: what is not a run of pytest, and `upgate run`, which is one from anywhere."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from upgate.errors import Inconclusive, UsageError
from upgate.monitor import commands as monitoring
from upgate.verdict import EXIT_CODES

if TYPE_CHECKING:
    from upgate.profile import Profile

#: As pytest's own usage errors.
USAGE = 4
#: As shells see a process that SIGPIPE ended.
BROKEN_PIPE = 141
#: pyproject.toml has the same for runs in a checkout.
PYTEST_OPTIONS = (
    "-p",
    "upgate.plugin",
    "--import-mode=importlib",
    "--strict-markers",
    "-o",
    "empty_parameter_set_mark=fail_at_collect",
)


class Parser(argparse.ArgumentParser):
    """Ends with the exit code of pytest's usage errors."""

    def error(self, message: str) -> NoReturn:
        """Say how it is called, and what was wrong."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    try:
        return command(list(sys.argv[1:] if argv is None else argv))
    except UsageError as problem:
        print(problem, file=sys.stderr)
        return USAGE
    except Inconclusive as problem:
        print(problem, file=sys.stderr)
        return EXIT_CODES["inconclusive"]
    except BrokenPipeError:  # the reader, such as head, has seen enough; nothing is left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def command(arguments: list[str]) -> int:
    """Find the command and run it."""
    if arguments and arguments[0] in PASSED_ON:
        return PASSED_ON[arguments[0]](arguments[1:])
    options = parser().parse_args(arguments)
    return options.command(options)


def parser() -> Parser:
    """All commands and their arguments."""
    root = Parser(prog="upgate", description="The upgrade gate: is the cluster all right after an upgrade?")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="run the battery: pytest's options, and folders of your own checks")
    commands.add_parser("record", help="record a cluster for the embedded one")
    listing = commands.add_parser("checks", help="print what the battery asks, as Markdown")
    listing.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="where your own checks are")
    listing.set_defaults(command=checks)
    monitoring.add(commands)
    profile = commands.add_parser("profile", help="look at profiles").add_subparsers(required=True, metavar="COMMAND")
    of_one(profile, "show", show, "print the effective profile, with all defaults and where each value comes from")
    of_one(profile, "check", check, "print all errors of a profile, or that there are none")
    of_one(profile, "rbac", rbac, "print the smallest roles that the profile needs")
    profile.add_parser("schema", help="print the JSON Schema of profiles, for editors").set_defaults(command=schema)
    return root


def of_one(
    commands: argparse._SubParsersAction, name: str, command: Callable[[argparse.Namespace], int], help: str
) -> None:
    """Add a command about one profile."""
    added = commands.add_parser(name, help=help)
    added.add_argument("profile", metavar="NAME", nargs="?", help="a profile's name or path")
    added.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="where your own checks are")
    added.set_defaults(command=command)


def show(options: argparse.Namespace) -> int:
    """`upgate profile show NAME`."""
    from upgate.profile.showing import show

    print(show(loaded(options)), end="")
    return 0


def check(options: argparse.Namespace) -> int:
    """`upgate profile check NAME`."""
    from upgate.profile.problems import shown

    profile = loaded(options)
    print(f"{shown(profile.source) if profile.source else profile.name}: no errors")
    return 0


def rbac(options: argparse.Namespace) -> int:
    """`upgate profile rbac NAME`."""
    from upgate.cluster.rbac import render

    print(render(loaded(options), options.paths), end="")
    return 0


def checks(options: argparse.Namespace) -> int:
    """`upgate checks`."""
    from upgate.catalogue import render
    from upgate.profile.known import battery

    print(render([battery(), *options.paths]), end="")
    return 0


def schema(options: argparse.Namespace) -> int:
    """`upgate profile schema`."""
    import json

    from upgate.profile.schema import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0


def loaded(options: argparse.Namespace) -> Profile:
    """The profile that the options name. Raises UsageError."""
    from upgate.planned import IDS
    from upgate.profile import load
    from upgate.profile.known import battery, known_checks

    known = known_checks([battery(), *options.paths])
    return load(options.profile, known_checks={*known, *IDS}, environ=os.environ, today=date.today())


def run(arguments: list[str]) -> int:
    """`upgate run`: pytest with the packaged battery, whatever pytest configuration lies around here."""
    import pytest

    from upgate.profile.known import battery

    checks = battery()
    here = ("-c", os.devnull, f"--rootdir={Path.cwd()}", f"--confcutdir={checks}")
    return int(pytest.main([str(checks), *arguments, *here, *PYTEST_OPTIONS]))


def record(arguments: list[str]) -> int:
    """`upgate record`."""
    from upgate.embedded.record import main as record_cluster

    return record_cluster(arguments) or 0


#: Commands that read their arguments themselves.
PASSED_ON = {"run": run, "record": record}
