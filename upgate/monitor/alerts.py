"""The alerts of all checks, round by round: from the signals of rounds to the news for people. Pure.

Rounds that could not judge a check, in which another check's finding explains it, or in which what was wrong is under
way, neither set its alert off nor end it. What is news of an alert that people know of: an object, a consequence that
users see, a check that is wrong because of it, and a share of bad ones that grew by half or is all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from upgate.monitor.alert import Alert, JudgedRound, Peak, Rules, latest
from upgate.monitor.signals import CheckSignal

Kind = Literal["failing", "inconclusive"]
#: What is no longer judged at all is no longer alerted. Longer than a day: some rounds are daily, and start late.
GONE = timedelta(days=2)
#: A Service that users come in by may be "not yet" right in fewer than so many of the latest rounds: a blink counts once.
MOSTLY, LATEST = 4, 6


class State(msgspec.Struct, kw_only=True):
    """The state of one check's alerts between rounds."""

    name: str
    title: str = ""
    #: The round that judged it last.
    seen: datetime
    failing: Alert = msgspec.field(default_factory=Alert)
    inconclusive: Alert = msgspec.field(default_factory=Alert)
    #: The last thing that was said about it.
    last: CheckSignal | None = None
    #: What users come in by that was not right, in each of the latest rounds.
    felt: list[tuple[str, ...]] = []
    #: It is not judged any more, or what was wrong is waived.
    gone: bool = False

    def add(self, seen: CheckSignal, at: datetime, rules: Rules) -> None:
        """One more round."""
        seen = self._outage(seen)
        self.title, self.seen, self.last = seen.title, at, replace(seen, moving=(), felt={}, waived=(), sizes={})
        self.gone = seen.signal == "off" or (seen.signal == "good" and self.failing.has_any(seen.waived))
        if seen.signal == "bad" or (seen.signal == "good" and not self.failing.has_any(seen.moving)):
            self.failing.add(
                JudgedRound(at, seen.signal == "bad", tuple(seen.objects), tuple(seen.follows), seen.sizes),
                rules.failing,
            )
        if seen.signal in ("good", "bad", "consequence", "unknown"):
            self.inconclusive.add(JudgedRound(at, seen.signal == "unknown"), rules.inconclusive)

    def _outage(self, seen: CheckSignal) -> CheckSignal:
        """The same, and bad where what users come in by was not right in most of the latest rounds, each time "not yet"."""
        if seen.signal in ("good", "bad"):
            self.felt = [*self.felt, tuple(seen.felt)][-LATEST:]
        lasting = {name: seen.felt[name] for name in seen.felt if sum(name in each for each in self.felt) >= MOSTLY}
        if seen.signal != "good" or not lasting:
            return seen
        return replace(seen, signal="bad", objects=lasting, count=len(lasting), visible=True)

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
        """The next round needs nothing of it."""
        return self.failing.quiet and self.inconclusive.quiet and not any(self.felt)


States = dict[str, State]


def step(states: States, round: Iterable[CheckSignal], at: datetime, rules: Rules) -> States:
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


class AlertNews(NamedTuple):
    """One alert in a message."""

    state: State
    kind: Kind
    alert: Alert
    #: The objects that are news, or are a good deal worse.
    fresh: tuple[str, ...] = ()
    #: What follows from it that is news.
    follows: tuple[str, ...] = ()


class News(msgspec.Struct, kw_only=True):
    """The alerts of one message, by what is new about them."""

    new: list[AlertNews] = []
    #: Already known, with objects that are not.
    more: list[AlertNews] = []
    ongoing: list[AlertNews] = []
    recovered: list[AlertNews] = []
    #: No longer judged.
    gone: list[AlertNews] = []


def news(states: States, at: datetime, rules: Rules, *, anyway: bool = False) -> News | None:
    """The news to send now, marked as sent; None where there is nothing new.

    A round in which all is good sends no reminder: a message follows when all has recovered.

    `anyway` repeats what goes on before its time: a maintenance window is over, or a recipient is new.
    """
    told = News()
    for each in all_alerts(states):
        sort_in(told, more_of(each, states, rules), rules)
    still = [each.alert for each in told.ongoing if each.alert.bad]
    due = any(is_due(alert, at, rules.remind) for alert in still) or (anyway and still)
    if not (told.new or told.more or told.recovered or told.gone or due):
        return None
    for each in (*told.new, *told.more, *told.ongoing):
        mark_told(each.alert, at)
    for each in (*told.recovered, *told.gone):
        each.alert.told, each.alert.known, each.alert.known_follows, each.alert.peaks = None, {}, {}, {}
    return told


def all_alerts(states: States) -> Iterator[AlertNews]:
    """Every alert there is."""
    for _, state in sorted(states.items()):
        for kind, alert in state.alerts:
            yield AlertNews(state, kind, alert)


def more_of(each: AlertNews, states: States, rules: Rules) -> AlertNews:
    """The alert with what is new about it, if people know it. What another alert has reported already is not news."""
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


def sort_in(told: News, each: AlertNews, rules: Rules) -> None:
    """Put one alert into its list. A new alert is reported in a bad round, not in a good one."""
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


def mark_told(alert: Alert, at: datetime) -> None:
    """People know now that it is on, and of its objects."""
    alert.told = at
    alert.known = latest({**alert.known, **{name: at for each in alert.window for name in each.objects}})
    follows = {name: at for each in alert.window for name in each.follows}
    alert.known_follows = latest({**alert.known_follows, **follows})
    for name, size in alert.window[-1].sizes.items() if alert.window else ():
        peak = alert.peaks.get(name)
        if peak is None or size.outgrows(peak.size):
            alert.peaks[name] = Peak(size, at)
