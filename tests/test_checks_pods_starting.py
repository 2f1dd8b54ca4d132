"""Starting takes time: what a pod's own spec promises is waited for, and no longer than that."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    condition,
    container_status,
    daemonset,
    good,
    judge,
    merged,
    owner,
    pod,
    profile,
    replicated,
    terminated,
    thing,
    warning,
)

#: Ten minutes: 60 failures, 10 s apart.
SLOW = {"periodSeconds": 10, "failureThreshold": 60}


def running(seconds, **status):
    """A container that is not ready and has run for so long."""
    return container_status(ready=False, state={"running": {"startedAt": ago(seconds=seconds)}}, **status)


def unready(*statuses, since=None, init=None, conditions=(), **spec):
    """A running pod that is not ready, since its creation a day ago unless said otherwise."""
    ready = condition("Ready", "False", **({"lastTransitionTime": ago(seconds=since)} if since else {}))
    status = {
        "conditions": [ready, *conditions],
        "containerStatuses": list(statuses),
        "initContainerStatuses": init,
    }
    return pod(spec=spec, status=status)


def found(id, *pods, **world):
    """Whether the check finds nothing (None), or whether what it finds is under way."""
    findings = judge(id, good(pods=list(pods), **world)).findings
    return findings[0].transitional if findings else None


def probed(startup=None, readiness=None):
    """Containers with these probes."""
    probes = {"startupProbe": startup, "readinessProbe": readiness}
    return [{"name": "app", **{key: value for key, value in probes.items() if value is not None}}]


LAST = {"startedAt": ago(minutes=20), "finishedAt": ago(minutes=9), "exitCode": 137}
LONG = {"startedAt": ago(days=9), "finishedAt": ago(minutes=9), "exitCode": 137}


@pytest.mark.parametrize(
    ("why", "status", "probes", "transitional"),
    [
        ("within its budget", running(300), {"startup": SLOW}, True),
        ("beyond it", running(700), {"startup": SLOW}, False),
        ("the probe's defaults are half a minute", running(95), {"startup": {}}, False),
        ("no probe", running(90), {}, False),
        ("waits for its first probe", running(300), {"startup": {"initialDelaySeconds": 240}}, True),
        ("its readinessProbe begins late", running(300), {"readiness": {"initialDelaySeconds": 280}}, True),
        ("… and fails", running(400), {"readiness": {"initialDelaySeconds": 280}}, False),
        ("has just started", running(200, started=True), {"startup": SLOW}, True),
        ("started long ago", running(400, started=True), {"startup": SLOW}, False),
        ("its second start", running(300, restarts=2, lastState={"terminated": LAST}), {"startup": SLOW}, True),
        ("its fourth", running(300, restarts=3, lastState={"terminated": LAST}), {"startup": SLOW}, False),
        (
            "restarts after days of work",
            running(300, restarts=9, lastState={"terminated": LONG}),
            {"startup": SLOW},
            True,
        ),
    ],
)
def test_a_pod_has_the_time_of_its_own_probes(why, status, probes, transitional):
    """Not ready within its startupProbe's budget is under way, from the start of the present run; failed starts count."""
    assert found("pods.ready", unready(status, containers=probed(**probes))) is transitional


def test_a_start_that_crashes_is_not_under_way():
    """One container within its budget does not excuse another that crashes."""
    crash = container_status("b", ready=False, restarts=3, state=terminated())
    assert found("pods.ready", unready(running(300), crash, containers=probed(SLOW))) is False


def test_a_workload_waits_for_the_starts_of_its_pods():
    """A scaled Deployment whose new pod is within its startupProbe's budget is under way; one whose pod is beyond is not."""
    replicaset = replicated("web-rs", 2, metadata=owner("Deployment", thing("web", "shop")))
    for seconds, transitional in ((300, True), (900, False)):
        late = unready(running(seconds), containers=probed(SLOW))
        late["metadata"]["name"] = "web-2"
        short = replicated("web", 2, status={"readyReplicas": 1, "availableReplicas": 1})
        world = good(pods=[pod(), late], deployments=[short], replicasets=[replicaset])
        (finding,) = judge("deployments.ready", world).findings
        assert finding.transitional is transitional


GATE = {"readinessGates": [{"conditionType": "target-health.elbv2.k8s.aws/x"}]}


@pytest.mark.parametrize(
    ("why", "seconds", "spec", "transitional"),
    [
        ("the load balancer takes 90 s", 90, GATE, True),
        ("it takes ten minutes", 600, GATE, False),
        ("there is no gate", 90, {}, False),
    ],
)
def test_a_readiness_gate_may_take_its_time(why, seconds, spec, transitional):
    """All containers are ready and the gate is not: it has as long as a pod may be pending."""
    ready = condition("ContainersReady", lastTransitionTime=ago(seconds=seconds))
    assert found("pods.ready", unready(container_status(), conditions=[ready], **spec)) is transitional


