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
from upgate.reports.causes import RootCauses
from upgate.reports.cleaning import cleaned
from upgate.reports.html_checks import CheckPage, anchors
from upgate.results import OUTCOMES, CheckResult, Outcome, Results

#: So many lines fit on a first screen; all of it follows below.
FIRST_SCREEN = 12


def render_html(results: Results) -> bytes:
    """The whole page."""
    results = cleaned(results)
    style, script = asset("report.css"), asset("report.js")
    linked = list(zip(results.checks, anchors(results.checks), strict=True))
    page = Template(asset("report.html")).substitute(
        policy=policy(style, script),
        style=style,
        script=script,
        title=escape(f"{results.verdict.upper()} — {results.profile} — upgate"),
        tone=results.verdict.replace(" ", "-"),
        verdict=escape(results.verdict),
        next=escape(words.next_step(results)),
        counts=escape(words.counts(results)),
        facts=facts_section(results),
        trouble=trouble_section(results, linked),
        asides=notes_section(results),
        outcomes="".join(choices(results)),
        namespaces="".join(map(option, namespaces(results))),
        groups=outcome_groups(results, linked),
        profile=escape(results.profile),
    )
    return page.encode()


def asset(name: str) -> str:
    return files("upgate.reports").joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """A Content-Security-Policy that lets this page fetch and send nothing."""
    allowed = f"style-src '{csp_hash(style)}'; script-src '{csp_hash(script)}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def facts_section(results: Results) -> str:
    """Which cluster, which profile, when."""
    named = {"Profile": results.profile, "Cluster": words.cluster(results), "When": words.when(results)}
    return "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in named.items())


def trouble_section(results: Results, linked: list[tuple[CheckResult, str]]) -> str:
    """What is wrong, one line for each cause, on the first screen."""
    links = {id(check): f'<a href="#{escape(anchor)}">{escape(check.id)}</a>' for check, anchor in linked}
    lines = [
        *problems("failed", results, links),
        *unjudged_problems(results, links),
        *problems("warned", results, links),
    ]
    rest = len(lines) - FIRST_SCREEN
    more = f'<p><a href="#checks">{words.more(rest, "the list below")}</a></p>' if rest > 0 else ""
    items = "".join(lines[:FIRST_SCREEN])
    told = f'<ul class="trouble">{items}</ul>{more}' if lines else f"<p>{words.nothing_wrong(results)}</p>"
    return f'<section aria-labelledby="wrong"><h2 id="wrong">What is wrong</h2>{told}</section>'


def problems(outcome: Outcome, results: Results, links: dict[int, str]) -> Iterable[str]:
    """The checks with this outcome that have findings of their own."""
    causes = RootCauses(results)
    for check in results.having(outcome):
        if causes.told(check).shown or not check.findings:
            yield problem(outcome, links[id(check)], words.check_headline(check))


def unjudged_problems(results: Results, links: dict[int, str]) -> Iterable[str]:
    for reason, sharing in words.reasons(results.having("inconclusive")).items():
        yield problem("inconclusive", words.shortened_list([links[id(check)] for check in sharing], 3), reason)


def problem(outcome: Outcome, links: str, text: str) -> str:
    return f'<li class="{outcome}"><span class="outcome">{outcome}</span> {links}: {escape(text)}</li>'


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


def outcome_groups(results: Results, linked: list[tuple[CheckResult, str]]) -> str:
    """All checks, in the order in which people want to read them."""
    page = CheckPage(RootCauses(results), results.rounds)
    return "".join(outcome_group(outcome, linked, page) for outcome in OUTCOMES if results.having(outcome))


def outcome_group(outcome: Outcome, linked: list[tuple[CheckResult, str]], page: CheckPage) -> str:
    mine = [(check, anchor) for check, anchor in linked if check.outcome == outcome]
    heading = (
        f'<h3 id="group-{outcome}"><span class="name">{outcome.capitalize()} ({len(mine)})</span>'
        f' <span class="meaning">{words.MEANINGS[outcome]}</span></h3>'
    )
    checks = "".join(page.check(check, anchor) for check, anchor in mine)
    return f'<section class="group {outcome}" aria-labelledby="group-{outcome}">{heading}{checks}</section>'
