"""Whether users were cut off for longer than they may be. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from upgate.watch.timeline import MeasuredSeries, TimelineTarget


def over_budget(target: TimelineTarget, total: float | None, longest: float | None) -> str:
    """What is over the budget, of new and of kept connections; empty where nothing is."""
    found = [*series_over(target, total, longest)]
    found += [f"over kept connections {each}" for each in series_over(target.kept, total, longest)]
    return "; ".join(found)


def series_over(series: MeasuredSeries | None, total: float | None, longest: float | None) -> Iterator[str]:
    """What is over the budget."""
    if series and total is not None and series.outage_seconds > total:
        yield f"away for {series.outage_seconds:.1f} s in all"
    if series and longest is not None and series.longest_seconds > longest:
        yield f"away for {series.longest_seconds:.1f} s at a time"


def budget_words(total: float | None, longest: float | None) -> str:
    """The budget in words."""
    words = [f"at most {total:g} s in all" if total is not None else ""]
    words.append(f"at most {longest:g} s at a time" if longest is not None else "")
    return ", ".join(filter(None, words))
