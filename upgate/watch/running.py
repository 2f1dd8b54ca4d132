"""One `upgate watch`, from its start to its end: what is sampled and what the cluster does, written as it happens."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from upgate.base.waiting import Deadline
from upgate.watch.clock import clock_seconds
from upgate.watch.plan import SamplingOrder, orders
from upgate.watch.record import BadRun, Beat, Happening, RecordLine, WatchBegin
from upgate.watch.sampler import SamplerProcess
from upgate.watch.targets import WatchedTarget, sampling_jobs
from upgate.watch.writing import RecordWriter

#: Seconds between two writes: a kill -9 loses no more than this and what the samplers have not reported yet.
WRITTEN = 0.4
#: So far the system's clock may move against ours before it is an event.
JUMP = 0.5


@dataclass
class RunningWatch:
    """Everything that one watch knows while it runs."""

    path: Path
    begin: WatchBegin
    targets: list[WatchedTarget]
    #: The start of the watch, by `clock_seconds`.
    start: float
    #: What the cluster did, put there by the threads that watch it.
    happened: queue.SimpleQueue[Happening] = field(default_factory=queue.SimpleQueue)
    #: Called with what was written: the terminal.
    show: Callable[[list[RecordLine]], None] = lambda lines: None
    samplers: list[SamplerProcess] = field(default_factory=list)
    _open: dict[int, list[BadRun]] = field(default_factory=dict)
    _away: dict[int, list[BadRun]] = field(default_factory=dict)
    _skew: float = 0.0

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return clock_seconds() - self.start

    def run(self, ended: Callable[[], bool]) -> None:
        """TimedSample until it has ended. Raises UsageError where the record cannot be written."""
        writer = RecordWriter(self.path, self.begin)
        jobs = sampling_jobs(self.targets, self.begin.interval)
        made = orders(jobs, self.start, self.begin.interval, os.cpu_count() or 1)
        self.samplers = [SamplerProcess(order) for order in made]
        rest = Deadline(float("inf"))
        try:
            while not ended():
                self._write(writer)
                rest.rest(WRITTEN)
        finally:
            for sampler in self.samplers:
                sampler.stop()
            self._write(writer, ending=True)
            writer.close()

    def _write(self, writer: RecordWriter, *, ending: bool = False) -> None:
        if not ending:
            self._replace_dead()
        lines = [*self._events(), *self._measured()]
        if ending:
            lines.append(RecordLine(end=self.now))
        if lines:
            writer.write(lines)
            self.show(lines)

    def _events(self) -> Iterator[RecordLine]:
        if jump := self._jump():
            yield RecordLine(event=jump)
        while True:
            try:
                yield RecordLine(event=self.happened.get_nowait())
            except queue.Empty:
                return

    def _jump(self) -> Happening | None:
        """The system's clock was set; the times of this record go on by the clock that nobody sets."""
        skew = datetime.now(UTC).timestamp() - self.begin.started.timestamp() - self.now
        moved, self._skew = skew - self._skew, skew
        if abs(moved) < JUMP:
            return None
        return Happening(
            at=self.now,
            object="Watch",
            what=f"the clock of this machine was set by {moved:+.1f} s; the times here go on by the one before",
        )

    def _measured(self) -> Iterator[RecordLine]:
        good = [0] * len(self.targets)
        for place, sampler in enumerate(self.samplers):
            for beat in sampler.beats():
                for number, count in zip(sampler.numbers, beat.good, strict=True):
                    good[number] += count
                yield from (RecordLine(run=run) for run in [*self._back(place, beat.at), *beat.runs])
                self._open[place] = beat.open
        still = [run for runs in (*self._open.values(), *self._away.values()) for run in runs]
        at = min((sampler.until for sampler in self.samplers), default=self.now)
        yield RecordLine(beat=Beat(at=at, good=good[0] if good and len({*good}) == 1 else good, open=still))

    def _back(self, place: int, at: float) -> list[BadRun]:
        """The gaps that end because the sampler's successor has reported."""
        runs = self._away.pop(place, [])
        for run in runs:
            run.end = max(run.start, at)
        return runs

    def _replace_dead(self) -> None:
        """Start a sampler again that has ended by itself; what it would have sampled meanwhile is not measured."""
        for place, sampler in enumerate(self.samplers):
            if sampler.died:
                sampler.stop()
                self._away[place] = [*self._away.get(place, []), *sampler.gap()]
                self.samplers[place] = successor_of(sampler)


def successor_of(sampler: SamplerProcess) -> SamplerProcess:
    """Another process with the same order."""
    order: SamplingOrder = sampler.order
    successor = SamplerProcess(order)
    successor.until = sampler.until
    return successor
