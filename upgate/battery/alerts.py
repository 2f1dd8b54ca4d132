"""What another monitor knows, joined with what the profile expects: alerts by object, and the values of a query. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import regex

from upgate.base.errors import Inconclusive
from upgate.base.text import counted, duration
from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.monitored import Answered, FiringAlert, Labels, QueriedSample, labels_in_words, object_in
from upgate.profile.prometheus import COMPARED, parts_of_ignored
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.prometheus import Prometheus, Query

#: Alerts that are described in one finding; rules and values that are named in a gap.
FEW = 5
#: Seconds for one pattern of the profile on one label.
MATCHING = 0.5
#: What the words of a comparison mean.
SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class AlertedObject:
    """An object, and the alerts about it that fire."""

    ref: str
    alerts: Sequence[FiringAlert]
    url: str
    now: datetime

    @property
    def words(self) -> dict[str, str]:
        """What may stand in the check's hint."""
        return {"url": self.url}

    @property
    def observed(self) -> str:
        """Which alerts fire, with their labels and since when; the gravest and oldest first."""
        first = sorted(self.alerts, key=lambda each: (each.is_information, str(each.since or "~"), each.name))
        more = [f"{counted(len(first) - FEW, 'more alert')}"] if len(first) > FEW else []
        return "; ".join([*(self._described(each) for each in first[:FEW]), *more])

    @property
    def only_informs(self) -> bool:
        """All of them have severity info."""
        return all(each.is_information for each in self.alerts)

    def _described(self, alert: FiringAlert) -> str:
        since = (
            f" for {duration(self.now - alert.since)} (since {alert.since:%Y-%m-%d %H:%M} UTC)" if alert.since else ""
        )
        labels = labels_in_words(alert.labels)
        return (
            f"{alert.name} fires{since}"
            + (f" with {labels}" if labels else "")
            + (alert.summary and f": {alert.summary}")
        )


@dataclass(frozen=True)
class QueriedValue:
    """One value in the answer to a query of the profile."""

    query: Query
    sample: QueriedSample

    @property
    def ref(self) -> str:
        """The object that the labels name, else the query with its labels."""
        labels = labels_in_words(self.sample.labels)
        return object_in(self.sample.labels) or f"Query/{self.query.name}" + (f"{{{labels}}}" if labels else "")

    @property
    def words(self) -> dict[str, str]:
        """What may stand in the check's hint."""
        return {"query": self.query.query}

    @property
    def gap(self) -> str:
        """Why it cannot be compared; empty where it can."""
        if not self.sample.value:
            return f"{self.ref} is a histogram, not one value"
        return f"{self.ref} is NaN" if self._number != self._number else ""

    @property
    def holds(self) -> bool:
        """The value satisfies the comparison."""
        compared = COMPARED.fullmatch(self.query.that)
        return bool(compared) and SIGNS[compared["sign"]](self._number, float(compared["number"]))  # type: ignore[index]

    @property
    def observed(self) -> str:
        """The value, and its labels."""
        labels = labels_in_words(self.sample.labels)
        return f"{self.query.query} is {self.sample.value}" + (f" with {labels}" if labels else "")

    @property
    def _number(self) -> float:
        try:
            return float(self.sample.value)
        except ValueError:
            return float("nan")


def alerts(prometheus: Prometheus | None, seen: Snapshot, judgement: Judgement) -> Subjects[AlertedObject]:
    """The noun `alerts`: by object those that fire and are not ignored. Raises Inconclusive where they were not asked for."""
    told = seen.monitored
    if prometheus is None or told is None:
        raise Inconclusive("no Prometheus was asked when this snapshot was taken")
    if told.problem:
        raise Inconclusive(told.problem)
    ignored = [parts_of_ignored(each) for each in prometheus.ignore]
    broken = [each for each in told.broken if not is_ignored(each.name, each.labels, ignored)]
    judgement.gaps += [
        *told.gaps,
        *gaps_of([f"the rule {each.name} was not evaluated: {each.problem}" for each in broken]),
    ]
    firing = [each for each in told.alerts if not each.is_silent and not is_ignored(each.name, each.labels, ignored)]
    by_object: dict[str, list[FiringAlert]] = {}
    for each in firing:
        by_object.setdefault(each.about, []).append(each)
    items = [AlertedObject(ref, about, told.url, seen.taken) for ref, about in by_object.items()]
    quiet = max(0, told.rules - len({each.name for each in firing}))
    return Subjects("alerting rules", items, judgement, right=quiet)


def values(query: Query, seen: Snapshot, judgement: Judgement) -> Subjects[QueriedValue]:
    """The noun `query`: the values of one query. Raises Inconclusive where there is no answer."""
    found = answer_to(query, seen)
    if found.problem:
        raise Inconclusive(found.problem)
    if not found.samples:
        raise Inconclusive(f"the query {query.name} has no answer: no series matches {query.query}")
    every = [QueriedValue(query, each) for each in found.samples]
    judgement.gaps += [*found.gaps, *gaps_of([each.gap for each in every if each.gap])]
    return Subjects("values", [each for each in every if not each.gap], judgement)


def answer_to(query: Query, seen: Snapshot) -> Answered:
    """The answer to this very query. Raises Inconclusive where it was not asked."""
    answers = seen.monitored.answers if seen.monitored else ()
    found = next((each for each in answers if each.query == query.query), None)
    if found is None:
        raise Inconclusive(f"the query {query.name} was not asked when this snapshot was taken")
    return found


def is_ignored(name: str, labels: Labels, ignored: Iterable[tuple[str, list[tuple[str, str, str]]]]) -> bool:
    """An entry of `ignore:` means this alert."""
    return any(
        (not pattern or fnmatchcase(name, pattern))
        and all(
            label_matches({"alertname": name, **labels}.get(label, ""), sign, value) for label, sign, value in wanted
        )
        for pattern, wanted in ignored
    )


def label_matches(found: str, sign: str, wanted: str) -> bool:
    """As PromQL compares: a label that is not there is empty, and a pattern is for the whole value. Raises TimeoutError."""
    same = bool(regex.fullmatch(wanted, found, timeout=MATCHING)) if "~" in sign else found == wanted
    return same != sign.startswith("!")


def gaps_of(sentences: Sequence[str]) -> Iterator[str]:
    """A few of them, and how many there are beside them."""
    yield from sentences[:FEW]
    if len(sentences) > FEW:
        yield f"and {len(sentences) - FEW} more like these"