@pytest.mark.parametrize(
    ("why", "seconds", "status", "transitional"),
    [
        ("a blip", 5, running(9999), True),
        ("for two minutes", 120, running(9999), False),
        ("restarted once", 5, running(5, restarts=1, lastState={"terminated": LONG}), True),
        ("restarts and restarts", 5, running(5, restarts=7, lastState=terminated()), False),
    ],
)
def test_a_blip_of_readiness_is_not_yet_an_outage(why, seconds, status, transitional):
    """A pod that was ready until seconds ago is looked at again; one that crashes between is found."""
    assert found("pods.ready", unready(status, since=seconds)) is transitional


def initializing(init, minutes=20.0, containers=None, **changes):
    """A pod that got its node so many minutes ago, and whose init containers have these statuses."""
    status = {
        "phase": "Pending",
        "conditions": [condition("PodScheduled", lastTransitionTime=ago(minutes=minutes)), condition("Ready", "False")],
        "initContainerStatuses": init,
        "containerStatuses": [container_status(ready=False, state={"waiting": {"reason": "PodInitializing"}})],
    }
    spec = {"initContainers": containers or [{"name": "fetch"}]}
    meta = {"creationTimestamp": ago(minutes=minutes)}
    return pod(**merged({"metadata": meta, "spec": spec, "status": status}, changes))


def fetching(minutes, name="fetch", **status):
    """An init container that has run for so long."""
    return container_status(name, ready=False, state={"running": {"startedAt": ago(minutes=minutes)}}, **status)


def patient(seconds):
    """The workload lists with a Deployment of that progressDeadlineSeconds."""
    deployment = replicated("web", spec={"progressDeadlineSeconds": seconds})
    replicaset = replicated("web-rs", metadata=owner("Deployment", deployment))
    return {"deployments": [deployment], "replicasets": [replicaset]}


STATEFUL = {"metadata": owner("StatefulSet", thing("db", "shop"))}
SIDECAR = [{"name": "fetch", "restartPolicy": "Always", "startupProbe": SLOW}]
DONE = container_status("fetch", state=terminated(0, "Completed", minutes=2))


@pytest.mark.parametrize(
    ("why", "it", "seconds", "transitional"),
    [
        ("within its deadline", initializing([fetching(20)]), 1800, True),
        ("beyond it", initializing([fetching(20)]), 600, False),
        ("the clock is the init container's", initializing([fetching(5)], 60), 600, True),
        ("no Deployment promises a time", initializing([fetching(20)], **STATEFUL), 600, True),
        ("… and it hangs", initializing([fetching(31)], 40, **STATEFUL), 600, False),
        ("it has failed three times", initializing([fetching(1, restarts=3)]), 1800, False),
        ("it crashes", initializing([container_status("fetch", ready=False, state=terminated())]), 1800, False),
        ("it is done, the image comes now", initializing([DONE]), 600, True),
        ("it was done long ago", initializing([container_status("fetch", state=terminated(0, minutes=9))]), 600, False),
        ("a sidecar within its startupProbe", initializing([fetching(8)], containers=SIDECAR), 60, True),
        ("a sidecar beyond it", initializing([fetching(12)], containers=SIDECAR), 1800, False),
        ("nothing has run", initializing([]), 1800, False),
    ],
)
def test_an_init_container_may_work_within_its_deadline(why, it, seconds, transitional):
    """An init container that runs is work; its Deployment's progressDeadlineSeconds bounds it, else half an hour."""
    assert found("pods.pending", it, **patient(seconds)) is transitional


def waiting(minutes=8.0, **changes):
    """A pod that no node has room for."""
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", "False", reason="Unschedulable")]}
    meta = {"creationTimestamp": ago(minutes=minutes)}
    base = {"metadata": meta, "spec": {"nodeName": ""}, "status": {**status, "containerStatuses": None}}
    return pod(**merged(base, changes))


def said(reason, minutes, **changes):
    """What an autoscaler said about the pod so many minutes ago."""
    return warning(pod(), reason, type="Normal", message="1 max", lastTimestamp=ago(minutes=minutes), **changes)


