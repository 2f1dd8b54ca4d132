"""One root cause gives one red line, and no independent fault hides behind another."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    baseline,
    battery,
    condition,
    container_status,
    daemonset,
    endpointslice,
    good,
    lease,
    merged,
    namespace,
    node,
    owner,
    pod,
    profile,
    removal,
    replicated,
    run,
    service,
    thing,
    warning,
)
from upgate.battery.check import Check
from upgate.judge.causes import ActiveCauses
from upgate.judge.outcome import result
from upgate.monitor.signals import signals
from upgate.results import Finding

INSIDE = [
    id
    for id in battery()
    if id.split(".")[0] in ("nodes", "pods", "deployments", "statefulsets", "daemonsets", "namespaces", "services")
]


def lines(world, **more):
    """Every finding of a world, `check: object`, with its root cause."""
    return {f"{each.id}: {f.object}": f.because for each in run(INSIDE, world, **more) for f in each.findings}


def roots(world, **more):
    """The red lines of a world."""
    return [name for name, because in lines(world, **more).items() if because is None]


CRASH = {
    "containerStatuses": [container_status(ready=False, restarts=9, state={"waiting": {"reason": "CrashLoopBackOff"}})]
}
CRASHING = {"status": {**CRASH, "conditions": [condition("Ready", "False")]}}
SHORT = {"readyReplicas": 0, "availableReplicas": 0}
NOWHERE = [endpointslice("web", "10.1.0.1", ready=False)]


def of(kind, its, name, **changes):
    """A pod that this workload controls."""
    return pod(name, **merged({"metadata": owner(kind, its)}, changes))


def web(**status):
    """A Deployment with this status, and its ReplicaSet."""
    its = replicated("web", status=status)
    return {"deployments": [its], "replicasets": [replicated("web-rs", metadata=owner("Deployment", its))]}


def test_a_dead_node_is_one_red_line():
    """Of a node that died, its silence, its unready and stuck pods, their workloads and Services all follow from the node."""
    agent = daemonset("agent", status={"numberReady": 0})
    db = replicated("db", app="db", status={"readyReplicas": 0})
    world = good(
        **web(**SHORT),
        nodes=[node(ready="Unknown")],
        leases=[lease(renewed=900)],
        machines=[],
        daemonsets=[agent],
        statefulsets=[db],
        pods=[
            pod(ready="False"),
            of("DaemonSet", agent, "agent-1", ready="False"),
            of("StatefulSet", db, "db-0", ready="False", metadata={"deletionTimestamp": ago(minutes=9)}),
        ],
        endpointslices=NOWHERE,
    )
    found = lines(world)
    assert set(found) == {
        *("nodes.ready: Node/worker-1", "nodes.heartbeat: Node/worker-1", "pods.terminating: Pod/shop/db-0"),
        *("pods.ready: Pod/shop/web-1", "pods.ready: Pod/shop/agent-1", "deployments.ready: Deployment/shop/web"),
        *(
            "statefulsets.ready: StatefulSet/shop/db",
            "daemonsets.ready: DaemonSet/shop/agent",
            "services.endpoints: Service/shop/web",
        ),
    }
    assert {because for because in found.values() if because} == {"nodes.ready: Node/worker-1"}
    assert roots(world) == ["nodes.ready: Node/worker-1"]


@pytest.mark.parametrize(("minutes", "woken"), [(8, []), (12, ["nodes.ready"])])
def test_a_node_that_is_being_removed_wakes_nobody_until_it_takes_too_long(minutes, woken):
    """In a monitoring round its pods follow from it, as they do at the gate: for ten minutes nobody is told of any of them."""
    world = good(
        nodes=[node(), node("worker-2", ready="Unknown", spec={"taints": [removal(minutes)]})],
        leases=[lease(), lease("worker-2", renewed=400)],
        pods=[pod(), pod("web-2", ready="False", spec={"nodeName": "worker-2"})],
    )
    found = run(["nodes.ready", "nodes.heartbeat", "pods.ready"], world, monitor=True)
    assert [f.because for each in found for f in each.findings if f.object == "Pod/shop/web-2"] == [
        "nodes.ready: Node/worker-2"
    ]
    assert [each.name for each in signals(found) if each.signal == "bad"] == woken


@pytest.mark.parametrize(("reason", "explained"), [("Terminated", True), ("NodeShutdown", True), ("Evicted", False)])
def test_a_node_that_was_shut_down_explains_the_pods_that_it_ended(reason, explained):
    """Pods that their node's graceful shutdown ended follow from the node; one that had failed before does not."""
    static = pod("etcd", metadata=owner("Node", node()), status={"phase": "Failed", "reason": reason})
    found = lines(good(nodes=[node(ready="False"), node("worker-2")], pods=[static]))
    assert found["pods.failed: Pod/shop/etcd"] == ("nodes.ready: Node/worker-1" if explained else None)


