"""Nodes that their cloud has stopped on purpose, and ReplicaSets that were left behind."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    condition,
    daemonset,
    endpointslice,
    good,
    judge,
    lease,
    merged,
    node,
    objects,
    owner,
    pod,
    replicated,
    service,
    thing,
)

STOPPED = {"key": "node.cloudprovider.kubernetes.io/shutdown", "effect": "NoSchedule"}
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
AKS = {"kubernetes.azure.com/cluster": "prod"}


def stopped(ready="Unknown", labels=AKS, taint=STOPPED):
    """A node whose machine is stopped."""
    return node("off", ready, metadata={"labels": labels}, spec={"taints": [taint, UNREACHABLE]})


def proxy(ready, updated=2):
    """kube-proxy tolerates everything, and is wanted on each node."""
    spec = {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}
    return daemonset("proxy", 2, spec=spec, status={"numberReady": ready, "updatedNumberScheduled": updated})


def on(name, its, **changes):
    """A pod of this DaemonSet on a node of this name."""
    meta = {"labels": {"app": "agent"}, **owner("DaemonSet", its)}
    return pod(f"proxy-{name}", **merged({"metadata": meta, "spec": {"nodeName": name}}, changes))


def world(off, its=None, *pods):
    """A node that works, and this one."""
    own = [on("worker-1", its)] if its else []
    return good(
        nodes=[node(), off],
        leases=[lease(), lease("off", renewed=90000)],
        daemonsets=[its] if its else [],
        pods=[pod(), *own, *pods],
    )


@pytest.mark.parametrize("id", ["nodes.ready", "nodes.schedulable", "nodes.heartbeat"])
@pytest.mark.parametrize(
    ("why", "off", "outcome"),
    [
        ("AKS keeps it", stopped(), "warned"),
        ("another cloud", stopped(labels={}), "failed"),
        ("its machine runs", stopped(taint={"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}), "failed"),
    ],
)
def test_a_node_that_is_stopped_on_purpose_is_a_warning(id, why, off, outcome):
    """The scale-down mode Deallocate leaves nodes in the list for as long as nothing needs them."""
    result = judge(id, world(off))
    assert result.outcome == ("passed" if (id, why) == ("nodes.schedulable", "its machine runs") else outcome)


def test_the_pods_of_daemonsets_stay_on_a_stopped_node():
    """They are not ready, cannot be updated or deleted there, and that is no more than a warning."""
    its = proxy(1)
    late = on("off", its, status={"conditions": [condition("Ready", "False")]})
    assert judge("pods.ready", world(stopped(), its, late)).outcome == "warned"
    assert judge("daemonsets.ready", world(stopped(), its, late)).outcome == "warned"
    going = merged(late, {"metadata": {"deletionTimestamp": ago(hours=2)}})
    assert judge("pods.terminating", world(stopped(), its, going)).outcome == "warned"
    new = merged(late, {"status": {"phase": "Pending", "containerStatuses": []}})
    assert judge("pods.pending", world(stopped(), its, new)).outcome == "warned"


@pytest.mark.parametrize(("ready", "updated", "outcome"), [(1, 1, "warned"), (0, 2, "failed"), (1, 0, "failed")])
def test_what_a_daemonset_lacks_elsewhere_is_a_failure(ready, updated, outcome):
    """One stopped node explains one pod."""
    assert judge("daemonsets.ready", world(stopped(), proxy(ready, updated))).outcome == outcome


def left(deployment, **status):
    """A ReplicaSet of three that says it is of this Deployment."""
    counts = {"readyReplicas": 0, "availableReplicas": 0, **status}
    return replicated("ghost-rs", 3, app="ghost", metadata=owner("Deployment", deployment), status=counts)


@pytest.mark.parametrize(("exists", "found"), [(False, ["ReplicaSet/shop/ghost-rs"]), (True, [])])
def test_a_replicaset_whose_deployment_is_gone_answers_for_itself(exists, found):
    """As long as its Deployment exists, that answers for it."""
    its = replicated("ghost", 3, app="ghost")
    known = good()
    known["deployments"] += [its] if exists else []
    known["replicasets"].append(left(its))
    assert objects(judge("replicasets.ready", known)) == found


def test_a_service_leads_to_a_replicaset_whose_deployment_is_gone():
    """It is not at rest: three pods should stand behind it."""
    known = good(services=[service(), service("ghost", spec={"selector": {"app": "ghost"}})])
    known["replicasets"].append(left(thing("ghost", "shop")))
    known["endpointslices"].append(endpointslice("ghost", metadata={"name": "ghost-x1"}))
    (finding,) = judge("services.endpoints", known).findings
    assert (finding.object, finding.severity) == ("Service/shop/ghost", "critical")
