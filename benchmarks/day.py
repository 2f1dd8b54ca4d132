"""`python -m benchmarks day`: a day of monitoring, compressed, and killed again and again.

1,440 rounds, a minute apart by their own clock, judge worlds in which faults come and go by a plan. The process that runs
them is killed at random points and begins again where its history ends. What a webhook on loopback received must be what
the plan says: every alert and every recovery, in its round, none lost and none twice. Memory and files are measured.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from tests.webhooks import webhook
from tests.worlds import container_status, good, lease, node, pod, profile, run, snapshot
from upgate.facts.health import HealthEndpoint
from upgate.facts.kinds import KINDS
from upgate.monitor import delivery, history
from upgate.monitor.round import Monitored
from upgate.monitor.round import follow_round as follow
from upgate.results import EXIT_CODES, CheckResult, ClusterSummary, Results, decide
from upgate.snapshot import Snapshot

PATH = "/alerts"
START = datetime(2026, 11, 21, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CRASHING = container_status(ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})


class Fault(NamedTuple):
    """Something that is wrong in the rounds from `first` on, for so many rounds."""

    kind: str
    first: int
    rounds: int

    @property
    def last(self) -> int:
        """The last round in which it is."""
        return self.first + self.rounds - 1


#: What each kind of fault makes of the good world, and the alerts that it is worth. One cause is one alert.
FAULTS: dict[str, tuple[Snapshot, frozenset[str]]] = {
    "crash": (
        snapshot(good(pods=[pod(status={"containerStatuses": [CRASHING]})])),
        frozenset({"pods.crashing"}),
    ),
    "heartbeat": (snapshot(good(leases=[lease(renewed=170)])), frozenset({"nodes.heartbeat"})),
    "cordon": (snapshot(good(nodes=[node(spec={"unschedulable": True})])), frozenset({"nodes.schedulable"})),
    "api": (
        snapshot(
            good(), gaps=dict.fromkeys(KINDS, "connection refused"), health=[HealthEndpoint("readyz", 500, "etcd")]
        ),
        frozenset({"api.ready"}),
    ),
    "forbidden": (snapshot(good(), gaps={"namespaces": "not permitted"}), frozenset({"namespaces.terminating"})),
}
#: The checks that judge these worlds.
CHECKS = """
    api.ready nodes.ready nodes.pressure nodes.schedulable nodes.heartbeat pods.crashing pods.pending services.endpoints
    deployments.ready statefulsets.ready daemonsets.ready namespaces.terminating
