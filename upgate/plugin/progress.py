"""What is said while the battery looks and waits."""

from __future__ import annotations

import threading
import time

import pytest

from upgate.gate import Gate

#: Seconds between two updates of a line that is rewritten in place.
REFRESH = 0.1


class Progress:
    """One line that says how far the lists are, rewritten in place on a terminal."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._live = bool(self._reporter and self._reporter.isatty)
        self._lock = threading.Lock()
        self._counts: dict[str, str] = {}
        self._shown = 0.0
        self._started = time.monotonic()

    def __call__(self, noun: str, have: int, left: int) -> None:
        """`have` objects of a kind have come, `left` are still to come."""
        with self._lock:
            self._counts[noun] = f"{have} {noun}" if not left else f"{have} of {have + left} {noun}"
            if self._live and time.monotonic() - self._shown > REFRESH:
                self._shown = time.monotonic()
                self._reporter.rewrite(f"looking: {', '.join(self._counts.values())}", erase=True)

    def done(self, gate: Gate) -> None:
        """The line that stays."""
        if self._reporter is None:
            return
        if self._live:
            self._reporter.rewrite("", erase=True)
        seen = gate.seen
        gaps = f"; could not look at {', '.join(seen.gaps)}" if seen.gaps else ""
        counts = f"{', '.join(self._counts.values())} " if self._counts else ""
        self._reporter.write_line(f"looked at {counts}in {time.monotonic() - self._started:.1f} s{gaps}")


def look(config: pytest.Config, gate: Gate, needs: set[str]) -> None:
    """Look at the cluster, and show how far that is."""
    progress = Progress(config)
    gate.look(needs, progress)
    progress.done(gate)


def say(config: pytest.Config, line: str) -> None:
    """One line on the terminal."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(line)
