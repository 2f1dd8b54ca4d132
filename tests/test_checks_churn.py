"""Autoscalers that do not scale, and workloads that are changed without end."""

from __future__ import annotations

import gzip

import msgspec
import pytest

from tests.worlds import (
    ago,
    autoscaler,
    baseline,
    condition,
    daemonset,
    good,
    judge,
    objects,
    pod,
    replicated,
    run,
)
from upgate.baseline import dump_baseline, load_baseline

HPAS, CHURN = "hpas.active", "workloads.churn"


def without(status="False", reason="FailedGetResourceMetric", type="ScalingActive", **when):
    """A HorizontalPodAutoscaler that lacks one of its abilities, since so long ago."""
    lost = condition(type, status, reason=reason, **({"lastTransitionTime": ago(**when)} if when else {}))
    others = [condition(each) for each in ("AbleToScale", "ScalingActive") if each != type]
    return autoscaler(status={"conditions": [lost, *others]})


def scaled(*autoscalers):
    """What is said of these autoscalers."""
    return judge(HPAS, good(horizontalpodautoscalers=list(autoscalers)))


@pytest.mark.parametrize(
    "each",
    [
        without(),
        without("Unknown"),
        without(type="AbleToScale", reason="FailedGetScale"),
        autoscaler(status={"conditions": []}),
    ],
)
def test_an_autoscaler_without_an_ability(each):
    """It has no metrics or no target, or its controller has never looked at it."""
    assert scaled(each).outcome == "warned"
    assert "Deployment web" in scaled(each).findings[0].observed


@pytest.mark.parametrize(
    "each",
    [
        without(reason="ScalingDisabled"),
        without(reason="BackoffBoth", type="AbleToScale"),
        without(seconds=20),
        autoscaler(metadata={"creationTimestamp": ago(seconds=20)}, status={"conditions": []}),
        autoscaler(metadata={"deletionTimestamp": ago(seconds=20)}, status={"conditions": []}),
        autoscaler(
            status={"conditions": [condition("AbleToScale"), condition("ScalingActive"), condition("ScalingLimited")]}
        ),
    ],
)
def test_an_autoscaler_that_is_all_right(each):
    """Its target is scaled to zero, metrics are away for moments, it is new or going, or it is at its limit."""
    assert scaled(each).outcome == "passed"


def test_a_target_that_went_while_it_was_at_rest():
    """What was said of the target as it was scaled to zero does not excuse that it is gone."""
    gone = condition("AbleToScale", "False", reason="FailedGetScale")
    rest = condition("ScalingActive", "False", reason="ScalingDisabled")
    (finding,) = scaled(autoscaler(status={"conditions": [gone, rest]})).findings
    assert "FailedGetScale" in finding.observed
    assert "ScalingDisabled" not in finding.observed


def test_metrics_that_may_come_back():
    """For some minutes that is under way: the metrics server moves in an upgrade, too."""
    assert scaled(without(minutes=3)).findings[0].transitional
    assert not scaled(without(minutes=6)).findings[0].transitional


def test_a_target_that_cannot_be_read_is_one_line():
    """What is not written for that reason is not said beside it."""
    lost = condition("AbleToScale", "False", reason="FailedGetScale", message="not found")
    (finding,) = scaled(autoscaler(status={"conditions": [lost]})).findings
    assert finding.observed == "AbleToScale=False (FailedGetScale: not found), for Deployment web"


@pytest.mark.parametrize(("ready", "explained"), [(0, True), (1, False)])
def test_a_target_without_a_ready_pod(ready, explained):
    """Nothing has metrics then: the Deployment explains it. Where one pod is ready, something else is wrong."""
    down = [replicated("web", 2, status={"readyReplicas": ready, "availableReplicas": ready})]
    world = good(deployments=down, horizontalpodautoscalers=[without()], pods=[pod()] * ready)
    _, scaling = run(["deployments.ready", HPAS], world)
    assert bool(scaling.findings[0].because) == explained


def changed(times, *writers, kind=replicated, **meta):
    """A workload of that generation, written lately by these managers."""
    fields = [{"manager": name, "time": ago(minutes=1), "subresource": sub} for name, sub in writers]
    return kind(
        "web", metadata={"generation": times, "managedFields": fields, **meta}, status={"observedGeneration": times}
    )


FIGHT = (("helm-operator", ""), ("kubectl-client-side-apply", ""))
BEFORE = baseline(good(deployments=[replicated("web", metadata={"generation": 5})], daemonsets=[daemonset("web")]))


def churned(each, noun="deployments", before=BEFORE):
    """What is said of this workload, with a baseline of an hour ago."""
    return judge(CHURN, good(**{noun: [each]}), baseline=before)


def test_a_fight_since_the_baseline():
    """It says how often, and who writes."""
    (finding,) = churned(changed(105, *FIGHT)).findings
    assert finding.observed == "changed 100 times in 1h, most recently by helm-operator, kubectl-client-side-apply"
    assert objects(churned(changed(105, *FIGHT, kind=daemonset), "daemonsets")) == ["DaemonSet/shop/web"]


def test_a_fight_over_a_new_workload():
    """One that was made since, also under a name that the baseline knows, was changed as often as its generation says."""
    young = {"creationTimestamp": ago(minutes=10)}
    assert "changed 30 times in 10m" in churned(changed(30, *FIGHT, **young)).findings[0].observed
    assert churned(changed(30, *FIGHT, **young), before=None).outcome == "warned"


@pytest.mark.parametrize(
    "each",
    [
        changed(15, *FIGHT),
        changed(105, ("kube-controller-manager", "scale"), ("kube-controller-manager", "status")),
        replicated(
            "web",
            metadata={"generation": 105, "managedFields": [{"manager": "helm", "time": ago(minutes=30)}]},
            status={"observedGeneration": 105},
        ),
    ],
)
def test_changes_that_are_no_fight(each):
    """A few of them, those of an autoscaler, and many that have come to an end."""
    assert churned(each).outcome == "passed"


def test_an_autoscaler_and_another_that_set_the_replicas():
    """Both write: that is a fight."""
    assert churned(changed(105, ("kube-controller-manager", "scale"), ("argocd-controller", ""))).outcome == "warned"


def test_generations_of_a_long_life():
    """Without a baseline many changes in a long time, or in a time that is not known, are no fight."""
    assert churned(changed(250, *FIGHT), before=None).outcome == "passed"
    assert churned(changed(250, *FIGHT, creationTimestamp=None), before=None).outcome == "passed"


def test_an_earlier_baseline(tmp_path):
    """A baseline of an earlier version is read, and knows nothing of generations, CronJobs and events."""
    old = {
        key: value
        for key, value in msgspec.json.decode(gzip.decompress(dump_baseline(BEFORE))).items()
        if key not in ("generations", "cronjobs", "warnings")
    }
    path = tmp_path / "baseline.json"
    path.write_bytes(msgspec.json.encode(old))
    assert (load_baseline(path).generations, load_baseline(path).cronjobs, load_baseline(path).warnings) == (
        {},
        set(),
        set(),
    )
