"""The state of each alert, round by round. Pure: signals and times go in, what is on, and for how long, comes out.

An alert comes on when N of the last M rounds that judged its check were bad, and goes when none of the last M was. Rounds
that could not judge it, in which another check's finding explains it, or in which what was wrong is under way, neither
set it off nor end it. One that changes again and again is flapping: it goes only after a time of peace, and nobody is
told of every change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from upgate.monitor.impact import Size
from upgate.monitor.signals import MOST, Seen

Kind = Literal["failing", "inconclusive"]
#: So many changes between good and bad within this time are flapping; it ends with an hour without a bad round.
CHANGES, WITHIN, PEACE = 6, timedelta(hours=6), timedelta(hours=1)
#: What is no longer judged at all is no longer alerted. Longer than a day: some rounds are daily, and start late.
GONE = timedelta(days=2)


class Rate(Protocol):
    """So many bad ones of so many rounds."""

    failures: int
    rounds: int


class Rules(NamedTuple):
    """When alerts come on, and how often they are repeated: the profile's `monitor:`."""

    failing: Rate
    inconclusive: Rate
    remind: timedelta


class Judged(msgspec.Struct, frozen=True):
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
    """What is remembered of one alert."""

    #: The latest rounds that judged it.
    window: list[Judged] = []
    on: bool = False
    #: The first bad round of those that set it off.
    since: datetime | None = None
    #: The first good round after the last bad one.
    better: datetime | None = None
    #: When it changed between good and bad.
    changes: list[datetime] = []
    flapping: bool = False
    #: People know that it is on, since the last time they were told so.
    told: datetime | None = None
    #: The objects that people know of, and when each was last seen.
    known: dict[str, datetime] = {}
    #: The same of what follows from them.
    known_follows: dict[str, datetime] = {}
    #: How large people know them to be.
    peaks: dict[str, Peak] = {}

    def add(self, round: Judged, rate: Rate) -> None:
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
        """There is nothing to remember."""
        return not (self.on or self.told or self.changes or any(each.bad for each in self.window))

    def _know(self, at: datetime) -> None:
        """What people know of and was seen again; what has long been gone is new when it comes again.

        Of more than can be remembered nobody can tell which are new: they count as known.
        """
        many = any(len(each.objects) >= MOST for each in self.window)
        self.known.update((name, at) for name in self.window[-1].objects if many or name in self.known)
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


class State(msgspec.Struct, kw_only=True):
    """What is remembered of one check."""

    name: str
    title: str = ""
    #: The round that judged it last.
    seen: datetime
    failing: Alert = msgspec.field(default_factory=Alert)
    inconclusive: Alert = msgspec.field(default_factory=Alert)
    #: The last thing that was said about it.
    last: Seen | None = None
    #: It is not judged any more, or what was wrong is waived.
    gone: bool = False

    def add(self, seen: Seen, at: datetime, rules: Rules) -> None:
        """One more round."""
        self.title, self.seen, self.last = seen.title, at, replace(seen, moving=(), waived=(), sizes={})
        self.gone = seen.signal == "off" or (seen.signal == "good" and self.failing.has_any(seen.waived))
        if seen.signal == "bad" or (seen.signal == "good" and not self.failing.has_any(seen.moving)):
            self.failing.add(
                Judged(at, seen.signal == "bad", tuple(seen.objects), tuple(seen.follows), seen.sizes), rules.failing
            )
        if seen.signal in ("good", "bad", "consequence", "unknown"):
            self.inconclusive.add(Judged(at, seen.signal == "unknown"), rules.inconclusive)

    def wait(self, at: datetime) -> None:
        """A round that did not select it. A clock that was wrong before must not keep it for ever."""
        self.seen = min(self.seen, at)
        self.gone = at - self.seen > GONE

    @property
    def alerts(self) -> tuple[tuple[Kind, Alert], ...]:
        """Its alerts by their kinds."""
        return ("failing", self.failing), ("inconclusive", self.inconclusive)

    @property
    def quiet(self) -> bool:
        """There is nothing to remember."""
        return self.failing.quiet and self.inconclusive.quiet


States = dict[str, State]


