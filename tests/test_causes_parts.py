"""A cause explains what is made of parts only if it covers all of them; and nothing that does not wait for it."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    condition,
    container_status,
    endpointslice,
    good,
    lease,
    merged,
    node,
    owner,
    pod,
    replicated,
    run,
    service,
)

IDS = [
    *("nodes.ready", "nodes.schedulable", "pods.crashing", "pods.failed", "pods.ready", "pods.pending"),
    *("pods.terminating", "deployments.ready", "statefulsets.ready", "services.endpoints"),
]
CRASHES = {
    "containerStatuses": [container_status(ready=False, restarts=9, state={"waiting": {"reason": "CrashLoopBackOff"}})]
}
DEPLOYMENT, SERVICE = "deployments.ready: Deployment/shop/web", "services.endpoints: Service/shop/web"
NO_CPU = "0/1 nodes are available: 1 Insufficient cpu."
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
CORDONED = {"spec": {"unschedulable": True, "taints": [{**CORDON, "timeAdded": ago(hours=5)}]}}


def because(world):
    """The root cause of each finding."""
    return {f"{each.id}: {f.object}": f.because for each in run(IDS, world) for f in each.findings}


def short(name, want, ready=0, **changes):
    """A Deployment of which so many are ready, and its ReplicaSet."""
    counts = {"readyReplicas": ready, "availableReplicas": ready}
    its = replicated(name, want, status=counts, **changes)
    return its, replicated(f"{name}-rs", want, status=counts, metadata=owner("Deployment", its))


def of(maker, name, **changes):
    """A pod that is not ready, of this ReplicaSet."""
    return pod(name, ready="False", **merged({"metadata": owner("ReplicaSet", maker)}, changes))


def crashing(maker, name):
    """One that crashes."""
    return of(maker, name, status=CRASHES)


def unplaced(maker, name, message=NO_CPU):
    """One that no node takes."""
    said = condition("PodScheduled", "False", reason="Unschedulable", message=message)
    status = {"phase": "Pending", "podIPs": [], "containerStatuses": [], "conditions": [said]}
    return of(maker, name, spec={"nodeName": ""}, status=status)


def web(*makes, ready=0, **world):
    """A Deployment with these pods, behind its Service."""
    its, versions = short("web", len(makes) + ready, ready)
    pods = [make(versions, f"web-{n}") for n, make in enumerate(makes, 1)]
    return good(
        **{"deployments": [its], "replicasets": [versions], "endpointslices": [endpointslice("web")], **world},
        pods=pods,
    )


def test_pods_that_lack_for_different_reasons_explain_a_workload_by_none_of_them():
    """One crashes and two have no room: the Deployment says itself that it lacks three, and its Service follows from it."""
    found = because(web(crashing, unplaced, unplaced))
    assert found[DEPLOYMENT] is None
    assert found[SERVICE] == DEPLOYMENT


@pytest.mark.parametrize(
    ("makes", "cause"),
    [
        ([crashing, crashing], "pods.crashing: Pod/shop/web-1"),
        ([unplaced, unplaced], "pods.pending: Pod/shop/web-1"),
        ([of, crashing], "pods.crashing: Pod/shop/web-2"),
    ],
)
def test_pods_that_lack_for_one_reason_explain_it(makes, cause):
    """All crash, or none has room; one that is not ready and one that crashes are alike."""
    found = because(web(*makes))
    assert (found[DEPLOYMENT], found[SERVICE]) == (cause, cause)


def test_one_of_two_workloads_does_not_explain_a_service():
    """The pod of one crashes, and a quota keeps those of the other from being made."""
    a, versions = short("a", 1)
    quota = condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota")
    b = replicated(
        "b", 4, status={**dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), 0), "conditions": [quota]}
    )
    world = good(deployments=[a, b], replicasets=[versions], pods=[crashing(versions, "a-1")])
    found = because({**world, "endpointslices": [endpointslice("web")]})
    assert found["deployments.ready: Deployment/shop/a"] == "pods.crashing: Pod/shop/a-1"
    assert found["deployments.ready: Deployment/shop/b"] is None
    assert found[SERVICE] is None


GOING = {"deletionTimestamp": ago(hours=2), "finalizers": ["example.com/hold"]}


def leaving(maker, name):
    """One that does not go."""
    return pod(name, metadata={**owner("ReplicaSet", maker), **GOING})


@pytest.mark.parametrize(
    ("why", "spec", "explained"),
    [
        ("rolling", {}, False),
        ("recreated", {"strategy": {"type": "Recreate"}}, True),
        ("told to wait", {"podReplacementPolicy": "TerminationComplete"}, True),
        ("told not to", {"podReplacementPolicy": "TerminationStarted"}, False),
    ],
)
def test_a_deployment_does_not_wait_for_pods_that_go(why, spec, explained):
    """A ReplicaSet makes the next pod while the old one is still going; Recreate and its podReplacementPolicy wait."""
    its, versions = short("web", 2, 1, spec=spec)
    world = good(deployments=[its], replicasets=[versions], pods=[pod("web-2"), leaving(versions, "web-1")])
    assert because(world)[DEPLOYMENT] == ("pods.terminating: Pod/shop/web-1" if explained else None)


def test_a_statefulset_waits_for_a_pod_that_goes():
    """The next one has the same name."""
    db = replicated("db", app="db", status={"readyReplicas": 0})
    late = pod("db-0", ready="False", metadata={**owner("StatefulSet", db), **GOING})
    found = because(good(statefulsets=[db], pods=[pod(), late]))
    assert found["statefulsets.ready: StatefulSet/shop/db"] == "pods.terminating: Pod/shop/db-0"


ENDED = {"phase": "Failed", "conditions": [condition("Ready", "False", lastTransitionTime=ago(minutes=20))]}
STRAY = {"metadata": {"ownerReferences": None}, "status": ENDED}


@pytest.mark.parametrize(("replicas", "explained"), [(0, False), (None, True)])
def test_a_stray_pod_explains_a_service_only_if_nothing_else_is_behind_it(replicas, explained):
    """A pod that somebody left has the labels of a Deployment that is scaled to zero."""
    stray = pod("debug", ready="False", **STRAY)
    none = {"deployments": [], "replicasets": []}
    its = none if replicas is None else {"deployments": [replicated("web", 0)], "replicasets": []}
    found = because(good(**its, pods=[stray], endpointslices=[endpointslice("web")], services=[service()]))
    assert found[SERVICE] == ("pods.failed: Pod/shop/debug" if explained else None)


@pytest.mark.parametrize(
    ("message", "explained"),
    [
        ("0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 x.", True),
        ("0/3 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, 2 node(s) were unschedulable.", True),
        (
            "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) were unschedulable.",
            True,
        ),
        ("0/3 nodes are available: 1 node(s) had volume node affinity conflict, 2 node(s) were unschedulable.", True),
        (
            "0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 2 node(s) were unschedulable.",
            True,
        ),
        ("0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.", False),
        (NO_CPU, False),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.", False),
        ("something else", False),
    ],
)
def test_cordons_explain_a_pod_that_waits_only_for_them(message, explained):
    """The scheduler says of each node why it does not take the pod: room on the others is no matter of cordons."""
    cordoned = [node("worker-1", **CORDONED), node("worker-2", **CORDONED)]
    late = web(lambda maker, name: unplaced(maker, name, message), nodes=cordoned, leases=[lease(), lease("worker-2")])
    cause = "nodes.schedulable: Node/worker-1" if explained else None
    found = because(late)
    assert found["pods.pending: Pod/shop/web-1"] == cause
    assert found[DEPLOYMENT] == (cause or "pods.pending: Pod/shop/web-1")


def test_nodes_that_are_not_ready_explain_a_pod_that_waits_for_them():
    """Their taint keeps it away."""
    taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
    down = node("worker-1", "Unknown", spec={"taints": [taint]})
    said = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }."
    found = because(web(lambda maker, name: unplaced(maker, name, said), nodes=[down]))
    assert found["pods.pending: Pod/shop/web-1"] == "nodes.ready: Node/worker-1"
