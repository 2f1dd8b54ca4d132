"""The pictures in `report.html`: each says the same in words, and each part of it is a link that filters the list."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import urlencode

from upgate.base.text import counted
from upgate.reports import words
from upgate.reports.cleaning import one_line
from upgate.reports.families import home
from upgate.reports.html_causes import Anchors, tone_of
from upgate.results import OUTCOMES, CheckResult, Finding, NodeGroup, Outcome, Results

#: So many namespaces have a row; those with the most findings.
MOST_ROWS = 20
#: So many names of nodes are in a text; more are in the list.
MOST_NAMED = 5
#: So many checks are shown that became clear late.
MOST_LATE = 15
#: Told apart without colours, too.
SIGNS: dict[Outcome, str] = {"failed": "!", "inconclusive": "?", "warned": "w", "waived": "-"}


def pictures(results: Results, anchors: Anchors) -> str:
    """All pictures for which there is something to show."""
    parts = (baseline_picture(results), node_picture(results), matrix(results), settling_picture(results, anchors))
    return "".join(filter(None, parts))


def picture(id: str, heading: str, content: str) -> str:
    """One picture with its heading."""
    return f'<section class="picture" aria-labelledby="{id}"><h2 id="{id}">{heading}</h2>{content}</section>'


def filter_link(sign: str, tone: str, label: str, **state: str) -> str:
    """A part of a picture that filters the list when it is followed."""
    return f'<a class="{tone}" href="#{escape(urlencode(state))}" aria-label="{escape(label)}" title="{escape(label)}">{sign}</a>'


def worst_tone(findings: Iterable[Finding]) -> Outcome:
    """The outcome of the worst of them."""
    return min(map(tone_of, findings), key=OUTCOMES.index)


def node_picture(results: Results) -> str:
    """A cell for each node, by pool, coloured by its worst finding."""
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for check in results.checks:
        for finding in check.findings:
            if finding.object.startswith("Node/"):
                found[finding.object].append(finding)
    tones = {name: worst_tone(findings) for name, findings in found.items()}
    rows = "".join(pool_row(pool, tones) for pool in results.pools)
    return picture("nodes", "Nodes by pool", rows) if rows else ""


def pool_row(pool: NodeGroup, tones: dict[str, Outcome]) -> str:
    """One pool: its nodes in words, and as cells."""
    cells = "".join(node_cell(name, tones.get(f"Node/{name}")) for name in pool.nodes)
    told = escape(pool_in_words(pool, tones))
    return f'<h3>{escape(pool.name)}</h3><p class="quiet">{told}</p><div class="cells">{cells}</div>'


def pool_in_words(pool: NodeGroup, tones: dict[str, Outcome]) -> str:
    """`40 nodes: 2 failed (a, b), 38 without a finding`."""
    bad: defaultdict[Outcome, list[str]] = defaultdict(list)
    for name in pool.nodes:
        if tone := tones.get(f"Node/{name}"):
            bad[tone].append(name)
    told = [
        f"{len(bad[tone])} {tone} ({words.shortened_list(bad[tone], MOST_NAMED)})" for tone in OUTCOMES if bad[tone]
    ]
    fine = len(pool.nodes) - sum(map(len, bad.values()))
    return f"{counted(len(pool.nodes), 'node')}: {', '.join([*told, f'{fine:,} without a finding'])}"


def node_cell(name: str, tone: Outcome | None) -> str:
    """One node; one that has findings is a link to them."""
    if tone is None:
        return f'<i title="{escape(name)}"></i>'
    return filter_link(SIGNS[tone], tone, f"{name}: {tone}", text=f"Node/{name}")


def matrix(results: Results) -> str:
    """Namespace by subject: how many findings, coloured by the worst."""
    cells: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for check in results.checks:
        for finding in check.active:
            cells[home(finding.object), check.subject].append(finding)
    if not cells:
        return ""
    sizes: Counter[str] = Counter()
    for (place, _), findings in cells.items():
        sizes[place] += len(findings)
    subjects = sorted({subject for _, subject in cells})
    shown = [place for place, _ in sizes.most_common(MOST_ROWS)]
    head = "".join(f'<th scope="col"><span>{escape(subject)}</span></th>' for subject in subjects)
    rows = "".join(matrix_row(place, subjects, cells) for place in shown)
    left = len(sizes) - len(shown)
    more = f'<p class="quiet">{words.more(left, "the list below")}</p>' if left > 0 else ""
    table = f'<table><thead><tr><th scope="col">Namespace</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    label = "Findings by namespace and subject, as a table"
    scrolled = f'<div class="wide" role="group" aria-label="{label}" tabindex="0">{table}</div>{more}'
    return picture("places", "Findings by namespace and subject", scrolled)


def matrix_row(place: str, subjects: Iterable[str], cells: dict[tuple[str, str], list[Finding]]) -> str:
    """One namespace; what has none is the cluster's own, or asked from outside."""
    name = place or "(none)"
    row = "".join(f"<td>{matrix_cell(place, name, each, cells.get((place, each), []))}</td>" for each in subjects)
    return f'<tr><th scope="row">{escape(name)}</th>{row}</tr>'


