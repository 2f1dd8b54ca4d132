"""What is measured, against servers that fail at known times."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faulty_server import faulty_server
from upgate.sources.probes.target import Expectation, ProbeTarget
from upgate.watch.clock import clock_seconds
from upgate.watch.plan import SamplingJob, is_quick, orders
from upgate.watch.record import BadRun
from upgate.watch.sampler import SamplerProcess
from upgate.watch.spans import TimeSpan, common, merged_spans, total_seconds, without

INTERVAL = 0.1
#: The promise: one interval and 50 ms.
ERROR = INTERVAL + 0.05
#: Each fault lasts that long.
LASTING = 0.8


def target(port: int, **more: object) -> ProbeTarget:
    """A URL of the server, whose answers must come soon."""
    fields = {
        "id": "external.shop",
        "url": f"http://127.0.0.1:{port}/",
        "status": (200,),
        "timeout": 0.5,
        "within": 0.2,
    }
    return ProbeTarget(**fields | more)  # type: ignore[arg-type]


class Measurement:
    """A sampling process that was started for a test."""

    def __init__(self, *targets: ProbeTarget, kept: bool = False) -> None:
        jobs = [
            SamplingJob(number=number, target=each, kept=kept, phase=0.01 * number)
            for number, each in enumerate(targets)
        ]
        [order] = orders(jobs, clock_seconds(), INTERVAL, 1)
        self.start = order.start
        self.process = SamplerProcess(order)
        self.good = 0
        self.runs: list[BadRun] = []
        #: Runs that are not over.
        self.open: list[BadRun] = []

    def wait_for_samples(self) -> None:
        """Until the first ones have come."""
        deadline = time.monotonic() + 20
        while not self.good and time.monotonic() < deadline:
            time.sleep(0.05)
            self.read()

    def read(self) -> None:
        """Take what the process has said."""
        for beat in self.process.beats():
            self.good += sum(beat.good)
            self.runs += beat.runs
            self.open = beat.open

    def stop(self) -> None:
        """End it, and take the rest."""
        self.process.stop()
        self.read()

    def spans(self, state: str) -> list[TimeSpan]:
        """The time that the first series was in this state, by the clock."""
        runs = [run for run in [*self.runs, *self.open] if run.state == state and run.series == 0]
        return merged_spans(
            TimeSpan(run.start + self.start, (run.end or run.last + INTERVAL) + self.start) for run in runs
        )

    def down(self, number: int = 0) -> list[tuple[float, float, str]]:
        """What was down, by the clock, and why."""
        runs = [run for run in self.runs if run.state == "down" and run.series == number and run.end is not None]
        return [(run.start + self.start, (run.end or 0) + self.start, run.why) for run in runs]


@contextmanager
def measuring(*targets: ProbeTarget, kept: bool = False) -> Iterator[Measurement]:
    """TimedSample until the end of the block."""
    measurement = Measurement(*targets, kept=kept)
    measurement.wait_for_samples()
    try:
        yield measurement
    finally:
        measurement.stop()


@contextmanager
def busy(number: int) -> Iterator[None]:
    """Other processes use the CPU."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for each in others:
            each.kill()
            each.wait()


