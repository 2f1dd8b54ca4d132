"""A badge: a profile's verdict as a small SVG for other pages. Pure."""

from __future__ import annotations

from html import escape

from upgate.reports.cleaning import begun, harmless
from upgate.results import Verdict

#: As `report.css` has them: white text has a contrast of at least 4.5 on each.
COLOURS: dict[Verdict, str] = {"clear": "#0d6029", "inconclusive": "#744700", "not clear": "#a3001d"}
#: Pixels of a character of Verdana at 11 pixels, and on both sides of a text.
WIDE, AROUND = 7, 12
LONGEST_NAME = 40


def badge(profile: str, verdict: Verdict) -> bytes:
    """The badge: the profile's name at the left, its verdict at the right."""
    name = begun(harmless(profile), LONGEST_NAME)
    left, right = (len(text) * WIDE + AROUND for text in (name, verdict))
    label = escape(f"{name}: {verdict}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}">'
        f'<title>{label}</title><rect width="{left}" height="20" fill="#333"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{COLOURS[verdict]}"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14">{escape(name)}</text><text x="{left + right / 2:g}" y="14">{verdict}</text>'
        "</g></svg>\n"
    ).encode()
