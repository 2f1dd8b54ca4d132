"""90 days of a check or a target as markup: a bar that is the higher the worse, and the same in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby

from upgate.base.text import counted
from upgate.monitor.availability import DAYS, State, Tally, Track

#: Of ten: a day without trouble is low, so that the share of bad rounds can be seen without telling colours apart.
HEIGHTS: dict[State, int] = {"none": 1, "maintenance": 3, "fine": 3, "warned": 3, "inconclusive": 3, "failed": 3}
#: The least height at which a share can still be seen.
LOWEST = 2
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


def track(one: Track, title: str, extra: str = "", strip: str = "") -> str:
    """One line of the list: name, figures, the last 24 hours, 90 days, and the days that were not fine."""
    label = f"the last {DAYS} days of {one.name}: {states_in_words(one)}"
    return (
        f'<li class="track"><div class="line"><span class="name">{escape(one.name)}</span>'
        f'<span class="figures">{figures(one)}</span></div><div class="quiet">{title}</div>'
        f"{strip}{bar(one.days, label)}{extra}{worst(one)}</li>"
    )


def figures(one: Track) -> str:
    """Availability in the last days, with how much was measured; a period that is longer than what is known is left out."""
    known = {name: one.availability(days) for name, days in periods(one).items()}
    told = [f"<span>{name} <b>{percent(ratio)}</b></span> " for name, ratio in known.items() if ratio is not None]
    return "".join([*told, f"<span>{measured_part(one)}</span> "]) if told else "<span>never judged</span> "


def periods(one: Track) -> dict[str, int]:
    """The periods of which more is known than of the next shorter one."""
    judged = [number for number, day in enumerate(reversed(one.days), 1) if day.judged]
    oldest, shorter, kept = max(judged, default=0), 0, {}
    for name, days in WINDOWS.items():
        if oldest > shorter:
            kept[name] = days
        shorter = days
    return kept


def measured_part(one: Track) -> str:
    """How much the figures rest on."""
    days = [day for day in one.days if day.judged]
    return f"of {counted(sum(day.judged for day in days), 'round')} on {counted(len(days), 'day')}"


def bar(days: tuple[Tally, ...], label: str) -> str:
    """The days as a picture; equal neighbours are one rectangle, and above it is the share of rounds that were not fine."""
    rects, x = [], 0
    for (state, trouble, height), run in groupby(days, key=day_shape):
        width = len(list(run))
        rects.append(
            f'<rect class="{state}" x="{x}" y="{10 - HEIGHTS[state]}" width="{width}" height="{HEIGHTS[state]}"/>'
        )
        if trouble:
            rects.append(f'<rect class="{trouble}" x="{x}" y="{10 - height}" width="{width}" height="{height}"/>')
        x += width
    return (
        f'<svg class="bar" viewBox="0 0 {x} 10" preserveAspectRatio="none" shape-rendering="crispEdges" role="img"'
        f' aria-label="{escape(label)}">{"".join(rects)}</svg>'
    )


def day_shape(day: Tally) -> tuple[State, State | None, int]:
    """What a day is drawn as: its ground, its trouble, and how high that is."""
    if day.state not in ("failed", "inconclusive", "warned"):
        return day.state, None, 0
    number = {"failed": day.bad, "inconclusive": day.unknown, "warned": day.warned}[day.state]
    rounds = max(1, day.good + day.bad + day.unknown)
    return "fine", day.state, max(LOWEST, round(10 * number / rounds))


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
    """What the colours and heights mean."""
    items = "".join(f"<li>{colour_mark(state)}{meaning}</li>" for state, meaning in MEANINGS.items() if state != "none")
    return (
        f'<ul class="legend">{items}<li>the higher, the larger the share of the day; '
        f"above: the last 24 hours; below: {DAYS} days, today on the right</li></ul>"
    )


def colour_mark(state: State) -> str:
    """A colour of the legend."""
    rect = f'<rect class="{state}" x="0" y="0" width="1" height="10"/>'
    return f'<svg class="bar" viewBox="0 0 1 10" preserveAspectRatio="none" aria-hidden="true">{rect}</svg>'


def percent(ratio: float) -> str:
    """`99.93 %`, rounded down: only what never failed is 100 %."""
    return "100 %" if ratio == 1 else f"{int(ratio * 10_000) / 100:.2f} %"
