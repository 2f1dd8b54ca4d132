"""A start that begins again and again is no start: what is under way is bounded by how long its workload has lacked pods."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    condition,
    container_status,
    daemonset,
    endpointslice,
    good,
    judge,
    merged,
    owner,
    pod,
    replicated,
    run,
    service,
    warning,
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


def rollout(progress, *pods, deadline=600, **status):
    """A rollout of two replicas that are both available, with these pods of its new version, as two checks see them."""
    conditions = [condition("Available"), *progress]
    counts = {"replicas": 3, "updatedReplicas": 1, "conditions": conditions, **status}
    changed = {"managedFields": [{"manager": "kubectl", "time": ago(minutes=2), "fieldsV1": {}}]}
    spec = {"progressDeadlineSeconds": deadline}
    it = replicated("cache", 2, app="cache", status=counts, spec=spec, metadata=changed)
    old, new = version(it), version(it, "cache-2", spec={"replicas": 1}, status={"readyReplicas": 0})
    pods = [merged(each, {"metadata": owner("ReplicaSet", new)}) for each in pods]
    return outage(it, *whole(old, 2), *pods, versions=[old, new])


def progressing(minutes):
    """A rollout's condition, when its last progress was so long ago."""
    times = {"lastTransitionTime": ago(minutes=minutes), "lastUpdateTime": ago(minutes=minutes)}
    return condition("Progressing", reason="ReplicaSetUpdated", **times)


SLOW = young(replicated("any"), "new", 180)
PULLING = {"waiting": {"reason": "ContainerCreating"}}
CREATING = {"phase": "Pending", "containerStatuses": [container_status(ready=False, state=PULLING)]}
LOST = {"conditions": [condition("Ready", "False", lastTransitionTime=ago(seconds=90))]}
CRASHES = {
    "containerStatuses": [container_status(ready=False, restarts=4, state={"waiting": {"reason": "CrashLoopBackOff"}})]
}
COMPLETE = condition("Progressing", reason="NewReplicaSetAvailable")


@pytest.mark.parametrize(
    ("why", "progress", "changes", "transitional"),
    [
        ("slow to become ready", [progressing(3)], {}, True),
        ("past its deadline", [progressing(13)], {}, False),
        ("no rollout", [COMPLETE], {}, False),
        ("it crashes", [progressing(3)], {"status": CRASHES}, False),
        ("it was ready before", [progressing(3)], {"status": LOST}, False),
        ("older than the deadline", [progressing(3)], {"metadata": {"creationTimestamp": ago(minutes=11)}}, False),
    ],
)
def test_a_pod_of_a_rollout_has_the_deadline_of_its_deployment(why, progress, changes, transitional):
    """A slow application needs no startupProbe: what its Deployment promises holds for its pods."""
    assert passing(rollout(progress, merged(SLOW, changes)), "pods.ready") == [transitional]


@pytest.mark.parametrize(("minutes", "node", "transitional"), [(7, "w", True), (31, "w", False), (7, "", False)])
def test_an_image_may_be_pulled_until_the_deadline(minutes, node, transitional):
    """A pod of a rollout that has its node may be pending until its Deployment's deadline."""
    it = young(replicated("any"), "new", 60 * minutes, status=CREATING, spec={"nodeName": node})
    assert passing(rollout([progressing(7)], it, deadline=1800), "pods.pending") == [transitional]


@pytest.mark.parametrize(
    ("why", "seconds", "available", "transitional"),
    [
        ("a step takes a moment", 10, 2, True),
        ("a step takes too long", 700, 2, False),
        ("its bound is broken", 10, 0, False),
    ],
)
def test_a_rollout_without_a_deadline_is_judged_by_its_steps(why, seconds, available, transitional):
    """Its controller gives no condition Progressing: what is available and the age of its pods tell."""
    it = young(replicated("any"), "new", seconds, status=CREATING)
    world = rollout([], it, deadline=2147483647, availableReplicas=available)
    assert passing(world, "deployments.ready") == [transitional]


