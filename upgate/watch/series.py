"""The samples of one series, in the order of their starts → runs of what was not good. Pure: no clock, no network."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from upgate.watch.record import LONGEST_REASON, MOST_REASONS, BadRun

SampleState = Literal["good", "down", "unmeasured"]


@dataclass(slots=True)
class TimedSample:
    """One sample, or a slot of the grid that had none (`count` 0)."""

    start: float
    #: None as long as its answer is awaited.
    state: SampleState | None = None
    why: str = ""
    count: int = 1

    def settle(self, state: SampleState, why: str = "") -> None:
        """Keep what came of it."""
        self.state, self.why = state, why[:LONGEST_REASON]


@dataclass(slots=True)
class SeriesRuns:
    """Samples may end in any order; they count in the order in which they began."""

    number: int
    good: int = 0
    #: Runs that are over and not reported yet.
    over: list[BadRun] = field(default_factory=list)
    run: BadRun | None = None
    _pending: deque[TimedSample] = field(default_factory=deque)

    def begin(self, start: float) -> TimedSample:
        """A sample that begins now."""
        sample = TimedSample(start)
        self._pending.append(sample)
        return sample

    def miss(self, start: float, why: str) -> None:
        """The slot at this time, and all after it until the next sample, had no sample."""
        self._pending.append(TimedSample(start, "unmeasured", why, 0))

    @property
    def waiting(self) -> int:
        """How many samples have not ended."""
        return sum(each.state is None for each in self._pending)

    def take_ended(self) -> None:
        """Count the samples that have ended, up to the first that has not."""
        while self._pending and self._pending[0].state is not None:
            self._count(self._pending.popleft())

    def _count(self, sample: TimedSample) -> None:
        if self.run and self.run.state == sample.state:
            extend_run(self.run, sample)
            return
        if self.run:
            self.run.end = sample.start
            self.over.append(self.run)
            self.run = None
        if sample.state == "good":
            self.good += 1
        elif sample.state:
            self.run = BadRun(
                series=self.number,
                state=sample.state,
                start=sample.start,
                last=sample.start,
                count=sample.count,
                why=sample.why,
            )


def extend_run(run: BadRun, sample: TimedSample) -> None:
    """One more sample of the same state."""
    run.last, run.count = sample.start, run.count + sample.count
    if sample.why != run.why and sample.why not in run.also and len(run.also) < MOST_REASONS - 1:
        run.also.append(sample.why)
