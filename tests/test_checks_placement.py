"""DaemonSets: which nodes they are meant for, whatever their status counts."""

from __future__ import annotations

import pytest

from tests.worlds import ago, baseline, daemonset, good, judge, lease, merged, node, owner, pod

EDGE = {"pool": "edge"}
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


def nodes(count, **changes):
    """So many nodes that have been Ready for a day."""
    return [node(f"worker-{n}", **changes) for n in range(1, count + 1)]


def template(**spec):
    """A DaemonSet's spec with this pod spec."""
    return {"spec": {"template": {"spec": spec}}}


def required(*terms):
    """A required node affinity; each term is a requirement."""
    own = [{"matchExpressions": [term]} for term in terms]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": own}}}


def requirement(operator, *values, key="pool"):
    """One requirement."""
    return {"key": key, "operator": operator, "values": list(values)}


def world(count, its, on=None):
    """So many of the DaemonSet's pods, on the first nodes."""
    meta = {"labels": {"app": "agent"}, **owner("DaemonSet", its)}
    pods = [pod(f"agent-{n}", metadata=meta, spec={"nodeName": f"worker-{n}"}) for n in range(1, count + 1)]
    on = on or nodes(3)
    leases = [lease(each["metadata"]["name"]) for each in on]
    return good(nodes=on, leases=leases, daemonsets=[its], pods=[pod(), *pods])


def found(its, on=None, **more):
    """What is said of a DaemonSet that has as many pods as it wants."""
    result = judge("daemonsets.ready", world(its["status"]["desiredNumberScheduled"], its, on), **more)
    return [(each.observed, each.severity, each.transitional) for each in result.findings]


def test_a_status_that_wants_fewer_nodes_than_match_is_only_a_claim():
    """Three nodes match for a day, and one has its pod: a controller that is dead wanted one."""
    assert found(daemonset("agent", 1)) == [("wants 1 node, although 3 nodes match it", "critical", False)]
    assert found(daemonset("agent", 3)) == []