def step(states: States, round: Iterable[Seen], at: datetime, rules: Rules) -> States:
    """The states after one more round."""
    seen = {each.name: each for each in round}
    for name in seen:
        states.setdefault(name, State(name=name, seen=at))
    for name, state in states.items():
        if name in seen:
            state.add(seen[name], at, rules)
        else:
            state.wait(at)
    return states


class Told(NamedTuple):
    """An alert that people are told of."""

    state: State
    kind: Kind
    alert: Alert
    #: The objects that are news, or are a good deal worse.
    fresh: tuple[str, ...] = ()
    #: What follows from it that is news.
    follows: tuple[str, ...] = ()


class News(msgspec.Struct, kw_only=True):
    """What people are to be told."""

    new: list[Told] = []
    #: Already known, with objects that are not.
    more: list[Told] = []
    ongoing: list[Told] = []
    recovered: list[Told] = []
    #: No longer judged.
    gone: list[Told] = []


def news(states: States, at: datetime, rules: Rules, *, anyway: bool = False) -> News | None:
    """What people are to be told now, and note that they were; None where there is nothing new.

    A round in which all is good reminds nobody: what has not recovered yet is told when it has.

    `anyway` repeats what goes on before its time: a maintenance window is over, or somebody is new.
    """
    told = News()
    for each in all_of(states):
        sort_in(told, more_of(each, states, rules), rules)
    still = [each.alert for each in told.ongoing if each.alert.bad]
    due = any(is_due(alert, at, rules.remind) for alert in still) or (anyway and still)
    if not (told.new or told.more or told.recovered or told.gone or due):
        return None
    for each in (*told.new, *told.more, *told.ongoing):
        remember(each.alert, at)
    for each in (*told.recovered, *told.gone):
        each.alert.told, each.alert.known, each.alert.known_follows, each.alert.peaks = None, {}, {}, {}
    return told


def all_of(states: States) -> Iterator[Told]:
    """Every alert there is."""
    for _, state in sorted(states.items()):
        for kind, alert in state.alerts:
            yield Told(state, kind, alert)


def more_of(each: Told, states: States, rules: Rules) -> Told:
    """With what is news of an alert that people know of. What they were told by another alert is no news."""
    alert = each.alert
    if not (alert.told and alert.bad and each.kind == "failing"):
        return each
    fresh = (alert.established(rules.failing) - alert.known.keys()) | alert.grown(rules.failing)
    follows = {name for name in alert.more_follows(rules.failing) if not is_told(name, states)}
    return each._replace(fresh=tuple(sorted(fresh)), follows=tuple(sorted(follows)))


def is_told(consequence: str, states: States) -> bool:
    """The consequence has an alert of its own that people know of."""
    check, _, object = consequence.partition(": ")
    known = states[check].failing if check in states else Alert()
    return known.told is not None and (not object or object in known.known)


def sort_in(told: News, each: Told, rules: Rules) -> None:
    """Find the place of one alert. One that nobody knows of is told in a round that is bad, not in a good one."""
    alert = each.alert
    if alert.told and each.state.gone:
        told.gone.append(each)
    elif alert.told and not alert.on:
        told.recovered.append(each)
    elif alert.told and (each.fresh or each.follows):
        told.more.append(each)
    elif alert.told:
        told.ongoing.append(each)
    elif alert.on and alert.bad and not each.state.gone:
        told.new.append(each)


def is_due(alert: Alert, at: datetime, remind: timedelta) -> bool:
    """It is time for a reminder. A last time in the future was said by a clock that was wrong."""
    if alert.told and alert.told > at:
        alert.told = at
    return alert.told is not None and at - alert.told >= remind


def remember(alert: Alert, at: datetime) -> None:
    """People know now that it is on, and of its objects."""
    alert.told = at
    alert.known = latest({**alert.known, **{name: at for each in alert.window for name in each.objects}})
    follows = {name: at for each in alert.window for name in each.follows}
    alert.known_follows = latest({**alert.known_follows, **follows})
    for name, size in alert.window[-1].sizes.items() if alert.window else ():
        peak = alert.peaks.get(name)
        if peak is None or size.outgrows(peak.size):
            alert.peaks[name] = Peak(size, at)


def latest(known: dict[str, datetime]) -> dict[str, datetime]:
    """As many as are remembered."""
    return dict(sorted(known.items(), key=lambda item: item[1])[-2 * MOST :])
