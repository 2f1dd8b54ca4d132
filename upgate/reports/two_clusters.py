"""What `upgate diff` says: text for people, JSON for scripts, a page without a network for a browser."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from upgate.base.harmless import harmless
from upgate.base.text import counted
from upgate.reports.cleaning import one_line
from upgate.reports.words import rfc3339

if TYPE_CHECKING:
    from upgate.baseline.two import TwoClusters

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}table{border-collapse:collapse;"
    "width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}"
)
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>upgate diff</title><style>{style}</style></head>
<body><h1>{summary}</h1><p>A: {a}<br>B: {b}</p>{asides}
<table><thead><tr><th>Part</th><th>Object</th><th>Field</th><th>A</th><th>B</th></tr></thead><tbody>{rows}</tbody></table></body></html>
"""


def summary_of(found: TwoClusters) -> str:
    """How much differs."""
    objects = {each.object for each in found.differences}
    if not objects:
        return "no difference"
    return f"{counted(len(found.differences), 'difference')} in {counted(len(objects), 'object')}"


def diff_as_text(found: TwoClusters) -> str:
    """The differences, part by part."""
    return "".join(f"{harmless(line)}\n" for line in diff_lines(found))


def diff_lines(found: TwoClusters) -> Iterator[str]:
    """Both files, each difference, what could not be compared, and how much it is."""
    yield f"A: {found.a.words}"
    yield f"B: {found.b.words}"
    for part, group in groupby(found.differences, key=lambda each: each.part):
        yield ""
        yield part
        for each in group:
            field = f" {each.field}:" if each.field else ""
            said = f"{each.object}{field} {value_words(each.a)} → {value_words(each.b)}"
            yield f"  {one_line(said)}"
    yield ""
    yield from (f"not compared: {part}: {one_line(why)}" for part, why in found.not_compared.items())
    yield summary_of(found)


def value_words(value: Any) -> str:
    """A value of a state."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return str(value) if value not in ("", None) else "(none)"


def diff_as_json(found: TwoClusters) -> str:
    """The same for scripts."""
    sides = {
        name: {
            "file": side.file,
            "taken": rfc3339(side.taken),
            "server": side.server,
            "version": side.version,
            "cluster": side.cluster,
        }
        for name, side in (("a", found.a), ("b", found.b))
    }
    document = {"schema": 1, **sides, "differences": found.differences, "not_compared": found.not_compared}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def diff_as_html(found: TwoClusters) -> str:
    """The same as a page."""
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(harmless(value_words(value)))}</td>"
            for value in (each.part, each.object, each.field, each.a, each.b)
        )
        + "</tr>"
        for each in found.differences
    )
    asides = "".join(
        f"<p>not compared: {escape(harmless(f'{part}: {why}'))}</p>" for part, why in found.not_compared.items()
    )
    named = {"a": escape(harmless(found.a.words)), "b": escape(harmless(found.b.words))}
    return PAGE.format(style=STYLE, summary=escape(summary_of(found)), asides=asides, rows=rows, **named)
