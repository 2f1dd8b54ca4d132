"""`alerts.firing` and `alerts.query.*`: what Prometheus, and what speaks its API, says of a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import NOW, container_status, good, judge, node, objects, pod, profile, run, snapshot
from upgate.facts.monitored import Answered, BrokenRule, FiringAlert, MonitorAnswers, QueriedSample, object_in

#: A world of alerts without Prometheus, for what follows from its answers.
PROFILE = profile(prometheus={"url": "http://prometheus.test"})


def alert(name: str = "Broken", **labels: str) -> FiringAlert:
    return FiringAlert(name, {"alertname": name, **labels}, NOW)


def told(*alerts: FiringAlert, rules: int = 5, **more: Any) -> Any:
    return snapshot(
        good(), monitored=MonitorAnswers(url="http://prometheus.test", rules=rules, alerts=list(alerts), **more)
    )


def judged(*alerts: FiringAlert, ignore: tuple[str, ...] = (), **more: Any) -> Any:
    return judge(
        "alerts.firing",
        told(*alerts, **more),
        profile=profile(prometheus={"url": "http://prometheus.test", "ignore": ignore}),
    )


def queried(*samples: QueriedSample, that: str = "< 1", **more: Any) -> Any:
    keys = {"url": "http://prometheus.test", "queries": [{"name": "errors", "query": "rate(x[5m])", "that": that}]}
    wanted = profile(prometheus=keys)
    seen = snapshot(good(), monitored=MonitorAnswers(answers=[Answered("rate(x[5m])", list(samples), **more)]))
    return judge("alerts.query.{name}", seen, profile=wanted, entry=wanted.prometheus.queries[0])


def test_an_alert_is_a_finding_on_the_object_it_is_about():
    """The finding is on the pod that the labels name, and says the alert, its labels and since when."""
    found = judged(alert("KubePodCrashLooping", namespace="shop", pod="web-1", container="app"))
    assert found.outcome == "failed"
    assert objects(found) == ["Pod/shop/web-1"]
    assert "KubePodCrashLooping fires for 0s (since 20" in found.findings[0].observed
    assert "container=app" in found.findings[0].observed


def test_no_alert_is_a_pass_of_so_many_rules():
    """Where none fires, the rules are what was examined."""
    assert (judged().outcome, judged().examined) == ("passed", 5)


def test_alerts_about_one_object_are_one_finding():
    """Two alerts about a node are one finding that says both; one that no label places has its own name."""
    found = judged(alert("A", node="worker-1"), alert("B", node="worker-1"), alert("C"), alert("C", x="1"))
    assert sorted(objects(found)) == ["Alert/C", "Node/worker-1"]
    assert {"A fires", "B fires"} <= {part[:7] for part in found.findings[0].observed.split("; ")}


def test_a_crash_loop_explains_its_alert():
    """KubePodCrashLooping is explained by pods.crashing on the same pod."""
    crashing = pod(status={"containerStatuses": [container_status(state={"waiting": {"reason": "CrashLoopBackOff"}})]})
    monitored = MonitorAnswers(rules=1, alerts=[alert("KubePodCrashLooping", namespace="shop", pod="web-1")])
    seen = snapshot(good(pods=[crashing]), monitored=monitored)
    _, firing = run(["pods.crashing", "alerts.firing"], seen, PROFILE)
    assert firing.findings[0].because == "pods.crashing: Pod/shop/web-1"


def test_a_node_that_is_down_explains_its_alert():
    """KubeNodeNotReady names the node, also where the exporter's own pod is in its labels."""
    fired = alert("KubeNodeNotReady", node="worker-1", namespace="monitoring", pod="kube-state-metrics-0")
    seen = snapshot(good(nodes=[node(ready="Unknown")]), monitored=MonitorAnswers(rules=1, alerts=[fired]))
    _, firing = run(["nodes.ready", "alerts.firing"], seen, PROFILE)
    assert firing.findings[0].because == "nodes.ready: Node/worker-1"


