"""The sampling processes of one watch, seen from the one that records."""

from __future__ import annotations

import queue
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from upgate.base.threads import in_background
from upgate.watch.plan import SamplingOrder
from upgate.watch.record import BadRun
from upgate.watch.sampling import SampledBeat, beats_of

#: Seconds that a process may take to end.
ENDING = 3.0
#: What a series is said to be when its process has ended by itself.
DIED = "the sampling process ended"


@dataclass
class SamplerProcess:
    """One process, and what it has said."""

    order: SamplingOrder
    said: queue.SimpleQueue[SampledBeat] = field(default_factory=queue.SimpleQueue)
    #: Until when it has measured, in seconds after the start of the watch.
    until: float = 0.0

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "upgate.watch.sampling"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ourselves
        if self._process.stdin:
            self._process.stdin.write(msgspec.json.encode(self.order) + b"\n")
            self._process.stdin.flush()
        self._reader = in_background(self._read)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def died(self) -> bool:
        """It has ended, although it was not asked to."""
        return self._process.poll() is not None

    @property
    def numbers(self) -> list[int]:
        """The series that it samples, in its order."""
        return [job.number for job in self.order.jobs]

    def beats(self) -> Iterator[SampledBeat]:
        """What it has said since the last time."""
        while True:
            try:
                beat = self.said.get_nowait()
            except queue.Empty:
                return
            self.until = beat.at
            yield beat

    def gap(self) -> list[BadRun]:
        """Runs that say that its series are not measured from now on."""
        return [
            BadRun(series=number, state="unmeasured", start=self.until, last=self.until, why=DIED)
            for number in self.numbers
        ]

    def stop(self) -> None:
        """Let it report for the last time, and end."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(ENDING)
        if self._process.stdout:
            self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.said.put(beats_of(line))