@pytest.mark.parametrize("load", [0, 2])
def test_the_measured_outages_are_the_true_ones(load: int) -> None:
    """Servers that refuse, hang, reset, answer wrong, slowly or half: each outage is told within an interval and 50 ms."""
    faults = ("refuse", "hang", "reset", "wrong", "slow", "cut")
    truth: list[tuple[float, float]] = []
    with faulty_server() as server, busy(load), measuring(target(server.port)) as measured:
        for fault in faults:
            time.sleep(0.8)
            began = server.be(fault)
            time.sleep(LASTING)
            truth.append((began, server.be("ok")))
        time.sleep(1.2)
    assert measured.start < truth[0][0]
    down, gaps = measured.spans("down"), measured.spans("unmeasured")
    outside = without(down, [TimeSpan(began - ERROR, ended + ERROR) for began, ended in truth])
    assert outside == [], "invented"
    for began, ended in truth:
        around = [TimeSpan(began - ERROR, ended + ERROR)]
        told, unseen = (total_seconds(common(spans, around)) for spans in (down, gaps))
        assert told <= ended - began + ERROR
        assert told + unseen >= ended - began - ERROR, "missed"
    if not gaps:
        # What was already accepted when the server stopped listening is reset.
        words = (("refused", "reset"), ("no complete answer",), ("reset",), ("status 500",), ("took",), ("complete",))
        told = zip(words, measured.down(), strict=True)
        assert all(any(each in why for each in wanted) for wanted, (*_, why) in told)


def test_nothing_is_invented() -> None:
    """A server that answers all the time has no outage, over new and over kept connections, also on a busy machine."""
    with faulty_server() as server:
        for kept in (False, True):
            with busy(2), measuring(*[target(server.port, within=None, timeout=5.0)] * 10, kept=kept) as measured:
                time.sleep(3)
            assert measured.down() == []
            assert measured.good > 100


def test_a_stopped_sampler_has_measured_nothing() -> None:
    """SIGSTOP of the sampler, during which the server fails and recovers, is a gap: neither up nor down."""
    with faulty_server() as server, measuring(target(server.port), target(server.port, within=None)) as measured:
        os.kill(measured.process.pid, signal.SIGSTOP)
        stopped = clock_seconds() - measured.start
        server.be("refuse")
        time.sleep(1)
        server.be("ok")
        os.kill(measured.process.pid, signal.SIGCONT)
        time.sleep(1.5)
    assert measured.down() == [] == measured.down(1)
    gap = next(run for run in measured.runs if run.state == "unmeasured" and run.series == 0)
    assert abs(gap.start - stopped) < 3 * INTERVAL
    assert gap.end is not None
    assert 0.7 < gap.end - gap.start < 1.6


def test_a_kept_connection_that_the_server_closes_is_opened_again() -> None:
    """Servers may close a kept connection at any time; clients ask once more, and users notice nothing."""
    with faulty_server() as server, measuring(target(server.port), kept=True) as measured:
        for _ in range(5):
            time.sleep(0.25)
            server._loop.call_soon_threadsafe(lambda: [each.shutdown(2) for each in [*server._clients]])
        time.sleep(0.5)
    assert measured.down() == []


def test_kept_connections_outlive_what_new_ones_do_not() -> None:
    """The listening socket is gone, those who are connected are still served: only new connections have an outage."""
    with (
        faulty_server() as server,
        measuring(target(server.port), kept=True) as kept,
        measuring(target(server.port)) as new,
    ):
        done = threading.Event()

        def away() -> None:
            server._loop.remove_reader(server._listening)
            server._listening.close()
            server._listening = None
            done.set()

        server._loop.call_soon_threadsafe(away)
        done.wait()
        time.sleep(0.8)
        server.be("ok")
        time.sleep(0.8)
    assert kept.down() == []
    assert new.down()


def test_ports_bodies_and_journeys_are_sampled_too() -> None:
    """What needs the gate's own probe is judged by it, and a port by its connection."""
    with faulty_server() as server:
        body = target(server.port, expectations=(Expectation("contains", "ok"),))
        port = target(server.port, url=f"tcp://127.0.0.1:{server.port}", within=None)
        followed = target(server.port, follow=True, within=None, timeout=0.6)
        assert [is_quick(each) for each in (body, port, followed)] == [True, True, False]
        with measuring(body, port) as quick, measuring(followed) as thorough:
            server.be("refuse")
            time.sleep(0.8)
            server.be("ok")
            time.sleep(1.3)
    told = (quick.down(0), quick.down(1), thorough.down())
    assert all(found and "refused" in found[0][2] for found in told), told
