"""Links from a terminal into the report."""

from __future__ import annotations

import io
import re

import pytest

from tests.test_reports_examples import broken, hostile
from upgate.base.harmless import OPENING
from upgate.plugin.guard import Guarded
from upgate.plugin.links import knows_links
from upgate.reports.html import render_html
from upgate.reports.terminal import render_terminal

REPORT = "file:///srv/reports/report.html"
LINK = re.compile("\x1b\\]8;;([^\x1b]*)\x1b\\\\")


@pytest.mark.parametrize(
    ("environ", "known"),
    [
        ({"VTE_VERSION": "7006"}, True),
        ({"VTE_VERSION": "4999"}, False),
        ({"VTE_VERSION": "x"}, False),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "1"}, True),
        ({"WT_SESSION": "1", "TERM": "screen-256color"}, False),
        ({}, False),
    ],
)
def test_terminals_that_know_links(environ, known):
    """Only a terminal that says who it is gets links."""
    assert knows_links(environ) is known


def test_each_cause_leads_to_its_check():
    """The number of a cause is a link to the check's place in the report, which ends before the text."""
    text = render_terminal(broken(), colour=False, width=80, report=REPORT)
    targets = [each for each in LINK.findall(text) if each]
    page = render_html(broken()).decode()
    assert len(targets) == 6
    assert all(f'id="{each.removeprefix(REPORT + "#")}"' in page for each in targets)
    assert f"{OPENING.format(targets[0])}1.{OPENING.format('')} " in text


def test_only_our_own_links_pass_the_guard():
    """Links into our report pass; any other is taken away, also one to another place of the same file system."""
    stream = io.StringIO()
    guarded = Guarded(stream)
    guarded.trust(f"{REPORT}#check-a.b")
    guarded.write(f"{OPENING.format(f'{REPORT}#check-a.b')}1.{OPENING.format('')} x\n")
    guarded.write(f"{OPENING.format('file:///etc/passwd')}evil{OPENING.format('http://evil')}")
    assert LINK.findall(stream.getvalue()) == [f"{REPORT}#check-a.b", ""]
    assert "evil" in stream.getvalue()


def test_hostile_text_makes_no_link():
    """Of hostile results only our own links are left."""
    text = render_terminal(hostile(), colour=False, width=80, report=REPORT)
    assert {each.partition("#")[0] for each in LINK.findall(text)} == {REPORT, ""}