def test_a_node_that_is_silent_and_still_ready_is_the_root():
    """In the first seconds only the lease tells: what follows, follows from that."""
    world = good(**web(**SHORT), leases=[lease(renewed=200)], pods=[pod(ready="False")], endpointslices=NOWHERE)
    assert roots(world) == ["nodes.heartbeat: Node/worker-1"]


def test_a_crash_is_one_red_line():
    """Of a pod that crashes, its readiness, its Deployment and its Service follow."""
    world = good(**web(**SHORT), pods=[pod(**CRASHING)], endpointslices=NOWHERE)
    assert roots(world) == ["pods.crashing: Pod/shop/web-1"]
    assert len(lines(world)) == 4


def test_a_crash_on_a_cordoned_or_dead_node_is_told_for_itself():
    """A crash-looping pod is no consequence of its node, whether that is cordoned or dead; it is its readiness that follows."""
    crash = pod(**CRASHING)
    assert set(roots(good(nodes=[node(spec={"unschedulable": True})], pods=[crash], endpointslices=NOWHERE))) == {
        *("nodes.schedulable: Node/worker-1", "pods.crashing: Pod/shop/web-1"),
    }
    found = lines(good(nodes=[node(ready="False")], pods=[crash], endpointslices=NOWHERE))
    assert found["pods.crashing: Pod/shop/web-1"] is None
    assert found["pods.ready: Pod/shop/web-1"] == "pods.crashing: Pod/shop/web-1"


def test_two_broken_pods_of_one_deployment_are_two_red_lines():
    """Each broken pod is a line of its own, and their Deployment is not a third."""
    two = [pod("web-1", **CRASHING), pod("web-2", ready="False", ip="10.1.0.2")]
    assert roots(good(**web(**SHORT), pods=two, endpointslices=NOWHERE)) == [
        *("pods.crashing: Pod/shop/web-1", "pods.ready: Pod/shop/web-2"),
    ]


def test_the_cause_that_is_told_is_the_worst_and_not_the_first():
    """A Deployment with a failed pod left over, and one that crashes, is down because of the crash."""
    its = [pod("a-litter", status={"phase": "Failed"}), pod("web-1", **CRASHING)]
    short = web(**SHORT)
    short["replicasets"][0]["status"]["readyReplicas"] = 0
    found = lines(good(**short, pods=its, endpointslices=NOWHERE))
    assert found["deployments.ready: Deployment/shop/web"] == "pods.crashing: Pod/shop/web-1"


@pytest.mark.parametrize(
    ("why", "status", "root"),
    [
        ("the quota refuses more pods", {"conditions": [condition("ReplicaFailure", reason="FailedCreate")]}, True),
        ("its controller does not see it", {"observedGeneration": 0}, True),
        ("nothing of its own", {}, False),
    ],
)
def test_a_fault_of_the_workload_itself_is_not_swallowed(why, status, root):
    """A Deployment that cannot make its pods is a line of its own, beside a pod of it that crashes."""
    world = good(**web(**SHORT, **status), pods=[pod(**CRASHING)], endpointslices=NOWHERE)
    assert ("deployments.ready: Deployment/shop/web" in roots(world)) is root


