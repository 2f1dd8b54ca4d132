"""`python -m benchmarks history`: how large the history becomes, and what one round costs it.

A round a minute, 40 checks and 10 targets; every check fails now and then.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from upgate.facts.attempts import Attempt, Elapsed
from upgate.monitor import history, recording, storage
from upgate.results import CheckResult, ClusterSummary, Results

START = datetime(2026, 8, 1, tzinfo=UTC)
KEEP = timedelta(days=90)
CHECKS, TARGETS = 40, 10


def main(arguments: Sequence[str]) -> None:
    """Write the days, and say every ten of them how large the files are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks history", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--failing", type=float, default=0.002, help="how often a check fails")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="upgate-history-") as folder:
        path = Path(folder, history.FILE)
        for day in range(options.days):
            begun = time.process_time()
            write_day(path, day, options.failing)
            if day % 10 == 9:
                size = sum(file.stat().st_size for file in path.parent.iterdir()) / 1e6
                print(f"{day + 1} days: {size:.1f} MB, {(time.process_time() - begun) / 1.44:.2f} ms CPU a round")


def write_day(path: Path, day: int, failing: float) -> None:
    """A day's rounds, in one transaction: their size is measured, not the disk."""
    with storage.transaction(path) as db:
        for minute in range(1440):
            at = START + timedelta(days=day, minutes=minute)
            round = recording.record_round(db, results(at, failing), attempts(at), maintenance=False)
            recording.forget_old_rounds(db, round, at, KEEP)


def results(at: datetime, failing: float) -> Results:
    """A round's results."""
    checks = tuple(check(number, failing) for number in range(CHECKS))
    return Results(
        profile="bench",
        verdict="clear",
        exit_code=0,
        cluster=ClusterSummary(),
        started=at,
        finished=at + timedelta(seconds=1),
        checks=checks,
    )


def check(number: int, failing: float) -> CheckResult:
    """One check's result."""
    outcome = "failed" if random.random() < failing else "passed"  # noqa: S311 - no secret
    title = "Everything is as it should be, and says so itself."
    return CheckResult(
        id=f"subject.check-{number}", title=title, severity="critical", outcome=outcome, examined=100, duration=0.01
    )


def attempts(at: datetime) -> list[Attempt]:
    """What was asked from outside."""
    return [
        Attempt(
            id=f"subject.check-{number}",
            target=f"https://shop-{number}.example.com/healthz",
            started=at,
            elapsed=Elapsed(total=0.1),
        )
        for number in range(TARGETS)
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