"""
#: Of the rule: N of M rounds set an alert off, and M good ones end it.
BAD, OF = {"forbidden": 3}, {"forbidden": 5}
#: Rounds between two faults, at least and at most. The kinds take turns: one that comes three times in six hours flaps.
APART = (40, 60)


def plan(rounds: int, seed: int = 1) -> list[Fault]:
    """Faults one after the other: blips that nobody is told of, and faults that people are."""
    dice, faults, first = random.Random(seed), [], 5  # noqa: S311 - no secret
    for kind in cycle(FAULTS):
        length = dice.choice([1, 2, 3, 5, 12, 30])
        if first + length + OF.get(kind, 3) > rounds:
            break
        faults.append(Fault(kind, first, length))
        first += length + dice.randint(*APART)
    return faults


def truth(faults: Sequence[Fault]) -> set[tuple[str, str, int]]:
    """What people must be told: what, of which check, in which round. It knows nothing of windows and states."""
    told = set()
    for fault in faults:
        bad, of = BAD.get(fault.kind, 2), OF.get(fault.kind, 3)
        if fault.rounds >= bad:
            told |= {("new", check, fault.first + bad - 1) for check in FAULTS[fault.kind][1]}
            told |= {("recovered", check, fault.last + of) for check in FAULTS[fault.kind][1]}
    return told


@cache
def judged(kind: str) -> list[CheckResult]:
    """What the battery says of a world with this fault; of the good one, where it is empty."""
    return run(CHECKS.split(), FAULTS[kind][0] if kind else snapshot(good()))


def one_round(number: int, faults: Sequence[Fault], url: str, folder: Path) -> list[str]:
    """The round of this number, and all that follows from it; the notes."""
    kind = next((fault.kind for fault in faults if fault.first <= number <= fault.last), "")
    at = START + number * MINUTE
    verdict = decide(judged(kind))
    results = Results(
        profile="day",
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        cluster=ClusterSummary(server="https://127.0.0.1:6443"),
        started=at,
        finished=at + timedelta(seconds=1),
        checks=tuple(judged(kind)),
    )
    return follow(Monitored(profile(monitor={"notify": [url]}), results, None, folder))


def run_rounds(rounds: int, faults: Sequence[Fault], url: str, folder: Path) -> None:
    """All rounds behind the last one that the history knows; the memory after every hundredth goes to a file."""
    delivery.BETWEEN = 0.0
    for number in range(done(folder), rounds):
        one_round(number, faults, url, folder)
        if number % 100 == 99:
            with (folder / "memory").open("a") as file:
                file.write(f"{number + 1} {memory()}\n")


def done(folder: Path) -> int:
    """How many rounds are in the history."""
    if not (folder / history.FILE).exists():
        return 0
    with history.opened(folder / history.FILE) as past:
        last = past.last_round()
    return (last.at - START) // MINUTE + 1 if last else 0


def memory() -> int:
    """KiB that this process has in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def told(received: Sequence[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """What people were told: what, of which check, in which round. A repetition, which has the same number, counts once."""
    unique = {each["id"]: each for each in received}.values()
    return [(key, line["check"], number(each)) for each in unique for key in ("new", "recovered") for line in each[key]]


def number(message: dict[str, Any]) -> int:
    """The round that a message is of."""
    return (datetime.fromisoformat(message["at"]) - START) // MINUTE


def start(rounds: int, seed: int, url: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process that runs the rounds which are left."""
    arguments = [str(each) for each in ("--child", folder, "--url", url, "--rounds", rounds, "--seed", seed)]
    return subprocess.Popen([sys.executable, "-m", "benchmarks.day", *arguments])


def killed_day(rounds: int, kills: int, seed: int, url: str, folder: Path) -> int:
    """The day, killed so often at random points; how often that met a process at work."""
    dice, met = random.Random(seed), 0  # noqa: S311 - no secret
    for _ in range(kills):
        process, before = start(rounds, seed, url, folder), done(folder)
        while process.poll() is None and done(folder) <= before:
            time.sleep(0.01)  # noqa: TID251 - until it is at work
        time.sleep(dice.uniform(0, 0.3))  # noqa: TID251 - a random point
        met += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    if start(rounds, seed, url, folder).wait():
        raise SystemExit("the last process failed")
    return met


def main(arguments: Sequence[str]) -> None:
    """Run the day, and say how it went; exit code 1 where it was not as planned."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks day", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1440)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        run_rounds(options.rounds, plan(options.rounds, options.seed), options.url, options.child)
        return
    with tempfile.TemporaryDirectory(prefix="upgate-day-") as name, webhook() as server:
        begun = time.monotonic()
        met = killed_day(options.rounds, options.kills, options.seed, server.url(PATH), Path(name))
        report(options.rounds, options.seed, server.at(PATH), Path(name), met, time.monotonic() - begun)


def report(rounds: int, seed: int, received: list[dict[str, Any]], folder: Path, kills: int, seconds: float) -> None:
    """Say how it went. Raises SystemExit."""
    expected, got = truth(plan(rounds, seed)), told(received)
    memories = [int(line.split()[1]) for line in (folder / "memory").read_text().splitlines()]
    size = sum(path.stat().st_size for path in folder.glob(f"{history.FILE}*"))
    repeated = len(received) - len({each["id"] for each in received})
    print(f"{rounds} rounds, killed {kills} times, {seconds:.0f} s")
    print(f"{len(plan(rounds, seed))} faults, {len(expected)} alerts and recoveries due, {len(got)} came")
    print(
        f"lost: {sorted(expected - set(got))}; wrong: {sorted(set(got) - expected)}; repeated after a kill: {repeated}"
    )
    print(f"memory {', '.join(str(each // 1024) for each in memories)} MiB; history {size / 1e6:.2f} MB")
    if sorted(expected) != sorted(got):
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
