"""`status.html`: what is wrong now and since when, and how the last 90 days were."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from tests.past import add_incident, add_target_hour, add_window, recorded
from tests.test_reports_browser import CHROMIUM, browse, user_data  # noqa: F401 - fixtures
from tests.test_reports_examples import (
    FINISHED,
    HOSTILE,
    broken,
    finding,
    healthy,
    hostile,
    result,
    results,
    unreachable,
)
from tests.test_reports_page import Page
from upgate.monitor import history
from upgate.monitor.availability import Tally, tracks
from upgate.monitor.badges import badge
from upgate.monitor.records import TargetHour
from upgate.monitor.statuspage import BADGE, FILE, overdue_after, render_status, write_status
from upgate.monitor.strips import latency_line
from upgate.monitor.tracks import day_shape, figures, percent
from upgate.reports.cleaning import cleaned

in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")


def ago(**time: float):
    return FINISHED - timedelta(**time)


def well(of):
    """The same checks, all passed."""
    return msgspec.structs.replace(
        of, verdict="clear", checks=tuple(result(check.id, title=check.title) for check in of.checks)
    )


def days(back: int):
    """84 days: broken for the last two and, in maintenance, 30 days ago; pods.ready alone failed 12 days ago."""
    if back in (0, 1, 30):
        return broken(), back == 30
    if back == 12:
        bad = result("pods.ready", "failed", finding("Pod/a/b", "Ready=False"))
        return results(*[bad if it.id == bad.id else it for it in well(broken()).checks]), False
    return well(broken()), False


@pytest.fixture(scope="module")
def past_path(tmp_path_factory) -> Path:
    """A history with everything in it."""
    path = recorded(tmp_path_factory.mktemp("past") / history.FILE, FINISHED, 84, days)
    add_incident(path, "pods.crashing", ago(hours=27), flapping=1)
    add_incident(path, "pods.ready", ago(days=12), ago(days=11, hours=21))
    add_incident(path, "pods.stale", ago(days=200), ago(days=199))
    add_window(path, ago(hours=1), FINISHED + timedelta(hours=2), "OPS-99: new node pool")
    add_window(path, FINISHED + timedelta(days=1), FINISHED + timedelta(days=1, hours=2), "OPS-101: etcd")
    add_window(path, ago(days=30), ago(days=29), "OPS-42: upgrade")
    for back in range(70):
        down = 20 if back == 3 else 0
        add_target_hour(path, "external.shop", ago(days=back), up=60 - down, down=down, took=0.12)
    return path


@pytest.fixture(scope="module")
def markup(past_path) -> str:
    """The page after a broken round."""
    return page_of(broken(), past_path)


def page_of(results, path) -> str:
    with history.opened(path) as past:
        return render_status(results, past).decode()


def wrong(page: Page) -> list[str]:
    """What is listed as wrong now."""
    return [it["text"] for it in page.all("li") if it["text"].startswith(OUTCOMES)]


OUTCOMES = ("failed ", "inconclusive ", "warned ")


def test_what_is_wrong_now_and_since_when(markup):
    """The causes stand in the order of every report, each with the time since which its check has been so in every round."""
    told = wrong(Page(markup))
    since = "for 1d, since 2026-11-20 01:02:03 UTC"
    assert told[0].startswith(f"failed external.shop {since}https://shop.example.com/healthz")
    assert "nodes.ready" in next(each for each in told if "Node/worker-3" in each)
    assert "3 consequences: Deployment/shop/web" in next(each for each in told if "nodes.ready" in each)
    assert [each.split()[0] for each in told[:8]] == ["failed"] * 4 + ["inconclusive", "warned"] + ["inconclusive"] * 2
    assert sum("pods.crashing" in each for each in told) == 1
    assert f"pods.crashing {since}, flapping" in next(each for each in told if "pods.crashing" in each)
    assert "6 causes (52 findings), 3 consequences" in Page(markup).all("p", class_="counts")[0]["text"]


def test_one_reason_is_told_once():
    """An API server that is gone gives two lines, not one for each of 29 checks."""
    told = wrong(Page(render_status(unreachable(), None).decode()))
    assert [each.split()[0] for each in told] == ["failed", "inconclusive"]
    assert all(f"{check.id}" in told[1] for check in unreachable().checks[1:])
    assert "cannot be reached: connection refused" in told[1]


def test_a_check_of_another_round_is_not_forgotten(past_path):
    """What a cheap round did not ask is told as it was when it was asked last."""
    told = wrong(Page(page_of(results(result("api.fine")), past_path)))
    (crashing,) = [each for each in told if "pods.crashing" in each]
    assert "not asked in the last round, as of 2026-11-21 01:02:03 UTC" in crashing


def test_a_page_is_not_clear_because_nobody_asked(past_path):
    """A cheap round that finds nothing does not make green what an earlier one found that asked more."""
    page = Page(page_of(results(result("api.fine")), past_path))
    assert results(result("api.fine")).verdict == "clear"
    assert page.all("h1")[0]["text"].startswith("not clear ")


def test_nothing_wrong_is_said(tmp_path):
    """A clear round on a clear history says so, and has no trouble, no incidents and no maintenance to tell."""
    path = recorded(tmp_path / history.FILE, FINISHED, 3, lambda back: (healthy(), False))
    page = Page(page_of(healthy(), path))
    assert wrong(page) == []
    assert page.all("h1")[0]["text"] == "clear nothing is wrong"
    assert [it["text"] for it in page.all("h2")] == ["Wrong now", "Checks", "Incidents"]
    assert "None in the last 90 days." in page.all("main")[0]["text"]
    assert "4 rounds, 100 % of them clear" in page.all("dl")[0]["text"]


def bars(markup: str) -> dict[str, str]:
    """Name → its 90 days in words."""
    labels = re.findall(r'aria-label="the last 90 days of ([^:]+): ([^"]+)"', markup)
    return dict(labels)


def test_ninety_days_of_a_check(markup):
    """Days before the history, in maintenance, failed and fine are told apart."""
    told = bars(markup)
    assert told["pods.ready"] == "81 days fine, 3 days failures, 1 day maintenance, 5 days no data"
    assert told["api.fine"] == "84 days fine, 1 day maintenance, 5 days no data"


def test_availability_leaves_maintenance_out(markup):
    """Of 332 rounds that count nine were bad; the four of the broken day in maintenance change nothing."""
    figures = Page(markup).all("span", class_="figures")
    told = {name: it["text"] for name, it in zip(bars(markup), figures, strict=True)}
    assert told["pods.ready"].endswith("90 days 97.28 % of 332 rounds on 84 days ")
    assert told["api.fine"].endswith("90 days 100 % of 332 rounds on 84 days ")


def test_a_target_has_availability_and_latency(markup):
    """20 of 60 attempts failed three days ago: the 7 days show it, today does not; latency is told in seconds."""
    figures = Page(markup).all("span", class_="figures")[0]["text"]
    told = "today 100 % 7 days 95.23 % 30 days 98.88 % 90 days 99.52 % of 4200 rounds on 70 days "
    assert figures == told
    assert "answers in 0.12s (median of the hours), 95th percentile 0.12s" in markup
    assert bars(markup)["external.shop"] == "69 days fine, 1 day failures, 20 days no data"
    assert "2026-11-18: failed in 20 of 60" in markup


def test_the_latency_of_a_day_is_a_line():
    """Four hours are a line with a break where one is missing; the 95th percentile is that of the slow hour."""
    hours = [target_hour(back, 0.1 if back else 0.9) for back in (5, 4, 3, 1, 0)]
    line = latency_line("external.shop", hours, FINISHED)
    assert "answers in 0.1s (median of the hours), 95th percentile 0.74s" in line
    assert line.count("<line") == 3


def target_hour(back: int, latency: float) -> TargetHour:
    """One hour, so many ago."""
    hour = ago(hours=back).replace(minute=0, second=0, microsecond=0)
    return TargetHour(
        target="https://a/",
        name="external.shop",
        hour=hour,
        maintenance=False,
        up=2,
        down=0,
        unknown=0,
        took=2 * latency,
        slowest=latency,
    )


def test_one_bad_round_is_no_red_day():
    """3 bad rounds of 288 are a low mark above a day that was fine; a day that was bad throughout is red to the top."""
    few, all_day = Tally("a", date(2026, 11, 21), False, good=285, bad=3), Tally("a", date(2026, 11, 20), False, bad=9)
    assert day_shape(few) == ("fine", "failed", 2)
    assert day_shape(all_day) == ("fine", "failed", 10)


def test_a_short_history_claims_no_long_availability():
    """After the first rounds of a day only today is told."""
    today = date(2026, 11, 21)
    (one,) = tracks([Tally("a", today, False, good=3, bad=1)], today)
    assert figures(one) == "<span>today <b>75.00 %</b></span> <span>of 4 rounds on 1 day</span> "


def test_the_last_24_hours_are_a_strip(markup):
    """Each check has a strip that says in words when it failed."""
    assert re.search('aria-label="the last 24 hours of pods.ready: failed [0-9:]+ to [0-9:]+"', markup)
    assert 'aria-label="the last 24 hours of api.fine: no failure"' in markup


def test_what_was_wrong_at_the_same_time_is_one_incident(tmp_path):
    """Two checks that failed together are one entry, from the first begin to the last end; a later one is another."""
    path = recorded(tmp_path / history.FILE, FINISHED, 1, lambda back: (healthy(), False))
    add_incident(path, "nodes.ready", ago(hours=9), ago(hours=7))
    add_incident(path, "pods.ready", ago(hours=8), ago(hours=6))
    add_incident(path, "jobs.failed", ago(hours=5), ago(hours=4), told=0)
    (shown,) = Page(page_of(healthy(), path)).all("ul", class_="incidents")
    assert shown["text"].count("people were told") == 1
    assert (
        "nodes.ready, pods.ready3h, 2026-11-20 16:02:07 UTC to 2026-11-20 19:02:07 UTC, people were told"
        in shown["text"]
    )
    assert "no message was sent" in shown["text"]


def test_what_is_public_names_no_object(past_path):
    """The public variant has outcomes, times and titles, and no object, server or text of the cluster."""
    with history.opened(past_path) as past:
        text = render_status(broken(), past, public=True).decode()
    assert not re.search("worker-3|web-7d9|ledger|10.20.0.1|it crashes|report.html|shop.example.com", text)
    assert "expected: Every node is ready." in Page(text).all("main")[0]["text"]


def test_a_badge_says_the_verdict(tmp_path, past_path):
    """The badge is written beside the page, and is not clear while an earlier round's finding stands."""
    with history.opened(past_path) as past:
        write_status(results(result("api.fine")), past, tmp_path)
    assert b"<title>prod: not clear</title>" in (tmp_path / BADGE).read_bytes()
    ElementTree.fromstring(badge(HOSTILE, "clear"))