def test_a_rollout_without_a_deadline_does_not_take_for_ever():
    """Each replica has the time of a step, counted from the last write of what is wanted."""
    world = rollout([], young(replicated("any"), "new", 10, status=CREATING), deadline=2147483647)
    world["deployments"][-1]["metadata"]["managedFields"][0]["time"] = ago(minutes=21)
    assert passing(world, "deployments.ready") == [False]


ELSEWHERE = {"namespace": "tenant"}


def test_pods_of_another_namespace_are_not_the_pods_of_a_workload():
    """Whoever may make pods in one namespace cannot stand for those that are missing in another."""
    gone = judge("deployments.ready", good(pods=[pod("x", metadata=ELSEWHERE)]))
    assert [each.observed for each in gone.findings] == ["its status counts 1 ready pod, of which 0 exist"]


def test_the_next_pod_of_another_namespace_replaces_nothing():
    """The pods of an operator are in the namespace of what they belong to."""
    mine = {"ownerReferences": [{"kind": "Cluster", "name": "db", "uid": "db-uid", "controller": True}]}
    ended = {"phase": "Failed", "conditions": [condition("Ready", "False", lastTransitionTime=ago(minutes=5))]}
    before = pod("db-x7k2p", metadata=mine, status=ended)
    after = pod("db-b24mm", metadata={**mine, "creationTimestamp": ago(minutes=1)})
    assert judge("pods.failed", good(pods=[before, after])).outcome == "warned"
    assert judge("pods.failed", good(pods=[before, merged(after, {"metadata": ELSEWHERE})])).outcome == "failed"


@pytest.mark.parametrize(
    ("why", "changes", "transitional"),
    [
        ("asked a while ago", {}, True),
        ("in another namespace", {"metadata": ELSEWHERE}, False),
        ("in the future", {"lastTimestamp": ago(days=-9)}, False),
    ],
)
def test_an_event_counts_only_where_and_when_it_can_be_true(why, changes, transitional):
    """An event is about its own namespace, and a time in the future is none."""
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", "False")], "containerStatuses": None}
    waits = pod("new", metadata={"creationTimestamp": ago(minutes=8)}, spec={"nodeName": ""}, status=status)
    asked = merged(warning(waits, "TriggeredScaleUp", type="Normal", lastTimestamp=ago(minutes=7)), changes)
    (finding,) = judge("pods.pending", good(pods=[pod(), waits], notices=[asked])).findings
    assert finding.transitional is transitional


def test_readiness_that_was_lost_in_the_future_is_no_flicker():
    """A time in the future excuses nothing for ever."""
    times = {"lastTransitionTime": ago(days=-9)}
    it = pod(ready="False", status={"conditions": [condition("Ready", "False", **times)]})
    assert not judge("pods.ready", good(pods=[it])).findings[0].transitional


def test_a_crash_elsewhere_explains_no_workload():
    """A pod of another namespace is not what a Deployment depends on."""
    crashing = {"containerStatuses": [container_status(ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})]}
    status = {"readyReplicas": 0, "availableReplicas": 0}
    world = good(deployments=[replicated("web", status=status)])
    world["pods"] = [pod("x", ready="False", metadata=ELSEWHERE, status=crashing)]
    assert run(["pods.crashing", "deployments.ready"], world)[1].findings[0].because is None


def stateful(changes=None, *pods, **world):
    """A world with a StatefulSet of one replica, and its pods."""
    it = replicated("db", app="db", **merged({"status": {"readyReplicas": 0, "availableReplicas": 0}}, changes or {}))
    its = [merged(each, {"metadata": owner("StatefulSet", it)}) for each in pods]
    return good(statefulsets=[it], pods=[pod(), *its], **world)


def earlier(name, *minutes, host="", reason="Unhealthy"):
    """Warnings about pods of that name that are gone, each so many minutes old."""
    gone = [pod(name, metadata={"uid": f"gone-{each}"}) for each in minutes]
    source = {"source": {"component": "kubelet", "host": host}}
    return [
        warning(each, reason, lastTimestamp=ago(minutes=age), **source) for each, age in zip(gone, minutes, strict=True)
    ]


def changed(minutes):
    """Metadata of what was last written so long ago."""
    return {"metadata": {"managedFields": [{"manager": "kubectl", "time": ago(minutes=minutes), "fieldsV1": {}}]}}


