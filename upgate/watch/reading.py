"""`disruption.jsonl` → what each of its watches measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from upgate.base.errors import UsageError
from upgate.watch.record import SCHEMA, BadRun, Beat, Happening, RecordLine, WatchBegin
from upgate.watch.writing import rotated


@dataclass
class WatchRecord:
    """One watch, from its beginning to its last beat."""

    begin: WatchBegin
    #: The last second that was measured.
    until: float = 0.0
    #: Good samples by series.
    good: list[int] = field(default_factory=list)
    runs: list[BadRun] = field(default_factory=list)
    #: Runs that were not over at the last beat that spoke of their series.
    open: list[BadRun] = field(default_factory=list)
    events: list[Happening] = field(default_factory=list)
    #: It ended in an orderly way.
    ended: bool = False

    def __post_init__(self) -> None:
        self.good = self.good or [0] * len(self.begin.series)

    @property
    def by_series(self) -> list[list[BadRun]]:
        """The runs of each series, in their order, those that are not over included."""
        return runs_by_series([*self.runs, *self.open], len(self.begin.series))

    def take(self, line: RecordLine) -> None:
        """Add what a line says. Raises UsageError for a series that its watch does not have."""
        if line.run:
            self.runs.append(self._known(line.run))
        elif line.beat:
            self._beat(line.beat)
        elif line.event:
            self.events.append(line.event)
        elif line.end is not None:
            self.until, self.ended = max(self.until, line.end), True

    def _beat(self, beat: Beat) -> None:
        good = [beat.good] * len(self.good) if isinstance(beat.good, int) else beat.good
        self.good = [have + more for have, more in zip(self.good, good, strict=False)]
        self.until = max(self.until, beat.at)
        self.open = [self._known(run) for run in beat.open]

    def _known(self, run: BadRun) -> BadRun:
        if not 0 <= run.series < len(self.begin.series):
            raise UsageError(f"it speaks of series {run.series}, and has {len(self.begin.series)}")
        return run


def load_record(path: Path) -> list[WatchRecord]:
    """All watches of a record, the first one first. Raises UsageError."""
    watches: list[WatchRecord] = []
    for file in [*rotated(path), path]:
        try:
            take_lines(watches, file.read_bytes().splitlines())
        except OSError as problem:
            raise UsageError(f"cannot read {file}: {problem.strerror}. `upgate watch` writes one.") from problem
        except UsageError as problem:
            raise UsageError(f"cannot use {file}: {problem}") from problem
    if not watches:
        raise UsageError(f"cannot use {path}: it is empty, or not a record of `upgate watch`")
    return watches


def take_lines(watches: list[WatchRecord], lines: list[bytes]) -> None:
    """Add what the lines of one file say. The last one may be cut off: it is written at this moment. Raises UsageError."""
    for line in decoded_lines(lines):
        if line.begin is None and watches:
            watches[-1].take(line)
        elif line.begin and line.begin.schema != SCHEMA:
            raise UsageError(f"it has schema {line.begin.schema}, this version reads {SCHEMA}")
        elif line.begin and not (watches and watches[-1].begin == line.begin):
            watches.append(WatchRecord(line.begin))


def decoded_lines(lines: list[bytes]) -> Iterator[RecordLine]:
    """The lines that are whole. A part of one at the end, or where a watch lost power, says nothing. Raises UsageError."""
    decoder, broken = msgspec.json.Decoder(RecordLine), 0
    for line in lines:
        try:
            yield decoder.decode(line or b"{}")
        except (msgspec.DecodeError, RecursionError) as problem:
            broken += 1
            if broken > 1 + len(lines) // 100:
                raise UsageError(f"corrupt, or not a record of `upgate watch` ({problem})") from problem


def runs_by_series(runs: Iterable[BadRun], number: int) -> list[list[BadRun]]:
    """The runs of each series, in their order."""
    found: list[list[BadRun]] = [[] for _ in range(number)]
    for run in sorted(runs, key=lambda each: each.start):
        found[run.series].append(run)
    return found
