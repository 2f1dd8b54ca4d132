"""What was measured and what the cluster did, over one time axis: the JSON of `upgate timeline`."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

#: Digits of seconds that are said; the grid is never finer.
DIGITS = 3


class Outage(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """Users were cut off."""

    start: datetime
    end: datetime
    #: Without the time in it that was not measured.
    seconds: float
    why: str
    #: What else was wrong later in it.
    also: list[str] = []
    #: It was not over when the watch ended.
    ongoing: bool = False
    #: What the cluster did that explains it; empty where that cannot be concluded.
    because: str = ""


class TimeGap(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """Time that was not measured."""

    start: datetime
    end: datetime
    seconds: float
    why: str


class MeasuredSeries(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the samples over one kind of connection."""

    samples: int
    failed: int
    outage_seconds: float
    longest_seconds: float
    not_measured_seconds: float
    outages: list[Outage]
    gaps: list[TimeGap]


class TimelineTarget(MeasuredSeries, frozen=True, kw_only=True):
    """One target; its own numbers are those of new connections."""

    name: str
    #: The URL or `host:port`.
    target: str
    control: bool
    #: The Service that it leads to, as `namespace/name`; empty where that is not known.
    service: str = ""
    #: The same requests over a connection that is kept; None where that makes no difference.
    kept: MeasuredSeries | None = None
    #: The seconds that the profile allowed when it was recorded: all outages together, and each of them.
    budget_total: float | None = None
    budget_longest: float | None = None

    @property
    def worst(self) -> MeasuredSeries:
        """Of both kinds of connections, the one that was away for longer."""
        return max((each for each in (self, self.kept) if each), key=lambda each: each.outage_seconds)


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one object."""

    at: datetime
    #: `Kind/name` or `Kind/namespace/name`; `Watch` for the watch itself.
    object: str
    what: str
    details: dict[str, str] = {}


class Timeline(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """What happened to users, and what the cluster did, over one time axis."""

    schema: int = 1
    start: datetime
    end: datetime
    profile: str = ""
    server: str = ""
    cluster: str = ""
    interval_seconds: float
    targets: list[TimelineTarget]
    events: list[TimelineEvent] = []
    #: What can be concluded, a sentence each.
    sentences: list[str] = []


def to_digits(seconds: float) -> float:
    """As many digits as mean something."""
    return round(seconds, DIGITS)


def moment(start: datetime, seconds: float) -> datetime:
    """So many seconds later."""
    return start + timedelta(seconds=to_digits(seconds))


def seconds_between(start: datetime, end: datetime) -> float:
    """Seconds from one to the other."""
    return (end - start).total_seconds()


def without_before(timeline: Timeline, since: datetime) -> Timeline:
    """The timeline without what was over before a moment."""
    targets = [
        msgspec.structs.replace(
            target,
            kept=target.kept and later_part(target.kept, since),
            **{name: getattr(later_part(target, since), name) for name in MeasuredSeries.__struct_fields__},
        )
        for target in timeline.targets
    ]
    events = [event for event in timeline.events if event.at >= since or event.object == "Watch"]
    return msgspec.structs.replace(timeline, targets=targets, events=events)


def later_part(series: MeasuredSeries, since: datetime) -> MeasuredSeries:
    """The outages and gaps that were not over before a moment; samples are those of the whole record."""
    outages = [each for each in series.outages if each.end > since]
    gaps = [each for each in series.gaps if each.end > since]
    return MeasuredSeries(
        samples=series.samples,
        failed=series.failed,
        outages=outages,
        gaps=gaps,
        outage_seconds=to_digits(sum(each.seconds for each in outages)),
        longest_seconds=max((each.seconds for each in outages), default=0.0),
        not_measured_seconds=to_digits(sum(each.seconds for each in gaps)),
    )
