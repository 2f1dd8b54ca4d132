"""`status.html`: what is wrong now and since when, and how the last 90 days were.

One file, written each round, complete without a network and without JavaScript; built and guarded like `report.html`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from upgate.base.files import write_whole
from upgate.base.text import counted, duration
from upgate.monitor.availability import DAYS, Track, check_tallies, target_tallies, tracks
from upgate.monitor.tracks import percent, track, track_legend
from upgate.monitor.wrong import Wrong, wrong_now
from upgate.reports import words
from upgate.reports.cleaning import cleaned, harmless, one_line
from upgate.reports.html import asset, policy
from upgate.reports.html_checks import anchors
from upgate.results import Results, Verdict, decide

if TYPE_CHECKING:
    from upgate.monitor.history import History, Incident, Round, TargetDay, Window

FILE = "status.html"
REPORT = "report.html"
#: The worst is the last.
VERDICTS: tuple[Verdict, ...] = ("clear", "inconclusive", "not clear")
#: So many incidents and windows are told; the history has them all.
MOST = 50
#: Seconds without a new page after which it says that nobody looks any more, at least; else three rounds.
LATE = 900
NO_HISTORY = '<p class="notice">The history could not be used: this is the last round alone. report.html says why.</p>'


def write_status(results: Results, past: History | None, directory: Path, report: str = REPORT) -> list[str]:
    """Write the page. Raises UsageError where that cannot be done."""
    write_whole(directory / FILE, render_status(results, past, report), public=True)
    return []


def render_status(results: Results, past: History | None, report: str = REPORT) -> bytes:
    """The whole page. `report` is where the round's report is, seen from the page."""
    results = cleaned(results)
    style, script = asset("report.css") + asset("status.css"), asset("status.js")
    rows = wrong_now(results, past.checks() if past else ())
    rounds = past.rounds(results.finished - timedelta(days=1)) if past else []
    verdict = overall(results, rows)
    page = Template(asset("status.html")).substitute(
        policy=policy(style, script),
        style=style,
        script=script,
        title=escape(f"{verdict.upper()} — {results.profile} — status"),
        tone=verdict.replace(" ", "-"),
        verdict=escape(verdict),
        headline=escape(trouble_headline(rows)),
        counts=escape(words.counts(results)),
        facts=round_facts(results, rounds),
        written=words.rfc3339(results.finished),
        when=words.to_the_second(results.finished),
        late=overdue_after(rounds),
        wrong=trouble_list(rows, results, flapping(past), report),
        report=escape(report),
        profile=escape(results.profile),
        **history_sections(results, past),
    )
    return page.encode()


def overall(results: Results, rows: list[Wrong]) -> Verdict:
    """The round's verdict, or a worse one: what an earlier round found, that asked more, is not clear by not asking."""
    return max(results.verdict, decide([*results.checks, *rows]), key=VERDICTS.index)


def trouble_headline(rows: list[Wrong]) -> str:
    """How much is wrong, and the oldest of it."""
    worst = [row for row in rows if row.outcome == rows[0].outcome] if rows else []
    if not worst:
        return "nothing is wrong"
    since = f", the oldest since {words.to_the_second(worst[0].since)}" if worst[0].since else ""
    return f"{len(worst)} {worst[0].outcome}{since}"


def round_facts(results: Results, rounds: list[Round]) -> str:
    """Which cluster, and how it was lately."""
    clear = sum(each.verdict == "clear" for each in rounds)
    named = {"Profile": results.profile, "Cluster": words.cluster(results), "Last round": words.when(results)}
    if rounds:
        named["Last 24 hours"] = f"{len(rounds):,} rounds, {percent(clear / len(rounds))} of them clear"
    return "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in named.items())


def overdue_after(rounds: list[Round]) -> int:
    """Seconds after which the next round is overdue."""
    gap = (rounds[-1].at - rounds[0].at).total_seconds() / (len(rounds) - 1) if len(rounds) > 1 else 0
    return max(LATE, round(3 * gap))


def flapping(past: History | None) -> set[str]:
    """The checks that go to and fro."""
    return {each.name for each in past.open_incidents() if each.flapping} if past else set()


def trouble_list(rows: list[Wrong], results: Results, restless: set[str], report: str) -> str:
    """One line for each check that is not fine."""
    if not rows:
        return "<p>Nothing.</p>"
    addresses = (f"{report}#{anchor}" for anchor in anchors(results.checks))
    links = dict(zip((check.id for check in results.checks), addresses, strict=True))
    items = "".join(trouble_item(sharing, links, restless, results.finished) for sharing in by_reason(rows))
    return f'<ul class="trouble">{items}</ul>'


def by_reason(rows: list[Wrong]) -> Iterable[list[Wrong]]:
    """The rows; those that cannot be judged for one reason are told once."""
    groups: dict[object, list[Wrong]] = {}
    for row in rows:
        one = ("inconclusive", row.text) if row.outcome == "inconclusive" else row.name
        groups.setdefault(one, []).append(row)
    return groups.values()


def trouble_item(sharing: list[Wrong], links: dict[str, str], restless: set[str], now: datetime) -> str:
    """Checks with one reason, mostly one: what, since when, what was seen."""
    row = sharing[0]
    names = ", ".join(linked(each.name, links.get(each.name)) for each in sharing)
    notes = [lasted(row.since, None, now) if row.since else ""]
    notes += ["flapping"] if restless.intersection(each.name for each in sharing) else []
    notes += [f"not asked in the last round, as of {words.to_the_second(row.seen)}"] if row.seen else []
    since = ", ".join(filter(None, notes))
    return (
        f'<li class="{row.outcome}"><span class="outcome">{row.outcome}</span> {names}'
        f' <span class="since">{since}</span><span class="detail">{one_line_markup(row.text)}</span></li>'
    )


def linked(name: str, address: str | None) -> str:
    """A check's name, leading to what the report says of it."""
    return f'<a href="{escape(address)}">{one_line_markup(name)}</a>' if address else f"<b>{one_line_markup(name)}</b>"


def one_line_markup(value: str) -> str:
    """One line of text from the cluster."""
    return escape(one_line(harmless(value)))


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
        "What is found meanwhile wakes nobody, and does not count.</p>"
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
    """What people were, or could have been, woken for: the latest first."""
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
