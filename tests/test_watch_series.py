"""The arithmetic of samples: runs, slots and their order."""

from __future__ import annotations

from upgate.watch.grid import PAUSED, Slots, spread_phases
from upgate.watch.series import SeriesRuns


def sampled(*states: str) -> SeriesRuns:
    """A series with a sample of each state, a second apart."""
    series = SeriesRuns(0)
    for second, state in enumerate(states):
        series.begin(float(second)).settle(state, f"{state}!")  # type: ignore[arg-type]
    series.take_ended()
    return series


def test_a_run_is_from_its_first_sample_to_the_first_good_one_after_it() -> None:
    """An outage is from the start of the first failing sample to the start of the first good one."""
    series = sampled("good", "down", "down", "good")
    assert [(run.start, run.end, run.count) for run in series.over] == [(1.0, 3.0, 2)]
    assert (series.good, series.run) == (2, None)


def test_samples_count_in_the_order_in_which_they_began() -> None:
    """A sample that hangs is dated by its start, although later ones have ended before it."""
    series = SeriesRuns(0)
    hanging, quick = series.begin(0.0), series.begin(1.0)
    quick.settle("good")
    series.take_ended()
    assert (series.good, series.waiting) == (0, 1)
    hanging.settle("down", "no answer")
    series.take_ended()
    assert [(run.start, run.end) for run in series.over] == [(0.0, 1.0)]


def test_what_was_not_measured_is_neither_up_nor_down() -> None:
    """A failing sample, a gap and a failing sample are two runs, with a gap between."""
    series = sampled("down", "unmeasured", "down", "good")
    assert [(run.state, run.start, run.end) for run in series.over] == [
        ("down", 0.0, 1.0),
        ("unmeasured", 1.0, 2.0),
        ("down", 2.0, 3.0),
    ]


def test_a_run_keeps_its_first_reason_and_a_few_others() -> None:
    """Whatever a server answers, a run stays small."""
    series = SeriesRuns(0)
    for second in range(100):
        series.begin(float(second)).settle("down", f"{second}" * 1000)
    series.take_ended()
    assert series.run is not None
    assert (series.run.count, len(series.run.why), len(series.run.also)) == (100, 300, 3)


def test_the_grid_is_fixed() -> None:
    """A late sample does not move those after it."""
    slots = Slots(SeriesRuns(0), 0.25, 1.0)
    assert [slots.take(now) for now in (0.2, 0.3, 0.9, 1.9, 2.3)] == [False, True, False, True, True]
    assert slots.due == 3.25


def test_missed_slots_are_not_measured() -> None:
    """After a pause the slots that were missed are one gap, and the grid goes on."""
    slots = Slots(SeriesRuns(0), 0.0, 1.0)
    assert slots.take(0.0)
    slots.series.begin(0.0).settle("good")
    assert not slots.take(3600.5)
    assert slots.due == 3601.0
    slots.series.begin(3601.0).settle("good")
    slots.series.take_ended()
    assert [(run.state, run.start, run.end, run.why) for run in slots.series.over] == [
        ("unmeasured", 1.0, 3601.0, PAUSED)
    ]


def test_series_are_spread_over_the_interval() -> None:
    """No two targets are asked at the same moment."""
    assert spread_phases(4, 1.0) == [0.0, 0.25, 0.5, 0.75]