@pytest.mark.parametrize(
    ("why", "events", "changes", "transitional"),
    [
        ("drained once", earlier("db-0", 1), {}, True),
        ("deleted again and again", earlier("db-0", 1, 5, 9), {}, False),
        ("one pod that complained often", earlier("db-0", 5, 5, 5), {}, True),
        ("its neighbours went", earlier("db-1", 1, 5, 9), {}, True),
        ("in another namespace", [merged(e, {"metadata": ELSEWHERE}) for e in earlier("db-0", 1, 5, 9)], {}, True),
        ("yesterday", earlier("db-0", 1, 900, 960), {}, True),
        ("before it was changed", earlier("db-0", 3, 5, 9), changed(2), True),
    ],
)
def test_a_statefulset_whose_pod_is_recreated_again_and_again_fails(why, events, changes, transitional):
    """Its controller deletes pods that failed: only events still speak of those that had the name before."""
    world = stateful(changes, young(replicated("any"), "db-0", 20), warnings=events)
    assert passing(world, "statefulsets.ready") == [transitional]


def test_what_is_recreated_again_and_again_is_not_excused_by_its_present_pod():
    """The present pod is within the time of its own probes; that it will not live is its StatefulSet's failure."""
    slow = {"containers": [{"name": "app", "startupProbe": {"periodSeconds": 60, "failureThreshold": 60}}]}
    it = young(replicated("any"), "db-0", 90, spec=slow)
    world = stateful({}, it, warnings=earlier("db-0", 3, 5, 9))
    assert passing(world, "pods.ready", "statefulsets.ready") == [True, False]


@pytest.mark.parametrize(
    ("why", "events", "transitional"),
    [
        ("on its node", earlier("agent-aaaaa", 1, 5, 9, host="worker-1"), False),
        ("on other nodes, which went", earlier("agent-aaaaa", 1, 5, 9, host="worker-2"), True),
        ("of another DaemonSet", earlier("other-aaaaa", 1, 5, 9, host="worker-1"), True),
    ],
)
def test_a_daemonset_whose_pod_is_recreated_again_and_again_fails(why, events, transitional):
    """The pods of a DaemonSet have a name of their own each; their node is the same."""
    agent = daemonset("agent", status={"numberReady": 0})
    it = young(replicated("any"), "agent-bbbbb", 20, metadata=owner("DaemonSet", agent))
    world = good(daemonsets=[agent], pods=[pod(), it], warnings=events)
    assert passing(world, "daemonsets.ready") == [transitional]


UPDATE = {"spec": {"replicas": 1}, "status": {"updateRevision": "b", "updatedReplicas": 0}}


@pytest.mark.parametrize(
    ("why", "minutes", "changes", "transitional"),
    [
        ("began a moment ago", 2, UPDATE, True),
        ("takes too long", 12, UPDATE, False),
        (
            "three replicas take longer",
            25,
            merged(UPDATE, {"spec": {"replicas": 3}, "status": {"readyReplicas": 2}}),
            True,
        ),
        ("but not for ever", 35, merged(UPDATE, {"spec": {"replicas": 3}, "status": {"readyReplicas": 2}}), False),
        ("each waits for a quarter of an hour", 20, merged(UPDATE, {"spec": {"minReadySeconds": 900}}), True),
        (
            "its pods may take an hour to go",
            65,
            merged(UPDATE, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 3600}}}}),
            True,
        ),
        ("no update: a node was drained", 900, {}, True),
        (
            "only some of them are to be updated",
            900,
            merged(UPDATE, {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}}),
            True,
        ),
    ],
)
def test_an_update_of_a_statefulset_does_not_take_for_ever(why, minutes, changes, transitional):
    """Each step has its time; a pod that is recreated in the middle is always young."""
    world = stateful(merged(changes, changed(minutes)), young(replicated("any"), "db-0", 20))
    world["pods"] += [pod(f"db-{n}", metadata=owner("StatefulSet", world["statefulsets"][0])) for n in (1, 2)]
    assert passing(world, "statefulsets.ready") == [transitional]


