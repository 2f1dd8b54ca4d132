"""The command `upgate`: what is not a run of pytest, and `upgate run`, which is one from anywhere."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from upgate import __version__
from upgate.base.errors import Inconclusive, UsageError
from upgate.battery import commands as battery
from upgate.during import add_watch_commands
from upgate.monitor import commands as monitoring
from upgate.results import EXIT_CODES

if TYPE_CHECKING:
    from upgate.battery.registry import Registry
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
        return run_command(list(sys.argv[1:] if argv is None else argv))
    except UsageError as problem:
        print(problem, file=sys.stderr)
        return USAGE
    except Inconclusive as problem:
        print(problem, file=sys.stderr)
        return EXIT_CODES["inconclusive"]
    except BrokenPipeError:  # the reader, such as head, has seen enough; nothing is left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def run_command(arguments: list[str]) -> int:
    """Find the command and run it."""
    if arguments and arguments[0] in PASSED_ON:
        return PASSED_ON[arguments[0]](arguments[1:])
    root = parser()
    if "_ARGCOMPLETE" in os.environ:  # set by the shell's completion alone
        import argcomplete

        argcomplete.autocomplete(root)
    options = root.parse_args(arguments)
    return options.command(options)


def parser() -> Parser:
    """All commands and their arguments."""
    root = Parser(prog="upgate", description="The upgrade gate: is the cluster all right after an upgrade?")
    root.add_argument("--version", action="version", version=f"upgate {__version__}")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="run the battery: pytest's options, and folders of your own checks")
    battery.add_battery_commands(commands, profile_named)
    monitoring.add_monitor_commands(commands)
    add_watch_commands(commands, profile_named)
    add_diff(commands)
    profile = commands.add_parser("profile", help="look at profiles").add_subparsers(required=True, metavar="COMMAND")
    of_one(
        profile, "show", show_profile, "print the effective profile, with all defaults and where each value comes from"
    )
    of_one(profile, "check", check_profile, "print all errors of a profile, or that there are none")
    roles = of_one(profile, "rbac", print_roles, "print the smallest roles that the profile needs")
    roles.add_argument("--watch", action="store_true", help="also those of `upgate watch`")
    begin = profile.add_parser("init", help="write a first profile from what the cluster shows")
    begin.add_argument("name", metavar="NAME", nargs="?", help="the profile's name; default: the context's")
    begin.add_argument("--context", metavar="NAME", help="the kubeconfig's context; default: its current one")
    begin.add_argument("--kubeconfig", metavar="PATH", type=Path, help="default: $KUBECONFIG, then ~/.kube/config")
    begin.set_defaults(command=write_first_profile)
    profile.add_parser("schema", help="print the JSON Schema of profiles, for editors").set_defaults(
        command=print_schema
    )
    return root


def add_diff(commands: argparse._SubParsersAction) -> None:
    """Add `upgate diff`."""
    diff = commands.add_parser("diff", help="compare two baselines or snapshots, also of two clusters")
    diff.add_argument("files", metavar="FILE", nargs=2, type=Path, help="baseline.json or snapshot.json.gz")
    diff.add_argument("--format", choices=("text", "json", "html"), default="text")
    diff.add_argument("--pool-label", metavar="KEY", help="the label that names the pool of a node, for snapshots")
    diff.set_defaults(command=show_diff)


def show_diff(options: argparse.Namespace) -> int:
    """`upgate diff A B`: 0 where all is the same, 1 where something differs, 75 where a part could not be compared."""
    from upgate.baseline.two import compare_files
    from upgate.reports import two_clusters as reports

    found = compare_files(options.files[0], options.files[1], options.pool_label)
    formats = {"text": reports.diff_as_text, "json": reports.diff_as_json, "html": reports.diff_as_html}
    print(formats[options.format](found), end="")
    if found.differences:
        return EXIT_CODES["not clear"]
    return EXIT_CODES["inconclusive"] if found.not_compared else 0


def of_one(
    commands: argparse._SubParsersAction, name: str, command: Callable[[argparse.Namespace], int], help: str
) -> argparse.ArgumentParser:
    """Add a command about one profile."""
    added = commands.add_parser(name, help=help)
    added.add_argument("profile", metavar="NAME", nargs="?", help="a profile's name or path")
    added.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="where your own checks are")
    added.set_defaults(command=command, today=None)
    return added


def show_profile(options: argparse.Namespace) -> int:
    """`upgate profile show NAME`."""
    from upgate.profile.showing import effective_profile

    print(effective_profile(loaded(options)), end="")
    return 0


def check_profile(options: argparse.Namespace) -> int:
    """`upgate profile check NAME`: whatever a run would refuse is an error. Raises UsageError."""
    from upgate.profile.problems import shown

    options.today = datetime.now(UTC).date()
    profile = loaded(options)
    if problems := list(refusals(profile)):
        raise UsageError("\n".join(problems))
    print(f"{shown(profile.source) if profile.source else profile.name}: no errors")
    return 0


def refusals(profile: Profile) -> Iterator[str]:
    """Why a run would refuse what the profile itself cannot know: files, contexts, URLs of services, numbers together."""
    from upgate.judge.settling import must_fit
    from upgate.monitor.sending import check_urls
    from upgate.sources.look import usable_cluster

    gate = profile.gate
    checks: tuple[Callable[[], object], ...] = (
        lambda: usable_cluster(profile.cluster),
        lambda: check_urls(profile.monitor.notify),
        lambda: must_fit(gate.settle, gate.clean, gate.every),
    )
    for each in checks:
        try:
            each()
        except UsageError as problem:
            yield str(problem)


def print_roles(options: argparse.Namespace) -> int:
    """`upgate profile rbac NAME`."""
    from upgate.battery.permissions import roles_as_yaml
    from upgate.battery.watch_permissions import watch_roles_as_yaml

    print(roles_as_yaml(loaded(options), battery.load_registry(options.paths)), end="")
    print(watch_roles_as_yaml() if options.watch else "", end="")
    return 0


def write_first_profile(options: argparse.Namespace) -> int:
    """`upgate profile init`. Raises UsageError, Inconclusive."""
    from upgate.sources.starting import write_profile

    return write_profile(options.name, options.kubeconfig, options.context)


def print_schema(options: argparse.Namespace) -> int:
    """`upgate profile schema`."""
    import json

    from upgate.profile.schema import profile_schema

    print(json.dumps(profile_schema(), indent=2, ensure_ascii=False))
    return 0


def loaded(options: argparse.Namespace) -> Profile:
    """The profile that the options name. Raises UsageError."""
    return profile_named(options.profile, battery.load_registry(options.paths), today=options.today)


def profile_named(name: str | None, registry: Registry, *, today: date | None = None) -> Profile:
    """The profile of this name or path, which may speak of the registry's checks. Raises UsageError."""
    from upgate.profile import load

    return load(name, known_checks=registry.ids, environ=os.environ, today=today)


