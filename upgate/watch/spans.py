"""Arithmetic of spans of time: sorted, apart from each other, in seconds. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple


class TimeSpan(NamedTuple):
    """From `start` to `end`, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def merged_spans(spans: Iterable[TimeSpan], apart: float = 0.0) -> list[TimeSpan]:
    """The same time in spans that do not touch; what is no more than so far apart counts as one."""
    found: list[TimeSpan] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end + apart:
            found[-1] = TimeSpan(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def without(spans: Iterable[TimeSpan], others: Iterable[TimeSpan]) -> list[TimeSpan]:
    """The time in the spans that is in none of the others."""
    left: list[TimeSpan] = []
    taken, place = merged_spans(others), 0
    for span in merged_spans(spans):
        start = span.start
        while place < len(taken) and taken[place].end <= start:
            place += 1
        for other in islice(taken, place, bisect_left(taken, span.end, key=lambda each: each.start)):
            left += [TimeSpan(start, other.start)] if other.start > start else []
            start = max(start, other.end)
        left += [TimeSpan(start, span.end)] if span.end > start else []
    return left


def covered(span: TimeSpan, apart: Sequence[TimeSpan]) -> bool:
    """All of the span is in one of these spans, which are sorted and do not touch; or it is empty."""
    place = bisect_right(apart, span.start, key=lambda each: each.start)
    return span.end <= span.start or (place > 0 and apart[place - 1].end >= span.end)


def common(spans: Iterable[TimeSpan], others: Iterable[TimeSpan]) -> list[TimeSpan]:
    """The time that is in both."""
    spans = list(spans)
    return without(spans, without(spans, others))


def total_seconds(spans: Iterable[TimeSpan]) -> float:
    """How long all of them are together."""
    return sum(span.seconds for span in spans)
