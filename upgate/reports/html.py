"""`report.html`: one file for a browser, complete without a network and without JavaScript.

Everything that varies is escaped where it enters the markup; the page's own policy forbids every request, and every
script and style but those two whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

from upgate.reports import words
from upgate.reports.cause_list import cause_list
from upgate.reports.cause_words import cause_counts
from upgate.reports.causes import RootCauses
from upgate.reports.cleaning import cleaned
from upgate.reports.html_causes import Anchors, causes_section
from upgate.reports.html_checks import CheckPage, anchors
from upgate.reports.html_pictures import pictures, subjects_of
from upgate.results import OUTCOMES, CheckResult, Outcome, Results


def render_html(results: Results, timeline: str = "", assets: tuple[str, str] = ("", "")) -> bytes:
    """The whole page. `timeline` is markup of our own, of what `upgate watch` recorded, with the style and script in it."""
    results = cleaned(results)
    style, script = asset("report.css"), asset("report.js")
    linked = list(zip(results.checks, anchors(results.checks), strict=True))
    places, listed = Anchors(linked), cause_list(results)
    page = Template(asset("report.html")).substitute(
        policy=policy((style, assets[0]), (script, assets[1])),
        style=style,
        script=script,
        title=escape(f"{results.verdict.upper()} — {results.profile} — upgate"),
        tone=results.verdict.replace(" ", "-"),
        verdict=escape(results.verdict),
        next=escape(words.next_step(results)),
        causes=escape(cause_counts(listed)),
        counts=escape(words.counts(results)),
        facts=facts_section(results),
        trouble=causes_section(results, listed, places),
        pictures=pictures(results, places),
        timeline=timeline,
        asides=notes_section(results),
        outcomes="".join(choices(results)),
        namespaces="".join(map(option, namespaces(results))),
        subjects="".join(map(option, subjects_of(results))),
        groups=outcome_groups(results, linked, places),
        profile=escape(results.profile),
    )
    return page.encode()


def asset(name: str) -> str:
    return files("upgate.reports").joinpath(name).read_text(encoding="utf-8")


def policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """A Content-Security-Policy that lets this page fetch and send nothing."""
    allowed = f"style-src {csp_hashes(styles)}; script-src {csp_hashes(scripts)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def csp_hashes(texts: Iterable[str]) -> str:
    """The hashes of those that are not empty."""
    return " ".join(f"'{csp_hash(each)}'" for each in texts if each)


def csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def facts_section(results: Results) -> str:
    """Which cluster, which profile, when."""
    named = {"Profile": results.profile, "Cluster": words.cluster(results), "When": words.when(results)}
    return "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in named.items())


def notes_section(results: Results) -> str:
    """What is to be known beside the checks."""
    items = "".join(f"<li>{escape(note)}</li>" for note in words.asides(results))
    return f'<section aria-labelledby="notes"><h2 id="notes">Notes</h2><ul>{items}</ul></section>' if items else ""


def choices(results: Results) -> Iterable[str]:
    """A box to tick for each outcome that occurred."""
    for outcome, number in results.count().items():
        yield f'<label><input type="checkbox" name="outcome" value="{outcome}"> {outcome} ({number})</label>'


def namespaces(results: Results) -> list[str]:
    """The namespaces of all findings."""
    return sorted({finding.namespace for check in results.checks for finding in check.findings} - {""})


def option(name: str) -> str:
    return f'<option value="{escape(name)}">{escape(name)}</option>'


def outcome_groups(results: Results, linked: list[tuple[CheckResult, str]], places: Anchors) -> str:
    """All checks, in the order in which people want to read them."""
    page = CheckPage(RootCauses(results), results.rounds, places)
    return "".join(outcome_group(outcome, linked, page) for outcome in OUTCOMES if results.having(outcome))


def outcome_group(outcome: Outcome, linked: list[tuple[CheckResult, str]], page: CheckPage) -> str:
    mine = [(check, anchor) for check, anchor in linked if check.outcome == outcome]
    heading = (
        f'<h3 id="group-{outcome}"><span class="name">{outcome.capitalize()} ({len(mine)})</span>'
        f' <span class="meaning">{words.MEANINGS[outcome]}</span></h3>'
    )
    checks = "".join(page.check(check, anchor) for check, anchor in mine)
    return f'<section class="group {outcome}" aria-labelledby="group-{outcome}">{heading}{checks}</section>'
