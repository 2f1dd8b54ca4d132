"""One sampling process: `python -m upgate.watch.sampling`, its order on standard input, a line of JSON for each beat on
standard output. It ends when its standard input does.

It is a process of its own so that nothing else delays samples: not the lists and watches of a big cluster, nor the terminal.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from upgate.facts.attempts import Failure
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.watch.asking import Asker, OneSample, Verdict
from upgate.watch.clock import clock_seconds
from upgate.watch.exchange import Exchange
from upgate.watch.grid import PAUSED, Slots
from upgate.watch.plan import SamplingJob, SamplingOrder
from upgate.watch.record import BadRun
from upgate.watch.resolving import Names
from upgate.watch.series import SeriesRuns, TimedSample

#: Seconds between two reports, and between two looks at how long this process had to wait.
REPORT, PULSE = 0.4, 0.02
#: Seconds in which samples may begin together: a third fewer wake-ups, and each is dated by its own start.
TOGETHER = 0.004
#: So late is normal on a machine that works; what is more is counted as lag.
USUAL = 0.005
#: A failure that says nothing by itself (no answer in time, a connection that ended) counts only if this process was that
#: attentive: at most so many seconds, or so much of the timeout, of lag.
LAG, LAG_SHARE = 0.5, 0.2
#: Samples of one series that may wait for their answers: a timeout of 5 s at ten a second needs 50.
MOST_WAITING = 400

Ask = Callable[[], Coroutine[Any, Any, None]]


class SampledBeat(msgspec.Struct, frozen=True, kw_only=True):
    """What one process has measured since its last report."""

    at: float
    good: list[int]
    runs: list[BadRun]
    open: list[BadRun]


@dataclass
class SampledJob:
    """One series at work."""

    slots: Slots
    ask: Ask
    timeout: float
    #: Awaited answers.
    waiting: int = 0


@dataclass
class SamplingProcess:
    """All series of this process."""

    order: SamplingOrder
    jobs: list[SampledJob] = field(default_factory=list)
    _lag: float = 0.0
    _pulsed: float = field(default_factory=clock_seconds)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def now(self) -> float:
        """Seconds since the start of the watch."""
        return clock_seconds() - self.order.start

    def lag(self) -> float:
        """Seconds that this process had to wait so far: for the CPU, while it was stopped, or its machine suspended."""
        late = clock_seconds() - self._pulsed - PULSE
        return self._lag + (late if late > USUAL else 0.0)

    async def run(self) -> None:
        """TimedSample until standard input ends."""
        self.jobs = [self._job(each) for each in self.order.jobs]
        begun = self.now()
        for job in self.jobs:
            job.slots.next = max(0, -int((job.slots.phase - begun) // self.order.interval))
        background = [asyncio.create_task(work()) for work in (self._sample, self._pulse, self._report)]
        await asyncio.to_thread(sys.stdin.buffer.read)
        for task in background:
            task.cancel()
        self.report()

    def _job(self, job: SamplingJob) -> SampledJob:
        slots = Slots(SeriesRuns(job.number), job.phase, self.order.interval)
        return SampledJob(slots, asker_for(job, self), job.target.timeout)

    async def _sample(self) -> None:
        """Begin each sample at its time."""
        heap = [(job.slots.due, place) for place, job in enumerate(self.jobs)]
        heapq.heapify(heap)
        while True:
            if (wait := heap[0][0] - self.now()) > 0:
                await asyncio.sleep(max(wait, TOGETHER))
            now = self.now()
            while heap[0][0] <= now:
                place = heap[0][1]
                self._take(self.jobs[place], now)
                heapq.heapreplace(heap, (self.jobs[place].slots.due, place))

    def _take(self, job: SampledJob, now: float) -> None:
        if job.slots.take(now):
            self._begin(job, self.now())

    def _begin(self, job: SampledJob, now: float) -> None:
        if job.waiting >= MOST_WAITING:
            job.slots.series.miss(now, PAUSED)
            return
        job.waiting += 1
        task = asyncio.create_task(self._one(job, job.slots.series.begin(now)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, job: SampledJob, sample: TimedSample) -> None:
        lag = self.lag()
        try:
            await job.ask()
            sample.settle("good")
        except Verdict as verdict:
            blind = verdict.overdue and self.lag() - lag > max(LAG, LAG_SHARE * job.timeout)
            sample.settle("unmeasured" if verdict.ours or blind else "down", PAUSED if blind else verdict.why)
        except Exception as problem:  # a fault of this program says nothing of the target
            sample.settle("unmeasured", f"{type(problem).__name__}: {problem}")
        finally:
            job.waiting -= 1

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE)
            self._lag, self._pulsed = self.lag(), clock_seconds()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT)
            self.report()

    def report(self) -> None:
        """Say what was measured since the last time."""
        every = [job.slots.series for job in self.jobs]
        for series in every:
            series.take_ended()
        beat = SampledBeat(
            at=self.now(),
            good=[series.good for series in every],
            runs=[run for series in every for run in series.over],
            open=[series.run for series in every if series.run],
        )
        for series in every:
            series.good, series.over = 0, []
        sys.stdout.buffer.write(msgspec.json.encode(beat) + b"\n")
        sys.stdout.buffer.flush()


def asker_for(job: SamplingJob, process: SamplingProcess) -> Ask:
    """What makes one sample of this series."""
    if process.order.thorough:
        from upgate.watch.thorough import ThoroughAsker

        return ThoroughAsker(job.target, Trust(), process.lag).ask
    shared = SHARED
    return Asker(job.target, shared[0], shared[1], job.kept, job.insecure, process.lag).ask


#: The names and TLS settings that all series of this process share.
SHARED = (Names(), Trust())


def beats_of(line: bytes) -> SampledBeat:
    """A line of this process. Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=SampledBeat)


def prefer() -> None:
    """Ask the kernel for a little more than others get, where it lets us; Ctrl-C is for the one that records."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -5)


def run_sampling() -> None:
    """Read the order, and sample."""
    prefer()
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=SamplingOrder)
    process = SamplingProcess(order)
    warm_up()
    gc.freeze()
    with asyncio.Runner(loop_factory=loop_factory(order)) as runner, suppress(BrokenPipeError):
        runner.run(process.run())


def warm_up() -> None:
    """Go through a wrong answer once: what is imported or compiled at the first one would delay all samples beside it."""
    asker = Asker(ProbeTarget(id="", url="http://[::1]/", status=(200,)), *SHARED)
    for failure in (None, Failure("read-timeout")):
        answer = Exchange()
        answer.status, answer.headers, answer.body = (
            500,
            [(b"Content-Type", b"text/html; charset=utf-8")],
            bytearray(b"x"),
        )
        with suppress(Verdict):
            OneSample(asker, clock_seconds(), 0.0, connection=answer, failure=failure).judge()


def loop_factory(order: SamplingOrder) -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop, but for the gate's own probe, which needs its own way to look up names."""
    if order.thorough:
        from upgate.sources.probes.names import Loop

        return Loop
    import uvloop

    return uvloop.new_event_loop


if __name__ == "__main__":
    run_sampling()
