"""The sections of the status page about the last 90 days: external targets, checks, incidents, maintenance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from upgate.base.text import counted, duration
from upgate.monitor.availability import DAYS, Track, check_tallies, target_tallies, tracks
from upgate.monitor.incidents import Episode, episodes
from upgate.monitor.strips import HOURS, day_strip, latency_line
from upgate.monitor.tracks import track, track_legend
from upgate.reports import words
from upgate.reports.cleaning import harmless, one_line
from upgate.results import Results

if TYPE_CHECKING:
    from upgate.monitor.history import History
    from upgate.monitor.records import Incident, Span, TargetHour, Window

#: At most so many incidents and windows are shown; the history has them all.
MOST = 50
NO_HISTORY = '<p class="notice">The history could not be used: this is the last round alone.{why}</p>'


def history_sections(results: Results, past: History | None, public: bool = False) -> dict[str, str]:
    """The sections that only a history can fill."""
    if past is None:
        return {
            "notices": NO_HISTORY.format(why="" if public else " report.html says why."),
            "targets": "",
            "checks": "",
            "incidents": "",
            "maintenance": "",
        }
    now = results.finished
    begin = now - timedelta(days=DAYS)
    windows = past.windows(begin)
    strips = strips_of(past, now)
    days = past.target_days(begin.date())
    titles = {
        check.name: one_line_markup(public_title(check.name, check.title) if public else check.title)
        for check in past.checks()
    }
    outside = tracks(target_tallies(days), now.date())
    names = {each.name for each in outside}
    inside = [each for each in tracks(check_tallies(past.days(begin.date())), now.date()) if each.name not in names]
    return {
        "notices": "".join(notice(window) for window in windows if window.since <= now < window.until),
        "targets": section("targets", "From outside", target_list(outside, titles, strips, latencies(past, now))),
        "checks": section("checks", "Checks", check_list(inside, titles, strips)),
        "incidents": section("incidents", "Incidents", incident_list(past.incidents(begin), now, public)),
        "maintenance": section("maintenance", "Maintenance", window_list(windows, now)),
    }


def public_title(name: str, title: str) -> str:
    """A check's title for everybody: that of what is asked from outside names its address."""
    return "" if name.startswith("external.") else title


def section(id: str, heading: str, content: str) -> str:
    """A part of the page with a heading; nothing where there is nothing in it."""
    return f'<section aria-labelledby="{id}"><h2 id="{id}">{heading}</h2>{content}</section>' if content else ""


def notice(window: Window) -> str:
    return (
        f'<p class="notice">Maintenance until {words.to_the_second(window.until)}: {one_line_markup(window.reason)}. '
        "Meanwhile no alerts are sent, and findings do not count towards availability.</p>"
    )


def strips_of(past: History, now: datetime) -> dict[str, str]:
    """The last 24 hours of each check."""
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for span in past.spans(now - timedelta(hours=HOURS)):
        spans[span.name].append(span)
    return {name: day_strip(name, each, now) for name, each in spans.items()}


def latencies(past: History, now: datetime) -> dict[str, str]:
    """How fast each target answered in the last 24 hours."""
    hours: defaultdict[str, list[TargetHour]] = defaultdict(list)
    for hour in past.targets(now - timedelta(hours=HOURS + 1)):
        hours[hour.name].append(hour)
    return {name: latency_line(name, each, now) for name, each in hours.items()}


def target_list(outside: list[Track], titles: dict[str, str], strips: dict[str, str], latency: dict[str, str]) -> str:
    """Availability and latency of everything that is asked from outside."""
    items = "".join(
        track(it, titles.get(it.name, ""), latency.get(it.name, ""), strips.get(it.name, "")) for it in outside
    )
    return f'{track_legend()}<ul class="tracks">{items}</ul>' if items else ""


def check_list(inside: list[Track], titles: dict[str, str], strips: dict[str, str]) -> str:
    """The checks that were not always fine, and, behind a line that opens them, the others."""
    restless = sorted((it for it in inside if it.worst), key=lambda it: (rank(it), it.name))
    quiet = [it for it in inside if not it.worst]
    shown, folded = (
        "".join(track(it, titles.get(it.name, ""), strip=strips.get(it.name, "")) for it in some)
        for some in (restless, quiet)
    )
    listed = f'{track_legend()}<ul class="tracks">{shown}</ul>' if shown else ""
    label = f"{counted(len(quiet), 'check')} fine on all days of which there is data"
    return listed + (
        f'<details class="fold"><summary>{label}</summary><ul class="tracks">{folded}</ul></details>' if folded else ""
    )


def rank(one: Track) -> float:
    """The least available first; what never failed but could not always be judged comes last."""
    available = one.availability()
    return 1.0 if available is None else available


def incident_list(incidents: list[Incident], now: datetime, public: bool = False) -> str:
    """The incidents, the latest first; what was wrong at the same time is one."""
    items = "".join(episode_item(each, now, public) for each in episodes(incidents)[: -MOST - 1 : -1])
    return f'<ul class="incidents">{items}</ul>' if items else f"<p>None in the last {DAYS} days.</p>"


def episode_item(it: Episode, now: datetime, public: bool) -> str:
    """One incident: how long, what was wrong, whether people were told."""
    tone = "skipped" if it.until else "failed" if it.failing else "inconclusive"
    names = words.shortened_list([one_line_markup(each.name) for each in it.parts], 5)
    told = "" if public else f", {'people were told' if it.told else 'no message was sent'}"
    causes = "" if public else f"<ul>{''.join(incident_part(each) for each in it.parts[:MOST])}</ul>"
    return (
        f'<li class="{tone}"><b>{names}</b>'
        f'<span class="span">{lasted(it.since, it.until, now)}{told}</span>{causes}</li>'
    )


def incident_part(it: Incident) -> str:
    """One check in an incident: what was seen first."""
    what = "".join(f"{one_line_markup(each)}: " for each in it.objects[:1]) + one_line_markup(it.observed)
    more = f" (and {len(it.objects) - 1} more)" if len(it.objects) > 1 else ""
    return f"<li>{one_line_markup(it.name)} {it.kind}{''.join(remarks(it))}: {what}{more}</li>"


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
