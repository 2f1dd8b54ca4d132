"""The command line: interface.md's table, and the profile that it names."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from upgate.base.errors import UsageError

if TYPE_CHECKING:
    from upgate.judge.gate import Gate
    from upgate.judge.options import Options
    from upgate.profile import Profile

T = TypeVar("T")

#: The first words of the catalogue's ids.
SUBJECTS = """
    alerts api apis apiservices certs changes clients conditions config control-plane crds cronjobs daemonsets deployments
    disruption dns events expect external hosts hpas ingresses jobs mesh namespaces nodes pdbs pods probe rbac services
    sidecars statefulsets storage version webhooks workloads
"""
#: Marks for -m that exist even where no check carries them: groups of the catalogue, and uses of the battery.
MARKS = {
    "monitor": "cheap and stable enough for every minute",
    "preflight": "asked before an upgrade",
    **dict.fromkeys(SUBJECTS.split(), "checks on this subject"),
}


#: The gate's own options, in the order in which `upgate run --help` shows them.
OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--profile", {"metavar": "NAME|PATH", "help": "which environment: profiles/NAME.yaml, or a path"}),
    (
        "--reports",
        {"metavar": "DIR", "help": "where to write; default: reports/<profile>/ (a partial run: partial/ in it)"},
    ),
    (
        "--since",
        {"metavar": "TIME|DURATION", "help": "when the upgrade began: 2026-11-21T01:30:00Z, or how long ago: 45m"},
    ),
    ("--settle", {"metavar": "DURATION", "help": "re-check until everything is clear, for at most DURATION"}),
    ("--clean", {"metavar": "N", "type": int, "help": "with --settle: clear means N consecutive clean rounds"}),
    ("--every", {"metavar": "DURATION", "help": "with --settle: the time between two rounds"}),
    ("--fail-on-warnings", {"action": "store_true", "help": "warnings fail the gate too"}),
    ("--save-baseline", {"action": "store_true", "help": "save the state that later runs are compared with"}),
    (
        "--baseline",
        {"metavar": "PATH", "help": "the baseline to compare with; default: <reports>/baseline.json, if any"},
    ),
    (
        "--foreign-baseline",
        {"action": "store_true", "help": "compare also with the baseline of another cluster, such as blue with green"},
    ),
    ("--monitor", {"action": "store_true", "help": "one round of continuous monitoring: history, alerts, status page"}),
    ("--vantage", {"metavar": "NAME", "help": "the name of the place that this run probes from, for the reports"}),
)


def add_options(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("upgate", "the upgrade gate")
    for name, details in OPTIONS:
        group.addoption(name, **details)


def add_markers(config: pytest.Config) -> None:
    """Register our marks."""
    for mark, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{mark}: {meaning}")


def paths(config: pytest.Config) -> list[Path]:
    """The files and folders that pytest was told to collect from."""
    return [(config.invocation_params.dir / arg.partition("::")[0]).resolve() for arg in config.args]


def is_battery_run(config: pytest.Config) -> bool:
    """The run is about the battery: a profile is named, or it would be collected. `pytest tests` is not."""
    if config.option.help or config.option.version:
        return False
    if config.option.profile:
        return True
    from upgate.battery.registry import battery

    return any(overlaps(path, battery().resolve()) for path in paths(config))


def overlaps(path: Path, folder: Path) -> bool:
    """What is collected from the path is in the folder, at least a part of it."""
    return path == folder or folder in path.parents or path in folder.parents


def as_usage_error(work: Callable[[], T]) -> T:
    """Do it; input that cannot be used ends the run with exit code 4 before anything is run. Raises pytest.UsageError."""
    try:
        return work()
    except UsageError as problem:
        raise pytest.UsageError(str(problem)) from problem


def make_gate(config: pytest.Config) -> Gate:
    """The gate of this run. Raises pytest.UsageError."""
    return as_usage_error(lambda: _gate(config))


def _gate(config: pytest.Config) -> Gate:
    from upgate.battery import registry
    from upgate.judge.gate import Gate
    from upgate.judge.kept_probe import profile_for
    from upgate.profile import load

    installed = registry.installed()
    if any(overlaps(path, registry.battery().resolve()) for path in paths(config)):
        config.args += [str(path) for path in installed if path not in paths(config)]
    checks = registry.load_checks([registry.battery(), *installed, *paths(config)])
    profile = load(config.option.profile, known_checks=checks.ids, environ=os.environ)
    options = read_options(config, profile)
    return Gate(profile_for(options, profile), options, checks, order=list(checks.by_id))


def read_options(config: pytest.Config, profile: Profile) -> Options:
    """The options, with the profile's `gate:` as their defaults. Raises UsageError."""
    from upgate.judge.options import Options
    from upgate.plugin.part import part_of_battery
    from upgate.profile.quantities import parse_moment

    given = config.option
    settle, clean, every = rounds(given, profile)
    absolute = partial(Path, config.invocation_params.dir)
    return Options(
        home=absolute(given.reports or Path("reports", profile.name)),
        part=part_of_battery(config),
        since=in_the_past("--since", parse_option("--since", given.since, parse_moment)),
        settle=settle,
        clean=clean,
        every=every,
        fail_on_warnings=given.fail_on_warnings,
        save_baseline=given.save_baseline,
        baseline=absolute(given.baseline) if given.baseline else None,
        foreign_baseline=given.foreign_baseline,
        vantage=" ".join((given.vantage or "").split()),
        monitor=given.monitor,
    )


def rounds(given: argparse.Namespace, profile: Profile) -> tuple[timedelta | None, int, timedelta]:
    """How long to settle, if at all; how many clean rounds are enough, and how far apart they are. Raises UsageError."""
    from upgate.judge.settling import must_fit
    from upgate.profile.quantities import parse_duration

    gate = profile.gate
    if given.monitor and given.settle is not None:
        raise UsageError("--monitor and --settle exclude each other: --monitor is one round")
    settle = None if given.monitor else parse_option("--settle", given.settle, parse_duration) or gate.settle
    if settle is None and (given.clean is not None or given.every is not None):
        raise UsageError("--clean and --every have no effect without --settle: say for how long, with --settle=10m")
    if given.clean is not None and given.clean < 1:
        raise UsageError(f"--clean must be at least 1, not {given.clean}")
    every = parse_option("--every", given.every, parse_duration) or gate.every
    clean = given.clean or gate.clean
    must_fit(settle, clean, every)
    return settle, clean, every


def in_one_process(config: pytest.Config) -> bool:
    """Leave out -n: rounds look and judge again and again in one process. False where it was not given."""
    if getattr(config.option, "dist", "no") == "no":
        return False
    config.option.dist, config.option.tx, config.option.numprocesses = "no", [], 0
    return True


def in_the_past(option: str, moment: datetime | timedelta | None) -> datetime | timedelta | None:
    """The moment, or how long ago. What is still to come has changed nothing. Raises UsageError."""
    if isinstance(moment, datetime) and moment > datetime.now(UTC):
        raise UsageError(f"{option}={moment:%Y-%m-%dT%H:%M:%SZ} is in the future: say when the upgrade began")
    return moment


def parse_option(option: str, text: str | None, parse: Callable[[object], T]) -> T | None:
    """The option's value; None where it is not given. Raises UsageError."""
    try:
        return None if text is None else parse(text)
    except ValueError as problem:
        raise UsageError(f"{option}={text}: {problem}") from problem
