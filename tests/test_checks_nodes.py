"""Nodes: ready, without pressure, without cordon, heard of, and as many as there should be."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    baseline,
    condition,
    daemonset,
    good,
    judge,
    lease,
    node,
    objects,
    pod,
    profile,
    removal,
    replicated,
    warning,
)

ZONE = "example.com/pool"


def with_conditions(*conditions, **changes):
    """A node with exactly these conditions."""
    return node(status={"conditions": list(conditions)}, **changes)


@pytest.mark.parametrize(
    ("conditions", "observed"),
    [
        ([condition("Ready")], None),
        (
            [condition("Ready", "False", reason="KubeletNotReady", message="cni")],
            "Ready=False for 1d (KubeletNotReady: cni)",
        ),
        ([condition("Ready", "Unknown", reason="NodeStatusUnknown")], "Ready=Unknown for 1d (NodeStatusUnknown)"),
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
        ({}, None, "cordoned by: unknown"),
        ({"managedFields": None}, [TAINT], "cordoned by: unknown since 2026-11-20T22:00:00Z"),
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
        daemonsets=[
            daemonset("kured", metadata={"namespace": "kube-system", "annotations": {key: lock}}),
            daemonset("kured", metadata={"annotations": {key: lock.replace("worker-1", "worker-10")}}),
        ],
    )
    said = {each.object: each.observed for each in judge("nodes.schedulable", world).findings}
    assert said == {
        "Node/worker-1": "cordoned by kured (it holds its lock)",
        "Node/worker-10": "cordoned by: unknown",
    }


def not_ready(status="False", **changes):
    """A node that is not ready."""
    return node(ready=status, **changes)


GONE = {"deletionTimestamp": ago(minutes=1), "finalizers": ["karpenter.sh/termination"]}


def down(status="Unknown", **time):
    """The status of a node that has not been ready for so long."""
    return {"conditions": [condition("Ready", status, lastTransitionTime=ago(**time))]}


@pytest.mark.parametrize(
    ("why", "it", "transitional"),
    [
        ("joins", not_ready(metadata={"creationTimestamp": ago(seconds=40)}), True),
        ("joined and fell silent", not_ready("Unknown", metadata={"creationTimestamp": ago(seconds=90)}), False),
        ("joined long ago", not_ready(metadata={"creationTimestamp": ago(minutes=6)}), False),
        ("Karpenter removes it", not_ready("Unknown", metadata=GONE), True),
        ("its drain took long", node(metadata={"deletionTimestamp": ago(minutes=31)}, status=down(seconds=20)), True),
        ("it is down for long", node(metadata={"deletionTimestamp": ago(minutes=31)}, status=down(minutes=11)), False),
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


def tainted(key, effect="NoSchedule", *, metadata=None, **taint):
    """What is said of a node with this taint."""
    it = node(metadata=metadata or {}, spec={"taints": [{"key": key, "effect": effect, **taint}]})
    return [(each.observed, each.transitional) for each in judge("nodes.schedulable", good(nodes=[it])).findings]


@pytest.mark.parametrize(
    "key",
    [
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.cloudprovider.kubernetes.io/shutdown",
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/out-of-service",
        "node.kubernetes.io/network-unavailable",
        "node.kubernetes.io/unschedulable",
        "node.cilium.io/agent-not-ready",
        "ebs.csi.aws.com/agent-not-ready",
        "cni.istio.io/not-ready",
        "node.cluster.x-k8s.io/uninitialized",
        "karpenter.sh/unregistered",
        "startup-taint.cluster-autoscaler.kubernetes.io/gpu",
        "ToBeDeletedByClusterAutoscaler",
        "karpenter.sh/disrupted",
    ],
)
@pytest.mark.parametrize("effect", ["NoSchedule", "NoExecute"])
def test_a_taint_that_should_have_passed_is_found(key, effect):
    """A taint of the control plane, the cloud or an agent that stays keeps pods away; in its first minutes it is in order."""
    since = {"timeAdded": ago(hours=3)}
    assert tainted(key, effect, **since) == [(f"taint {key}:{effect} since 2026-11-20T22:00:00Z", False)]
    assert tainted(key, effect, timeAdded=ago(minutes=14)) == []


@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("node-role.kubernetes.io/control-plane", "NoSchedule"),
        ("node-role.kubernetes.io/master", "NoSchedule"),
        ("dedicated", "NoExecute"),
        ("nvidia.com/gpu", "NoSchedule"),
        ("kubernetes.azure.com/scalesetpriority", "NoSchedule"),
        ("CriticalAddonsOnly", "NoSchedule"),
        ("DeletionCandidateOfClusterAutoscaler", "PreferNoSchedule"),
        ("node.cilium.io/agent-not-ready", "PreferNoSchedule"),
    ],
)
def test_a_taint_on_purpose_is_none(key, effect):
    """Taints of control planes and of pools stay on purpose, and one that pods need not respect keeps none away."""
    assert tainted(key, effect, timeAdded=ago(days=9)) == []


@pytest.mark.parametrize(
    ("why", "metadata", "observed"),
    [
        ("since it joined", {}, "2026-11-20T01:00:00Z"),
        (
            "since somebody wrote taints",
            {"managedFields": [{"time": ago(hours=2), "fieldsV1": {"f:spec": {"f:taints": {}}}}]},
            "2026-11-20T23:00:00Z",
        ),
        ("it has just joined", {"creationTimestamp": ago(minutes=3)}, None),
        (
            "it was put there just now",
            {"managedFields": [{"time": ago(minutes=2), "fieldsV1": {"f:spec": {"f:taints": {}}}}]},
            None,
        ),
    ],
)
def test_a_taint_without_a_time_is_as_old_as_anything_tells(why, metadata, observed):
    """Kubelets and agents give no timeAdded: then it counts from the last write of whoever sets taints, else from the join."""
    found = [text for text, _ in tainted("node.cilium.io/agent-not-ready", metadata=metadata)]
    assert found == ([f"taint node.cilium.io/agent-not-ready:NoSchedule since {observed}"] if observed else [])


@pytest.mark.parametrize(
    ("key", "kind", "status"),
    [
        ("node.kubernetes.io/not-ready", "Ready", "False"),
        ("node.kubernetes.io/unreachable", "Ready", "Unknown"),
        ("node.kubernetes.io/disk-pressure", "DiskPressure", "True"),
        ("node.kubernetes.io/network-unavailable", "NetworkUnavailable", "True"),
    ],
)
def test_a_taint_that_repeats_a_condition_is_told_once(key, kind, status):
    """While the condition holds, it is the finding; the taint is one only when it outlives the condition."""
    conditions = [condition(kind, status), *([] if kind == "Ready" else [condition("Ready")])]
    it = node(spec={"taints": [{"key": key, "effect": "NoSchedule", "timeAdded": ago(hours=1)}]})
    it["status"]["conditions"] = conditions
    assert judge("nodes.schedulable", good(nodes=[it])).outcome == "passed"


@pytest.mark.parametrize(("minutes", "found"), [(14, False), (180, True)])
def test_a_node_that_does_not_finish_being_deleted_is_found(minutes, found):
    """A node may take a quarter of an hour to be deleted; then the finding says for how long, and what holds it."""
    gone = {"deletionTimestamp": ago(minutes=minutes), "finalizers": ["karpenter.sh/termination"]}
    result = judge("nodes.schedulable", good(nodes=[node(metadata=gone), node("worker-2")]))
    said = [(each.observed, each.transitional) for each in result.findings]
    assert said == ([("being deleted for 3h (karpenter.sh/termination)", False)] if found else [])


def cordoned(minutes, *pods):
    """Whether a node that was cordoned so long ago, with these pods, is only being worked on; and what is said."""
    taint = {**TAINT, "timeAdded": ago(minutes=minutes)}
    world = good(nodes=[node(spec={**CORDONED, "taints": [taint]})], pods=list(pods))
    (finding,) = judge("nodes.schedulable", world).findings
    return finding.transitional, finding.observed


def leaving(minutes, **changes):
    """A pod that was due to be gone so many minutes ago."""
    return pod(metadata={"deletionTimestamp": ago(minutes=minutes)}, **changes)


@pytest.mark.parametrize(
    ("why", "minutes", "pods", "transitional"),
    [
        ("cordoned a moment ago", 2, [pod()], True),
        ("a drain of 14 minutes", 14, [pod()], True),
        ("a cordon of 16 minutes", 16, [pod()], False),
        ("a long drain", 74, [leaving(-50)], True),
        ("a drain that takes too long", 76, [leaving(-50)], False),
        ("a pod that may take years to leave", 3 * 1440, [leaving(-5_000_000)], False),
        ("a drain that is stuck at a pod", 240, [leaving(9)], False),
        ("pods leave another node", 240, [leaving(-50, spec={"nodeName": "worker-2"})], False),
    ],
)
def test_a_drain_under_way_is_no_left_over_cordon(why, minutes, pods, transitional):
    """A cordon is left over when it is older than patience.cordoned and no pod is leaving any more."""
    not_yet, said = cordoned(minutes, *pods)
    assert not_yet is transitional
    assert said.endswith("; 1 pod still leaving") is (transitional and minutes > 15)


def test_the_patience_for_cordons_is_the_profiles():
    """`patience: {cordoned: 4h}` lets a node be cordoned for four hours."""
    world = good(nodes=[node(spec={**CORDONED, "taints": [TAINT]})])
    patient = profile(patience={"cordoned": "4h"})
    assert [each.transitional for each in judge("nodes.schedulable", world, profile=patient).findings] == [True]


def written(seconds, **lease_changes):
    """A lease whose renewal the API server wrote so many seconds ago."""
    fields = {"manager": "kubelet", "time": ago(seconds=seconds), "fieldsV1": {"f:spec": {"f:renewTime": {}}}}
    other = {"manager": "kubectl", "time": ago(seconds=1), "fieldsV1": {"f:metadata": {}}}
    return lease(metadata={"managedFields": [other, fields]}, **lease_changes)


@pytest.mark.parametrize(
    ("why", "it", "observed"),
    [
        ("its clock is 200 s behind", written(5, renewed=205), None),
        ("its clock is 200 s ahead, and it is silent", written(300, renewed=100), "lease renewed 5m ago"),
        ("it is silent", written(300, renewed=300), "lease renewed 5m ago"),
        ("its clock is an hour behind", written(5, renewed=3605), "lease renewed 5s ago; its clock is 1h behind"),
        ("its clock is an hour ahead", written(5, renewed=-3595), "lease renewed 5s ago; its clock is 1h ahead"),
    ],
)
def test_a_heartbeat_is_judged_by_the_api_servers_clock(why, it, observed):
    """When a lease was renewed is what the API server says, not the kubelet's clock; a clock that is far off is named."""
    found = [each.observed for each in judge("nodes.heartbeat", good(leases=[it])).findings]
    assert found == ([observed] if observed else [])