@pytest.mark.parametrize(("status", "root"), [({"observedGeneration": 0}, True), ({}, False)])
def test_a_daemonset_that_its_controller_does_not_see_is_not_swallowed(status, root):
    """A DaemonSet whose controller does not see it is a line of its own, beside a pod of it that crashes."""
    agent = daemonset("agent", status={"numberReady": 0, **status})
    world = good(
        daemonsets=[agent],
        pods=[pod(), of("DaemonSet", agent, "agent-1", **CRASHING, metadata={"labels": {"app": "agent"}})],
    )
    assert ("daemonsets.ready: DaemonSet/shop/agent" in roots(world)) is root


def test_a_wrong_selector_beside_a_dead_node_is_told_for_itself():
    """A Service that selects nothing does not follow from a node that happens to be dead."""
    lost = service("lost", spec={"selector": {"app": "nobody"}})
    world = good(nodes=[node(ready="False")], pods=[pod(ready="False")], services=[lost])
    assert "services.endpoints: Service/shop/lost" in roots(world)


def test_a_service_with_ready_pods_does_not_follow_from_the_others():
    """A Service that leads nowhere although a pod of it is ready has a fault of its own, whatever its other pods do."""
    pods = [pod(), pod("web-2", ip="10.1.0.2", **CRASHING)]
    unnamed = endpointslice("web", "10.1.0.1", ports=None)
    found = roots(good(**web(**SHORT), pods=pods, endpointslices=[unnamed]))
    assert found == ["pods.crashing: Pod/shop/web-2", "services.endpoints: Service/shop/web"]


def test_stale_endpoints_do_not_follow_from_pods_that_are_not_ready():
    """Traffic that is still sent to a pod long not ready is a fault of its own: an unready pod loses its endpoint."""
    since = condition("Ready", "False", lastTransitionTime=ago(minutes=20))
    found = roots(good(**web(**SHORT), pods=[pod(status={"conditions": [since]})]))
    assert found == ["pods.ready: Pod/shop/web-1", "services.endpoints-live: Service/shop/web"]


def test_a_service_whose_pods_were_never_made_follows_from_their_workload():
    """Where the quota lets no pod be made, the Deployment is the red line, and its Service follows."""
    quota = {"conditions": [condition("ReplicaFailure", reason="FailedCreate")]}
    world = good(**web(**SHORT, updatedReplicas=0, replicas=0, **quota), pods=[], endpointslices=[])
    assert roots(world) == ["deployments.ready: Deployment/shop/web"]


def test_a_namespace_follows_from_the_pod_that_does_not_go():
    """A namespace that cannot go because a pod in it does not is no second line; one that is held otherwise is."""
    gone = namespace("shop", metadata={"deletionTimestamp": ago(minutes=9)})
    held = namespace("other", metadata={"deletionTimestamp": ago(minutes=9)})
    stuck = pod(metadata={"deletionTimestamp": ago(minutes=9), "finalizers": ["example.com/hold"]})
    world = good(namespaces=[gone, held], pods=[stuck], endpointslices=NOWHERE)
    found = lines(world)
    assert found["namespaces.terminating: Namespace/shop"] == "pods.terminating: Pod/shop/web-1"
    assert found["namespaces.terminating: Namespace/other"] is None


def test_a_namespace_that_could_not_go_without_its_pods_either_is_told_for_itself():
    """An aggregated API that does not answer holds a namespace, whatever pod in it does not go either."""
    blind = condition("NamespaceDeletionDiscoveryFailure", message="metrics.k8s.io/v1beta1: stale GroupVersion")
    gone = namespace(metadata={"deletionTimestamp": ago(minutes=9)}, status={"conditions": [blind]})
    stuck = pod(metadata={"deletionTimestamp": ago(minutes=9), "finalizers": ["example.com/hold"]})
    found = lines(good(namespaces=[gone], pods=[stuck], endpointslices=NOWHERE))
    assert found["namespaces.terminating: Namespace/shop"] is None


