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
    from upgate.judge.gate import Gate, Options

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


def add(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("upgate", "the upgrade gate")
    option: Callable[..., None] = group.addoption
    option("--profile", metavar="NAME|PATH", help="which environment: profiles/NAME.yaml, or a path")
    option("--reports", metavar="DIR", help="where to write the reports; default: reports/<profile>/")
    option(
        "--since", metavar="TIME|DURATION", help="the start of the upgrade: 2026-11-21T01:30:00Z, or how long ago: 45m"
    )
    option("--settle", metavar="DURATION", help="go on looking until everything is clear, for at most so long")
    option("--clean", metavar="N", type=int, help="clear means N consecutive clean rounds")
    option("--every", metavar="DURATION", help="the time between two rounds")
    option("--fail-on-warnings", action="store_true", help="warnings fail the gate too")
    option("--save-baseline", action="store_true", help="save what later runs compare with")
    option("--vantage", metavar="NAME", help="the place that this run probes from, as the reports will name it")
    option("--monitor", action="store_true", help="one round of continuous monitoring: also history and alerts")
    option(
        "--baseline", metavar="PATH", help="the baseline to compare with; default: <reports>/baseline.json, where it is"
    )


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

    home = battery().resolve()
    meets = (path == home or home in path.parents or path in home.parents for path in paths(config))
    return any(meets)


def usable(work: Callable[[], T]) -> T:
    """Do it; input that cannot be used ends the run with exit code 4 before anything is run. Raises pytest.UsageError."""
    try:
        return work()
    except UsageError as problem:
        raise pytest.UsageError(str(problem)) from problem


def make_gate(config: pytest.Config) -> Gate:
    """The gate of this run. Raises pytest.UsageError."""
    return usable(lambda: _gate(config))


def _gate(config: pytest.Config) -> Gate:
    from upgate.battery import registry
    from upgate.judge.gate import Gate
    from upgate.profile import load

    checks = registry.load([registry.battery(), *registry.installed(), *paths(config)])
    profile = load(config.option.profile, known_checks=checks.ids, environ=os.environ)
    return Gate(profile, read(config, profile), checks, order=list(checks.by_id))


def read(config: pytest.Config, profile: Any) -> Options:
    """The options, with the profile's `gate:` as their defaults. Raises UsageError."""
    from upgate.judge.gate import Options
    from upgate.profile.quantities import parse_moment

    given = config.option
    settle, clean, every = rounds(given, profile.gate)
    absolute = partial(Path, config.invocation_params.dir)
    return Options(
        reports=absolute(given.reports or Path("reports", profile.name)),
        since=in_the_past("--since", parsed("--since", given.since, parse_moment)),
        settle=settle,
        clean=clean,
        every=every,
        fail_on_warnings=given.fail_on_warnings,
        save_baseline=given.save_baseline,
        baseline=absolute(given.baseline) if given.baseline else None,
        vantage=" ".join((given.vantage or "").split()),
        monitor=given.monitor,
    )


def rounds(given: argparse.Namespace, gate: Any) -> tuple[timedelta | None, int, timedelta]:
    """How long to settle, if at all; how many clean rounds are enough, and how far apart they are. Raises UsageError."""
    from upgate.profile.quantities import parse_duration

    if given.monitor and given.settle is not None:
        raise UsageError("--monitor is one round, and --settle is many: leave one of them out")
    settle = None if given.monitor else parsed("--settle", given.settle, parse_duration) or gate.settle
    if settle is None and (given.clean is not None or given.every is not None):
        raise UsageError("--clean and --every say how to settle: say for how long, with --settle=10m")
    if given.clean is not None and given.clean < 1:
        raise UsageError(f"--clean: {given.clean} rounds are none; say 1 or more")
    every = parsed("--every", given.every, parse_duration) or gate.every
    return settle, must_fit(settle, given.clean or gate.clean, every), every


def must_fit(settle: timedelta | None, clean: int, every: timedelta) -> int:
    """The number of clean rounds. Raises UsageError where so many cannot be had in that time."""
    from upgate.profile.quantities import format_duration

    if settle and (clean - 1) * every > settle:
        raise UsageError(
            f"{clean} clean rounds, {format_duration(every)} apart, do not fit into {format_duration(settle)}: "
            "settle longer, look more often, or ask for fewer rounds"
        )
    return clean


def in_one_process(config: pytest.Config) -> bool:
    """Leave out -n: rounds look and judge again and again in one process. False where it was not given."""
    if getattr(config.option, "dist", "no") == "no":
        return False
    config.option.dist, config.option.tx, config.option.numprocesses = "no", [], 0
    return True


def in_the_past(option: str, moment: Any) -> Any:
    """The moment, or how long ago. What is still to come has changed nothing. Raises UsageError."""
    if isinstance(moment, datetime) and moment > datetime.now(UTC):
        raise UsageError(f"{option}={moment:%Y-%m-%dT%H:%M:%SZ} is still to come: say when the upgrade began")
    return moment


def parsed(option: str, text: str | None, parse: Callable[[object], Any]) -> datetime | timedelta | Any:
    """The option's value; None where it is not given. Raises UsageError."""
    try:
        return None if text is None else parse(text)
    except ValueError as problem:
        raise UsageError(f"{option}={text}: {problem}") from problem
