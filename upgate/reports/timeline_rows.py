"""The rows of the timeline: what is drawn, where it begins and ends, and what it says. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from upgate.reports.timeline_text import outage_words, series_words
from upgate.watch.services import services_away
from upgate.watch.timeline import MeasuredSeries, Timeline, TimelineEvent, TimelineTarget

Tone = Literal["down", "gap", "warn", "info"]
#: What begins a state of a node, what ends it, its tone and its words.
STATES: tuple[tuple[str, str, Tone, str], ...] = (
    ("cordoned", "uncordoned", "warn", "cordoned"),
    ("not Ready", "Ready again", "down", "not Ready"),
    ("was deleted", "joined", "gap", "deleted"),
    ("allows no eviction", "holds no eviction up", "warn", "holds an eviction up"),
)
#: Kinds of objects in the order of their rows, and the heading of each group.
GROUPS = {
    "Service": "Services without a ready endpoint",
    "Node": "Nodes",
    "Deployment": "Workloads",
    "StatefulSet": "Workloads",
    "DaemonSet": "Workloads",
    "PodDisruptionBudget": "PodDisruptionBudgets",
    "Pod": "Pods behind the targets",
    "Lease": "Leaders of the control plane",
    "Watch": "The watch itself",
}
#: Rows of one kind that are drawn; of the others the number is told.
MOST_ROWS = 400
ROLLOUT_BEGAN, ROLLOUT_COMPLETE = "rollout or scaling began", "rollout or scaling complete"


class TimelineMark(NamedTuple):
    """One thing on a row; a moment where it has no end."""

    start: datetime
    end: datetime | None
    tone: Tone
    says: str


class TimelineRow(NamedTuple):
    """One line of the picture."""

    group: str
    name: str
    marks: list[TimelineMark]
    #: What was measured here all the time: its background is that of what was good.
    measured: bool = False
    says: str = ""


def timeline_rows(timeline: Timeline) -> list[TimelineRow]:
    """All rows: targets, those that were away first, and what the cluster did."""
    targets = sorted(timeline.targets, key=lambda each: (not each.worst.outages, each.control))
    rows = [row for target in targets for row in rows_of_target(target)]
    return [*rows, *rows_of_objects(timeline)]


def rows_of_target(target: TimelineTarget) -> Iterator[TimelineRow]:
    """A target over new connections, and over kept ones where they were away."""
    control = " (control)" if target.control else ""
    yield row_of_series(f"{target.name}{control}", target)
    if target.kept and target.kept.outages:
        yield row_of_series(f"{target.name}, kept", target.kept)


def row_of_series(name: str, series: MeasuredSeries) -> TimelineRow:
    """Its outages, and what was not measured."""
    down = [
        TimelineMark(
            each.start,
            each.end,
            "down",
            f"{name}: {outage_words(each)}" + (f" — {each.because}" if each.because else ""),
        )
        for each in series.outages
    ]
    gaps = [
        TimelineMark(each.start, each.end, "gap", f"{name}: not measured for {each.seconds:.1f} s: {each.why}")
        for each in series.gaps
    ]
    return TimelineRow("Targets", name, [*gaps, *down], True, series_words(series))


def rows_of_objects(timeline: Timeline) -> Iterator[TimelineRow]:
    """A row for each object of which something was told."""
    events: defaultdict[str, list[TimelineEvent]] = defaultdict(list)
    for event in timeline.events:
        events[event.object].append(event)
    shown: defaultdict[str, int] = defaultdict(int)
    for object in sorted(events, key=lambda each: (list(GROUPS).index(row_kind(each)), each)):
        group = GROUPS[row_kind(object)]
        shown[group] += 1
        if shown[group] <= MOST_ROWS:
            yield TimelineRow(group, object.partition("/")[2] or object, object_marks(object, events[object], timeline))
    for group, number in shown.items():
        if number > MOST_ROWS:
            yield TimelineRow(group, f"… and {number - MOST_ROWS} more", [])


def row_kind(object: str) -> str:
    """Its kind, as far as it has a group of its own."""
    kind = object.partition("/")[0]
    return kind if kind in GROUPS else "Watch"


def object_marks(object: str, events: list[TimelineEvent], timeline: Timeline) -> list[TimelineMark]:
    """What happened to one object: how long it was in a state, and moments."""
    if object.startswith("Service/"):
        return [
            TimelineMark(
                each.start,
                each.end,
                "warn" if each.excused else "down",
                f"{object} {each.what} for {each.seconds:.1f} s",
            )
            for each in services_away(timeline)
            if each.ref == object
        ]
    spans = [mark for state in STATES for mark in spans_of(state, events, timeline.end)]
    if any(each.what == ROLLOUT_BEGAN for each in events):
        spans += spans_of((ROLLOUT_BEGAN, ROLLOUT_COMPLETE, "info", "rollout or scaling"), events, timeline.end)
    ends = (ROLLOUT_BEGAN, ROLLOUT_COMPLETE, *(words for begins, ends, *_ in STATES for words in (begins, ends)))
    moments = [
        TimelineMark(each.at, None, "info", f"{each.at:%H:%M:%S} {object}: {each.what}")
        for each in events
        if not each.what.startswith(ends)
    ]
    return [*spans, *moments]


def spans_of(state: tuple[str, str, Tone, str], events: list[TimelineEvent], end: datetime) -> Iterator[TimelineMark]:
    """How long an object was in one state, each time."""
    begins, ends, tone, words = state
    since: TimelineEvent | None = None
    for event in events:
        if since is None and event.what.startswith(begins):
            since = event
        elif since and event.what.startswith(ends):
            yield TimelineMark(since.at, event.at, tone, state_words(words, since, event.at))
            since = None
    if since:
        yield TimelineMark(since.at, end, tone, state_words(words, since, end))


def state_words(words: str, since: TimelineEvent, until: datetime) -> str:
    """`worker-3 not Ready for 12 s from 01:02:03`."""
    seconds = (until - since.at).total_seconds()
    return f"{since.object}: {words} for {seconds:.0f} s from {since.at:%H:%M:%S}"
