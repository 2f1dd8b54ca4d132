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


def unproven(target: TimelineTarget, total: float | None, longest: float | None) -> str:
    """What was not measured and may hide more than the budget allows; empty where it cannot."""
    return next(
        (words for each in (target, target.kept) if each and (words := hidden_by_gaps(each, total, longest))), ""
    )


def hidden_by_gaps(series: MeasuredSeries, total: float | None, longest: float | None) -> str:
    """The same for one kind of connection."""
    if not series.samples:
        return "it was not measured"
    unseen, gap = series.not_measured_seconds, max((each.seconds for each in series.gaps), default=0.0)
    if total is not None and unseen and series.outage_seconds + unseen > total:
        return f"it was not measured for {unseen:.1f} s, which may hide more than the budget allows"
    if longest is not None and gap > longest:
        return f"it was not measured for {gap:.1f} s at a time, which may hide more than the budget allows"
    return ""
