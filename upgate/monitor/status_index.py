"""`upgate status`: the status pages of several profiles in one folder, and an index over them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from upgate.base.errors import UsageError
from upgate.base.files import write_whole
from upgate.monitor.badges import badge
from upgate.monitor.commands import usable_history
from upgate.monitor.statuspage import overall, render_status, trouble_headline
from upgate.monitor.wrong import wrong_now
from upgate.reports import words
from upgate.reports.cause_list import cause_list
from upgate.reports.cause_words import cause_counts
from upgate.reports.cleaning import cleaned
from upgate.reports.html import asset, policy
from upgate.reports.results_json import load_json
from upgate.results import Results, Verdict

if TYPE_CHECKING:
    from upgate.monitor.history import History

#: What a run may have left below a profile's folder: the whole battery, and the cheap round.
PLACES = ("results.json", "monitor/results.json")
ORDER: tuple[Verdict, ...] = ("not clear", "inconclusive", "clear")


class ProfileStatus(NamedTuple):
    """One profile in the index."""

    results: Results
    verdict: Verdict
    headline: str
    #: The name of its page, without an ending.
    file: str


def write_status_pages(options: argparse.Namespace) -> int:
    """`upgate status`. Raises UsageError where a profile has no results, or a page cannot be written."""
    if repeated := {name for name in options.profiles if options.profiles.count(name) > 1}:
        raise UsageError(f"named more than once: {', '.join(sorted(repeated))}")
    shown = [write_profile_page(options.reports / name, options) for name in options.profiles]
    write_whole(options.output / "index.html", render_index(shown), public=True)
    print(f"{options.output / 'index.html'}: {', '.join(f'{each.file} {each.verdict}' for each in shown)}")
    return 0


def write_profile_page(folder: Path, options: argparse.Namespace) -> ProfileStatus:
    """Write the page and the badge of one profile."""
    results, source = latest_results(folder)
    report = os.path.relpath(source.parent / "report.html", options.output)
    with past_of(folder) as past:
        page = render_status(results, past, report, public=options.public)
        rows = wrong_now(cleaned(results), past.checks() if past else ())
    verdict = overall(results, rows)
    write_whole(options.output / f"{folder.name}.html", page, public=True)
    write_whole(options.output / f"{folder.name}.svg", badge(results.profile, verdict), public=True)
    return ProfileStatus(cleaned(results), verdict, trouble_headline(rows), folder.name)


def latest_results(folder: Path) -> tuple[Results, Path]:
    """What the last round in this folder came to, and where that stands. Raises UsageError where there is none."""
    paths = [folder / place for place in PLACES if (folder / place).exists()]
    if not paths:
        raise UsageError(f"there are no results in {folder}: run `upgate run --profile={folder.name} --monitor` first")
    return max(((load_json(path.read_bytes(), str(path)), path) for path in paths), key=lambda it: it[0].finished)


@contextmanager
def past_of(folder: Path) -> Iterator[History | None]:
    """The history of a profile, if it has one. Raises UsageError where it cannot be used."""
    from upgate.monitor.history import FILE, opened

    if not (folder / FILE).exists():
        yield None
        return
    with usable_history(), opened(folder / FILE) as past:
        yield past


def render_index(shown: list[ProfileStatus]) -> bytes:
    """The page over all profiles, the worst first."""
    style, script = asset("report.css") + asset("status.css"), asset("refresh.js")
    ordered = sorted(shown, key=lambda it: (ORDER.index(it.verdict), it.file))
    worst = ordered[0].verdict
    numbers = {verdict: sum(it.verdict == verdict for it in shown) for verdict in ORDER}
    page = Template(asset("index.html")).substitute(
        policy=policy([style], [script]),
        style=style,
        script=script,
        tone=worst.replace(" ", "-"),
        title=escape(f"{worst.upper()} — status of {len(shown)} profiles"),
        verdict=worst,
        headline=", ".join(f"{number} {verdict}" for verdict, number in numbers.items() if number),
        profiles="".join(map(profile_item, ordered)),
        written=words.to_the_second(max(it.results.finished for it in shown)),
    )
    return page.encode()


def profile_item(it: ProfileStatus) -> str:
    """One profile: its name as a link, its verdict, how much is wrong, and when that was seen."""
    tone = {"not clear": "failed", "inconclusive": "inconclusive", "clear": "passed"}[it.verdict]
    counts = cause_counts(cause_list(it.results)) or it.headline
    return (
        f'<li class="{tone}"><span class="outcome">{it.verdict}</span> <a href="{escape(it.file)}.html">'
        f'{escape(it.results.profile)}</a> <span class="since">as of {words.to_the_second(it.results.finished)}</span>'
        f'<span class="detail">{escape(counts)}</span></li>'
    )
