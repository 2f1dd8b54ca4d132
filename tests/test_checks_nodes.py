"""Nodes: ready, without pressure, without cordon, heard of, and as many as there should be."""

from __future__ import annotations

import pytest

from tests.worlds import ago, baseline, condition, daemonset, good, judge, lease, node, objects, profile, removal

ZONE = "example.com/pool"


def with_conditions(*conditions, **changes):
    """A node with exactly these conditions."""
    return node(status={"conditions": list(conditions)}, **changes)


@pytest.mark.parametrize(
    ("conditions", "observed"),
    [
        ([condition("Ready")], None),
        ([condition("Ready", "False", reason="KubeletNotReady", message="cni")], "Ready=False (KubeletNotReady: cni)"),
        ([condition("Ready", "Unknown", reason="NodeStatusUnknown")], "Ready=Unknown (NodeStatusUnknown)"),
        ([condition("PIDPressure", "False")], "Ready=Unknown (no such condition)"),
        (None, "Ready=Unknown (no such condition)"),
    ],
)
def test_only_true_is_ready(conditions, observed):
    """Ready must be True: False, Unknown, absent and null are findings, in the condition's own words."""
    result = judge("nodes.ready", good(nodes=[node(status={"conditions": conditions})]))
    assert [each.observed for each in result.findings] == ([observed] if observed else [])


@pytest.mark.parametrize("kind", ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"])
def test_each_pressure_is_named(kind):
    """Each pressure that is True is a finding that names it; False is none."""
    bad = judge("nodes.pressure", good(nodes=[with_conditions(condition("Ready"), condition(kind, reason="Because"))]))
    fine = judge("nodes.pressure", good(nodes=[with_conditions(condition("Ready"), condition(kind, "False"))]))
    assert [each.observed for each in bad.findings] == [f"{kind}=True (Because)"]
    assert fine.outcome == "passed"


def test_all_pressures_of_a_node_are_one_finding():
    """A node with two pressures is one finding that names both."""
    both = with_conditions(condition("Ready", "False"), condition("MemoryPressure"), condition("DiskPressure"))
    assert [each.observed for each in judge("nodes.pressure", good(nodes=[both])).findings] == [
        "MemoryPressure=True, DiskPressure=True"
    ]


def test_a_silent_kubelet_says_nothing_about_pressure():
    """A node whose kubelet is silent is not said to be short of process ids, and with no other node nothing is judged."""
    dead = with_conditions(*(condition(kind, "Unknown") for kind in ("Ready", "PIDPressure", "MemoryPressure")))
    assert judge("nodes.pressure", good(nodes=[dead])).outcome == "inconclusive"
    assert judge("nodes.pressure", good(nodes=[dead, node("worker-2")])).examined == 1


def test_conditions_of_others_are_no_pressure():
    """Conditions that node-problem-detector and cloud providers add are not among those four."""
    odd = with_conditions(condition("Ready"), condition("KernelDeadlock"), condition("VMEventScheduled"))
    assert judge("nodes.pressure", good(nodes=[odd])).outcome == "passed"


CORDONED = {"unschedulable": True}
TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(hours=3)}
BY_HAND = {
    "manager": "kubectl-cordon",
    "time": ago(hours=2),
    "fieldsV1": {"f:spec": {"f:unschedulable": {}, "f:taints": {}}},
}
SOMEBODY = {"manager": "kubelet", "time": ago(minutes=1), "fieldsV1": {"f:status": {"f:conditions": {}}}}