def test_a_waived_cause_explains_nothing():
    """What follows from a waived finding is told for itself: nobody accepted it."""
    waiver = {"check": "nodes.ready", "object": "Node/worker-1", "reason": "known", "until": "2099-12-31"}
    world = good(nodes=[node(ready="False")], pods=[pod(ready="False")], endpointslices=NOWHERE)
    found = lines(world, profile=profile(waivers=[waiver]))
    assert found["pods.ready: Pod/shop/web-1"] is None


def test_a_warning_does_not_hide_a_failure():
    """Where the profile makes the cause a warning, its critical consequences are red lines of their own."""
    world = good(nodes=[node(ready="False")], pods=[pod(ready="False")], endpointslices=NOWHERE)
    assert lines(world, profile=profile(checks={"nodes.ready": "warning"}))["pods.ready: Pod/shop/web-1"] is None


def test_a_cause_that_was_not_judged_explains_nothing():
    """Where nodes could not be looked at, their pods are told for themselves."""
    world = good(nodes=[node(ready="False")], pods=[pod(ready="False")], endpointslices=NOWHERE)
    (ready,) = run(["pods.ready"], world)
    assert [each.because for each in ready.findings] == [None]


def test_nothing_is_taken_away():
    """A finding that follows from another stays in its check, which fails all the same."""
    results = run(INSIDE, good(**web(**SHORT), pods=[pod(**CRASHING)], endpointslices=NOWHERE))
    failed = {each.id for each in results if each.outcome == "failed"}
    assert failed == {"deployments.ready", "pods.crashing", "pods.ready", "services.endpoints"}


def graph(found, depends, after):
    """The root causes of these findings (check → objects) in a graph."""
    results = [
        result(
            Check(id, "critical", "", "", ""),
            "failed",
            findings=tuple(Finding(object=o, observed="", expected="") for o in objects),
        )
        for id, objects in found.items()
    ]
    return {
        (each.id, f.object): f.because
        for each in ActiveCauses(results, depends, after).related()
        for f in each.findings
    }


def test_a_chain_leads_to_its_end():
    """The cause that is told is the last of the chain, not the next."""
    found = {"a": ["X"], "b": ["Y"], "c": ["Z"]}
    told = graph(found, {"X": ["Y"], "Y": ["Z"]}, {"a": ["b"], "b": ["c"]})
    assert told == {("a", "X"): "c: Z", ("b", "Y"): "c: Z", ("c", "Z"): None}


@pytest.mark.parametrize(
    "after",
    [{"a": ["b"], "b": ["a"]}, {"a": ["b"], "b": ["c"], "c": ["a"]}, {"a": ["a", "b"], "b": ["a"]}],
)
def test_a_circle_of_causes_has_exactly_one_root(after):
    """Checks that explain each other in a circle end, and one of them stays the red line for all."""
    told = graph({"a": ["X"], "b": ["X"], "c": ["X"]}, {}, after)
    assert told[("a", "X")] is None
    assert told[("b", "X")] == "a: X"


def test_what_leads_into_a_circle_has_the_circles_root():
    """A finding outside a circle follows from the circle's root."""
    told = graph({"a": ["X"], "b": ["X"], "z": ["X"]}, {}, {"a": ["b"], "b": ["a"], "z": ["b"]})
    assert told == {("a", "X"): None, ("b", "X"): "a: X", ("z", "X"): "a: X"}


def test_objects_that_depend_on_each_other_end():
    """A circle of objects is gone round once."""
    assert graph({"a": ["X"], "b": ["Y"]}, {"X": ["Y"], "Y": ["X"]}, {"a": ["b"]}) == {
        ("a", "X"): "b: Y",
        ("b", "Y"): None,
    }


def test_only_what_an_object_depends_on_explains_it():
    """A finding on an object beside it, or above it, is no cause."""
    assert graph({"a": ["X"], "b": ["Y"]}, {"Y": ["X"]}, {"a": ["b"]})[("a", "X")] is None


