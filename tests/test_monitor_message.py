"""The words of an alert: what is wrong comes first, then where to look."""

from __future__ import annotations

from tests.test_monitor_alerts import RULES, START, finding, result
from tests.test_monitor_growth import CRASH, GONE_503, LOST
from upgate.monitor import alerts
from upgate.monitor.message import Message, compose
from upgate.monitor.signals import signals
from upgate.results import CheckResult, ClusterSummary, Results


def message(*checks: CheckResult, states: alerts.States | None = None, rounds: int = 2) -> Message:
    """What people are told after so many rounds."""
    states = {} if states is None else states
    for _ in range(rounds):
        alerts.step(states, signals(checks), START, RULES)
    news = alerts.news(states, START, RULES)
    assert news
    results = Results(
        profile="prod",
        verdict="not clear",
        exit_code=1,
        cluster=ClusterSummary(),
        started=START,
        finished=START,
        checks=checks,
    )
    return compose(news, results, "1", "r")


def failed(id: str, *found, title: str = "Every one is fine.", **more) -> CheckResult:
    """A failed check."""
    return CheckResult(id=id, title=title, severity="critical", outcome="failed", findings=found, **more)


DOWN = finding("Node/a", hint="kubectl describe node a")


def test_an_alert_says_what_is_wrong_and_where_to_look() -> None:
    """No alert says the sentence that is true when all is well."""
    text = message(failed("nodes.ready", DOWN, title="Every node is Ready.", examined=12, noun="nodes")).text
    assert text.splitlines()[:4] == [
        "NEW",
        "- nodes.ready: 1 of 12 nodes failed (failing for 0s, since 2026-11-21 00:00 UTC)",
        "  Node/a: Ready=False",
        "  look first: kubectl describe node a",
    ]
    assert "Every node is Ready." not in text


def test_what_users_see_comes_first() -> None:
    """The address that answers 503, then the pods that took the Service with them, then a node, then what cannot be judged."""
    told = message(
        failed("a.b", finding("Node/b")),
        result("inconclusive", id="a.a"),
        failed("nodes.ready", DOWN),
        failed("pods.ready", finding("Pod/x/y", because="nodes.ready: Node/a")),
        failed("pods.crashing", CRASH),
        failed("services.endpoints", LOST),
        failed("external.shop", GONE_503),
        rounds=3,
    )
    assert [line.check for line in told.new] == ["external.shop", "pods.crashing", "nodes.ready", "a.b", "a.a"]
    assert "because of it users see: services.endpoints: Service/shop/web: Ready=False" in told.text
    assert "could not be judged" in told.text


def test_growth_names_what_is_new() -> None:
    """The message about a cause that is known says what users lost now."""
    states: alerts.States = {}
    message(failed("pods.crashing", CRASH), states=states)
    told = message(failed("pods.crashing", CRASH), failed("services.endpoints", LOST), states=states)
    assert [line.check for line in told.more] == ["pods.crashing"]
    assert told.text.startswith("STILL FAILING, AND WORSE\n- pods.crashing: 1 object failed")
    assert told.more[0].follows == ("services.endpoints: Service/shop/web: Ready=False",)


def test_what_recovered_says_what_is_true_again() -> None:
    """Only then the check's title is right."""
    states: alerts.States = {}
    message(failed("nodes.ready", DOWN), states=states)
    good = CheckResult(id="nodes.ready", title="Every node is Ready.", severity="critical", outcome="passed")
    assert "- nodes.ready: Every node is Ready. (after" in message(good, states=states, rounds=3).text
