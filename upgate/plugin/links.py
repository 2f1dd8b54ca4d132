"""Links from a terminal into the report, where the terminal knows them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from upgate.plugin.guard import Guarded
from upgate.reports.html_checks import anchors
from upgate.results import Results

#: Terminals that say who they are, and know OSC 8 (https://github.com/Alhadis/OSC8-Adoption).
PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "WarpTerminal")
VARIABLES = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "DOMTERM", "ALACRITTY_WINDOW_ID")
#: GNOME Terminal and others of its kind, from that version on.
FIRST_VTE = 5000


def knows_links(environ: Mapping[str, str]) -> bool:
    """The terminal of this environment shows links; what runs in tmux or screen is not sure of it."""
    if environ.get("TERM", "").startswith(("screen", "tmux", "dumb")):
        return False
    vte = environ.get("VTE_VERSION", "")
    by_version = vte.isascii() and vte.isdecimal() and int(vte[:9]) >= FIRST_VTE
    return by_version or environ.get("TERM_PROGRAM") in PROGRAMS or any(environ.get(each) for each in VARIABLES)


def report_for_links(reporter: pytest.TerminalReporter, results: Results, folder: Path) -> str:
    """The URI of the report, if the terminal shows links: the guard then lets those into it pass. Else empty."""
    stream = reporter._tw._file
    report = folder.absolute() / "report.html"
    if not (reporter.isatty and reporter._tw.hasmarkup and isinstance(stream, Guarded) and knows_links(os.environ)):
        return ""
    uri = report.as_uri()
    stream.trust(*(f"{uri}#{anchor}" for anchor in anchors(results.checks)))
    return uri
