"""When each series is sampled: on a fixed grid, whatever came of the samples before. Pure: the caller tells the time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from upgate.watch.series import SeriesRuns

#: Why a slot had no sample.
PAUSED = "this machine or process was paused, or too busy to sample"


@dataclass(slots=True)
class Slots:
    """The slots of one series: `phase + n * interval`."""

    series: SeriesRuns
    phase: float
    interval: float
    #: The number of the next slot.
    next: int = 0

    @property
    def due(self) -> float:
        """When the next sample is due."""
        return self.phase + self.next * self.interval

    def take(self, now: float) -> bool:
        """Whether to sample now. Slots that are more than an interval late are missed, and the next one is still to come."""
        late = now - self.due
        if late < 0:
            return False
        if late <= self.interval:
            self.next += 1
            return True
        self.series.miss(self.due, PAUSED)
        self.next = math.ceil((now - self.phase) / self.interval)
        return False


def spread_phases(number: int, interval: float) -> list[float]:
    """When in the interval each of so many series is due, so that they do not wait for each other."""
    return [interval * index / number for index in range(number)]
