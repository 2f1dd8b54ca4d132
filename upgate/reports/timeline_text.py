"""`upgate timeline`: who was away, for how long and why, and what the cluster did."""

from __future__ import annotations

from collections.abc import Iterator

from upgate.base.harmless import harmless
from upgate.base.text import one_line_excerpt
from upgate.watch.timeline import MeasuredSeries, Outage, Timeline, TimelineTarget

#: Outages of a target, and events, that the text names.
MOST_OUTAGES, MOST_EVENTS = 10, 40
#: Characters of each reason but the first.
LATER = 60


def timeline_text(timeline: Timeline) -> str:
    """The timeline as text."""
    return "\n".join(map(harmless, timeline_lines(timeline))) + "\n"


def timeline_lines(timeline: Timeline) -> Iterator[str]:
    """The text, line by line."""
    lasted = (timeline.end - timeline.start).total_seconds()
    began, every = f"{timeline.start:%Y-%m-%d %H:%M:%S} UTC", timeline.interval_seconds
    yield f"{timeline.profile}: {began}, {lasted:.0f} s, a sample every {every:g} s"
    for target in timeline.targets:
        yield from watched_lines(target)
    if timeline.sentences:
        yield ""
        yield from timeline.sentences
    if timeline.events:
        yield ""
        yield from (f"{each.at:%H:%M:%S}  {each.object}: {each.what}" for each in timeline.events[:MOST_EVENTS])
        if len(timeline.events) > MOST_EVENTS:
            yield f"… and {len(timeline.events) - MOST_EVENTS} more events"


def watched_lines(target: TimelineTarget) -> Iterator[str]:
    """One target: new connections, and kept ones where they differ."""
    yield f"{target.name}{' (control)' if target.control else ''}: {series_words(target)}"
    yield from outage_lines(target)
    if target.kept and target.kept.outages:
        yield f"{target.name}, kept connections: {series_words(target.kept)}"
        yield from outage_lines(target.kept)


def series_words(series: MeasuredSeries) -> str:
    """Numbers of one kind of connection."""
    away = f"away for {series.outage_seconds:.1f} s" if series.outages else "not away"
    longest = f" (longest {series.longest_seconds:.1f} s)" if len(series.outages) > 1 else ""
    unseen = f", not measured for {series.not_measured_seconds:.1f} s" if series.gaps else ""
    return f"{away}{longest}, {series.failed} of {series.samples} samples failed{unseen}"


def outage_lines(series: MeasuredSeries) -> Iterator[str]:
    """Its outages."""
    for each in series.outages[:MOST_OUTAGES]:
        yield f"  {outage_words(each)}"
    if len(series.outages) > MOST_OUTAGES:
        yield f"  … and {len(series.outages) - MOST_OUTAGES} more outages"


def outage_words(outage: Outage) -> str:
    """`01:02:03 for 3.5 s: connection refused`."""
    also = f"; then {'; '.join(one_line_excerpt(each, LATER) for each in outage.also)}" if outage.also else ""
    more = " (not over)" if outage.ongoing else ""
    return f"{outage.start:%H:%M:%S} for {outage.seconds:.1f} s{more}: {outage.why}{also}"