def test_what_is_asked_from_outside_is_not_told_twice(markup):
    """A target has its line under From outside, and none among the checks."""
    assert markup.count("the last 90 days of external.shop:") == 1


def test_incidents_and_maintenance(markup):
    """What goes on, what is over and how long it took; windows that are open, planned and past; nothing older."""
    told = [it["text"] for it in Page(markup).all("li") if "since" in it["text"] or " to " in it["text"]]
    assert any(it.startswith("pods.crashingfor 1d3h") and "failing, flapping: Pod/a/b: it crashes" in it for it in told)
    assert any(it.startswith("pods.ready3h, 2026-11-09") for it in told)
    assert any(it.startswith("OPS-101: etcd, planned2h, 2026-11-22") for it in told)
    assert "pods.stale" not in markup
    assert (
        "Maintenance until 2026-11-21 03:02:07 UTC: OPS-99: new node pool."
        in Page(markup).all("p", class_="notice")[0]["text"]
    )


def test_without_a_history_the_round_is_told(tmp_path):
    """A history that cannot be used costs the times, not the page."""
    assert write_status(broken(), None, tmp_path) == []
    page = Page((tmp_path / FILE).read_text())
    assert "The history could not be used" in page.all("p", class_="notice")[0]["text"]
    assert len(wrong(page)) == 8
    assert "since" not in page.all("ul", class_="trouble")[0]["text"]