@pytest.mark.parametrize(
    ("labels", "object"),
    [
        ({"namespace": "shop", "pod": "web-1"}, "Pod/shop/web-1"),
        (
            {"namespace": "monitoring", "pod": "ksm", "exported_namespace": "shop", "exported_pod": "web-1"},
            "Pod/shop/web-1",
        ),
        ({"namespace": "shop", "deployment": "web", "pod": "kube-state-metrics-1"}, "Deployment/shop/web"),
        ({"namespace": "shop", "job_name": "import", "job": "kube-state-metrics"}, "Job/shop/import"),
        ({"node": "worker-1", "pod": "web-1"}, "Node/worker-1"),
        ({"persistentvolume": "pv-1"}, "PersistentVolume/pv-1"),
        ({"namespace": "shop", "persistentvolumeclaim": "data", "node": "n"}, "PersistentVolumeClaim/shop/data"),
        ({"namespace": "shop"}, ""),
        ({"namespace": "shop/../x", "pod": "web-1"}, ""),
        ({"namespace": "shop", "pod": "web 1\n"}, ""),
    ],
)
def test_labels_name_an_object(labels, object):
    """The most precise label counts; what cannot be the name of an object names none."""
    assert object_in(labels) == object


@pytest.mark.parametrize(
    ("ignored", "is_silent"),
    [
        ("Broken", True),
        ("Bro*", True),
        ("broken", False),
        ('{team="shop"}', True),
        ('{team!="shop"}', False),
        ('{team=~"s.*"}', True),
        ('{team=~"ho"}', False),
        ('{team!~"s.*"}', False),
        ('{cluster!="prod"}', True),
        ('Bro*{team="shop", zone=""}', True),
        ('Other{team="shop"}', False),
        ('{alertname="Broken"}', True),
    ],
)
def test_alerts_are_ignored_by_name_or_label(ignored, is_silent):
    """A name, a pattern, label matchers as PromQL reads them, or both."""
    assert judged(alert("Broken", team="shop"), ignore=(ignored,)).outcome == ("passed" if is_silent else "failed")


def test_what_only_informs_warns_and_what_says_nothing_is_silent():
    """Severity info is a warning; severity none, as of Watchdog, is nothing."""
    assert judged(alert("Info", severity="info")).outcome == "warned"
    assert judged(alert("Watchdog", severity="none")).outcome == "passed"


def test_a_rule_that_is_not_evaluated_is_a_gap_unless_it_is_ignored():
    """Nobody knows whether it would fire."""
    broken = [BrokenRule("Odd", {"severity": "critical"}, "many-to-many matching")]
    assert judged(broken=broken).outcome == "inconclusive"
    assert "Odd was not evaluated: many-to-many matching" in judged(broken=broken).reason
    assert judged(broken=broken, ignore=("Odd",)).outcome == "passed"


@pytest.mark.parametrize("more", [{"problem": "refused"}, {"gaps": ["it warns: partial response"]}, {"rules": 0}])
def test_what_was_not_told_is_never_green(more):
    """No answer, a part of one, and no rules at all are inconclusive."""
    assert judged(**more).outcome == "inconclusive"


def test_a_snapshot_without_it_is_inconclusive():
    """An older snapshot has nothing to judge."""
    assert judge("alerts.firing", snapshot(good(), monitored=None), profile=PROFILE).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("value", "that", "outcome"),
    [
        ("0.5", "< 1", "passed"),
        ("1", "< 1", "failed"),
        ("1", "<= 1", "passed"),
        ("+Inf", "< 1", "failed"),
        ("-Inf", "< 1", "passed"),
        ("3", "== 3.0", "passed"),
        ("3", "!= 3", "failed"),
        ("1e3", "> 9.9e2", "passed"),
        ("NaN", "< 1", "inconclusive"),
        ("NaN", "!= 1", "inconclusive"),
        ("", "< 1", "inconclusive"),
        ("much", "< 1", "inconclusive"),
    ],
)
def test_a_value_is_compared(value, that, outcome):
    """A number holds or does not; NaN, a histogram and nonsense are inconclusive, whatever the comparison."""
    assert queried(QueriedSample({}, value), that=that).outcome == outcome


def test_every_value_of_a_query_is_judged():
    """One series of several is wrong: it is named by its object or its labels, and a NaN beside it is told."""
    found = queried(
        QueriedSample({"service_name": "cart"}, "7"),
        QueriedSample({"node": "n-1"}, "8"),
        QueriedSample({"a": "b"}, "NaN"),
    )
    assert sorted(objects(found)) == ["Node/n-1", "Query/errors{service_name=cart}"]
    assert "Query/errors{a=b} is NaN" in found.reason
    assert found.findings[0].expected == "< 1"


def test_a_query_without_an_answer_is_inconclusive():
    """No series, no answer, and an answer that lacks something are never green."""
    assert queried().outcome == "inconclusive"
    assert queried(problem="refused").reason == "refused"
    assert queried(QueriedSample({}, "0"), gaps=["it warns: partial"]).outcome == "inconclusive"
