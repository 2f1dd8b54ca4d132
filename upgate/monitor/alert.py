"""One alert, round by round: when it is on, what people know of it, and what of it is news. Pure.

It comes on when N of the last M rounds that judged its check were bad, and goes when none of the last M was. One that
changes again and again is flapping: it goes only after a time without a bad round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec

from upgate.monitor.impact import Size
from upgate.monitor.signals import MOST
from upgate.reports.families import home

#: So many changes between good and bad within this time are flapping; it ends with an hour without a bad round.
CHANGES, WITHIN, PEACE = 6, timedelta(hours=6), timedelta(hours=1)


class Rate(Protocol):
    """So many bad ones of so many rounds."""

    @property
    def failures(self) -> int: ...

    @property
    def rounds(self) -> int: ...


class Rules(NamedTuple):
    """When alerts come on, and how often they are repeated: the profile's `monitor:`."""

    failing: Rate
    inconclusive: Rate
    remind: timedelta


class JudgedRound(msgspec.Struct, frozen=True):
    """One round, as an alert saw it."""

    at: datetime
    bad: bool
    objects: tuple[str, ...] = ()
    #: What follows from it: checks, and what users see.
    follows: tuple[str, ...] = ()
    #: How large a part of each object is wrong.
    sizes: dict[str, Size] = {}


class Peak(msgspec.Struct, frozen=True, array_like=True):
    """The largest size that people know of, and when it was last as large."""

    size: Size
    at: datetime


class Alert(msgspec.Struct, kw_only=True):
    """The state of one alert between rounds."""

    #: The latest rounds that judged it.
    window: list[JudgedRound] = []
    on: bool = False
    #: The first bad round of those that set it off.
    since: datetime | None = None
    #: The first good round after the last bad one.
    better: datetime | None = None
    #: When it changed between good and bad.
    changes: list[datetime] = []
    flapping: bool = False
    #: When a message last said that it is on; None if no message did.
    told: datetime | None = None
    #: The objects that people know of, and when each was last seen.
    known: dict[str, datetime] = {}
    #: The same of what follows from them.
    known_follows: dict[str, datetime] = {}
    #: How large people know them to be.
    peaks: dict[str, Peak] = {}

    def add(self, round: JudgedRound, rate: Rate) -> None:
        """One more round that judged it."""
        at, bad = round.at, round.bad
        if self.bad != bad:
            self.changes.append(at)
        self.window = [*self.window, round][-rate.rounds :]
        self._know(at)
        self.better = None if bad else self.better or at
        self.flapping = self._flaps(at)
        hits = [each for each in self.window if each.bad]
        if not self.on and len(hits) >= rate.failures:
            self.on, self.since = True, hits[0].at
        elif self.on and not hits and len(self.window) >= rate.rounds:
            self.on = self.flapping

    def established(self, rate: Rate) -> set[str]:
        """The objects that are bad, and were in as many rounds as set an alert off."""
        seen = Counter(name for each in self.window for name in each.objects)
        return {name for name in self.window[-1].objects if seen[name] >= rate.failures}

    def more_follows(self, rate: Rate) -> set[str]:
        """What follows, did so in as many rounds as set an alert off, and is not known to people."""
        seen = Counter(name for each in self.window for name in each.follows)
        return {name for name in self.window[-1].follows if seen[name] >= rate.failures} - self.known_follows.keys()

    def grown(self, rate: Rate) -> set[str]:
        """The objects that are a good deal worse than people know, in as many rounds as set an alert off."""
        return {
            name
            for name, size in self.window[-1].sizes.items()
            if self._outgrown(name, size)
            and sum(self._outgrown(name, each.sizes.get(name)) for each in self.window) >= rate.failures
        }

    def _outgrown(self, name: str, size: Size | None) -> bool:
        peak = self.peaks.get(name)
        return peak is not None and size is not None and size.outgrows(peak.size)

    def has_any(self, names: Iterable[str]) -> bool:
        """One of these objects was lately bad."""
        return not self.known.keys().isdisjoint(names) or any(
            not set(names).isdisjoint(it.objects) for it in self.window
        )

    @property
    def bad(self) -> bool:
        """The latest round that judged it was bad."""
        return bool(self.window) and self.window[-1].bad

    @property
    def quiet(self) -> bool:
        """The next round needs nothing of it."""
        return not (self.on or self.told or self.changes or any(each.bad for each in self.window))

    def _know(self, at: datetime) -> None:
        """What people know of and was seen again; what has long been gone is new when it comes again.

        Where a namespace that people know of has more than can be remembered, or there are too many namespaces, it cannot be
        told which are new: they count as known.
        """
        crowds = {place for each in self.window for place in crowded(each.objects)}
        crowds &= {home(name) for name in self.known} | (crowds if len(crowds) >= MOST else set())
        self.known.update((n, at) for n in self.window[-1].objects if n in self.known or home(n) in crowds)
        self.known = latest({name: seen for name, seen in self.known.items() if at - seen < PEACE})
        crowd = len(self.window[-1].follows) >= MOST
        self.known_follows.update((n, at) for n in self.window[-1].follows if crowd or n in self.known_follows)
        self.known_follows = latest({n: seen for n, seen in self.known_follows.items() if at - seen < PEACE})
        self._know_sizes(at)

    def _know_sizes(self, at: datetime) -> None:
        """How large people know it to be: what has been smaller for long may grow again; a size is known with its object."""
        for name, size in self.window[-1].sizes.items():
            peak = self.peaks.get(name)
            if peak is None and (name in self.known or (self.told and not name)):
                self.peaks[name] = Peak(size, at)
            elif peak and not peak.size.outgrows(size) and not size.outgrows(peak.size):
                self.peaks[name] = Peak(peak.size, at)
        self.peaks = {
            name: peak if at - peak.at < PEACE else Peak(self.window[-1].sizes[name], at)
            for name, peak in self.peaks.items()
            if name in self.window[-1].sizes or at - peak.at < PEACE
        }

    def _flaps(self, at: datetime) -> bool:
        """What lies in the future was said by a clock that was wrong."""
        self.changes = [each for each in self.changes if at - WITHIN < each <= at][-2 * CHANGES :]
        calm = self.better is not None and at - self.better >= PEACE
        return len(self.changes) >= CHANGES and not calm


def crowded(names: Collection[str]) -> set[str]:
    """The namespaces of which not all objects may be remembered: where all are taken in turn, those with the most."""
    sizes = Counter(map(home, names))
    return {place for place, size in sizes.items() if len(names) >= MOST and size >= max(sizes.values()) - 1}


def latest(known: dict[str, datetime]) -> dict[str, datetime]:
    """The latest, as many as are kept."""
    return dict(sorted(known.items(), key=lambda item: item[1])[-2 * MOST :])
