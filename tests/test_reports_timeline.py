"""The timeline as text, JSON, JUnit and HTML."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.test_reports_examples import broken
from tests.test_watch_timeline import CONTROL, SHOP, STARTED, begin, run, watched
from upgate.reports.html import csp_hash
from upgate.reports.timeline_html import timeline_assets, timeline_fragment, timeline_page
from upgate.reports.timeline_json import timeline_json
from upgate.reports.timeline_junit import timeline_junit
from upgate.reports.timeline_rows import MOST_ROWS, timeline_rows
from upgate.reports.timeline_text import timeline_text
from upgate.reports.writing import report_page
from upgate.watch.outages import timeline_of
from upgate.watch.record import Happening
from upgate.watch.timeline import Timeline

HOSTILE = '<script>alert(1)</script>"\x1b[31m\u202e::error::'


def timeline(*happened: tuple[float, str, str], why: str = "connection refused") -> Timeline:
    """A shop that was away for 3.5 s, a control target, and what the cluster did."""
    record = watched(run(10.0, 13.5, why=why), first=begin(msgspec.structs.replace(SHOP, total=3.0), CONTROL))
    record.events = [Happening(at=at, object=object, what=what) for at, object, what in happened]
    return timeline_of([record])


DRAIN = (
    (5.0, "Node/worker-3", "cordoned"),
    (6.0, "Node/worker-3", "drain began"),
    (20.0, "Node/worker-3", "uncordoned"),
)


def test_the_json_is_what_interface_md_says() -> None:
    """from, to, targets with their numbers and outages, and events."""
    told = msgspec.json.decode(timeline_json(timeline(*DRAIN)))
    shop = told["targets"][0]
    assert (told["from"], told["to"]) == ("2026-11-21T01:00:00Z", "2026-11-21T01:01:40Z")
    numbers = ("name", "samples", "failed", "outage_seconds", "longest_seconds", "not_measured_seconds")
    assert [shop[name] for name in numbers] == ["shop", 53, 3, 3.5, 3.5, 0]
    outage = shop["outages"][0]
    assert outage["from"] == "2026-11-21T01:00:10Z"
    assert outage["to"] == "2026-11-21T01:00:13.500000Z"
    assert (outage["seconds"], outage["why"]) == (3.5, "connection refused")
    assert told["events"][0] | {"details": 0} == {
        "at": "2026-11-21T01:00:05Z",
        "object": "Node/worker-3",
        "what": "cordoned",
        "details": 0,
    }


def test_the_text_says_who_was_away() -> None:
    """A line for each target, its outages below it, and what the cluster did."""
    text = timeline_text(timeline(*DRAIN))
    assert "shop: away for 3.5 s, 3 of 53 samples failed\n  01:00:10 for 3.5 s: connection refused\n" in text
    assert "01:00:05  Node/worker-3: cordoned\n" in text


def test_junit_fails_a_target_that_is_over_its_budget() -> None:
    """The budget is that of the profile when it was recorded."""
    cases = ET.fromstring(timeline_junit(timeline())).findall(".//testcase")
    assert [(case.get("name"), case.find("failure") is not None) for case in cases] == [
        ("shop", True),
        ("control", False),
    ]


def test_a_node_has_spans_and_moments() -> None:
    """How long it was cordoned is a span; that its drain began is a moment."""
    [node] = [row for row in timeline_rows(timeline(*DRAIN)) if row.group == "Nodes"]
    assert [(mark.tone, mark.end and mark.end - mark.start) for mark in node.marks] == [
        ("warn", timedelta(seconds=15)),
        ("info", None),
    ]
    assert node.marks[0].start == STARTED + timedelta(seconds=5)


def test_many_rows_are_counted_not_drawn() -> None:
    """A page stays usable, whatever a cluster does."""
    rows = timeline_rows(timeline(*((5.0, f"Node/{number:04}", "cordoned") for number in range(MOST_ROWS + 9))))
    assert rows[-1].name == "… and 9 more"


@pytest.mark.parametrize("render", [timeline_page, timeline_text, timeline_junit], ids=["html", "text", "junit"])
def test_nothing_that_others_wrote_is_markup(render) -> None:
    """Names of objects and words of servers are text, everywhere."""
    data = render(timeline((5.0, f"Node/{HOSTILE}", HOSTILE), why=HOSTILE))
    text = data if isinstance(data, str) else data.decode()
    assert "\x1b" not in text
    assert "\u202e" not in text
    if render is not timeline_text:
        assert "<script>alert" not in text


def test_the_page_asks_for_nothing() -> None:
    """Its policy forbids every request, and every style and script but its own two; no element has a style of its own."""
    page, (style, script) = timeline_page(timeline(*DRAIN)).decode(), timeline_assets()
    assert "default-src 'none'" in page
    assert csp_hash(style) in page
    assert csp_hash(script) in page
    assert " style=" not in timeline_fragment(timeline(*DRAIN))
    assert "http://" not in page.replace("https://", "")
    assert "</script" not in script
    assert "</style" not in style


def test_the_report_shows_the_upgrade() -> None:
    """`report.html` holds the timeline, and lets its style and script do their work."""
    page = report_page(broken(), timeline(*DRAIN)).decode()
    assert "While the upgrade ran" in page
    assert all(csp_hash(each) in page for each in timeline_assets())
    assert "While the upgrade ran" not in report_page(broken(), None).decode()
