"""A start that begins again and again is no start: what is under way is bounded by how long its workload has lacked pods."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    condition,
    container_status,
    endpointslice,
    good,
    judge,
    merged,
    owner,
    pod,
    replicated,
    run,
    service,
)


def version(deployment, name="cache-1", **changes):
    """A ReplicaSet of this Deployment, a day old, with all its replicas."""
    ready = {key: deployment["status"][key] for key in ("readyReplicas", "availableReplicas")}
    desired, meta = deployment["spec"]["replicas"], owner("Deployment", deployment)
    return merged(replicated(name, desired, app="cache", metadata=meta, status=ready), changes)


def unavailable(minutes, ready=0, desired=2, **spec):
    """A Deployment that has had too few available pods for so long."""
    lacking = condition("Available", "False", lastTransitionTime=ago(minutes=minutes))
    conditions = [condition("Progressing", reason="NewReplicaSetAvailable"), lacking]
    status = {"readyReplicas": ready, "availableReplicas": ready, "conditions": conditions}
    return replicated("cache", desired, app="cache", status=status, spec=spec)


def young(of, name, seconds=30, **changes):
    """A pod that was made so long ago, and is not ready."""
    meta = {"creationTimestamp": ago(seconds=seconds), "labels": {"app": "cache"}, **owner("ReplicaSet", of)}
    status = {
        "conditions": [condition("Ready", "False", lastTransitionTime=ago(seconds=seconds))],
        "containerStatuses": [container_status(ready=False, state={"running": {"startedAt": ago(seconds=seconds)}})],
    }
    return merged(pod(name, ip="10.1.9.9", metadata=meta, status=status), changes)


def failed(of, name, seconds, reason="Evicted"):
    """A pod that was refused or evicted so long ago."""
    status = {"phase": "Failed", "reason": reason, "conditions": None, "containerStatuses": None, "podIPs": None}
    return young(of, name, seconds, status=status)


def whole(of, number):
    """Pods that are ready."""
    meta = {"labels": {"app": "cache"}, **owner("ReplicaSet", of)}
    return [pod(f"old-{each}", ip=f"10.1.8.{each}", metadata=meta) for each in range(number)]


def outage(deployment, *pods, versions=None):
    """A world with this Deployment and its pods, and a Service that leads to none of them."""
    balancer = service("cache", spec={"type": "LoadBalancer", "selector": {"app": "cache"}})
    slices = [endpointslice("web", "10.1.0.1"), endpointslice("cache", "10.1.9.9", ready=False)]
    world = good(services=[service(), balancer], endpointslices=slices)
    world["deployments"].append(deployment)
    world["replicasets"] += versions or [version(deployment)]
    world["pods"] += pods
    return world


def passing(world, *ids, monitor=False):
    """Whether what each of these checks found is under way; None where it found nothing."""
    results = run(list(ids), world, monitor=monitor)
    return [all(each.transitional for each in it.findings) if it.findings else None for it in results]


OUTAGE = ("deployments.ready", "services.endpoints")


@pytest.mark.parametrize(
    ("why", "lacking", "age", "transitional"),
    [
        ("just scaled up", 0.5, 30, True),
        ("its pods were replaced a few times", 9, 30, True),
        ("its pods are replaced for longer than its deadline", 50, 30, False),
        ("the same pods are ready a moment before the deadline of their own probes", 50, 3000, True),
    ],
)
def test_pods_that_are_replaced_for_ever_do_not_start(why, lacking, age, transitional):
    """What a Deployment lacked before its present pods were made is bounded by its own deadline."""
    deployment = unavailable(lacking)
    slow = {"containers": [{"name": "app", "startupProbe": {"periodSeconds": 60, "failureThreshold": 60}}]}
    pods = [young(version(deployment), f"new-{each}", age, spec=slow) for each in (1, 2)]
    assert passing(outage(deployment, *pods), *OUTAGE) == [transitional] * 2


def test_a_new_version_has_its_own_deadline():
    """Whoever repairs a Deployment that was long broken makes a new ReplicaSet, whose pods may start."""
    deployment = unavailable(50)
    repaired = version(deployment, "cache-2", metadata={"creationTimestamp": ago(minutes=2)})
    pods = [young(repaired, f"new-{each}") for each in (1, 2)]
    world = outage(deployment, *pods, versions=[version(deployment), repaired])
    assert passing(world, "deployments.ready") == [True]


def test_a_deadline_is_the_deployments_own():
    """progressDeadlineSeconds says how long it may lack pods."""
    deployment = unavailable(50, progressDeadlineSeconds=3600)
    pods = [young(version(deployment), f"new-{each}") for each in (1, 2)]
    assert passing(outage(deployment, *pods), "deployments.ready") == [True]


@pytest.mark.parametrize(
    ("why", "failures", "transitional"),
    [
        ("one", [30], True),
        ("two", [30, 90], True),
        ("three", [30, 90, 150], False),
        ("long ago", [30, 900, 1200], True),
    ],
)
@pytest.mark.parametrize("monitor", [False, True])
def test_a_few_failures_in_a_row_are_a_loop(why, failures, transitional, monitor):
    """The third failed pod of one that is missing, within the deadline, is a finding, and so are its predecessors."""
    deployment = unavailable(1, ready=1)
    it = version(deployment)
    pods = [*whole(it, 1), young(it, "new", 20), *(failed(it, f"gone-{each}", each) for each in failures)]
    ids = ("deployments.ready", "pods.failed")
    assert passing(outage(deployment, *pods), *ids, monitor=monitor) == [transitional] * 2


def test_many_evictions_at_once_are_no_loop():
    """A node under pressure evicts all its pods once, and each of them is made again."""
    deployment = unavailable(1, ready=0, desired=6)
    it = version(deployment)
    pods = [young(it, f"new-{each}", 20) for each in range(6)] + [failed(it, f"gone-{each}", 40) for each in range(6)]
    assert passing(outage(deployment, *pods), *OUTAGE) == [True] * 2


def test_a_refusal_excuses_only_itself():
    """A pod that was refused a moment ago says nothing of one that was refused a quarter of an hour ago."""
    deployment = unavailable(20, ready=1)
    it = version(deployment)
    world = outage(deployment, *whole(it, 1), failed(it, "now", 10), failed(it, "before", 900))
    found = judge("pods.failed", world).findings
    assert {each.object: each.transitional for each in found} == {"Pod/shop/now": True, "Pod/shop/before": False}


def test_a_statefulset_that_is_evicted_again_and_again_fails():
    """A StatefulSet has no condition that says since when it lacks a pod: its failed pods do."""
    it = replicated("db", app="db", status={"readyReplicas": 0, "availableReplicas": 0})
    mine = owner("StatefulSet", it)
    pods = [young(it, "db-0", 20, metadata=mine)]
    assert passing(good(statefulsets=[it], pods=pods), "statefulsets.ready") == [True]
    pods += [merged(failed(it, f"db-{each}", 60 * each), {"metadata": mine}) for each in (1, 2, 3)]
    assert passing(good(statefulsets=[it], pods=pods), "statefulsets.ready") == [False]