@pytest.mark.parametrize(
    ("status", "explained"),
    [
        ({"desiredNumberScheduled": 0, "numberReady": 0, "numberMisscheduled": 1}, True),
        ({"desiredNumberScheduled": 2, "numberReady": 1}, True),
        ({"desiredNumberScheduled": 3, "numberReady": 1}, False),
    ],
)
def test_a_daemonset_is_wanted_no_more_on_a_dead_node(status, explained):
    """That a DaemonSet lacks its pod on a dead node, or wants it no more, follows from the node; that it lacks more does not."""
    agent = daemonset("agent", status=status)
    world = good(
        nodes=[node(), node("dead", ready="Unknown")],
        leases=[lease(), lease("dead")],
        daemonsets=[agent],
        pods=[
            pod(),
            of("DaemonSet", agent, "agent-0", ip="10.1.0.8", metadata={"labels": {"app": "agent"}}),
            of("DaemonSet", agent, "agent-1", ready="False", spec={"nodeName": "dead"}),
        ],
    )
    finding = lines(world)["daemonsets.ready: DaemonSet/shop/agent"]
    assert finding == ("nodes.ready: Node/dead" if explained else None)


def three(*on_dead, **status):
    """Three pods of web, of which these are on the node that is dead; all are not ready."""
    spec = {"replicas": 3}
    its = replicated("web", 3, status={"readyReplicas": 0, "availableReplicas": 0, **status}, spec=spec)
    pods = [
        pod(f"web-{n}", ready="False", ip=f"10.1.0.{n}", spec={"nodeName": "dead" if n in on_dead else "worker-1"})
        for n in (1, 2, 3)
    ]
    return good(
        deployments=[its],
        replicasets=[replicated("web-rs", 0, metadata=owner("Deployment", its))],
        nodes=[node(), node("dead", ready="Unknown")],
        leases=[lease(), lease("dead", renewed=900)],
        pods=pods,
        endpointslices=NOWHERE,
    )


@pytest.mark.parametrize(
    ("on_dead", "because"),
    [
        ((1, 2, 3), "nodes.ready: Node/dead"),
        ((1,), None),
        ((3,), None),
        ((), "pods.ready: Pod/shop/web-1"),
    ],
)
def test_a_node_explains_a_workload_only_if_all_that_is_missing_is_on_it(on_dead, because):
    """One of three pods on a dead node does not make the other two, which are not ready by themselves, its consequence."""
    found = lines(three(*on_dead))
    assert found["deployments.ready: Deployment/shop/web"] == because
    assert found["services.endpoints: Service/shop/web"] == (because or "deployments.ready: Deployment/shop/web")


def test_pods_that_are_not_there_are_explained_by_no_other():
    """A Deployment that lacks three pods, of which only two were made, has a line of its own beside those two."""
    world = three(1, 2)
    world["pods"].pop()
    assert lines(world)["deployments.ready: Deployment/shop/web"] is None


def test_a_stale_status_is_explained_by_no_pod():
    """That a status counts pods which do not exist does not follow from the one that crashes."""
    world = three(1, readyReplicas=3, availableReplicas=3)
    world["pods"] = world["pods"][:1]
    assert lines(world)["deployments.ready: Deployment/shop/web"] is None


def waiting(*others):
    """A Deployment of which a pod waits for a node that an autoscaler makes, longer than its patience; and other pods."""
    web = replicated("web", 1 + len(others), status=SHORT)
    versions = replicated("web-rs", 1 + len(others), status=SHORT, metadata=owner("Deployment", web))
    scheduled = condition("PodScheduled", "False", reason="Unschedulable")
    status = {"phase": "Pending", "conditions": [scheduled], "containerStatuses": []}
    late = of("ReplicaSet", versions, "web-1", spec={"nodeName": ""}, status=status)
    late["metadata"]["creationTimestamp"] = ago(minutes=8)
    asked = warning(late, "TriggeredScaleUp", type="Normal", lastTimestamp=ago(minutes=7))
    pods = [late, *(of("ReplicaSet", versions, f"web-{n}", **each) for n, each in enumerate(others, 2))]
    return good(deployments=[web], replicasets=[versions], pods=pods, notices=[asked], endpointslices=NOWHERE)


