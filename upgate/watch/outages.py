"""What was measured → outages, with what was not measured taken out of them: a timeline. Pure.

An outage is from the start of the first failing sample to the start of the first good one. What was not measured in between
counts neither as up nor as down; nor does the time in which every control target failed too: our own network was away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from upgate.watch.reading import WatchRecord
from upgate.watch.record import BadRun, SampledSeries
from upgate.watch.spans import TimeSpan, common, covered, merged_spans, total_seconds, without
from upgate.watch.timeline import (
    MeasuredSeries,
    Outage,
    TimeGap,
    Timeline,
    TimelineEvent,
    TimelineTarget,
    moment,
    seconds_between,
    to_digits,
)

NOT_MEASURED, OWN_NETWORK = "not measured", "the control targets failed too: our own network was away"


class _Measured(msgspec.Struct):
    """One series over all its watches, in seconds after the start of the first."""

    series: SampledSeries
    interval: float
    samples: int = 0
    failed: int = 0
    down: list[tuple[TimeSpan, BadRun]] = []
    unmeasured: list[tuple[TimeSpan, str]] = []
    ongoing: float | None = None


def timeline_of(watches: Sequence[WatchRecord]) -> Timeline:
    """The timeline of a record, without sentences."""
    first, last = watches[0].begin, watches[-1]
    measured = list(measured_series(watches))
    blind = own_network(measured)
    own = (each for watch in watches for each in watch.events)
    shift = {
        id(each): seconds_between(first.started, watch.begin.started) for watch in watches for each in watch.events
    }
    events = [
        TimelineEvent(
            at=moment(first.started, each.at + shift[id(each)]),
            object=each.object,
            what=each.what,
            details=each.details,
        )
        for each in own
    ]
    return Timeline(
        start=first.started,
        end=moment(last.begin.started, last.until),
        profile=last.begin.profile,
        server=last.begin.server,
        cluster=last.begin.cluster,
        interval_seconds=last.begin.interval,
        targets=targets_of(measured, blind, first.started),
        events=sorted(events, key=lambda each: each.at),
    )


def measured_series(watches: Sequence[WatchRecord]) -> Iterable[_Measured]:
    """Each series by name and connection, over all watches; the time between two watches is not measured."""
    found: dict[tuple[str, str], _Measured] = {}
    start, before = watches[0].begin.started, 0.0
    for watch in watches:
        offset = seconds_between(start, watch.begin.started)
        gap = [(TimeSpan(before, offset), "no watch was running")] if offset > before else []
        for series, good, runs in zip(watch.begin.series, watch.good, watch.by_series, strict=True):
            key = (series.name, series.connection)
            have = found.setdefault(key, _Measured(series, watch.begin.interval))
            have.unmeasured += gap
            add_runs(have, runs, good, offset, watch.until)
        before = offset + watch.until
    return found.values()


def add_runs(have: _Measured, runs: Sequence[BadRun], good: int, offset: float, until: float) -> None:
    """Add what one watch measured of a series."""
    have.ongoing = None
    have.samples += good
    for run in runs:
        span = TimeSpan(run.start + offset, (max(until, run.last) if run.end is None else run.end) + offset)
        if run.state == "unmeasured":
            have.unmeasured.append((span, run.why))
            continue
        have.samples, have.failed = have.samples + run.count, have.failed + run.count
        have.down.append((span, run))
        have.ongoing = span.end if run.end is None else have.ongoing


def own_network(measured: Iterable[_Measured]) -> list[TimeSpan]:
    """When every control target failed at once, and an interval before and after: targets are not sampled at one moment."""
    controls = [each for each in measured if each.series.control]
    if not controls:
        return []
    away = [wider((span for span, _ in each.down), each.interval) for each in controls]
    both = away[0]
    for other in away[1:]:
        both = common(both, other)
    return both


def wider(spans: Iterable[TimeSpan], by: float) -> list[TimeSpan]:
    """The same spans, which begin earlier and end later."""
    return merged_spans(TimeSpan(span.start - by, span.end + by) for span in spans)


def targets_of(measured: Sequence[_Measured], blind: Sequence[TimeSpan], start: datetime) -> list[TimelineTarget]:
    """The targets in their order, each with its kept connections."""
    kept = {each.series.name: each for each in measured if each.series.connection == "kept"}
    new = [each for each in measured if each.series.connection == "new"]
    return [target_of(each, kept.get(each.series.name), blind, start) for each in new]


def target_of(new: _Measured, kept: _Measured | None, blind: Sequence[TimeSpan], start: datetime) -> TimelineTarget:
    """One target."""
    series = new.series
    return TimelineTarget(
        name=series.name,
        target=series.target,
        control=series.control,
        service=series.service,
        budget_total=series.total,
        budget_longest=series.longest,
        kept=MeasuredSeries(**fields_of(kept, blind, start)) if kept else None,
        **fields_of(new, blind, start),
    )


def fields_of(series: _Measured, blind: Sequence[TimeSpan], start: datetime) -> dict:
    """What `MeasuredSeries` says of one series. Control targets show when our own network was away."""
    blind = [] if series.series.control else blind
    lost = common([span for span, _ in series.down], blind)
    gaps = [*series.unmeasured, *((span, OWN_NETWORK) for span in lost)]
    unmeasured = merged_spans(span for span, _ in gaps)
    outages = list(outages_of(series, unmeasured, start))
    return {
        "samples": series.samples,
        "failed": series.failed,
        "outages": outages,
        "outage_seconds": to_digits(sum(each.seconds for each in outages)),
        "longest_seconds": max((each.seconds for each in outages), default=0.0),
        "not_measured_seconds": to_digits(total_seconds(unmeasured)),
        "gaps": [gap_of(span, why, start) for span, why in sorted(gaps)],
    }


def gap_of(span: TimeSpan, why: str, start: datetime) -> TimeGap:
    """One gap."""
    return TimeGap(
        start=moment(start, span.start),
        end=moment(start, span.end),
        seconds=to_digits(span.seconds),
        why=why or NOT_MEASURED,
    )


def outages_of(series: _Measured, unmeasured: Sequence[TimeSpan], start: datetime) -> Iterable[Outage]:
    """The outages of a series: failing samples with nothing good between them, whatever was not measured between them."""
    for together in in_one_outage(series.down, unmeasured):
        parts = without((span for span, _ in together), unmeasured)
        if not parts:
            continue
        runs = [run for _, run in together]
        whys = list(dict.fromkeys(why for run in runs for why in (run.why, *run.also)))
        yield Outage(
            start=moment(start, parts[0].start),
            end=moment(start, parts[-1].end),
            seconds=to_digits(total_seconds(parts)),
            why=whys[0],
            also=whys[1:],
            ongoing=series.ongoing is not None and parts[-1].end >= series.ongoing,
        )


def in_one_outage(
    down: Sequence[tuple[TimeSpan, BadRun]], gaps: Sequence[TimeSpan]
) -> list[list[tuple[TimeSpan, BadRun]]]:
    """The runs of each outage: those between which there is nothing but gaps."""
    found: list[list[tuple[TimeSpan, BadRun]]] = []
    for span, run in sorted(down, key=lambda each: each[0]):
        if found and covered(TimeSpan(found[-1][-1][0].end, span.start), gaps):
            found[-1].append((span, run))
        else:
            found.append([(span, run)])
    return found
