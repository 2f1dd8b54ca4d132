"""The timeline as HTML: a fragment for a page, with its own style and script, and one page of its own.

It is complete without its script and without a network. It has no `style` attributes: a page's Content-Security-Policy may
name the hashes of `timeline_assets()` and forbid everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape
from itertools import groupby

from upgate.base.harmless import harmless
from upgate.reports.html import asset, policy
from upgate.reports.timeline_rows import TimelineMark, TimelineRow, timeline_rows
from upgate.reports.timeline_text import outage_words, series_words
from upgate.watch.timeline import MeasuredSeries, Timeline

#: Marks of the axis where there is no script; outages in the table.
TICKS, MOST_LISTED = 7, 200
#: Sentences above the picture.
FIRST_SAID = 6
#: Digits of a percentage: a second of a day is 0.001 %.
PLACES = 4


def timeline_page(timeline: Timeline) -> bytes:
    """One page for a browser."""
    style, script = timeline_assets()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy([style], [script])}">
<meta name="color-scheme" content="light dark"><title>{shown_text(timeline.profile)} while the upgrade ran — upgate</title>
</head><body>{timeline_fragment(timeline)}</body></html>
""".encode()


def timeline_assets() -> tuple[str, str]:
    """The style and the script that a fragment brings."""
    return asset("timeline.css"), asset("timeline.js")


def timeline_fragment(timeline: Timeline) -> str:
    """The timeline for a page of which it is a part."""
    style, script = timeline_assets()
    seconds = max((timeline.end - timeline.start).total_seconds(), 1.0)
    return (
        f"<style>{style}</style>"
        f'<section class="ut" data-start="{timeline.start.timestamp():.3f}" data-seconds="{seconds:.3f}">'
        f"<h2>While the upgrade ran</h2><p>{shown_text(summary(timeline))}</p>"
        f"{said_list(timeline)}{CONTROLS}"
        '<div class="ut-scroll" tabindex="0" role="region" aria-label="Timeline; + and - zoom, n goes to the next outage">'
        f'<div class="ut-body">{axis(timeline.start, seconds)}{"".join(body_rows(timeline, seconds))}</div></div>'
        f"{LEGEND}{outage_table(timeline)}</section><script>{script}</script>"
    )


CONTROLS = (
    '<div class="ut-bar" hidden><button type="button" class="ut-out" aria-label="Zoom out">&minus;</button>'
    '<button type="button" class="ut-in" aria-label="Zoom in">+</button>'
    '<button type="button" class="ut-fit">All</button><button type="button" class="ut-next">Next outage</button>'
    '<output class="ut-shown" aria-live="polite">Point at a mark, or press n for the next outage.</output></div>'
)
LEGEND = (
    '<p class="ut-legend">'
    + "".join(
        f'<span><svg aria-hidden="true"><rect class="ut-{tone}" width="100%" height="100%"></rect></svg>{words}</span>'
        for tone, words in (
            ("good", "answered"),
            ("down", "away, or not Ready"),
            ("gap", "not measured, or deleted"),
            ("warn", "cordoned, or empty on purpose"),
            ("info", "something happened"),
        )
    )
    + "</p>"
)


def shown_text(text: str) -> str:
    """Anything that varies, as it may stand in HTML."""
    return escape(harmless(text))


def summary(timeline: Timeline) -> str:
    """From when to when, how often, and how many were away."""
    away = sum(bool(each.worst.outages) for each in timeline.targets)
    return (
        f"{timeline.profile}, {timeline.start:%Y-%m-%d %H:%M:%S} to {timeline.end:%H:%M:%S} UTC, "
        f"a sample every {timeline.interval_seconds:g} s: {away} of {len(timeline.targets)} targets were away at some time."
    )


