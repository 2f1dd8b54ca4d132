"""Budgets that stop a drain, and what a drain takes from the users of Services."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    budget,
    container_status,
    daemonset,
    endpointslice,
    good,
    judge,
    merged,
    objects,
    owner,
    pod,
    replicated,
    service,
    thing,
)

ID, SINGLE, PROBE = "pdbs.allow-drain", "workloads.single-replica", "workloads.readiness-probe"
WAITS = pod(ready="False", status={"containerStatuses": [container_status(ready=False)]})
STARTS = pod(
    ready="False",
    metadata={"creationTimestamp": ago(seconds=20)},
    status={"containerStatuses": [container_status(ready=False, state={"running": {"startedAt": ago(seconds=10)}})]},
)


def found(*budgets, preflight=False, **lists):
    """What is said of these budgets."""
    return judge(ID, good(poddisruptionbudgets=list(budgets), **lists), preflight=preflight)


def short(**changes):
    """A budget with fewer healthy pods than it demands."""
    status = {"currentHealthy": 0, "desiredHealthy": 1, "expectedPods": 1}
    return merged(budget(allowed=0, status=status), changes)


@pytest.mark.parametrize(("preflight", "outcome"), [(False, "warned"), (True, "failed")])
def test_no_disruption_although_all_are_healthy(preflight, outcome):
    """It stops every drain: a warning, and critical before an upgrade. What it demands is said as it is written."""
    result = found(budget(allowed=0, spec={"maxUnavailable": None, "minAvailable": "100%"}), preflight=preflight)
    assert result.outcome == outcome
    assert result.findings[0].observed == (
        "no disruption is allowed: 1 of 1 pods healthy, 1 must be (minAvailable 100%); 1 pod (web-1) cannot be evicted"
    )


def test_pods_that_are_not_ready_are_an_excuse_only_afterwards():
    """After an upgrade others judge them; before one they block a drain just the same."""
    assert found(short(), pods=[WAITS]).outcome == "passed"
    assert found(short(), pods=[WAITS], preflight=True).outcome == "failed"


def test_pods_that_may_always_be_evicted():
    """With AlwaysAllow pods that are not ready go, whatever the budget counts."""
    allowed = short(spec={"unhealthyPodEvictionPolicy": "AlwaysAllow"})
    assert found(allowed, pods=[WAITS], preflight=True).outcome == "passed"
    assert found(allowed, pods=[WAITS, pod("web-2")], preflight=True).outcome == "failed"


def test_pods_that_start():
    """What has time left to start is not yet a block."""
    result = found(short(), pods=[STARTS], preflight=True)
    assert result.outcome == "inconclusive"
    assert "not yet" in result.reason


@pytest.mark.parametrize(
    "pods",
    [
        [],
        [pod(status={"phase": "Pending"})],
        [pod(status={"phase": "Succeeded"})],
        [pod(metadata={"deletionTimestamp": ago(seconds=10)})],
        [pod(metadata=owner("DaemonSet", thing("agent", "shop")))],
        [pod(metadata=owner("Node", thing("worker-1")))],
    ],
)
def test_pods_that_no_drain_waits_for(pods):
    """None there, scaled to zero, not running yet, ended, going, or of a DaemonSet or a node: nothing is blocked."""
    assert found(budget(allowed=0), pods=pods, preflight=True).outcome == "passed"


def test_a_workload_scaled_to_zero():
    """Its budget waits for it."""
    idle = budget(allowed=0, status={"expectedPods": 0, "currentHealthy": 0, "desiredHealthy": 0})
    result = found(idle, pods=[], deployments=[replicated("web", 0)], preflight=True)
    assert (result.outcome, result.findings) == ("passed", ())


@pytest.mark.parametrize(
    ("spec", "observed"),
    [
        ({"selector": {"matchLabels": {"app": "wbe"}}}, "its selector app=wbe matches no pod and no workload"),
        ({"selector": None}, "it has no selector"),
        (
            {"selector": {"matchLabels": None, "matchExpressions": [{"key": "x", "operator": "Exists"}]}},
            "its selector x Exists matches no pod and no workload",
        ),
    ],
)
def test_a_selector_that_matches_nothing(spec, observed):
    """It protects nothing: a warning, before an upgrade too."""
    result = found(budget(spec=spec), preflight=True)
    assert (result.outcome, result.findings[0].observed) == ("warned", observed)


def test_pods_that_have_completed():
    """Those of Jobs are there, too: its selector matches."""
    assert found(budget(), pods=[pod(status={"phase": "Succeeded"})], deployments=[]).outcome == "passed"


def test_an_operator_makes_its_budget_ahead():
    """That it matches nothing at the moment is its own business."""
    made = budget(spec={"selector": {"matchLabels": {"role": "primary"}}})
    made["metadata"] |= owner("Cluster", thing("pg", "shop"))
    assert found(made).outcome == "passed"


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"matchLabels": {"app": "web"}},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]},
        {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
        {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]},
    ],
)
def test_two_budgets_for_one_pod(selector):
    """The API server evicts no pod that two budgets select: it stops a drain, however much they allow."""
    other = budget("other")
    other["spec"]["selector"] = selector
    result = found(budget(), other, preflight=True)
    assert set(objects(result)) == {"PodDisruptionBudget/shop/other", "PodDisruptionBudget/shop/web"}
    assert result.outcome == "failed"
    assert found(budget(), other).outcome == "warned"


def test_budgets_of_other_namespaces():
    """A budget selects pods of its own namespace alone."""
    other = budget("other", metadata={"namespace": "data", "uid": "u"})
    assert objects(found(budget(), other)) == ["PodDisruptionBudget/data/other"]


def test_a_budget_that_its_controller_has_not_seen():
    """For a moment that is not yet; then it is a finding."""
    new = {"generation": 2, "managedFields": [{"manager": "kubectl", "time": ago(seconds=10)}]}
    old = {"generation": 2, "managedFields": [{"manager": "kubectl", "time": ago(hours=1)}]}
    assert found(budget(allowed=0, metadata=new), preflight=True).outcome == "inconclusive"
    assert found(budget(allowed=0, metadata=old), preflight=True).outcome == "failed"


def test_what_its_controller_could_not_find_out():
    """Pods without a controller have no number of replicas to take a share of: no pod may go."""
    failed = {"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": "found no controllers"}
    status = {"expectedPods": 0, "currentHealthy": 0, "desiredHealthy": 0, "conditions": [failed]}
    assert "(found no controllers)" in found(budget(allowed=0, status=status)).findings[0].observed


def test_a_budget_that_is_going():
    """What is being deleted stops nothing for long."""
    assert found(budget(allowed=0, metadata={"deletionTimestamp": ago(seconds=5)})).outcome == "passed"


def test_a_single_replica_behind_a_service():
    """While its node is drained, its Service leads nowhere: Deployments, StatefulSets, and ReplicaSets of their own."""
    assert objects(judge(SINGLE, good())) == ["Deployment/shop/web"]
    rollout = replicated("web-rs", metadata=owner("Rollout", thing("web", "shop")))
    assert objects(judge(SINGLE, good(deployments=[], replicasets=[rollout]))) == ["ReplicaSet/shop/web-rs"]
    assert objects(judge(SINGLE, good(deployments=[], replicasets=[], statefulsets=[replicated("web")]))) == [
        "StatefulSet/shop/web"
    ]


METRICS = [{"name": "http-metrics", "port": 9090}]


@pytest.mark.parametrize(
    "lists",
    [
        {"deployments": [replicated("web", 0)]},
        {"deployments": [replicated("web", 2)]},
        {"deployments": [replicated("web"), replicated("web-2")]},
        {"services": [service(spec={"selector": {"app": "other"}})]},
        {"services": [service(spec={"selector": None})]},
        {"services": [service(spec={"type": "ExternalName"})]},
        {"services": [service(spec={"ports": METRICS})]},
    ],
)
def test_what_a_drain_takes_from_nobody(lists):
    """Scaled to zero, more than one, two that share a Service, no Service of its own, or one for metrics alone."""
    assert judge(SINGLE, good(**lists)).findings == ()


def test_pods_without_a_readiness_probe():
    """They take traffic as soon as they start. The probe of a proxy beside them says nothing."""
    assert objects(judge(PROBE, good())) == ["Deployment/shop/web"]
    agent = daemonset("agent", 1, spec={"template": {"metadata": {"labels": {"app": "web"}}}})
    its = pod(metadata=owner("DaemonSet", agent))
    assert objects(judge(PROBE, good(daemonsets=[agent], pods=[its]))) == ["DaemonSet/shop/agent"]
    proxied = [{"name": "app"}, {"name": "istio-proxy", "readinessProbe": {}}]
    assert objects(judge(PROBE, good(pods=[pod(spec={"containers": proxied})]))) == ["Deployment/shop/web"]


@pytest.mark.parametrize(
    "lists",
    [
        {"pods": [pod(spec={"containers": [{"name": "app", "readinessProbe": {"periodSeconds": 5}}]})]},
        {"services": [service(spec={"publishNotReadyAddresses": True})]},
        {"pods": [pod(spec={"readinessGates": [{"conditionType": "lb"}]})]},
        {"services": [service(spec={"selector": {"app": "other"}})], "endpointslices": [endpointslice("web")]},
        {"services": [service(spec={"ports": METRICS})]},
        {"pods": []},
    ],
)
def test_pods_that_need_no_readiness_probe(lists):
    """They have one, or a readiness gate, or no Service leads users to them."""
    assert judge(PROBE, good(**lists)).findings == ()
