"""What is done to nodes: kured's lock, and whether there is room for the pods of a node that goes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import (
    ago,
    condition,
    daemonset,
    good,
    judge,
    kured,
    lock_holder,
    merged,
    node,
    objects,
    owner,
    pod,
    profile,
    run,
    snapshot,
    thing,
)
from upgate.facts.amounts import LARGEST, whole_number
from upgate.facts.headroom import requests_of

NANOSECONDS = 10**9


def locked(*holders: dict[str, Any], max_age: str | None = None, preflight: bool = False, **changes: Any):
    """What nodes.kured-lock says of these holders."""
    asked = profile(kured={"max-lock-age": max_age}) if max_age else None
    return judge("nodes.kured-lock", good(daemonsets=[kured(*holders, **changes)]), profile=asked, preflight=preflight)


@pytest.mark.parametrize("key", ["weave.works/kured-node-lock", "kured.dev/kured-node-lock"])
@pytest.mark.parametrize("others", [[], [lock_holder(minutes=1)]])
def test_an_old_lock_is_found_in_both_spellings_and_forms(key, others):
    """Whether one or several may hold it, and however the annotation is called: the node that has had it too long is named."""
    (finding,) = locked(lock_holder(hours=5), *others, key=key).findings
    assert finding.object == "Node/worker-1"
    assert finding.observed == "holds the lock of DaemonSet/reboots/kured for 4h59m"
    assert f"annotate daemonset kured {key}-" in finding.hint


@pytest.mark.parametrize(
    "holder",
    [
        lock_holder(minutes=30),
        lock_holder(ttl=30 * 60 * NANOSECONDS, hours=5),
        lock_holder("gone", ttl=60 * NANOSECONDS, hours=5),
        lock_holder(ttl=-1, minutes=5),
        lock_holder(ttl=2**63 - 1, minutes=5),
        lock_holder(seconds=-30),
    ],
)
def test_a_recent_lock_and_one_whose_term_is_over_are_fine(holder):
    """A node that is being rebooted holds it rightly; one whose TTL has passed holds nothing."""
    assert locked(holder).outcome == "passed"


@pytest.mark.parametrize("ttl", [0, -1, 2**63 - 1, 24 * 3600 * NANOSECONDS])
def test_a_ttl_of_0_means_no_end(ttl):
    """Without a TTL, or within it, a lock is held; and that is too long."""
    assert locked(lock_holder(ttl=ttl, hours=5)).outcome == "failed"


def test_a_lock_of_a_node_that_does_not_exist_is_found_at_once():
    """A node that was removed gives nothing back, however short ago it took the lock."""
    (finding,) = locked(lock_holder("gone", minutes=1)).findings
    assert finding.object == "Node/gone"
    assert "does not exist" in finding.observed


def test_several_may_hold_it():
    """Each holder is judged; a lock that is shared by none is free."""
    result = locked(lock_holder(minutes=1), lock_holder("gone"), lock_holder("also"))
    assert (objects(result), result.examined) == (["Node/gone", "Node/also"], 3)
    assert locked().outcome == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "7",
        "[]",
        '{"nodeID":"worker-1"}',
        '{"nodeID":"worker-1","created":"soon"}',
        '{"nodeID":"worker-1","created":"2026-11-21T01:00:00Z","TTL":"1h"}',
        '{"nodeID":7,"created":"2026-11-21T01:00:00Z"}',
        '{"locks":{}}',
        '{"locks":[7]}',
        "[" * 5000,
        '{"a":' + "[" * 5000,
    ],
)
def test_a_lock_that_cannot_be_read_says_so(text):
    """kured itself cannot read it either, so no node is rebooted."""
    changed = daemonset(
        "kured", metadata={"namespace": "kube-system", "annotations": {"kured.dev/kured-node-lock": text}}
    )
    result = judge("nodes.kured-lock", good(daemonsets=[changed]))
    assert [(each.object, each.transitional) for each in result.findings] == [("DaemonSet/kube-system/kured", False)]
    assert "cannot be read" in result.findings[0].observed


def test_a_lock_of_the_future_is_found():
    """A clock that is hours ahead makes a lock that does not age."""
    assert "ahead" in locked(lock_holder(hours=-5)).findings[0].observed


def test_the_profile_says_how_old_a_lock_may_be():
    """`kured: max-lock-age`."""
    assert locked(lock_holder(hours=5), max_age="6h").outcome == "passed"
    assert locked(lock_holder(minutes=40), max_age="30m").outcome == "failed"


def test_the_annotation_of_another_daemonset_is_no_lock():
    """Only kured's own DaemonSet counts: by its name, or its namespace."""
    other = kured(lock_holder(hours=5), metadata={"name": "agent", "namespace": "shop"})
    assert judge("nodes.kured-lock", good(daemonsets=[other])).examined == 0


