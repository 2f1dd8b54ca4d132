"""The last 24 hours of a check as a strip, and the latency of a target as a line: markup with the same in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise
from statistics import median, quantiles

from upgate.monitor.availability import State
from upgate.monitor.records import Span, TargetHour
from upgate.reports import words
from upgate.results import Outcome

HOURS = 24
#: Minutes that a mark is wide at least: a single round can be seen on a phone.
NARROWEST_MARK = 8
STATES: dict[Outcome, State] = {
    "passed": "fine",
    "waived": "fine",
    "warned": "warned",
    "inconclusive": "inconclusive",
    "failed": "failed",
}
#: What is worse is drawn over what is better.
SHADES: tuple[State, ...] = ("fine", "warned", "inconclusive", "failed")
#: Of ten, so that the strip can be read without telling colours apart.
TALL: dict[State, int] = {"fine": 4, "warned": 6, "inconclusive": 8, "failed": 10}


def day_strip(name: str, spans: Iterable[Span], now: datetime) -> str:
    """The last 24 hours: a mark for each time that the check had one outcome; empty where it was not asked."""
    begin = now - timedelta(hours=HOURS)
    known = [(STATES[span.outcome], span) for span in spans if span.outcome in STATES and span.until >= begin]
    if not known:
        return ""
    marks = "".join(
        strip_mark(state, span, begin, now) for state, span in sorted(known, key=lambda it: SHADES.index(it[0]))
    )
    bad = [span for state, span in known if state == "failed"]
    times = [f"{max(span.since, begin):%H:%M} to {span.until:%H:%M}" for span in bad]
    told = f"failed {words.shortened_list(times, 3)}" if bad else "no failure"
    label = escape(f"the last {HOURS} hours of {name}: {told}")
    return (
        f'<svg class="bar strip" viewBox="0 0 {HOURS * 60} 10" preserveAspectRatio="none" role="img"'
        f' aria-label="{label}">{marks}</svg>'
    )


def strip_mark(state: State, span: Span, begin: datetime, now: datetime) -> str:
    """One time of one outcome."""
    left = max(0.0, (span.since - begin).total_seconds() / 60)
    right = min((span.until - begin).total_seconds() / 60, (now - begin).total_seconds() / 60)
    width = max(NARROWEST_MARK, right - left)
    left = min(left, HOURS * 60 - width)
    height = TALL[state]
    return f'<rect class="{state}" x="{left:.0f}" y="{10 - height}" width="{width:.0f}" height="{height}"/>'


def latency_line(name: str, hours: Sequence[TargetHour], now: datetime) -> str:
    """Median and 95th percentile of the hourly means in the last 24 hours, in words and as a line."""
    begin = now - timedelta(hours=HOURS)
    known = [(it.hour, it.latency) for it in hours if it.latency is not None and it.hour >= begin - timedelta(hours=1)]
    values = [latency for _, latency in known]
    if not values:
        return ""
    middle, high = median(values), percentile_95(values)
    told = f"answers in {words.span(middle)} (median of the hours), 95th percentile {words.span(high)}"
    picture = (
        latency_picture(f"latency of {name} in the last {HOURS} hours: {told}", known, begin) if len(known) > 1 else ""
    )
    return f'<div class="quiet">{told}</div>{picture}'


def percentile_95(values: Sequence[float]) -> float:
    """The 95th percentile; of one value, that value."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def latency_picture(label: str, known: Sequence[tuple[datetime, float]], begin: datetime) -> str:
    """The hours as a line; where an hour is missing it is interrupted."""
    top = max(value for _, value in known) or 1.0
    points = [((hour - begin).total_seconds() / 3600, 10 - 9 * value / top) for hour, value in known]
    pairs = pairwise(points)
    lines = "".join(
        f'<line x1="{x:.2f}" y1="{y:.2f}" x2="{next_x:.2f}" y2="{next_y:.2f}"/>'
        for (x, y), (next_x, next_y) in pairs
        if next_x - x <= 1.5
    )
    return (
        f'<svg class="latency" viewBox="-1 0 {HOURS + 1} 10" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(label)}">{lines}</svg>'
    )