KARPENTER = {"labels": {"karpenter.sh/nodepool": "default"}}
BY_AUTOSCALER = [replicated("aws-cluster-autoscaler", namespace="kube-system", app="autoscaler")]
OF_A_TENANT = [replicated("not-a-cluster-autoscaler", namespace="tenant")]
SCALED_DOWN = warning(pod(), "ScaleDown", type="Normal")


@pytest.mark.parametrize(
    ("why", "before", "after", "lists", "outcome"),
    [
        ("Karpenter removed one", 2, 1, {"metadata": KARPENTER}, "passed"),
        ("one that no autoscaler manages is lost", 2, 1, {}, "failed"),
        ("a cluster-autoscaler is at work", 2, 1, {"deployments": BY_AUTOSCALER}, "warned"),
        ("it is hidden, and has marked a node", 2, 1, {"spec": {"taints": [removal(2)]}}, "warned"),
        (
            "it is hidden, and has removed a pod",
            2,
            1,
            {"notices": [{**SCALED_DOWN, "source": {"component": "cluster-autoscaler"}}]},
            "warned",
        ),
        (
            "it says so itself",
            2,
            1,
            {"notices": [{**SCALED_DOWN, "reportingComponent": "cluster-autoscaler"}]},
            "warned",
        ),
        ("somebody else says so", 2, 1, {"notices": [SCALED_DOWN]}, "failed"),
        ("a tenant calls something so", 2, 1, {"deployments": OF_A_TENANT}, "failed"),
        ("only Karpenter has spoken", 2, 1, {"notices": [warning(pod(), "Nominated", type="Normal")]}, "failed"),
    ],
)
def test_only_pools_that_are_not_scaled_are_compared(why, before, after, lists, outcome):
    """Fewer nodes than in the baseline are a finding where no autoscaler adds and removes them."""
    of_pool = {key: lists[key] for key in ("metadata", "spec") if key in lists}
    others = {key: lists[key] for key in ("deployments", "notices") if key in lists}

    def world(count):
        return good(nodes=[node("fixed"), *(node(f"worker-{n}", **of_pool) for n in range(count))], **others)

    assert judge("nodes.count", world(after), baseline=baseline(world(before))).outcome == outcome


