"""From the lines of a record to outages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from upgate.base.errors import UsageError
from upgate.watch.outages import timeline_of
from upgate.watch.reading import WatchRecord, load_record
from upgate.watch.record import BadRun, Beat, Happening, RecordLine, SampledSeries, WatchBegin
from upgate.watch.spans import TimeSpan, covered, without
from upgate.watch.timeline import Outage
from upgate.watch.writing import RecordWriter

STARTED = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
SHOP = SampledSeries(name="shop", target="https://shop.example.com/")
CONTROL = SampledSeries(name="control", target="https://elsewhere.example.com/", control=True)


def begin(*series: SampledSeries, started: datetime = STARTED) -> WatchBegin:
    """The first line of a watch."""
    return WatchBegin(started=started, interval=1.0, profile="prod", series=list(series or (SHOP,)))


def run(start: float, end: float | None, *, series: int = 0, state: str = "down", why: str = "refused") -> BadRun:
    """A run with a sample each second."""
    last = start if end is None else end - 1
    return BadRun(series=series, state=state, start=start, last=last, end=end, count=int(last - start) + 1, why=why)  # type: ignore[arg-type]


def watched(*runs: BadRun, first: WatchBegin | None = None, until: float = 100.0) -> WatchRecord:
    """A watch that has measured these runs."""
    first = first or begin()
    return WatchRecord(first, until, [50] * len(first.series), list(runs))


def outages(*watches: WatchRecord) -> list[Outage]:
    """The outages of the first target."""
    return timeline_of(watches).targets[0].outages


def test_an_outage_has_its_seconds_and_its_reason() -> None:
    """An outage is from the first failing sample to the first good one."""
    target = timeline_of([watched(run(10.0, 13.5))]).targets[0]
    assert [(each.seconds, each.why, each.ongoing) for each in target.outages] == [(3.5, "refused", False)]
    assert (target.samples, target.failed, target.outage_seconds, target.longest_seconds) == (53, 3, 3.5, 3.5)


def test_time_that_was_not_measured_is_no_outage() -> None:
    """A gap within an outage is taken out of it, and one after it ends it."""
    gap = run(12.0, 20.0, state="unmeasured")
    assert [each.seconds for each in outages(watched(run(10.0, 12.0), gap, run(20.0, 21.0)))] == [3.0]
    assert [each.seconds for each in outages(watched(run(10.0, 12.0), gap))] == [2.0]
    target = timeline_of([watched(run(10.0, 12.0), gap)]).targets[0]
    assert (target.not_measured_seconds, [each.seconds for each in target.gaps]) == (8.0, [8.0])


def test_our_own_network_is_no_outage() -> None:
    """While every control target fails, the others are not measured; a control target alone has its own outage."""
    first = begin(SHOP, CONTROL)
    record = watched(run(10.0, 20.0), run(14.0, 16.0, series=1), first=first)
    shop, control = timeline_of([record]).targets
    assert (shop.outage_seconds, shop.not_measured_seconds) == (6.0, 4.0)
    assert (control.outage_seconds, control.not_measured_seconds) == (2.0, 0.0)
    both = watched(run(10.0, 12.0), run(10.0, 12.0, series=1), first=first)
    assert outages(both) == []


def test_two_control_targets_must_both_fail() -> None:
    """One control target may have an outage of its own."""
    other = msgspec.structs.replace(CONTROL, name="other")
    record = watched(run(10.0, 20.0), run(10.0, 20.0, series=1), first=begin(SHOP, CONTROL, other))
    assert [each.seconds for each in outages(record)] == [10.0]


def test_an_outage_that_is_not_over_lasts_until_the_last_beat() -> None:
    """A watch that ends, or is killed, during an outage says so."""
    record = watched()
    record.open = [run(90.0, None)]
    assert [(each.seconds, each.ongoing) for each in outages(record)] == [(10.0, True)]


def test_the_time_between_two_watches_is_not_measured() -> None:
    """A watch that was started again goes on with the same record."""
    second = watched(run(1.0, 2.0), first=begin(started=STARTED.replace(minute=10)))
    target = timeline_of([watched(), second]).targets[0]
    assert (target.not_measured_seconds, target.samples) == (500.0, 101)
    assert target.outages[0].start == STARTED.replace(minute=10, second=1)


def test_kept_connections_are_told_apart() -> None:
    """A target has the numbers of new connections, and beside them those of kept ones."""
    first = begin(SHOP, msgspec.structs.replace(SHOP, connection="kept"))
    target = timeline_of([watched(run(10.0, 15.0, series=1), first=first)]).targets[0]
    assert target.kept is not None
    assert (target.outage_seconds, target.kept.outage_seconds, target.worst) == (0.0, 5.0, target.kept)


def test_a_record_is_read_while_it_is_written(tmp_path: Path) -> None:
    """What was written so far counts; of a last line that is cut off nothing does."""
    path = tmp_path / "disruption.jsonl"
    writer = RecordWriter(path, begin())
    writer.write([RecordLine(beat=Beat(at=1.0, good=1)), RecordLine(run=run(1.0, 3.0))])
    writer.write([RecordLine(beat=Beat(at=5.0, good=[2], open=[run(4.0, None)]))])
    writer.write([RecordLine(event=Happening(at=2.0, object="Node/a", what="cordoned"))])
    with path.open("ab") as file:
        file.write(b'{"beat": {"at": 9')
    [record] = load_record(path)
    assert (record.until, record.good, len(record.by_series[0]), record.ended) == (5.0, [3], 2, False)
    RecordWriter(path, begin(started=STARTED.replace(hour=2)))
    assert len(load_record(path)) == 2


def test_a_record_rotates(tmp_path: Path) -> None:
    """A record in several files is one record."""
    path = tmp_path / "disruption.jsonl"
    writer = RecordWriter(path, begin(), rotated_at=400)
    for second in range(20):
        writer.write([RecordLine(beat=Beat(at=float(second), good=1))])
    writer.close()
    assert len(list(tmp_path.iterdir())) > 2
    assert [record.good for record in load_record(path)] == [[20]]


@pytest.mark.parametrize(
    "text", ["", "hello\n" * 200, '{"begin": {"schema": 9, "started": "2026-11-21T01:00:00Z", "interval": 1}}']
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is empty, something else, or of another version is a usage error."""
    path = tmp_path / "disruption.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="cannot use"):
        load_record(path)


def test_spans() -> None:
    """Time without other time."""
    assert without([TimeSpan(0, 10), TimeSpan(20, 30)], [TimeSpan(-1, 1), TimeSpan(5, 6), TimeSpan(9, 21)]) == [
        TimeSpan(1, 5),
        TimeSpan(6, 9),
        TimeSpan(21, 30),
    ]
    assert covered(TimeSpan(2, 3), [TimeSpan(0, 1), TimeSpan(2, 4)])
    assert not covered(TimeSpan(1, 3), [TimeSpan(0, 1), TimeSpan(2, 4)])