def said_list(timeline: Timeline) -> str:
    """What can be concluded."""
    said = [f"<li>{shown_text(each)}</li>" for each in timeline.sentences[:MOST_LISTED]]
    if not said:
        return ""
    first, more = "".join(said[:FIRST_SAID]), "".join(said[FIRST_SAID:])
    rest = f'<details><summary>{len(said) - FIRST_SAID} more</summary><ul class="ut-said">{more}</ul></details>'
    return f'<ul class="ut-said">{first}</ul>' + (rest if more else "")


def axis(start: datetime, seconds: float) -> str:
    """The times; the script draws them again when the picture is zoomed."""
    marks = "".join(tick(start, seconds, index / TICKS) for index in range(TICKS))
    lane = f'<svg class="ut-lane" aria-hidden="true">{marks}</svg>'
    return f'<div class="ut-row ut-axis"><span class="ut-label">UTC</span>{lane}</div>'


def tick(start: datetime, seconds: float, share: float) -> str:
    """One time on the axis."""
    place, time = share_of_width(share), start + timedelta(seconds=share * seconds)
    line = f'<line x1="{place}" x2="{place}" y1="0" y2="100%"></line>'
    return f'{line}<text x="{place}" dx="3" y="15">{time:%H:%M:%S}</text>'


def body_rows(timeline: Timeline, seconds: float) -> Iterator[str]:
    """All rows under their headings."""
    for group, rows in groupby(timeline_rows(timeline), key=lambda row: row.group):
        yield f'<span class="ut-group">{shown_text(group)}</span>'
        yield from (row_markup(row, timeline.start, seconds) for row in rows)


def row_markup(row: TimelineRow, start: datetime, seconds: float) -> str:
    """One row."""
    name, says = shown_text(row.name), shown_text(row.says)
    good = '<rect class="ut-good" x="0" y="4" width="100%" height="16"></rect>' if row.measured else ""
    marks = "".join(mark_markup(mark, start, seconds) for mark in row.marks)
    return (
        f'<div class="ut-row"><span class="ut-label" title="{name} {says}">{name}</span>'
        f'<svg class="ut-lane" role="group" aria-label="{name} {says}">{good}{marks}</svg></div>'
    )


def mark_markup(mark: TimelineMark, start: datetime, seconds: float) -> str:
    """A span of time, or a moment."""
    left, title = (
        share_of_width((mark.start - start).total_seconds() / seconds),
        f"<title>{shown_text(mark.says)}</title>",
    )
    if mark.end is None:
        return f'<circle class="ut-{mark.tone}" cx="{left}" cy="12" r="3.5">{title}</circle>'
    width = share_of_width((mark.end - mark.start).total_seconds() / seconds)
    focus = f' tabindex="0" role="img" aria-label="{shown_text(mark.says)}"' if mark.tone == "down" else ""
    return f'<rect class="ut-{mark.tone}" x="{left}" y="5" width="{width}" height="14"{focus}>{title}</rect>'


def share_of_width(share: float) -> str:
    """A share of the picture's width."""
    return f"{min(max(share, 0.0), 1.0) * 100:.{PLACES}f}%"


def outage_table(timeline: Timeline) -> str:
    """All targets in words and numbers, for those who cannot see the picture, and to be copied."""
    rows = [row for target in timeline.targets for row in outage_rows(target.name, target)]
    rows += [row for each in timeline.targets if each.kept for row in outage_rows(f"{each.name}, kept", each.kept)]
    more = f"<p>… and {len(rows) - MOST_LISTED} more</p>" if len(rows) > MOST_LISTED else ""
    if not rows:
        return "<p>No target was away.</p>"
    head = "<tr><th>Target</th><th>Outage</th><th>Because</th></tr>"
    table = f"<table>{head}{''.join(rows[:MOST_LISTED])}</table>{more}"
    return f'<details><summary>All outages</summary><div class="ut-wide">{table}</div></details>'


def outage_rows(name: str, series: MeasuredSeries) -> Iterator[str]:
    """The outages of one series."""
    for each in series.outages:
        cells = (f"{name} ({series_words(series)})", outage_words(each), each.because)
        yield "<tr>" + "".join(f"<td>{shown_text(cell)}</td>" for cell in cells) + "</tr>"