@pytest.mark.parametrize(
    ("why", "node_changes", "pod_spec", "lacks"),
    [
        ("selected", {"metadata": {"labels": EDGE}}, {"nodeSelector": EDGE}, True),
        ("not selected", {}, {"nodeSelector": EDGE}, False),
        ("In", {"metadata": {"labels": EDGE}}, {"affinity": required(requirement("In", "edge"))}, True),
        ("not In", {}, {"affinity": required(requirement("In", "edge"))}, False),
        ("NotIn", {}, {"affinity": required(requirement("NotIn", "edge"))}, True),
        ("one of two terms", {}, {"affinity": required(requirement("In", "9"), requirement("DoesNotExist"))}, True),
        ("Gt", {"metadata": {"labels": {"pool": "9"}}}, {"affinity": required(requirement("Gt", "8"))}, True),
        ("not Lt", {"metadata": {"labels": {"pool": "9"}}}, {"affinity": required(requirement("Lt", "8"))}, False),
        ("not a number", {"metadata": {"labels": EDGE}}, {"affinity": required(requirement("Lt", "8"))}, False),
        ("an empty term", {}, {"affinity": required()}, False),
        ("another node's name", {}, {"nodeName": "worker-1"}, False),
        ("tainted", {"spec": {"taints": [TAINT]}}, {}, False),
        ("tolerated", {"spec": {"taints": [TAINT]}}, {"tolerations": [{"key": "gpu", "operator": "Exists"}]}, True),
        (
            "cordoned",
            {"spec": {"taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}},
            {},
            True,
        ),
        (
            "without network",
            {"spec": {"taints": [{"key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule"}]}},
            {},
            False,
        ),
        (
            "without network, on that of the node",
            {"spec": {"taints": [{"key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule"}]}},
            {"hostNetwork": True},
            True,
        ),
        ("being deleted", {"metadata": {"deletionTimestamp": ago(minutes=1)}}, {}, False),
        ("not Ready", {"status": {"conditions": []}}, {}, False),
        ("a project of OpenShift", {"metadata": {"labels": {"node.openshift.io/os_id": "rhel"}}}, {}, False),
    ],
)
def test_a_node_is_wanted_by_the_rules_of_the_controller(why, node_changes, pod_spec, lacks):
    """Node selector, affinity, name and tolerations say which nodes; DaemonSets tolerate some taints without saying so."""
    its = daemonset("agent", 1, **template(**pod_spec))
    first = node("worker-1", metadata={"labels": {**EDGE, "pool": "9"}} if "affinity" in pod_spec else {"labels": EDGE})
    second = node("worker-2", **node_changes)
    told = found(its, [merged(first, node_changes) if lacks else first, second])
    assert bool(told) is lacks


@pytest.mark.parametrize(
    ("why", "node_changes", "its_changes", "transitional"),
    [
        ("it joined", {"metadata": {"creationTimestamp": ago(seconds=20)}}, {}, True),
        ("long ago", {}, {}, False),
        (
            "it was labelled",
            {"metadata": {"managedFields": [{"manager": "kubectl", "time": ago(seconds=20), "fieldsV1": {}}]}},
            {},
            True,
        ),
        ("the DaemonSet was changed", {}, {"managedFields": [{"time": ago(seconds=20), "fieldsV1": {}}]}, True),
    ],
)
def test_a_controller_may_take_a_moment_to_follow(why, node_changes, its_changes, transitional):
    """A node that has just joined, or was just labelled, gets its pod in a moment."""
    told = found(daemonset("agent", 1, metadata=its_changes), [node("worker-1"), node("worker-2", **node_changes)])
    assert [each[2] for each in told] == [transitional]


def test_one_node_that_was_just_changed_stands_for_no_other():
    """In a large cluster some node is always new."""
    new = node("worker-2", metadata={"creationTimestamp": ago(seconds=20)})
    assert found(daemonset("agent", 1), [node("worker-1"), new, node("worker-3")])[0][2] is False


@pytest.mark.parametrize(("operator", "lost"), [("NotIn", True), ("In", False)])
def test_affinity_is_read_where_no_node_is_wanted(operator, lost):
    """kube-proxy of EKS leaves Fargate's nodes out, and must be on all others; who asks for what is not there is at rest."""
    its = daemonset(
        "agent",
        0,
        **template(affinity=required(requirement(operator, "fargate")), tolerations=[{"operator": "Exists"}]),
    )
    assert [each[0] for each in found(its)] == (
        ["wants no node, although its node selector matches some"] if lost else []
    )


def labelled(count, of=5, start=1):
    """Nodes of which so many have the label."""
    return [
        node(f"worker-{n}", metadata={"labels": EDGE if n < start + count else {}}) for n in range(start, start + of)
    ]


def edge(count, generation=1):
    """An ingress controller on the nodes of the label."""
    seen = {"metadata": {"generation": generation}, "status": {"observedGeneration": generation}}
    return daemonset("edge", count, **seen, **template(nodeSelector=EDGE))


@pytest.mark.parametrize(
    ("why", "now", "on", "severity"),
    [
        ("four nodes lost the label", edge(1), labelled(1), "critical"),
        ("all are as they were", edge(5), labelled(5), None),
        ("four nodes are gone", edge(1), labelled(1, of=1), None),
        ("two nodes are gone, and two more lost it", edge(1), labelled(1, of=3), "critical"),
        ("other nodes stand for them", edge(1), labelled(1, start=11), "warning"),
        ("its node selector was changed", edge(1, generation=2), labelled(1), "warning"),
    ],
)
def test_a_daemonset_wants_as_many_nodes_as_in_the_baseline(why, now, on, severity):
    """It wanted five; where it wants fewer and the nodes are there, it has lost its place."""
    before = baseline(world(5, edge(5), labelled(5)))
    names = [each["metadata"]["name"] for each in on]
    own = [pod(f"edge-{name}", metadata=owner("DaemonSet", now), spec={"nodeName": name}) for name in names]
    count = now["status"]["desiredNumberScheduled"]
    seen = good(nodes=on, leases=[*map(lease, names)], daemonsets=[now], pods=[pod(), *own[:count]])
    told = [each.severity for each in judge("daemonsets.ready", seen, baseline=before).findings]
    assert told == ([severity] if severity else [])


def test_nodes_that_an_autoscaler_managed_may_be_the_ones_that_are_gone():
    """A pool of Karpenter's shrinks and another grows: no DaemonSet of the first has lost its place."""
    mark = {"karpenter.sh/nodepool": "gpu"}
    then = [merged(each, {"metadata": {"labels": mark}}) for each in labelled(5)]
    before = baseline(world(5, edge(5), then))
    now = edge(1)
    assert found(now, labelled(1), baseline=before) == []
