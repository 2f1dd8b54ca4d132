"""The sections of the status page about the last 90 days: external targets, checks, incidents, maintenance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from upgate.base.text import counted, duration
from upgate.monitor.availability import DAYS, Track, check_tallies, target_tallies, tracks
from upgate.monitor.tracks import track, track_legend
from upgate.reports import words
from upgate.reports.cleaning import harmless, one_line
from upgate.results import Results

if TYPE_CHECKING:
    from upgate.monitor.history import History
    from upgate.monitor.records import Incident, TargetDay, Window

#: At most so many incidents and windows are shown; the history has them all.
MOST = 50
NO_HISTORY = '<p class="notice">The history could not be used: this is the last round alone. report.html says why.</p>'


def history_sections(results: Results, past: History | None) -> dict[str, str]:
    """The sections that only a history can fill."""
    if past is None:
        return {"notices": NO_HISTORY, "targets": "", "checks": "", "incidents": "", "maintenance": ""}
    now = results.finished
    begin = now - timedelta(days=DAYS)
    windows = past.windows(begin)
    days = past.target_days(begin.date())
    titles = {check.name: one_line_markup(check.title) for check in past.checks()}
    outside = tracks(target_tallies(days), now.date())
    names = {each.name for each in outside}
    inside = [each for each in tracks(check_tallies(past.days(begin.date())), now.date()) if each.name not in names]
    return {
        "notices": "".join(notice(window) for window in windows if window.since <= now < window.until),
        "targets": section("targets", "From outside", target_list(outside, titles, days)),
        "checks": section("checks", "Checks", check_list(inside, titles)),
        "incidents": section("incidents", "Incidents", incident_list(past.incidents(begin), now)),
        "maintenance": section("maintenance", "Maintenance", window_list(windows, now)),
    }


def section(id: str, heading: str, content: str) -> str:
    """A part of the page with a heading; nothing where there is nothing in it."""
    return f'<section aria-labelledby="{id}"><h2 id="{id}">{heading}</h2>{content}</section>' if content else ""


def notice(window: Window) -> str:
    return (
        f'<p class="notice">Maintenance until {words.to_the_second(window.until)}: {one_line_markup(window.reason)}. '
        "Meanwhile no alerts are sent, and findings do not count towards availability.</p>"
    )


def target_list(outside: list[Track], titles: dict[str, str], days: Iterable[TargetDay]) -> str:
    """Availability and latency of everything that is asked from outside."""
    latest = {day.name: day for day in days if not day.maintenance and day.up}
    items = "".join(track(it, titles.get(it.name, ""), latency(latest.get(it.name))) for it in outside)
    return f'{track_legend()}<ul class="tracks">{items}</ul>' if items else ""


def latency(day: TargetDay | None) -> str:
    """How fast it was on the last day on which it answered."""
    if day is None:
        return ""
    return f"<span>answers in <b>{words.span(day.took / day.up)}</b>, slowest {words.span(day.slowest)}</span>"


def check_list(inside: list[Track], titles: dict[str, str]) -> str:
    """The checks that were not always fine, and, behind a line that opens them, the others."""
    restless = sorted((it for it in inside if it.worst), key=lambda it: (rank(it), it.name))
    quiet = [it for it in inside if not it.worst]
    shown = "".join(track(it, titles.get(it.name, "")) for it in restless)
    folded = "".join(track(it, titles.get(it.name, "")) for it in quiet)
    listed = f'{track_legend()}<ul class="tracks">{shown}</ul>' if shown else ""
    label = f"{counted(len(quiet), 'check')} fine on all days of which there is data"
    return listed + (
        f'<details class="fold"><summary>{label}</summary><ul class="tracks">{folded}</ul></details>' if folded else ""
    )


def rank(one: Track) -> float:
    """The least available first; what never failed but could not always be judged comes last."""
    available = one.availability()
    return 1.0 if available is None else available


def incident_list(incidents: list[Incident], now: datetime) -> str:
    """The incidents, the latest first."""
    items = "".join(incident_item(each, now) for each in incidents[: -MOST - 1 : -1])
    return f'<ul class="incidents">{items}</ul>' if items else f"<p>None in the last {DAYS} days.</p>"


def incident_item(it: Incident, now: datetime) -> str:
    tone = "skipped" if it.until else "failed" if it.kind == "failing" else "inconclusive"
    what = "".join(f"{one_line_markup(each)}: " for each in it.objects[:1]) + one_line_markup(it.observed)
    return (
        f'<li class="{tone}"><b>{one_line_markup(it.name)}</b> {it.kind}{"".join(remarks(it))}: {what}'
        f'<span class="span">{lasted(it.since, it.until, now)}</span></li>'
    )


def remarks(it: Incident) -> Iterator[str]:
    """What is special about an incident."""
    if it.flapping:
        yield ", flapping"
    if it.maintenance:
        yield ", begun in maintenance"


def lasted(since: datetime, until: datetime | None, now: datetime) -> str:
    """From when to when, and how long."""
    if until is None:
        return f"for {duration(now - since)}, since {words.to_the_second(since)}"
    return f"{duration(until - since)}, {words.to_the_second(since)} to {words.to_the_second(until)}"


def window_list(windows: list[Window], now: datetime) -> str:
    """Maintenance, the latest first."""
    items = "".join(
        f'<li class="maintenance"><b>{one_line_markup(it.reason)}</b>{", planned" if it.since > now else ""}'
        f'<span class="span">{lasted(it.since, it.until, now)}</span></li>'
        for it in windows[: -MOST - 1 : -1]
    )
    return f'<ul class="incidents">{items}</ul>' if items else ""


def one_line_markup(value: str) -> str:
    """One line of text from the cluster."""
    return escape(one_line(harmless(value)))
