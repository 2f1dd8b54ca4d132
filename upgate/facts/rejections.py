"""Requests that the API server turned down: how many, and whether that goes on.

Some always are, and are fine: whoever asks whether an object is there is told 404, the control plane meets 403 while it starts,
and so do we where a permission is missing. So a number says nothing, and a rate has to be steady to be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from upgate.base.text import counted, duration
from upgate.facts.counting import Counting
from upgate.facts.metrics import INVALID, REQUESTS, STALE, UNALLOWED, UNKNOWN

#: Each second one, and so many at least, within the seconds between two looks: a client that does not even pause.
HOT, LEAST = 1.0, 5
#: A client that watches and may not tries again every 30 to 60 seconds: https://github.com/kubernetes/client-go reflector.go.
#: Each minute so many, and for so long, are a client or two that never come through; and twice as many as before are new.
STEADY, WATCHED, TIMES = 2.0, timedelta(minutes=10), 2.0
#: Controllers ask for many objects that are gone: only each second one, and five times as many as before, are something new.
MISSING, MISSING_TIMES = 60.0, 5.0
#: Old tokens are used with each request: an hour without one is none.
HOURLY = 1.0
#: Tokens of service accounts that still work, and that work no more.
TOKENS = (
    ("stale-tokens", "it should have reloaded", STALE),
    ("invalid-tokens", "Kubernetes has invalidated because it was not used", INVALID),
)


class Counter(NamedTuple):
    """One or more samples that count one thing."""

    name: str
    labels: tuple[dict[str, str], ...] = ({},)

    def grown(self, counting: Counting) -> float:
        """By how much it grew since the time from which it is judged."""
        return sum(counting.grown(self.name, **labels) for labels in self.labels)

    def growing(self, counting: Counting) -> float:
        """By how much it grew between the two looks."""
        return sum(counting.growing(self.name, **labels) for labels in self.labels)

    def per_minute_before(self, counting: Counting) -> float:
        """How fast it had grown until the baseline; 0 where there is none."""
        before = counting.before
        if before is None or before.started is None:
            return 0.0
        total = sum(before.total(self.name, **labels) for labels in self.labels)
        return per_minute(total, before.taken - before.started)


class Rejection(NamedTuple):
    """One way in which requests are turned down."""

    ref: str
    what: str
    counter: Counter
    counting: Counting
    #: How many of them may be our own.
    own: int = 0
    #: It is told only where it is far more than before.
    usual: bool = False
    #: A single one is one too many.
    strict: bool = False

    @property
    def words(self) -> dict[str, str]:
        """Nothing that a hint would need."""
        return {}

    @property
    def goes_on(self) -> str:
        """That it goes on, and how fast, in words. Empty where that is not known."""
        return self._now or (self._used if self.strict else self._steadily)

    @property
    def _now(self) -> str:
        growth, pause = self.counter.growing(self.counting), self.counting.pause
        if self.usual or growth < max(LEAST, HOT * pause.total_seconds()) + self.own:
            return ""
        return f"{self.what}: {growth:.0f} within the last {duration(pause)}"

    @property
    def _steadily(self) -> str:
        if self.counting.before is None or self.counting.span < WATCHED:
            return ""
        grown, usual = self.counter.grown(self.counting), self.counter.per_minute_before(self.counting)
        rate, times = per_minute(grown, self.counting.span), MISSING_TIMES if self.usual else TIMES
        if rate < (MISSING if self.usual else STEADY) or rate < times * usual:
            return ""
        return f"{self._told(grown)}: {rate:.1f} a minute, {usual:.1f} before"

    @property
    def _used(self) -> str:
        grown, hours = self.counter.grown(self.counting), self.counting.span / timedelta(hours=1)
        lately = self.counting.certain or self.counter.growing(self.counting) > 0
        return self._told(grown) if grown > 0 and (lately or grown >= HOURLY * hours > 0) else ""

    def _told(self, number: float) -> str:
        return f"{self.what}: {counted(int(number), 'time')} {self.counting.words}"


def per_minute(number: float, span: timedelta) -> float:
    """How many of them each minute; 0 for no time at all."""
    return number / (span / timedelta(minutes=1)) if span else 0.0


def rejections_in(counting: Counting, own: int) -> Iterator[Rejection]:
    """All ways in which requests are turned down, as far as they are counted; `own`: how many of ours may have been."""

    def rejection(name: str, what: str, counter: Counter, **how: bool) -> Rejection:
        return Rejection(f"APIServer/{name}", what, counter, counting, own, **how)

    unknown = Counter(UNKNOWN, ({"result": "error"}, {"result": "failure"}))
    unallowed = Counter(UNALLOWED, ({"result": "no-opinion"}, {"result": "denied"}))
    yield rejection("authentication", "requests with a token or certificate that is not valid (401)", unknown)
    yield rejection("authorization", "requests that are not allowed (403)", unallowed)
    for name, what, family in TOKENS:
        yield rejection(name, f"a client uses a token that {what}", Counter(family), strict=True)
    if counting.before is None and counting.metrics.earlier is None:
        return  # nothing tells whether these go on
    for code, what in (("403", "refused by admission (403)"), ("404", "not found (404)")):
        for group, resource in resources_answered(counting, code):
            asked = ({"code": code, "group": group, "resource": resource},)
            name = f"{code}/{resource}.{group}".rstrip(".")
            words = f"requests for {resource} of API group {group or 'core'} were {what}"
            yield rejection(name, words, Counter(REQUESTS, asked), usual=code == "404")


def resources_answered(counting: Counting, code: str) -> list[tuple[str, str]]:
    """The API groups and resources of which requests were answered with this code."""
    samples = counting.metrics.last.of(REQUESTS, code=code)
    return sorted({(each.labels.get("group", ""), each.labels.get("resource", "")) for each in samples})