def outcomes(world, **more):
    """What each check comes to that found something."""
    return {each.id: each.outcome for each in run(INSIDE, world, **more) if each.findings}


def test_what_waits_for_what_is_under_way_is_under_way_itself():
    """A Deployment and a Service whose pod waits for an autoscaled node are not yet complete, as long as their pod may wait."""
    expected = dict.fromkeys(["pods.pending", "deployments.ready", "services.endpoints"], "inconclusive")
    assert outcomes(waiting()) == expected
    assert set(outcomes({**waiting(), "ingresses": []}, monitor=True).values()) == {"warned"}


def test_in_monitoring_what_users_come_in_by_has_failed_whatever_its_pods_wait_for():
    """The Service behind an Ingress leads nowhere for eight minutes: that is told while its pod waits for a node."""
    assert outcomes(waiting(), monitor=True)["services.endpoints"] == "failed"


def test_what_is_only_partly_explained_so_is_a_failure():
    """Where another pod crashes, the Deployment has failed."""
    assert outcomes(waiting(CRASHING))["deployments.ready"] == "failed"


LEFT = "Some resources are remaining: {}pods. has 1 resource instances"


@pytest.mark.parametrize(
    ("why", "left", "meta", "explained"),
    [
        ("only pods", "", {}, True),
        ("claims of pods", "persistentvolumeclaims. has 2 resource instances, ", {}, True),
        ("something else", "foos.example.com has 2 resource instances, ", {}, False),
        ("a finalizer of its own", "", {"finalizers": ["example.com/hold"]}, False),
    ],
)
def test_a_pod_explains_only_a_namespace_that_waits_for_pods(why, left, meta, explained):
    """A namespace that something else holds as well does not follow from the pod that does not go."""
    said = condition("NamespaceContentRemaining", message=LEFT.format(left))
    gone = namespace(metadata={"deletionTimestamp": ago(minutes=9), **meta}, status={"conditions": [said]})
    stuck = pod(metadata={"deletionTimestamp": ago(minutes=9), "finalizers": ["example.com/hold"]})
    found = lines(good(namespaces=[gone], pods=[stuck], endpointslices=NOWHERE))
    assert (found["namespaces.terminating: Namespace/shop"] is not None) is explained


@pytest.mark.parametrize(("updated", "explained"), [(0, False), (1, True)])
def test_a_pod_explains_no_deployment_that_is_paused_before_its_update(updated, explained):
    """Replicas of an old version stay as long as a Deployment is paused, whether its pods crash or not."""
    its = replicated("web", spec={"paused": True}, status={**SHORT, "updatedReplicas": updated})
    sets = [replicated("web-rs", metadata=owner("Deployment", its))]
    found = lines(good(deployments=[its], replicasets=sets, pods=[pod(**CRASHING)], endpointslices=NOWHERE))
    assert (found["deployments.ready: Deployment/shop/web"] is not None) is explained


def test_an_update_that_a_dead_node_holds_up_follows_from_the_node():
    """A DaemonSet whose update waits for a dead node has no fault of its own, however long that takes."""
    changed = {"managedFields": [{"manager": "kubectl", "time": ago(hours=9), "fieldsV1": {}}]}
    agent = daemonset("agent", 2, status={"numberReady": 1, "updatedNumberScheduled": 1}, metadata=changed)
    its = {"metadata": {"labels": {"app": "agent"}}}
    world = good(
        nodes=[node(), node("dead", ready="Unknown")],
        leases=[lease(), lease("dead")],
        daemonsets=[agent],
        pods=[
            pod(),
            of("DaemonSet", agent, "agent-0", ip="10.1.0.8", **its),
            of("DaemonSet", agent, "agent-1", ready="False", spec={"nodeName": "dead"}),
        ],
    )
    assert lines(world)["daemonsets.ready: DaemonSet/shop/agent"] == "nodes.ready: Node/dead"


