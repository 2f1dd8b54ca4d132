"""`status.html`: what is wrong now and since when, and how the last 90 days were.

One file, written each round, complete without a network and without JavaScript; built and guarded like `report.html`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from upgate.base.files import write_whole
from upgate.monitor.status_history import history_sections, lasted, one_line_markup
from upgate.monitor.tracks import percent
from upgate.monitor.wrong import Wrong, wrong_now
from upgate.reports import words
from upgate.reports.cleaning import cleaned
from upgate.reports.html import asset, policy
from upgate.reports.html_checks import anchors
from upgate.results import Results, Verdict, decide

if TYPE_CHECKING:
    from upgate.monitor.history import History
    from upgate.monitor.records import Round

FILE = "status.html"
REPORT = "report.html"
#: The worst is the last.
VERDICTS: tuple[Verdict, ...] = ("clear", "inconclusive", "not clear")
#: Seconds without a new page after which the page says that it is out of date: at least this, else three rounds.
LATE = 900


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
    """How much is wrong, and since when."""
    worst = [row for row in rows if row.outcome == rows[0].outcome] if rows else []
    if not worst:
        return "nothing is wrong"
    since = f", the oldest since {words.to_the_second(worst[0].since)}" if worst[0].since else ""
    return f"{len(worst)} {worst[0].outcome}{since}"


def round_facts(results: Results, rounds: list[Round]) -> str:
    """Which cluster, and how the last 24 hours were."""
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
    """The checks whose alerts are flapping."""
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
    """The rows in groups; those that cannot be judged for one reason share a group."""
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
    """A check's name, as a link to its place in the report."""
    return f'<a href="{escape(address)}">{one_line_markup(name)}</a>' if address else f"<b>{one_line_markup(name)}</b>"