def run_battery(arguments: list[str]) -> int:
    """`upgate run`: pytest with the packaged battery, whatever pytest configuration lies around here."""
    if {"-h", "--help"} & {*arguments}:
        print(run_help(), end="")
        return 0
    import pytest

    from upgate.battery import registry

    checks = registry.battery()
    here = ("-c", os.devnull, f"--rootdir={Path.cwd()}", f"--confcutdir={checks}")
    return int(pytest.main([str(checks), *arguments, *here, *PYTEST_OPTIONS]))


def run_help() -> str:
    """The gate's options; those of pytest are described by pytest."""
    from upgate.plugin.options import OPTIONS

    parser = argparse.ArgumentParser(
        prog="upgate run",
        usage="upgate run --profile=NAME|PATH [options] [PATH …]",
        description="Run the battery, and the checks of your own below each PATH. "
        "Exit code 0: clear, 1: not clear, 75: inconclusive, 4: the call is wrong.",
        epilog="All options of pytest work too: -k EXPRESSION and -m SUBJECT select checks, -n 4 runs them in parallel, "
        "-x stops at the first failure, --collect-only lists them. `pytest --help` describes them.",
    )
    for name, details in OPTIONS:
        parser.add_argument(name, **details)
    return parser.format_help()


#: Commands that read their arguments themselves.
PASSED_ON = {"run": run_battery}