@pytest.mark.parametrize(
    ("metadata", "taints", "observed"),
    [
        ({}, None, "cordoned by an unknown hand"),
        ({"managedFields": None}, [TAINT], "cordoned by an unknown hand since 2026-11-20T22:00:00Z"),
        (
            {"managedFields": [SOMEBODY, BY_HAND]},
            None,
            "cordoned by field manager kubectl-cordon since 2026-11-20T23:00:00Z",
        ),
        (
            {"managedFields": [BY_HAND]},
            [TAINT],
            "cordoned by field manager kubectl-cordon since 2026-11-20T22:00:00Z",
        ),
        (
            {"annotations": {"weave.works/kured-reboot-in-progress": "x"}},
            None,
            "cordoned by kured (reboot in progress)",
        ),
        (
            {},
            [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule", "value": "1"}],
            "cordoned by cluster-autoscaler (scaling down)",
        ),
        ({}, [{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}], "cordoned by Karpenter (replacing the node)"),
    ],
)
def test_a_cordon_says_who_and_since_when(metadata, taints, observed):
    """A cordon names the tool or the field manager that did it, and since when as exactly as anything tells."""
    result = judge("nodes.schedulable", good(nodes=[node(metadata=metadata, spec={**CORDONED, "taints": taints})]))
    assert [each.observed for each in result.findings] == [observed]
    assert "kubectl uncordon worker-1" in result.findings[0].hint


@pytest.mark.parametrize("key", ["weave.works/kured-node-lock", "kured.dev/kured-node-lock"])
@pytest.mark.parametrize(
    "lock",
    [
        '{"nodeID":"worker-1","metadata":{"unschedulable":false},"created":"2026-11-20T22:00:00Z","TTL":0}',
        '{"maxOwners":2,"locks":[{"nodeID":"worker-0"},{"nodeID":"worker-1","TTL":0}]}',
    ],
)
def test_a_cordon_under_kureds_lock_says_so(key, lock):
    """kured keeps its lock on its DaemonSet, in two formats and under two names; only the holder's cordon is kured's."""
    world = good(
        nodes=[node(spec=CORDONED), node("worker-10", spec=CORDONED)],
        daemonsets=[daemonset("kured", metadata={"annotations": {key: lock}})],
    )
    said = {each.object: each.observed for each in judge("nodes.schedulable", world).findings}
    assert said == {
        "Node/worker-1": "cordoned by kured (it holds its lock)",
        "Node/worker-10": "cordoned by an unknown hand",
    }


def not_ready(status="False", **changes):
    """A node that is not ready."""
    return node(ready=status, **changes)


GONE = {"deletionTimestamp": ago(minutes=1), "finalizers": ["karpenter.sh/termination"]}


@pytest.mark.parametrize(
    ("why", "it", "transitional"),
    [
        ("joins", not_ready(metadata={"creationTimestamp": ago(seconds=40)}), True),
        ("joined and fell silent", not_ready("Unknown", metadata={"creationTimestamp": ago(seconds=90)}), False),
        ("joined long ago", not_ready(metadata={"creationTimestamp": ago(minutes=6)}), False),
        ("Karpenter removes it", not_ready("Unknown", metadata=GONE), True),
        ("was to be gone long ago", not_ready(metadata={"deletionTimestamp": ago(minutes=10)}), False),
        ("the autoscaler removes it", not_ready("Unknown", spec={"taints": [removal(2)]}), True),
        ("the autoscaler gave up and left its taint", not_ready(spec={"taints": [removal(60)]}), False),
        ("marked by hand", not_ready(spec={"taints": [{**removal(2), "value": "x"}]}), False),
        ("no reason", not_ready(), False),
    ],
)
def test_a_node_that_comes_or_goes_is_not_yet(why, it, transitional):
    """A node that has just joined, or that an autoscaler is removing, is not ready yet, or any more, for a while."""
    (finding,) = judge("nodes.ready", good(nodes=[it])).findings
    assert finding.transitional is transitional


def test_an_autoscaler_may_cordon_and_silence_what_it_removes():
    """Cordon and silence of a node that is being removed are not yet over; those of any other are left over."""
    nodes = [node(f"worker-{n}", metadata=metadata, spec=CORDONED) for n, metadata in enumerate([GONE, {}])]
    world = good(nodes=nodes, leases=[lease("worker-0", renewed=900), lease("worker-1", renewed=900)])
    for id in ("nodes.schedulable", "nodes.heartbeat"):
        assert [each.transitional for each in judge(id, world).findings] == [True, False]


def test_a_taint_is_no_cordon():
    """A control-plane node's taint, and a pool's own, keep pods away on purpose: only spec.unschedulable is a cordon."""
    tainted = node(spec={"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]})
    assert judge("nodes.schedulable", good(nodes=[tainted])).outcome == "passed"


@pytest.mark.parametrize(
    ("seconds", "term", "outcome"),
    [(160, 40, "passed"), (161, 40, "failed"), (40, 10, "passed"), (41, 10, "failed"), (-500, 40, "passed")],
)
def test_a_lease_holds_four_of_its_own_durations(seconds, term, outcome):
    """The last renewal may be four lease durations old, of the duration that the lease itself gives, and no older."""
    silent = lease(renewed=seconds, spec={"leaseDurationSeconds": term})
    assert judge("nodes.heartbeat", good(leases=[silent])).outcome == outcome


def test_silence_is_found_while_the_node_still_claims_to_be_ready():
    """A node that died a moment ago is Ready for a while yet: its lease tells, with how long it is silent."""
    world = good(leases=[lease(renewed=200)])
    assert judge("nodes.ready", world).outcome == "passed"
    (finding,) = judge("nodes.heartbeat", world).findings
    assert (finding.observed, finding.expected) == (
        "lease renewed 3m20s ago",
        "renewed within 4 lease durations, 2m40s",
    )


@pytest.mark.parametrize(("age", "outcome"), [(100, "passed"), (200, "failed")])
def test_a_node_without_lease_is_silent_since_it_joined(age, outcome):
    """A node without a lease is as silent as it is old: one that joins just now is no false alarm, an older one is found."""
    new = node(metadata={"creationTimestamp": ago(seconds=age)})
    assert judge("nodes.heartbeat", good(nodes=[new], leases=[])).outcome == outcome


@pytest.mark.parametrize(("minutes", "outcome"), [(1, "passed"), (3, "failed")])
def test_a_node_without_lease_may_report_by_its_status(minutes, outcome):
    """A virtual kubelet that holds no lease is heard of by its status, and silent when that grows old."""
    ready = condition("Ready", lastHeartbeatTime=ago(minutes=minutes))
    result = judge("nodes.heartbeat", good(nodes=[node(status={"conditions": [ready]})], leases=[]))
    assert result.outcome == outcome
    assert all(each.observed == "no lease in kube-node-lease, last heard of 3m ago" for each in result.findings)


def test_what_others_report_is_no_heartbeat():
    """A condition that another agent keeps writing does not make a dead node heard of."""
    others = condition("KernelDeadlock", "False", lastHeartbeatTime=ago(seconds=5))
    silent = node(status={"conditions": [condition("Ready", lastHeartbeatTime=ago(minutes=9)), others]})
    assert judge("nodes.heartbeat", good(nodes=[silent], leases=[])).outcome == "failed"


def test_a_renewal_from_the_future_is_no_word_of_now():
    """A lease renewed an hour ahead would hide a node's death for an hour: the wrong clock is found."""
    (finding,) = judge("nodes.heartbeat", good(leases=[lease(renewed=-3600)])).findings
    assert finding.observed == "lease renewed 1h ahead: its clock is wrong"


def test_a_lease_that_was_never_renewed_counts_from_its_making():
    """A lease without renewTime is as old as itself."""
    never = lease(spec={"renewTime": None})
    assert judge("nodes.heartbeat", good(leases=[never])).outcome == "failed"


def test_leases_of_nodes_that_are_gone_say_nothing():
    """A lease that outlives its node is not a node."""
    assert judge("nodes.heartbeat", good(leases=[lease(), lease("gone", renewed=9999)])).examined == 1


@pytest.mark.parametrize(
    ("least", "outcome"),
    [(None, "passed"), (2, "passed"), (3, "failed"), (0, "passed")],
)
def test_the_profile_says_how_many_nodes_there_are(least, outcome):
    """There must be as many nodes as the profile says; where it says nothing, one."""
    expected = profile(expect={"nodes": {"min": least}} if least is not None else {})
    assert judge("nodes.count", good(nodes=[node(), node("worker-2")]), profile=expected).outcome == outcome


def in_pool(*pools: str | None):
    """A node in each of these pools."""
    return [node(f"worker-{n}", metadata={"labels": {ZONE: pool} if pool else None}) for n, pool in enumerate(pools)]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (["a", "a", "b"], ["a", "a", "b"], []),
        (["a", "a", "b"], ["a", "b", "b"], ["NodePool/a"]),
        (["a", "b"], ["a", "a"], ["NodePool/b"]),
        (["a"], ["a", "new"], []),
        (["a", None], ["a", "a"], ["NodePool/(none)"]),
        # A pool that is called like the cluster as a whole counts its own nodes only.
        (["all", "b"], ["b", "b"], ["NodePool/all"]),
    ],
)
def test_no_pool_has_fewer_nodes_than_in_the_baseline(before, after, found):
    """Each pool of the baseline still has as many nodes, whatever others have gained; a new pool is fine."""
    pools = profile(expect={"nodes": {"pool-label": ZONE}})
    saved = baseline(good(nodes=in_pool(*before)), ZONE)
    assert objects(judge("nodes.count", good(nodes=in_pool(*after)), profile=pools, baseline=saved)) == found


@pytest.mark.parametrize(("then", "now"), [(None, ZONE), (ZONE, None), ("other", ZONE)])
def test_a_baseline_of_other_pools_is_compared_as_a_whole(then, now):
    """Where the pool label was changed since the baseline, the total is compared: pools that cannot match are no alarm."""
    pools = profile(expect={"nodes": {"pool-label": now}} if now else {})
    saved = baseline(good(nodes=in_pool("a", "b")), then)
    same = judge("nodes.count", good(nodes=in_pool("a", "b")), profile=pools, baseline=saved)
    fewer = judge("nodes.count", good(nodes=in_pool("a")), profile=pools, baseline=saved)
    assert same.outcome == "passed"
    assert [(each.object, each.observed, each.expected) for each in fewer.findings] == [
        ("NodePool/all", "1 node", "at least 2 (the baseline)")
    ]