def test_the_promise_of_a_pod_belongs_to_a_step():
    """A pod whose startupProbe gives it an hour makes a step of an hour."""
    slow = {"containers": [{"name": "app", "startupProbe": {"periodSeconds": 60, "failureThreshold": 60}}]}
    for minutes, transitional in ((55, True), (75, False)):
        it = young(replicated("any"), "db-0", 20, spec=slow)
        assert passing(stateful(merged(UPDATE, changed(minutes)), it), "statefulsets.ready") == [transitional]


def test_an_update_of_a_daemonset_does_not_take_for_ever():
    """A DaemonSet of two nodes whose newest pod is always young has had its time."""
    for minutes, transitional in ((15, True), (25, False)):
        status = {"numberReady": 1, "updatedNumberScheduled": 1}
        agent = daemonset("agent", 2, status=status, **changed(minutes))
        mine = owner("DaemonSet", agent)
        pods = [pod(), pod("agent-aaaaa", metadata=mine), young(replicated("any"), "agent-bbbbb", 20, metadata=mine)]
        assert passing(good(daemonsets=[agent], pods=pods), "daemonsets.ready") == [transitional]


@pytest.mark.parametrize(("minutes", "transitional"), [(12, True), (14.9, True), (26, False)])
def test_an_update_waits_for_min_ready_seconds(minutes, transitional):
    """Between two steps a DaemonSet waits until its new pod has been ready for minReadySeconds, however long those are."""
    agent = daemonset("agent", 2, status={"updatedNumberScheduled": 1}, spec={"minReadySeconds": 900}, **changed(28))
    meta = {**owner("DaemonSet", agent), "creationTimestamp": ago(minutes=minutes + 1)}
    status = {"conditions": [condition("Ready", lastTransitionTime=ago(minutes=minutes))]}
    pods = [pod(), pod("agent-a", metadata=owner("DaemonSet", agent)), pod("agent-b", metadata=meta, status=status)]
    assert passing(good(daemonsets=[agent], pods=pods), "daemonsets.ready") == [transitional]


EVICTIONS = range(1, 60, 2)


@pytest.mark.parametrize(
    ("why", "minutes", "desired", "changes", "severity"),
    [
        ("every two minutes, until now", EVICTIONS, 1, {}, "critical"),
        ("five of them", range(1, 60, 12), 1, {}, "warning"),
        ("all at once", [2] * 30, 1, {}, "warning"),
        ("until half an hour ago", range(30, 60, 2), 1, {}, "warning"),
        ("each of many pods once", EVICTIONS, 31, {}, "warning"),
        ("one node after the other was shut down", EVICTIONS, 1, {"reason": "Terminated"}, "warning"),
    ],
)
def test_a_loop_of_evictions_fails_while_the_present_pod_is_ready(why, minutes, desired, changes, severity):
    """A pod that is evicted every two minutes serves nobody, though one look may find it ready, as it may a crash loop."""
    it = replicated("web-rs", desired)
    present = pod(metadata={"creationTimestamp": ago(seconds=30), **owner("ReplicaSet", it)})
    evicted = [merged(failed(it, f"gone-{n}", 60 * each), {"status": changes}) for n, each in enumerate(minutes)]
    found = judge("pods.failed", good(pods=[present, *evicted], replicasets=[it])).findings
    assert {each.severity for each in found} == {severity}


def test_a_loop_of_an_operators_pods_fails_too():
    """An operator that makes the next pod each time does not end the loop."""
    mine = owner("Cluster", replicated("redis"))
    conditions = {n: [condition("Ready", "False", lastTransitionTime=ago(minutes=n))] for n in EVICTIONS}
    ended = [
        pod(f"gone-x{n}", metadata=mine, status={"phase": "Failed", "conditions": conditions[n]}) for n in EVICTIONS
    ]
    present = pod("redis-1", metadata={"creationTimestamp": ago(seconds=30), **mine})
    (looping, once) = (judge("pods.failed", good(pods=[pod(), present, *its])) for its in (ended, ended[:1]))
    assert (looping.outcome, once.outcome) == ("failed", "warned")