def test_before_an_upgrade_a_reboot_is_not_yet():
    """`-m preflight`: a node that is being rebooted would be in the way; an old lock is wrong as ever."""
    assert locked(lock_holder(), preflight=True).outcome == "inconclusive"
    assert locked(lock_holder(hours=5), preflight=True).outcome == "failed"


def test_the_node_that_died_explains_its_lock():
    """A node that is not Ready cannot give its lock back: that is one cause."""
    world = good(nodes=[node(ready="Unknown")], daemonsets=[kured(lock_holder(hours=5))])
    assert run(["nodes.ready", "nodes.kured-lock"], world)[1].findings[0].because == "nodes.ready: Node/worker-1"


@pytest.mark.parametrize(
    ("text", "scale", "number"),
    [
        ("", 1, 0),
        ("0", 1, 0),
        ("2", 1000, 2000),
        ("100m", 1000, 100),
        ("0.1", 1000, 100),
        (".5", 1000, 500),
        ("1.", 1, 1),
        ("1u", 1000, 1),
        ("100n", 1000, 1),
        ("1Gi", 1, 1024**3),
        ("1.5Ki", 1, 1536),
        ("24581692Ki", 1, 24581692 * 1024),
        ("128M", 1, 128_000_000),
        ("1k", 1, 1000),
        ("1e3", 1, 1000),
        ("1E3", 1, 1000),
        ("1E", 1, 10**18),
        ("12e-3", 1000, 12),
        ("129e6", 1, 129_000_000),
        ("-5", 1, 0),
        ("9e999", 1, LARGEST),
        ("9" * 30 + "Ei", 1, LARGEST),
    ],
)
def test_quantities_are_read_as_kubernetes_does(text, scale, number):
    """Suffixes of 10 and of 2, exponents and fractions, rounded up and within what the API server keeps."""
    assert whole_number(text, scale) == number


@pytest.mark.parametrize(
    "text", ["a", "1 Gi", "1gi", "1e", "1e9999", "9" * 31, "--1", "1m1", "Gi", "NaN", "∞", "\u0661"]
)
def test_what_is_no_quantity_is_refused(text):
    """Nothing is guessed, and no number becomes too large to work with."""
    with pytest.raises(ValueError, match="not a quantity"):
        whole_number(text)


def container(cpu: object = "", memory: object = "", name: str = "app", **more: Any) -> dict[str, Any]:
    """A container that requests this."""
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"name": name, "image": "app:1", "resources": {"requests": requests}, **more}