def test_nothing_hostile_becomes_markup(tmp_path):
    """Text from the cluster is text, in this round and out of the history."""
    path = recorded(tmp_path / history.FILE, FINISHED, 2, lambda back: (cleaned(hostile()), False), a_day=1)
    add_incident(path, HOSTILE, ago(hours=1), observed=HOSTILE, objects=msgspec.json.encode([HOSTILE]).decode())
    add_window(path, ago(hours=1), FINISHED + timedelta(hours=1), HOSTILE)
    page = Page(page_of(hostile(), path))
    assert page.all("img") == []
    assert len(page.all("script")) == 1
    assert HOSTILE in page.all("p", class_="notice")[0]["text"]


def test_it_can_be_heard_and_walked_through(markup):
    """Headings without gaps, sections with names, pictures with words, ids once, and a way past the header."""
    page = Page(markup)
    levels = [int(it["tag"][1]) for it in page.elements if re.fullmatch("h[1-6]", it["tag"])]
    assert levels == [1] + [2] * (len(levels) - 1)
    ids = [it["id"] for it in page.elements if "id" in it]
    assert len(ids) == len(set(ids))
    assert {it["aria-labelledby"] for it in page.all("section")} <= set(ids)
    assert all(it.get("aria-label") or it.get("aria-hidden") for it in page.all("svg"))
    assert page.all("a")[0]["href"] == "#now"