def test_a_fixed_pool_is_compared_beside_karpenters():
    """A fixed node that was lost is found, however many Karpenter has added since."""

    def world(fixed, scaled):
        nodes = [node(f"fixed-{n}") for n in range(fixed)]
        return good(nodes=nodes + [node(f"scaled-{n}", metadata=KARPENTER) for n in range(scaled)])

    (finding,) = judge("nodes.count", world(1, 5), baseline=baseline(world(2, 1))).findings
    assert (finding.observed, finding.expected) == ("1 node", "at least 2 (the baseline)")


def test_what_is_counted_are_pools():
    """The check says how many pools it looked at, not how many nodes they have."""
    result = judge("nodes.count", good(nodes=[node(), node("worker-2")]))
    assert (result.examined, result.noun) == (1, "node pools")


ROUTELESS = condition("NetworkUnavailable", reason="NoRouteCreated")


@pytest.mark.parametrize(
    ("why", "seconds", "conditions", "transitional"),
    [
        ("it waits for its route", 25, [ROUTELESS], True),
        ("it has waited for long", 400, [ROUTELESS], False),
        ("its disk is full as well", 25, [ROUTELESS, condition("DiskPressure")], False),
        ("its disk is full", 25, [condition("DiskPressure")], False),
    ],
)
def test_a_node_that_joins_waits_for_its_route(why, seconds, conditions, transitional):
    """A cloud makes the route to a new node seconds after it has joined; no other pressure comes from joining."""
    it = with_conditions(condition("Ready"), *conditions, metadata={"creationTimestamp": ago(seconds=seconds)})
    (finding,) = judge("nodes.pressure", good(nodes=[it])).findings
    assert finding.transitional is transitional


@pytest.mark.parametrize(
    ("why", "before", "after", "outcome"),
    [
        ("renamed", "aaa", "bbb", "warned"),
        ("renamed, and larger", "aaa", "bbbb", "warned"),
        ("renamed, and smaller", "aaa", "bb", "failed"),
        ("two made one", "aab", "ccc", "warned"),
        ("two made one, and smaller", "aab", "cc", "failed"),
        ("another has grown", "aab", "bbb", "failed"),
        ("still being replaced", "aaa", "abb", "failed"),
        ("one renamed, another smaller", "aabb", "ccb", "failed"),
    ],
)
def test_a_pool_that_new_ones_replace_is_a_warning(why, before, after, outcome):
    """A pool that is gone altogether, as in a blue/green upgrade, is no loss while new pools have as many nodes."""
    pools = profile(expect={"nodes": {"pool-label": ZONE}})
    saved = baseline(good(nodes=in_pool(*before)), ZONE)
    result = judge("nodes.count", good(nodes=in_pool(*after)), profile=pools, baseline=saved)
    assert result.outcome == outcome
