"""The clock of a watch: monotonic, and it also counts the time in which the machine was suspended."""

from __future__ import annotations

import time

#: CLOCK_MONOTONIC of Linux stands still while a laptop sleeps, and the gap would not be seen.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock_seconds() -> float:
    """Seconds since the machine booted; the same in all processes of this machine."""
    return time.clock_gettime(CLOCK)