def restarted(minutes, count=5, run=10):
    """Of a pod whose container has run for so many seconds before its last restart, so long ago."""
    began, ended = ago(minutes=minutes, seconds=run), ago(minutes=minutes)
    last = {"lastState": {"terminated": {"exitCode": 1, "startedAt": began, "finishedAt": ended}}}
    status = container_status(restarts=count, state={"running": {"startedAt": ended}}, **last)
    return pod(status={"containerStatuses": [status]}, metadata={"creationTimestamp": ago(minutes=90)})


LONG_RUN = 9 * 3600


@pytest.mark.parametrize(
    ("why", "ready", "it", "explained"),
    [
        ("before", "False", restarted(40), False),
        ("its kubelet is not heard of any more", "Unknown", restarted(5), False),
        ("only the last one after", "False", restarted(5), False),
        ("all after", "False", restarted(5, 1), True),
        ("it had run for hours until then", "False", restarted(5, 9, LONG_RUN), True),
    ],
)
def test_restarts_before_a_node_failed_do_not_follow_from_it(why, ready, it, explained):
    """A cause comes before what it causes, and covers all of it."""
    down = node()
    down["status"]["conditions"][-1] |= {"status": ready, "lastTransitionTime": ago(minutes=20)}
    strict = profile(restarts={"allowed": 0})
    found = lines(good(nodes=[down], pods=[it]), profile=strict)
    assert found["pods.restarts: Pod/shop/web-1"] == ("nodes.ready: Node/worker-1" if explained else None)


@pytest.mark.parametrize(("hours", "explained"), [(3, False), (0.2, True)])
@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("pods.ready", lambda at: {"status": {"conditions": [condition("Ready", "False", lastTransitionTime=at)]}}),
        ("pods.terminating", lambda at: {"metadata": {"deletionTimestamp": at}}),
        (
            "pods.pending",
            lambda at: {
                "status": {
                    "phase": "Pending",
                    "conditions": [condition("PodScheduled", lastTransitionTime=at)],
                    "containerStatuses": None,
                }
            },
        ),
    ],
)
def test_what_was_wrong_before_a_node_failed_does_not_follow_from_it(check, changes, hours, explained):
    """A pod that was not ready, did not go, or did not start for hours has a fault of its own beside a node that died now."""
    down = node()
    down["status"]["conditions"][-1] |= {"status": "Unknown", "lastTransitionTime": ago(minutes=13)}
    found = lines(good(nodes=[down], pods=[pod(**changes(ago(hours=hours)))]))
    assert found[f"{check}: Pod/shop/web-1"] == ("nodes.ready: Node/worker-1" if explained else None)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_at_the_end_of_time_ends_no_run(at):
    """Whoever may write an object writes its times: the sum of one and a patience may be none."""
    down = node()
    down["status"]["conditions"][-1] |= {"status": "False", "lastTransitionTime": at}
    api = {"namespace": "kube-system", "labels": {"component": "kube-apiserver"}, **owner("Node", thing("worker-1"))}
    end = {"terminated": {"exitCode": 1, "startedAt": at, "finishedAt": at}}
    again = container_status(restarts=9, state={"running": {"startedAt": at}}, lastState=end)
    status = {"containerStatuses": [again], "conditions": [condition("Ready", "False", lastTransitionTime=at)]}
    pods = [pod("api", metadata={**api, "creationTimestamp": at}, status=status)]
    pods += [
        pod("b", metadata={"deletionTimestamp": at}, status=status),
        pod("c", status={"phase": "Pending"} | status),
    ]
    world = good(
        nodes=[down],
        pods=pods,
        statefulsets=[
            replicated(
                "db", spec={"minReadySeconds": -600, "template": {"spec": {"terminationGracePeriodSeconds": -9}}}
            )
        ],
    )
    reasons = [
        each.reason
        for each in run(INSIDE, world, baseline=baseline(good()))
        if "broke" in each.reason or "could not be judged" in each.reason
    ]
    assert reasons == []
