"""Deadlines and pauses: the only place that sleeps, always bounded."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Deadline:
    """A number of seconds from now on, by the monotonic clock."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since it was set."""
        return time.monotonic() - self.started

    @property
    def remaining(self) -> float:
        """Seconds left; 0 when it has passed."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def passed(self) -> bool:
        """Nothing is left of it."""
        return self.remaining <= 0

    def pause(self, seconds: float) -> bool:
        """Sleep that long and say True; where the deadline comes first, do not sleep and say False."""
        if seconds >= self.remaining:
            return False
        time.sleep(seconds)
        return True

    def rest(self, seconds: float) -> bool:
        """Sleep that long, or until the deadline; False when it had already passed."""
        if self.passed:
            return False
        time.sleep(max(0.0, min(seconds, self.remaining)))
        return True
