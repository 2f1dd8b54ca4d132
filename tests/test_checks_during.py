"""The checks of what `upgate watch` recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import NOW, battery, good, profile, snapshot
from upgate.battery.during import SERVICE_SECONDS
from upgate.judge.gate import Gate
from upgate.judge.judge import judge
from upgate.judge.options import Options
from upgate.results import CheckResult
from upgate.watch.timeline import MeasuredSeries, Outage, TimeGap, Timeline, TimelineEvent, TimelineTarget

START = NOW - timedelta(minutes=10)
SERVER = "https://here.example.com:6443"
URL = "https://shop.example.com/"
SEEN = TimelineEvent(at=START, object="Watch", what="watches", details={"services": "4", "nodes": "3"})


def series(*seconds: float, unseen: float = 0.0, samples: int = 600) -> dict[str, Any]:
    """What was measured: outages of so many seconds."""
    outages = [
        Outage(start=NOW - timedelta(seconds=60), end=NOW - timedelta(seconds=60 - each), seconds=each, why="refused")
        for each in seconds
    ]
    gaps = [TimeGap(start=START, end=NOW, seconds=unseen, why="paused")] if unseen else []
    return {
        "samples": samples,
        "failed": int(sum(seconds)),
        "outages": outages,
        "gaps": gaps,
        "outage_seconds": sum(seconds),
        "longest_seconds": max(seconds, default=0.0),
        "not_measured_seconds": unseen,
    }


def target(*seconds: float, kept: MeasuredSeries | None = None, name: str = "shop", **more: Any) -> TimelineTarget:
    """A target with outages of so many seconds."""
    return TimelineTarget(name=name, target=URL, control=False, kept=kept, **series(*seconds, **more))


def timeline(*targets: TimelineTarget, events: Any = (), **more: Any) -> Timeline:
    """A record of this cluster, of the last ten minutes."""
    fields = {"start": START, "end": NOW, "server": SERVER, "interval_seconds": 1.0}
    return Timeline(targets=list(targets), events=[SEEN, *events], **fields | more)


def judged(recorded: Timeline | str | None, budget: Any = None) -> CheckResult:
    """What the check of the budget says, or that of the Services."""
    own = profile(external=[{"name": "shop", "url": URL, "budget": budget}]) if budget else profile()
    gate = Gate(own, Options(home=Path("reports")))
    gate.snapshot, gate.recorded = snapshot(good(), server=SERVER), recorded  # type: ignore[misc]
    id = "disruption.{name}" if budget else "disruption.services"
    entries = own.budgets
    return judge(replace(battery()[id], entry=entries[0] if entries else None), gate.evidence)


def event(seconds: float, object: str, what: str, **details: str) -> TimelineEvent:
    """Something that happened so many seconds after the start."""
    return TimelineEvent(at=START + timedelta(seconds=seconds), object=object, what=what, details=details)


def gone(seconds: float, **details: str) -> list[TimelineEvent]:
    """A Service without a ready endpoint for so long."""
    return [
        event(10, "Service/shop/web", "had no ready endpoint", endpoints="0", **details),
        event(10 + seconds, "Service/shop/web", "has a ready endpoint", endpoints="1"),
    ]


@pytest.mark.parametrize(
    ("budget", "outages", "outcome"),
    [
        ("5s", [3.0], "passed"),
        ("5s", [3.0, 2.5], "failed"),
        ({"longest": "5s"}, [3.0, 2.5], "passed"),
        ({"longest": "2s"}, [3.0], "failed"),
        ({"total": "5s", "longest": "1s"}, [0.5], "passed"),
        ("0s", [], "passed"),
        ("0s", [1.0], "failed"),
    ],
)
def test_outages_are_judged_by_the_budget(budget: Any, outages: list[float], outcome: str) -> None:
    """All outages together, and each of them, must be within what the entry allows."""
    result = judged(timeline(target(*outages)), budget)
    assert result.outcome == outcome
    assert result.examined == 1


def test_a_finding_says_when_and_why() -> None:
    """The finding has the seconds, the moment and the reason of the longest outages."""
    [finding] = judged(timeline(target(7.0)), "5s").findings
    assert finding.object == URL
    assert finding.observed.startswith("away for 7.0 s in all: 7.0 s at ")
    assert finding.observed.endswith("(refused)")
    assert finding.expected == "at most 5 s in all"


def test_kept_connections_have_the_same_budget() -> None:
    """A node that is cut off keeps those who are connected waiting, although new connections go elsewhere."""
    result = judged(timeline(target(kept=MeasuredSeries(**series(9.0)))), "5s")
    assert result.outcome == "failed"
    assert "kept connections" in result.findings[0].observed


@pytest.mark.parametrize(
    "measured", [target(3.0, unseen=4.0), target(samples=0), target(kept=MeasuredSeries(**series(unseen=60.0)))]
)
def test_what_was_not_measured_may_hide_an_outage(measured: TimelineTarget) -> None:
    """A gap that could hold more than the budget leaves makes the check inconclusive; a shorter one does not."""
    assert judged(timeline(measured), "5s").outcome == "inconclusive"
    assert judged(timeline(target(unseen=1.0)), "5s").outcome == "passed"


def test_a_budget_without_a_record_is_inconclusive() -> None:
    """Who names a budget wants it judged: no record, an older one, another cluster's, a corrupt one, another entry's."""
    old = timeline(target(), end=NOW - timedelta(days=2))
    foreign = timeline(target(), server="https://elsewhere:6443", cluster="other")
    for recorded in (None, old, foreign, "cannot use disruption.jsonl: corrupt", timeline(target(name="other"))):
        result = judged(recorded, "5s")
        assert result.outcome == "inconclusive"
        assert result.reason


def test_outages_before_the_reference_time_do_not_count() -> None:
    """The record may have begun long before the upgrade."""
    early = Outage(start=NOW - timedelta(days=2), end=NOW - timedelta(days=2), seconds=99.0, why="refused")
    measured = target()
    measured.outages.append(early)
    assert judged(timeline(measured), "5s").outcome == "passed"


@pytest.mark.parametrize(("seconds", "outcome"), [(SERVICE_SECONDS - 1, "passed"), (SERVICE_SECONDS + 1, "failed")])
def test_a_service_may_lose_its_endpoints_for_a_moment(seconds: float, outcome: str) -> None:
    """Half a minute without a ready endpoint is a rollout or a drain; more is an outage for whoever uses it."""
    result = judged(timeline(events=gone(seconds)))
    assert (result.outcome, result.examined) == (outcome, 7)


def test_a_service_that_should_have_no_endpoint_is_fine() -> None:
    """One that was scaled to zero or deleted is no finding."""
    deleted = [gone(99)[0], event(200, "Service/shop/web", "was deleted", endpoints="gone")]
    for events in (gone(99, excused="Deployment/shop/web is scaled to 0"), deleted):
        assert judged(timeline(events=events)).outcome == "passed"


def test_a_service_that_is_still_away_is_a_finding() -> None:
    """Its end is that of the record."""
    result = judged(timeline(events=gone(99)[:1]))
    assert result.outcome == "failed"
    assert "when the watch ended" in result.findings[0].observed


def test_a_node_that_goes_with_its_pods_is_a_finding() -> None:
    """It was not drained: its pods were killed."""
    result = judged(timeline(events=[event(5, "Node/a", "was deleted while 2 pods were bound to it", pods="x, y")]))
    assert (result.outcome, result.findings[0].object) == ("failed", "Node/a")


def test_without_a_record_services_are_not_judged() -> None:
    """No watch was asked for: the check is skipped, visibly. A watch that saw nothing, or not all, is inconclusive."""
    assert judged(None).outcome == "skipped"
    assert judged(timeline(end=NOW - timedelta(days=2))).outcome == "skipped"
    assert judged("corrupt").outcome == "inconclusive"
    blind = timeline()
    blind.events.clear()
    assert judged(blind).outcome == "inconclusive"
    unseen = event(1, "Watch", "cannot watch endpointslices: not permitted", unseen="endpointslices")
    assert judged(timeline(events=[unseen])).outcome == "inconclusive"


def test_targets_without_a_budget_are_told_as_a_note() -> None:
    """An outage without a budget changes no verdict, and is not hidden."""
    gate = Gate(profile(), Options(home=Path("reports")))
    gate.snapshot, gate.recorded = snapshot(good(), server=SERVER), timeline(target(3.5))  # type: ignore[misc]
    assert any("shop was away for 3.5 s: 3.5 s at" in note for note in gate.finish([]).notes)
