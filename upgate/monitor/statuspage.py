"""`status.html`: what is wrong now and since when, and how the last 90 days were.

One file, written each round, complete without a network and without JavaScript; built and guarded like `report.html`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from upgate.base.files import write_whole
from upgate.monitor.badges import badge
from upgate.monitor.status_history import history_sections, lasted, one_line_markup, public_title
from upgate.monitor.tracks import percent
from upgate.monitor.wrong import Wrong, wrong_now
from upgate.reports import words
from upgate.reports.cause_list import cause_list
from upgate.reports.cause_words import cause_counts
from upgate.reports.cleaning import cleaned
from upgate.reports.html import asset, policy
from upgate.reports.html_checks import anchors
from upgate.results import Results, Verdict, decide

if TYPE_CHECKING:
    from upgate.monitor.history import History
    from upgate.monitor.records import Round

FILE, BADGE = "status.html", "status.svg"
REPORT = "report.html"
#: So many things that are wrong are listed; the report has them all.
MOST_SHOWN = 50
#: The worst is the last.
VERDICTS: tuple[Verdict, ...] = ("clear", "inconclusive", "not clear")
#: Seconds without a new page after which the page says that it is out of date: at least this, else three rounds.
LATE = 900


def write_status(results: Results, past: History | None, directory: Path, report: str = REPORT) -> list[str]:
    """Write the page and its badge. Raises UsageError where that cannot be done."""
    write_whole(directory / FILE, render_status(results, past, report), public=True)
    write_whole(directory / BADGE, render_badge(results, past), public=True)
    return []


def render_badge(results: Results, past: History | None) -> bytes:
    """The verdict as a picture for other pages."""
    return badge(results.profile, overall(results, wrong_now(cleaned(results), past.checks() if past else ())))


def render_status(results: Results, past: History | None, report: str = REPORT, *, public: bool = False) -> bytes:
    """The whole page. `report` is where the round's report is, seen from the page; what is public names no object."""
    results = cleaned(results)
    style, script = asset("report.css") + asset("status.css"), asset("status.js") + asset("refresh.js")
    rows = wrong_now(results, past.checks() if past else ())
    rounds = past.rounds(results.finished - timedelta(days=1)) if past else []
    verdict = overall(results, rows)
    page = Template(asset("status.html")).substitute(
        policy=policy([style], [script]),
        style=style,
        script=script,
        title=escape(f"{verdict.upper()} — {results.profile} — status"),
        tone=verdict.replace(" ", "-"),
        verdict=escape(verdict),
        headline=escape(trouble_headline(rows)),
        causes=escape(cause_counts(cause_list(results))),
        counts=escape(words.counts(results)),
        facts=round_facts(results, rounds, public),
        written=words.rfc3339(results.finished),
        when=words.to_the_second(results.finished),
        late=overdue_after(rounds),
        wrong=trouble_list(public_rows(rows, results) if public else rows, results, flapping(past), report, public),
        report="" if public else f' What was seen: <a href="{escape(report)}">report.html</a>.',
        profile=escape(results.profile),
        **history_sections(results, past, public),
    )
    return page.encode()


def overall(results: Results, rows: list[Wrong]) -> Verdict:
    """The round's verdict, or a worse one: what an earlier round found, that asked more, is not clear by not asking."""
    earlier = [row for row in rows if row.seen]
    return max(results.verdict, decide([*results.checks, *earlier]), key=VERDICTS.index)


def trouble_headline(rows: list[Wrong]) -> str:
    """How much is wrong, and since when."""
    worst = [row for row in rows if row.outcome == rows[0].outcome] if rows else []
    if not worst:
        return "nothing is wrong"
    oldest = min((row.since for row in worst if row.since), default=None)
    return f"{len(worst)} {worst[0].outcome}" + (f", the oldest since {words.to_the_second(oldest)}" if oldest else "")


def round_facts(results: Results, rounds: list[Round], public: bool) -> str:
    """Which cluster, and how the last 24 hours were."""
    clear = sum(each.verdict == "clear" for each in rounds)
    named = {"Profile": results.profile} | ({} if public else {"Cluster": words.cluster(results)})
    named["Last round"] = words.when(results)
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


def public_rows(rows: list[Wrong], results: Results) -> list[Wrong]:
    """One row for each check and outcome, without what was seen: no name of an object or a server."""
    titles = {check.id: public_title(check.id, check.title) for check in results.checks}
    rows = [row._replace(names=(name,), text=titles.get(name, ""), marks=()) for row in rows for name in row.names]
    return list({(row.names, row.outcome): row for row in rows}.values())


def trouble_list(rows: list[Wrong], results: Results, restless: set[str], report: str, public: bool) -> str:
    """One line for each thing that is not fine."""
    if not rows:
        return "<p>Nothing.</p>"
    addresses = (f"{report}#{anchor}" for anchor in anchors(results.checks))
    links = {} if public else dict(zip((check.id for check in results.checks), addresses, strict=True))
    shown = "".join(trouble_item(row, links, restless, results.finished, public) for row in rows[:MOST_SHOWN])
    rest = len(rows) - MOST_SHOWN
    more = f"<li>{words.more(rest, '' if public else 'report.html')}</li>" if rest > 0 else ""
    return f'<ul class="trouble">{shown}{more}</ul>'


def trouble_item(row: Wrong, links: dict[str, str], restless: set[str], now: datetime, public: bool) -> str:
    """One thing: the check, since when, what was seen."""
    names = ", ".join(linked(each, links.get(each)) for each in row.names)
    notes = [lasted(row.since, None, now) if row.since else ""]
    notes += ["flapping"] if restless.intersection(row.names) else []
    notes += [f"not asked in the last round, as of {words.to_the_second(row.seen)}"] if row.seen else []
    since = ", ".join(filter(None, notes))
    text = f"expected: {row.text}" if public and row.text else row.text
    marks = f' <span class="since">{one_line_markup("; ".join(row.marks))}</span>' if row.marks else ""
    return (
        f'<li class="{row.outcome}"><span class="outcome">{row.outcome}</span> {names}'
        f' <span class="since">{since}</span><span class="detail">{one_line_markup(text)}{marks}</span></li>'
    )


def linked(name: str, address: str | None) -> str:
    """A check's name, as a link to its place in the report."""
    return f'<a href="{escape(address)}">{one_line_markup(name)}</a>' if address else f"<b>{one_line_markup(name)}</b>"