def matrix_cell(place: str, name: str, subject: str, findings: list[Finding]) -> str:
    """How many findings of one subject one namespace has."""
    if not findings:
        return ""
    label = f"{name}, {subject}: {counted(len(findings), 'finding')}"
    return filter_link(f"{len(findings):,}", worst_tone(findings), label, namespace=place or "-", subject=subject)


def baseline_picture(results: Results) -> str:
    """With a baseline: how much is new, known and gone."""
    if results.gone is None:
        return ""
    active = [finding for check in results.checks for finding in check.active]
    known = sum(finding.known for finding in active)
    numbers = {"new": len(active) - known, "known": known, "gone": len(results.gone)}
    links = "".join(baseline_number(name, number) for name, number in numbers.items())
    gone = "".join(f"<li>{escape(one_line(each))}</li>" for each in results.gone[:MOST_LATE])
    fold = f"<details><summary>what is gone</summary><ul>{gone}{more_gone(results.gone)}</ul></details>" if gone else ""
    return picture(
        "compared", "Compared with the baseline", f'<p class="numbers">{links}</p>{share_bar(numbers)}{fold}'
    )


def more_gone(gone: tuple[str, ...]) -> str:
    """How many are not listed."""
    return f"<li>{words.more(len(gone) - MOST_LATE)}</li>" if len(gone) > MOST_LATE else ""


def baseline_number(name: str, number: int) -> str:
    """A number with its meaning; new and known findings are in the list, what is gone is not."""
    text = f"<b>{number:,}</b> {name}"
    return (
        f'<span class="{name}">{text}</span>'
        if name == "gone"
        else f'<a class="{name}" href="#known={name}">{text}</a>'
    )


def share_bar(numbers: dict[str, int]) -> str:
    """The numbers as one bar, for the eye only: they stand beside it."""
    total, x, rects = max(1, sum(numbers.values())), 0.0, []
    for name, number in numbers.items():
        width = 100 * number / total
        rects.append(f'<rect class="{name}" x="{x:.2f}" y="0" width="{width:.2f}" height="10"/>')
        x += width
    return (
        f'<svg class="share" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{"".join(rects)}</svg>'
    )


def settling_picture(results: Results, anchors: Anchors) -> str:
    """With several rounds: what became clear when, and what did not."""
    late = sorted((it for it in results.checks if it.clear_after), key=lambda it: -(it.clear_after or 0))
    whole = (results.finished - results.started).total_seconds()
    if results.rounds < 2 or not late or whole <= 0:
        return ""
    items = "".join(settled_item(it, anchors, whole) for it in late[:MOST_LATE])
    more = f"<p>{words.more(len(late) - MOST_LATE)}</p>" if len(late) > MOST_LATE else ""
    return picture("settled", "What became clear when", f'<ul class="settled">{items}</ul>{more}')


def settled_item(check: CheckResult, anchors: Anchors, whole: float) -> str:
    """One check that was not clear at first: how long."""
    seconds = check.clear_after or 0
    share = min(100.0, 100 * seconds / whole)
    line = (
        f'<svg class="share" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="known" x="0" y="0" width="{share:.2f}" height="10"/></svg>'
    )
    name = f'<a href="#{escape(anchors.of_check(check))}">{escape(one_line(check.id))}</a>'
    return f"<li>{name} clear after {words.span(seconds)}{line}</li>"


def subjects_of(results: Results) -> Iterator[str]:
    """The subjects of all checks that found something."""
    yield from sorted({check.subject for check in results.checks if check.findings})