def test_links_lead_to_the_report(markup):
    """A check's name leads to the place in report.html that has the same name there."""
    from upgate.reports.html import render_html

    report = Page(render_html(broken()).decode())
    anchors = {f"report.html#{it['id']}" for it in report.elements if "id" in it}
    links = {it["href"] for it in Page(markup).all("a") if "#check-" in it["href"]}
    assert links
    assert links <= anchors


def test_only_what_never_failed_is_a_hundred():
    """Percentages are rounded down."""
    assert [percent(ratio) for ratio in (1, 0.999_999, 0.5, 0)] == ["100 %", "99.99 %", "50.00 %", "0.00 %"]


def test_a_day_half_in_maintenance_is_judged_by_the_other_half():
    """Rounds outside of the window decide how a day was; a day that was nothing but window is maintenance."""
    today = date(2026, 11, 21)
    (one,) = tracks([Tally("a", today, False, good=3, bad=1), Tally("a", today, True, bad=9)], today, days=2)
    assert ([it.state for it in one.days], one.availability()) == (["none", "failed"], 0.75)
    (other,) = tracks([Tally("a", today, True, bad=9)], today, days=2)
    assert ([it.state for it in other.days], other.availability()) == (["none", "maintenance"], None)


def test_overdue_is_three_rounds(tmp_path):
    """The page calls itself old after three times the usual pause, and never before a quarter of an hour."""
    path = recorded(tmp_path / history.FILE, FINISHED, 1, lambda back: (healthy(), False), a_day=24)
    with history.opened(path) as past:
        assert overdue_after(past.rounds(ago(days=1))) == 3 * 3600
    assert overdue_after([]) == 900


@in_a_browser
def test_an_old_page_says_so(browse, markup):  # noqa: F811
    """When the next round is overdue the browser shows a warning, and before that none."""
    old = re.sub('data-late="[0-9]+"', 'data-late="60"', markup)
    (warning,) = browse(old.encode()).all("p", id="late")
    assert "hidden" not in warning
    assert "no new rounds have run" in warning["text"]
    fresh = re.sub('data-late="[0-9]+"', 'data-late="99999999999"', markup)
    assert "hidden" in browse(fresh.encode()).all("p", id="late")[0]


#: How wide the page is, and on which ground and in which colour it is written.
MEASURED = """<script>
const shown = getComputedStyle(document.body);
document.title = [document.documentElement.scrollWidth, innerWidth, shown.backgroundColor, shown.color].join(";");
</script></body>"""


@in_a_browser
@pytest.mark.parametrize(("scheme", "ground"), [(1, "rgb(255, 255, 255)"), (0, "rgb(16, 19, 23)")])
def test_it_fits_on_a_phone_by_day_and_by_night(browse, markup, scheme, ground):  # noqa: F811
    """At 390 pixels nothing is wider than the screen, on light and on dark ground."""
    open_page = markup.replace("Content-Security-Policy", "x-nothing").replace("</body>", MEASURED)
    flags = ("--window-size=390,844", f"--blink-settings=preferredColorScheme={scheme}")
    width, screen, colour, text = browse(open_page.encode(), "", *flags).all("title")[0]["text"].split(";")
    assert int(width) <= int(screen) <= 500
    assert colour == ground != text


def test_causes_stand_in_place_of_their_effects():
    """What only follows from others is counted with its cause, and has no entry of its own."""
    told = wrong(Page(render_status(broken(), None).decode()))
    assert not any("pods.ready" in each.split(" ")[1] for each in told)
