"""The terminal while a watch runs: the last minutes of each target as a strip, and what the cluster does."""

from __future__ import annotations

import shutil
from collections import deque
from dataclasses import dataclass, field
from typing import TextIO

from upgate.base.harmless import harmless
from upgate.watch.record import BadRun, Beat, Happening, RecordLine, WatchBegin

#: Seconds of one character, and how many there are.
SECONDS, LENGTH = 2.0, 60
GOOD, DOWN, UNMEASURED = "▁", "█", "·"
COLOURS = {DOWN: "\x1b[31m█\x1b[0m", UNMEASURED: "\x1b[2m·\x1b[0m", GOOD: "\x1b[32m▁\x1b[0m"}
#: Seconds of a gap that are told at once where there is no terminal.
HICCUP = 2.0
#: Lines that tell what the cluster does.
EVENTS = 6


@dataclass
class Heartbeat:
    """Draws at a terminal; elsewhere it says a line for whatever changes."""

    begin: WatchBegin
    out: TextIO
    _runs: deque[BadRun] = field(default_factory=lambda: deque(maxlen=10_000))
    _open: list[BadRun] = field(default_factory=list)
    _events: deque[Happening] = field(default_factory=lambda: deque(maxlen=EVENTS))
    _told: set[int] = field(default_factory=set)
    _drawn: int = 0

    def show(self, lines: list[RecordLine]) -> None:
        """Show what was written."""
        self._runs.extend(line.run for line in lines if line.run)
        happened = [line.event for line in lines if line.event]
        self._events.extend(happened)
        beats = [line.beat for line in lines if line.beat]
        if self.out.isatty():
            self._draw(beats[-1] if beats else Beat(at=0.0))
        else:
            self._tell(beats, [line.run for line in lines if line.run], happened)

    def _tell(self, beats: list[Beat], over: list[BadRun], happened: list[Happening]) -> None:
        words = [f"{self._clock(each.at)}  {each.object}: {each.what}" for each in happened]
        for run in over:
            self._told.discard(run.series)
            seconds = (run.end or run.last) - run.start
            if self._is_hiccup(run, seconds):
                continue
            words.append(
                f"{self._clock(run.start)}  {self._name(run)} {self._state(run)} for {seconds:.1f} s: {run.why}"
            )
        still = (run for beat in beats for run in beat.open if not self._is_hiccup(run, beat.at - run.start))
        for run in (run for run in still if run.series not in self._told):
            self._told.add(run.series)
            words.append(f"{self._clock(run.start)}  {self._name(run)} {self._state(run)}: {run.why}")
        for line in words:
            print(harmless(line), file=self.out, flush=True)

    def _is_hiccup(self, run: BadRun, seconds: float) -> bool:
        """A gap of ours that is too short to be told while it happens; the summary counts it."""
        return run.state == "unmeasured" and seconds < HICCUP

    def _draw(self, beat: Beat) -> None:
        rows, width = shutil.get_terminal_size()[1] - EVENTS - 3, shutil.get_terminal_size()[0]
        strips = self._strips(beat)
        shown = sorted(range(len(strips)), key=lambda number: (DOWN not in strips[number], number))[: max(rows, 1)]
        length = max(10, min(LENGTH, width - 34))
        lines = [f"{self._clock(beat.at)}  {len(strips)} series, {SECONDS:g} s each mark"]
        for number in sorted(shown):
            name = harmless(self._series_name(number))[:30]
            lines.append(f"{name:30}  {''.join(COLOURS[each] for each in strips[number][-length:])}")
        lines += [harmless(f"{self._clock(each.at)}  {each.object}: {each.what}")[:width] for each in self._events]
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        self.out.write(up + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self.out.flush()
        self._drawn = len(lines)

    def _strips(self, beat: Beat) -> list[str]:
        """For each series the state in each of the last spans, the worst one."""
        first = beat.at - SECONDS * LENGTH
        strips = [[GOOD] * LENGTH for _ in self.begin.series]
        while self._runs and (self._runs[0].end or 0.0) < first:
            self._runs.popleft()
        for run in [*self._runs, *beat.open]:
            end = beat.at if run.end is None else run.end
            mark = DOWN if run.state == "down" else UNMEASURED
            for place in range(
                max(0, int((run.start - first) / SECONDS)), min(LENGTH, int((end - first) / SECONDS) + 1)
            ):
                if strips[run.series][place] != DOWN:
                    strips[run.series][place] = mark
        return ["".join(strip) for strip in strips]

    def _series_name(self, number: int) -> str:
        series = self.begin.series[number]
        return series.name + (" (kept)" if series.connection == "kept" else "")

    def _name(self, run: BadRun) -> str:
        return self._series_name(run.series)

    def _state(self, run: BadRun) -> str:
        return "away" if run.state == "down" else "not measured"

    def _clock(self, seconds: float) -> str:
        from upgate.watch.timeline import moment

        return f"{moment(self.begin.started, seconds):%H:%M:%S}"