@pytest.mark.parametrize(
    ("why", "age", "notices", "transitional"),
    [
        ("nobody speaks", 8, [], False),
        ("a node comes", 8, [said("TriggeredScaleUp", 7)], True),
        ("Karpenter makes a node", 8, [said("Nominated", 7)], True),
        ("Karpenter nominates again and again", 31, [said("Nominated", 4)], False),
        ("it did not come", 20, [said("TriggeredScaleUp", 16)], False),
        ("for an earlier pod", 8, [said("TriggeredScaleUp", 7, involvedObject={"uid": "other"})], False),
        ("refused", 8, [said("NotTriggerScaleUp", 1)], False),
        ("refused, at once", 2, [said("NotTriggerScaleUp", 1)], False),
        ("refused a moment ago", 0.5, [said("NotTriggerScaleUp", 0.1)], None),
        ("first refused, now asked for", 8, [said("NotTriggerScaleUp", 6), said("TriggeredScaleUp", 5)], True),
        ("asked for, then refused", 8, [said("TriggeredScaleUp", 6), said("NotTriggerScaleUp", 5)], False),
    ],
)
def test_a_pod_may_wait_for_the_node_that_an_autoscaler_makes(why, age, notices, transitional):
    """A node that was asked for may take a quarter of an hour; where none will come, that is found after the start-up time."""
    assert found("pods.pending", waiting(age), notices=notices) is transitional


def test_the_refusal_of_an_autoscaler_is_told():
    """The finding has the scheduler's words and the autoscaler's."""
    (finding,) = judge("pods.pending", good(pods=[waiting()], notices=[said("NotTriggerScaleUp", 1)])).findings
    assert finding.observed == "Pending for 8m: PodScheduled=False (Unschedulable); NotTriggerScaleUp: 1 max"


def test_patience_for_a_start_is_the_profiles():
    """The profile's start-up is added to the budget of a probe."""
    it = unready(running(700), containers=probed(SLOW))
    result = judge("pods.ready", good(pods=[it]), profile=profile(patience={"start-up": "3m"}))
    assert result.findings[0].transitional


@pytest.mark.parametrize(("minutes", "transitional"), [(0.2, True), (5, False)])
def test_a_daemonsets_pod_that_its_node_has_just_refused_will_be_made_again(minutes, transitional):
    """UnexpectedAdmissionError: the DaemonSet makes the next one in seconds; one that stays failed is found."""
    agent = daemonset("agent", status={"numberReady": 0})
    refused = {"phase": "Failed", "reason": "UnexpectedAdmissionError", "conditions": None, "containerStatuses": None}
    meta = {"creationTimestamp": ago(minutes=minutes), **owner("DaemonSet", agent)}
    it = pod("agent-1", metadata=meta, status=refused)
    (finding,) = judge("pods.failed", good(pods=[pod(), it], daemonsets=[agent])).findings
    assert (finding.transitional, finding.severity) == (transitional, "critical")


def beside(**sidecar):
    """Two init containers: a sidecar with that status, and one that has been at work for eight minutes."""
    probes = {"startupProbe": SLOW} if sidecar.pop("slow", False) else {"readinessProbe": {}}
    containers = [{"name": "proxy", "restartPolicy": "Always", **probes}, {"name": "fetch"}]
    return initializing([fetching(sidecar.pop("minutes", 8), "proxy", **sidecar), fetching(8)], containers=containers)


@pytest.mark.parametrize(
    ("why", "it", "transitional"),
    [
        ("its readinessProbe fails", beside(started=True), True),
        ("it says nothing of its start", beside(), True),
        ("it starts, within its startupProbe", beside(slow=True, started=False), True),
        ("it starts for longer than that", beside(slow=True, started=False, minutes=12), False),
        ("it has started, and is not ready", beside(slow=True, started=True, minutes=12), True),
    ],
)
def test_a_sidecar_that_is_not_ready_does_not_hold_up_a_start(why, it, transitional):
    """The next init container waits until a sidecar has started, and not until it is ready."""
    assert found("pods.pending", it, **patient(1800)) is transitional


def victim(minutes, node="worker-1", reason="PreemptionByScheduler"):
    """A ready pod that was chosen to go, and is due to be gone in so many minutes."""
    target = condition("DisruptionTarget", reason=reason)
    meta = {"deletionTimestamp": ago(minutes=-minutes), "labels": {"app": "batch"}}
    conditions = [condition("Ready"), target]
    return pod("victim", ip="10.1.0.7", metadata=meta, spec={"nodeName": node}, status={"conditions": conditions})


@pytest.mark.parametrize(
    ("why", "nominated", "others", "transitional"),
    [
        ("its victim has ten minutes left", "worker-1", [victim(10)], True),
        ("its victim does not go", "worker-1", [victim(-3)], False),
        ("nothing is chosen for it", "", [victim(10)], False),
        ("on another node", "worker-1", [victim(10, "worker-2")], False),
        ("no victim", "worker-1", [], False),
        ("what goes is drained", "worker-1", [victim(10, reason="EvictionByEvictionAPI")], False),
    ],
)
def test_a_pod_waits_for_those_that_make_room_for_it(why, nominated, others, transitional):
    """A preemptor may wait as long as the grace period of its victims."""
    it = waiting(8, status={"nominatedNodeName": nominated})
    assert found("pods.pending", it, *others) is transitional