def asking(cpu: object = "", memory: object = "", on: str = "a", **changes: Any) -> dict[str, Any]:
    """A pod on a node that requests this."""
    base = pod(f"p-{on}", spec={"nodeName": on, "containers": [container(cpu, memory)]})
    return merged(base, changes)


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [container("1"), container("500m")]}, 1500),
        ({"containers": [container("1")], "initContainers": [container("3"), container("2")]}, 3000),
        ({"containers": [container("1")], "initContainers": [container("2", restartPolicy="Always")]}, 3000),
        (
            {
                "containers": [container("1")],
                "initContainers": [container("1", restartPolicy="Always"), container("3"), container("100m")],
            },
            4000,
        ),
        (
            {
                "containers": [container("1")],
                "initContainers": [container("3"), container("1", restartPolicy="Always")],
            },
            3000,
        ),
        ({"containers": [container("1")], "overhead": {"cpu": "250m"}}, 1250),
        ({"containers": [container("1")], "resources": {"requests": {"cpu": "5"}}}, 5000),
        ({"containers": [{"name": "app", "resources": {"requests": None}}]}, 0),
        ({"containers": [container(2)]}, 2000),
    ],
)
def test_a_pod_requests_what_the_scheduler_keeps_for_it(spec, cpu):
    """Init containers run before the others, sidecars beside them; overhead comes on top, and the pod's own request decides."""
    (fact,) = snapshot(good(pods=[pod(spec=spec)])).facts("pods")
    assert (requests_of(fact).cpu, requests_of(fact).pods) == (cpu, 1)


def sized(name: str, cpu: str = "4", pods: str = "110", **changes: Any) -> dict[str, Any]:
    """A node of this size."""
    return merged(node(name, status={"allocatable": {"cpu": cpu, "pods": pods}}), changes)


def room(*pods: dict[str, Any], nodes: list[dict[str, Any]] | None = None, **lists: Any):
    """What nodes.headroom says of pods on nodes a, b and c of 4 CPUs each."""
    three = [sized(each) for each in "abc"]
    alone = [merged(each, {"metadata": {"name": f"p{index}"}}) for index, each in enumerate(pods)]
    return judge("nodes.headroom", good(nodes=three if nodes is None else nodes, pods=alone, **lists))


def test_pods_that_fit_on_the_others_are_fine():
    """Two of three nodes have room for the pods of the third."""
    assert room(*[asking("1", on=each) for each in "aabbcc"]).outcome == "passed"


def test_pods_without_room_are_found_on_the_worst_node():
    """One finding: the node whose loss leaves most pods without room, and what they request."""
    (finding,) = room(*[asking("1500m", "1Gi", on=each) for each in "aabbc"], asking("3", on="c")).findings
    assert finding.object == "NodePool/all"
    assert finding.hint.startswith("kubectl describe node c")
    assert finding.observed == (
        "if node c is lost, 2 of the 2 pods that would move have no room on the 2 other nodes; "
        "requested: 4.5 CPU, 1 GiB memory"
    )


def test_a_large_pod_needs_a_node_with_room_for_all_of_it():
    """Room that is scattered over the nodes is none."""
    (finding,) = room(asking("2", on="a"), asking("3", on="b"), asking("3", on="c")).findings
    assert finding.observed.startswith(
        "if node b is lost, 1 of the 1 pod that would move has no room on the 2 other nodes"
    )


def test_memory_and_slots_count_like_cpu():
    """Each resource can be what is missing; a pod without requests needs a slot."""
    assert room(*[asking(memory="9Gi", on=each) for each in "abc"]).outcome == "warned"
    few = [sized(each, pods="2") for each in "abc"]
    assert room(*[asking(on=each) for each in "aabbc"], nodes=few).outcome == "warned"
    assert room(*[asking(on=each) for each in "aab"], nodes=few).outcome == "passed"


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": owner("DaemonSet", thing("agent", "shop"))},
        {"metadata": owner("Node", thing("a"))},
        {"metadata": {"ownerReferences": None}},
        {"spec": {"nodeSelector": {"kubernetes.io/hostname": "a"}}},
        {"spec": {"priority": -10}},
        {"status": {"phase": "Succeeded"}},
        {"status": {"phase": "Failed"}},
        {"metadata": {"deletionTimestamp": ago(minutes=1)}},
    ],
)
def test_pods_that_do_not_move_need_no_room(changes):
    """DaemonSets' and static pods, bare ones, pods bound to their node, place holders, and what has ended or goes."""
    full = [asking("3", on=each) for each in "bc"]
    assert (
        room(asking("3", on="a", **changes), nodes=[sized("a"), sized("b", "8"), sized("c", "8")]).outcome == "passed"
    )
    assert room(asking("3", on="a"), *full).outcome == "warned"


