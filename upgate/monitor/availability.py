"""The history of days: how each was, and how much of the time all was well. Pure.

Only rounds that were judged count: good ÷ judged. Maintenance is shown separately and does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from upgate.monitor.records import Counts, TargetDay

State = Literal["none", "maintenance", "fine", "warned", "inconclusive", "failed"]
DAYS = 90


class Tally(NamedTuple):
    """Rounds of one day, of one check or target. A warning is among the good ones."""

    name: str
    day: date
    maintenance: bool
    good: int = 0
    bad: int = 0
    warned: int = 0
    unknown: int = 0

    @property
    def judged(self) -> int:
        """The rounds that count towards availability."""
        return 0 if self.maintenance else self.good + self.bad

    @property
    def state(self) -> State:
        """The worst of it."""
        if self.maintenance:
            return "maintenance"
        if self.bad:
            return "failed"
        if self.unknown:
            return "inconclusive"
        return "warned" if self.warned else "fine" if self.good else "none"


class Track(NamedTuple):
    """One check or target over time."""

    name: str
    #: The last of them is today.
    days: tuple[Tally, ...]

    def availability(self, days: int = DAYS) -> float | None:
        """The good part of what was judged in the last days, maintenance aside; None where nothing was."""
        counted = [each for each in self.days[-days:] if not each.maintenance]
        good = sum(each.good for each in counted)
        judged = good + sum(each.bad for each in counted)
        return good / judged if judged else None

    @property
    def worst(self) -> list[Tally]:
        """The days on which it failed, warned or could not be judged, the latest first."""
        return [each for each in reversed(self.days) if each.state in ("failed", "inconclusive", "warned")]


def check_tallies(counts: Iterable[Counts]) -> Iterator[Tally]:
    """Days of checks. Those on which it was not asked at all are left out."""
    for it in counts:
        if it.judged or it.inconclusive:
            yield Tally(it.name, it.day, it.maintenance, it.good, it.failed, it.warned, it.inconclusive)


def target_tallies(days: Iterable[TargetDay]) -> Iterator[Tally]:
    """Days of targets."""
    return (Tally(it.name, it.day, it.maintenance, good=it.up, bad=it.down, unknown=it.unknown) for it in days)


def tracks(tallies: Iterable[Tally], today: date, days: int = DAYS) -> list[Track]:
    """All that is known of each name in the days up to today, by name."""
    known: defaultdict[str, dict[date, Tally]] = defaultdict(dict)
    for it in sorted(tallies, key=lambda it: it.maintenance, reverse=True):
        known[it.name][it.day] = it  # what was judged outside of maintenance is told instead of what was in it
    calendar = [today - timedelta(days=back) for back in reversed(range(days))]
    return [
        Track(name, tuple(seen.get(day, Tally(name, day, False)) for day in calendar))
        for name, seen in sorted(known.items())
    ]
