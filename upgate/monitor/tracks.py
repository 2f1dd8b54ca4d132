"""90 days of a check or a target as markup: a bar that is the higher the worse, and the same in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby

from upgate.base.text import counted
from upgate.monitor.availability import DAYS, State, Tally, Track

#: Of ten: so that the bar can be read without telling colours apart.
HEIGHTS: dict[State, int] = {"none": 1, "maintenance": 3, "fine": 3, "warned": 5, "inconclusive": 7, "failed": 10}
MEANINGS: dict[State, str] = {
    "fine": "fine",
    "warned": "warnings",
    "inconclusive": "not always judged",
    "failed": "failures",
    "maintenance": "maintenance",
    "none": "no data",
}
#: The periods for which availability is shown.
WINDOWS = {"today": 1, "7 days": 7, "30 days": 30, f"{DAYS} days": DAYS}


def track(one: Track, title: str, extra: str = "") -> str:
    """One line of the list: name, figures, bar, and the days that were not fine."""
    label = f"the last {DAYS} days of {one.name}: {states_in_words(one)}"
    return (
        f'<li class="track"><div class="line"><span class="name">{escape(one.name)}</span>'
        f'<span class="figures">{figures(one)}{extra}</span></div><div class="quiet">{title}</div>'
        f"{bar(one.days, label)}{worst(one)}</li>"
    )


def figures(one: Track) -> str:
    """Availability in the last days; a time of which nothing is known is left out."""
    known = {name: one.availability(days) for name, days in WINDOWS.items()}
    told = [f"<span>{name} <b>{percent(ratio)}</b></span> " for name, ratio in known.items() if ratio is not None]
    return "".join(told) or "<span>never judged</span> "


def bar(days: tuple[Tally, ...], label: str) -> str:
    """The days as a picture; equal neighbours are one rectangle."""
    rects, x = [], 0
    for state, run in groupby(days, key=lambda it: it.state):
        width, height = len(list(run)), HEIGHTS[state]
        rects.append(f'<rect class="{state}" x="{x}" y="{10 - height}" width="{width}" height="{height}"/>')
        x += width
    return (
        f'<svg class="bar" viewBox="0 0 {x} 10" preserveAspectRatio="none" shape-rendering="crispEdges" role="img"'
        f' aria-label="{escape(label)}">{"".join(rects)}</svg>'
    )


def states_in_words(one: Track) -> str:
    """The picture in words: `86 days fine, 1 day failures`."""
    counts = Counter(day.state for day in one.days)
    return ", ".join(
        f"{counted(counts[state], 'day')} {meaning}" for state, meaning in MEANINGS.items() if counts[state]
    )


def worst(one: Track) -> str:
    """The days that were not fine, behind a line that opens them."""
    if not one.worst:
        return ""
    items = "".join(f"<li>{day.day}: {', '.join(day_remarks(day))}</li>" for day in one.worst)
    return f"<details><summary>not fine on {counted(len(one.worst), 'day')}</summary><ul>{items}</ul></details>"


def day_remarks(day: Tally) -> Iterator[str]:
    """What was not fine on a day."""
    rounds = day.good + day.bad + day.unknown
    for number, verb in ((day.bad, "failed"), (day.unknown, "could not be judged"), (day.warned, "warned")):
        if number:
            yield f"{verb} in {number:,} of {rounds:,}"


def track_legend() -> str:
    """What the heights mean."""
    items = "".join(f"<li>{height_mark(state)}{meaning}</li>" for state, meaning in MEANINGS.items() if state != "none")
    return f'<ul class="legend">{items}<li>{DAYS} days, today on the right</li></ul>'


def height_mark(state: State) -> str:
    height = HEIGHTS[state]
    rect = f'<rect class="{state}" x="0" y="{10 - height}" width="1" height="{height}"/>'
    return f'<svg class="bar" viewBox="0 0 1 10" preserveAspectRatio="none" aria-hidden="true">{rect}</svg>'


def percent(ratio: float) -> str:
    """`99.93 %`, rounded down: only what never failed is 100 %."""
    return "100 %" if ratio == 1 else f"{int(ratio * 10_000) / 100:.2f} %"