def test_place_holders_give_way():
    """Pods of a negative priority are evicted for others: what they take is room."""
    holder = asking("3", on="b", spec={"priority": -1})
    assert room(asking("3", on="a"), holder, nodes=[sized("a"), sized("b")]).outcome == "passed"


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": {"unschedulable": True}},
        {"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}},
        {"status": {"conditions": [condition("Ready", "False")]}},
    ],
)
def test_only_nodes_that_take_pods_have_room(changes):
    """A cordoned, tainted or dead node has no room, and its own pods are not asked about."""
    big = merged(sized("c", "64"), changes)
    assert room(asking("3", on="a"), asking("3", on="b"), nodes=[sized("a"), sized("b"), big]).outcome == "warned"
    assert room(asking("60", on="c"), nodes=[sized("a"), sized("b"), big]).outcome == "passed"


def test_nodes_of_which_all_are_tainted_are_compared_with_each_other():
    """A cluster of spot nodes alone has room on those."""
    spot = {"spec": {"taints": [{"key": "spot", "effect": "NoSchedule"}]}}
    nodes = [sized(each, **spot) for each in "ab"]
    assert room(asking("1", on="a"), nodes=nodes).outcome == "passed"
    assert room(asking("3", on="a"), asking("3", on="b"), nodes=nodes).outcome == "warned"


def test_a_single_node_has_no_others():
    """Nothing can be asked of a cluster of one node; of a control plane and one worker it can."""
    assert room(asking("3", on="a"), nodes=[sized("a")]).outcome == "passed"
    master = sized("m", spec={"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]})
    (finding,) = room(asking("3", on="a"), nodes=[sized("a"), master]).findings
    assert "has no room on the 0 other nodes" in finding.observed


def test_an_autoscaler_makes_the_room():
    """Karpenter and the cluster-autoscaler add nodes when they are needed."""
    full = [asking("3", on=each) for each in "ab"]
    claimed = [sized(each, metadata={"labels": {"karpenter.sh/nodepool": "x"}}) for each in "ab"]
    assert room(*full, nodes=claimed).outcome == "passed"


def test_what_a_node_does_not_say_is_not_judged():
    """A quantity that cannot be read is a gap, never room."""
    assert room(asking("1", on="a"), nodes=[sized("a"), sized("b", "many")]).outcome == "inconclusive"


def test_headroom_is_a_matter_of_before_an_upgrade():
    """`-m preflight` asks for it."""
    world = good(nodes=[sized("a"), sized("b", "1")], pods=[asking("2", on="a")])
    assert judge("nodes.headroom", world, preflight=True).outcome == "warned"


def test_a_big_cluster_is_asked_in_a_moment():
    """1,000 nodes that are nearly full, with 20,000 pods, take no more than seconds."""
    import time

    nodes = [sized(f"n{index}") for index in range(1000)]
    pods = [
        merged(asking(f"{100 + index % 90}m", on=f"n{index % 1000}"), {"metadata": {"name": f"p{index}"}})
        for index in range(20_000)
    ]
    seen = snapshot(good(nodes=nodes, pods=pods))
    began = time.process_time()
    judge("nodes.headroom", seen)
    assert time.process_time() - began < 5


def test_nodes_that_are_out_explain_that_there_is_no_room():
    """With the cordoned node there would be room: that is one cause. Where there would not be, it is another one."""
    nodes = [sized("a"), sized("b"), sized("c", spec={"unschedulable": True})]
    for requested, because in (("2100m", "nodes.schedulable: Node/c"), ("3900m", None)):
        pods = [asking(requested, on=each) for each in "ab"]
        pods += [asking("3", on="c")] if because is None else []
        alone = [merged(each, {"metadata": {"name": f"p{index}"}}) for index, each in enumerate(pods)]
        found = run(["nodes.schedulable", "nodes.headroom"], good(nodes=nodes, pods=alone))[1].findings
        assert [each.because for each in found] == [because]
