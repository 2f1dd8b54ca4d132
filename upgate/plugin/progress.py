"""What is said while the battery looks and waits."""

from __future__ import annotations

import threading
import time

import pytest

from upgate.base.redaction import redact
from upgate.base.text import counted
from upgate.facts.kinds import KINDS
from upgate.facts.relations import HOSTS
from upgate.judge.gate import Gate
from upgate.plugin.state import gate_of
from upgate.reports.cleaning import harmless

#: The lists whose counts are said when all were read.
TOLD = ("nodes", "namespaces", "pods", "deployments", "statefulsets", "daemonsets", "services", HOSTS)
#: Seconds between two updates of a line that is rewritten in place.
REFRESH = 0.1


class Progress:
    """One line that says how far the lists are, rewritten in place on a terminal."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._live = self._reporter if self._reporter and self._reporter.isatty else None
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
                self._live.rewrite(f"looking: {', '.join(self._counts.values())}", erase=True)

    def done(self, gate: Gate, *, told: bool) -> None:
        """The line that stays: what was looked at, what not."""
        if self._live:
            self._live.rewrite("", erase=True)
        if told or gate.seen.gaps:
            gaps = f"; could not look at {', '.join(sorted(gate.seen.gaps))}" if gate.seen.gaps else ""
            seconds = time.monotonic() - self._started
            write_line(self._config, f"looked at {self._summary() or 'no list'} in {seconds:.1f} s{gaps}")

    def _summary(self) -> str:
        """The counts that people know their cluster by, and how many other lists were read."""
        told = [self._counts[noun] for noun in TOLD if noun in self._counts]
        others = len(self._counts.keys() & KINDS.keys() - {*TOLD})
        return ", ".join([*told, *([counted(others, "other list")] if others else [])])


def look_with_progress(
    config: pytest.Config, gate: Gate, inputs: set[str], *, told: bool = True, brief: bool = False
) -> None:
    """Look at the cluster, and show how far that is; what was looked at stays on the terminal where it is to be told."""
    progress = Progress(config)
    gate.look(inputs, progress, brief=brief)
    progress.done(gate, told=told)


def write_line(config: pytest.Config, line: str) -> None:
    """One line on the terminal, without secrets."""
    reporter, gate = config.pluginmanager.get_plugin("terminalreporter"), gate_of(config)
    if reporter and gate:
        reporter.write_line(redact(harmless(line), gate.profile.secrets))
