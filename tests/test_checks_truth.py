"""What pods and workloads claim, and what is really so: traps in both directions."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    baseline,
    condition,
    container_status,
    daemonset,
    endpointslice,
    good,
    judge,
    lease,
    merged,
    node,
    owner,
    pod,
    replicated,
    terminated,
    warning,
)

CUSTOM = {"apiVersion": "example.com/v1", "kind": "Cluster", "name": "kafka", "uid": "c", "controller": True}


def severities(id, **world):
    """What is found: severity and whether it is only not yet, by object."""
    return {each.object: (each.severity, each.transitional) for each in judge(id, good(**world)).findings}


def owned(name, minutes=0.0, *, failed=False, on="worker-1", **reference):
    """A pod of an owner, made so long ago; or one that failed then, and was made a day ago."""
    meta = {"ownerReferences": [{**CUSTOM, **reference}]}
    if not failed:
        return pod(name, metadata={**meta, "creationTimestamp": ago(minutes=minutes)}, spec={"nodeName": on})
    end = container_status(ready=False, state=terminated(minutes=minutes))
    gone = condition("Ready", "False", lastTransitionTime=ago(minutes=minutes))
    status = {"phase": "Failed", "containerStatuses": [end], "conditions": [gone]}
    return pod(name, metadata=meta, spec={"nodeName": on}, status=status)


CONFIG_MAP = {"kind": "ConfigMap", "apiVersion": "v1", "controller": None}


@pytest.mark.parametrize(
    ("why", "old", "new", "its", "severity"),
    [
        ("a sibling that was restarted since", "kafka-1", "kafka-2", {}, "critical"),
        ("a name with a random end", "ci-x7k2p", "ci-b24mm", {}, "warning"),
        ("a random end of digits", "ci-24567", "ci-98765", {}, "warning"),
        ("executors of Spark are counted up", "pi-exec-1", "pi-exec-2", {"kind": "Pod"}, "warning"),
        ("workers of Flink are", "job-taskmanager-1-1", "job-taskmanager-1-2", {"kind": "Deployment"}, "warning"),
        ("an installer of OpenShift", "installer-7-m-0", "installer-7-retry-1-m-0", CONFIG_MAP, "warning"),
    ],
)
def test_a_pod_is_replaced_by_one_that_does_the_same(why, old, new, its, severity):
    """A stable name is replaced by itself; another pod of its owner only stands beside it."""
    pods = [pod(), owned(old, 40, failed=True, **its), owned(new, 20, **its)]
    assert severities("pods.failed", pods=pods)[f"Pod/shop/{old}"] == (severity, False)


@pytest.mark.parametrize("its", [CONFIG_MAP, {"kind": "DaemonSet", "apiVersion": "apps/v1"}])
@pytest.mark.parametrize(("on", "severity"), [("worker-1", "warning"), ("worker-2", "critical")])
def test_what_is_meant_for_one_node_is_replaced_there(its, on, severity):
    """An installer, or a DaemonSet's pod, on another node is not its next."""
    pods = [pod(), owned("old-x7k2p", 40, failed=True, **its), owned("new-b24mm", 20, on=on, **its)]
    found = severities("pods.failed", pods=pods, nodes=[node(), node("worker-2")])
    assert found["Pod/shop/old-x7k2p"] == (severity, False)


def unscheduled(name="web-2", minutes=120.0, **changes):
    """A pod that no node has room for."""
    said = condition("PodScheduled", "False", reason="Unschedulable", lastTransitionTime=ago(minutes=minutes))
    status = {"phase": "Pending", "podIPs": [], "containerStatuses": [], "conditions": [said]}
    base = {"metadata": {"creationTimestamp": ago(minutes=minutes)}, "spec": {"nodeName": ""}, "status": status}
    return pod(name, ready="False", **merged(base, changes))


@pytest.mark.parametrize(
    ("why", "policy", "its", "severity"),
    [
        ("a training", "Never", {"kind": "PyTorchJob"}, "warning"),
        ("a runner", "OnFailure", {"kind": "Runner"}, "warning"),
        ("a server of an operator", "Always", {"kind": "Kafka"}, "critical"),
        ("a virtual machine", "Never", {"kind": "VirtualMachineInstance"}, "critical"),
    ],
)
def test_what_runs_to_its_end_may_queue(why, policy, its, severity):
    """Queues are what batch work is for, whoever owns it."""
    late = unscheduled(metadata={"ownerReferences": [{**CUSTOM, **its}]}, spec={"restartPolicy": policy})
    assert severities("pods.pending", pods=[pod(), late]) == {"Pod/shop/web-2": (severity, False)}


@pytest.mark.parametrize(("container", "severity"), [("app", "critical"), ("istio-proxy", "warning")])
def test_what_is_asked_if_it_is_ready_serves(container, severity):
    """Couchbase and ArangoDB never restart their containers; the probe of an injected proxy says nothing of what is beside it."""
    own = [{"name": container, "readinessProbe": {"httpGet": {"port": 8091}}}]
    meta = {"ownerReferences": [{**CUSTOM, "kind": "CouchbaseCluster"}]}
    late = unscheduled(metadata=meta, spec={"restartPolicy": "Never", "containers": own})
    assert severities("pods.pending", pods=[pod(), late]) == {"Pod/shop/web-2": (severity, False)}


def test_what_runs_to_its_end_and_has_its_node_does_not_queue():
    """It got its node two hours ago, and still does not start."""
    late = unscheduled(spec={"restartPolicy": "Never", "nodeName": "worker-1"}, status={"conditions": []})
    assert severities("pods.pending", pods=[pod(), late]) == {"Pod/shop/web-2": ("critical", False)}


def evicted():
    """A pod that was evicted eight minutes ago."""
    return owned("web-old", 8, failed=True, kind="ReplicaSet", uid="uid-shop-web-rs")


@pytest.mark.parametrize(
    ("why", "reason", "transitional"),
    [
        ("a node is made", "TriggeredScaleUp", True),
        ("none would help", "NotTriggerScaleUp", False),
        ("none", "x", False),
    ],
)
def test_a_failed_pod_whose_next_gets_a_node_is_not_yet_replaced(why, reason, transitional):
    """Its ReplicaSet has made another, and the autoscaler makes a node for that."""
    short = {"readyReplicas": 1, "availableReplicas": 1}
    web = replicated("web", 2, status=short)
    versions = replicated("web-rs", 2, status=short, metadata=owner("Deployment", web))
    late = unscheduled(minutes=8)
    said = warning(late, reason, type="Normal", lastTimestamp=ago(minutes=7))
    world = {"deployments": [web], "replicasets": [versions], "pods": [pod(), evicted(), late], "notices": [said]}
    assert severities("pods.failed", **world)["Pod/shop/web-old"] == ("critical", transitional)
    assert severities("deployments.ready", **world)["Deployment/shop/web"] == ("critical", transitional)


@pytest.mark.parametrize(
    ("start", "partition", "updated", "late"),
    [(5, 5, 0, 3), (5, 8, 0, 0), (5, 7, 1, 0), (5, 7, 0, 1), (5, 0, 3, 0), (5, 0, 2, 1), (0, 2, 1, 0), (0, 9, 0, 0)],
)
def test_a_partition_is_an_ordinal(start, partition, updated, late):
    """Pods with an ordinal from the partition on are to be updated; ordinals may start anywhere."""
    spec = {"ordinals": {"start": start}, "updateStrategy": {"rollingUpdate": {"partition": partition}}}
    db = replicated("db", 3, app="db", spec=spec, status={"updateRevision": "b", "updatedReplicas": updated})
    pods = [pod(f"db-{n}", metadata=owner("StatefulSet", db)) for n in range(start, start + 3)]
    found = [
        each.observed for each in judge("statefulsets.ready", good(statefulsets=[db], pods=[pod(), *pods])).findings
    ]
    assert found == ([f"{late} of 3 still at revision a"] if late else [])


@pytest.mark.parametrize(("days", "transitional"), [(6, True), (8, False)])
def test_no_deadline_lasts_for_ever(days, transitional):
    """A deadline of decades promises no more than a week."""
    at = {"lastTransitionTime": ago(days=days), "lastUpdateTime": ago(days=days)}
    rolls = [condition("Available"), {**condition("Progressing", reason="ReplicaSetUpdated"), **at}]
    status = {"replicas": 2, "updatedReplicas": 1, "conditions": rolls}
    web = replicated("web", 1, spec={"progressDeadlineSeconds": 2**31 - 2}, status=status)
    assert severities("deployments.ready", deployments=[web])["Deployment/shop/web"] == ("critical", transitional)


def scaled(seconds):
    """A Deployment of three that was scaled so long ago, of which one pod is in the list."""
    wrote = {"manager": "kubectl", "time": ago(seconds=seconds), "subresource": "scale", "fieldsV1": {}}
    web = replicated("web", 3, metadata={"managedFields": [wrote]})
    return {"deployments": [web], "replicasets": [replicated("web-rs", 3, metadata=owner("Deployment", web))]}


@pytest.mark.parametrize(("seconds", "transitional"), [(6, True), (90, False)])
def test_pods_may_be_listed_before_a_scale_up_and_workloads_after(seconds, transitional):
    """The lists of one look are seconds apart."""
    found = severities("deployments.ready", **scaled(seconds))
    assert found == {"Deployment/shop/web": ("critical", transitional)}


def on(name):
    """The pod of web on a node of this name."""
    return pod(spec={"nodeName": name})


def test_a_pod_on_a_node_that_is_gone_stands_in_for_nothing():
    """Its workload counts it, its Service counts it, and it runs nowhere."""
    (found,) = judge("deployments.ready", good(pods=[on("gone")])).findings
    assert found.observed == "its status counts 1 ready pod, of which 1 exist, and 1 of those on nodes that are gone"
    (stale,) = judge("services.endpoints-live", good(pods=[on("gone")])).findings
    assert "10.1.0.1" in stale.observed
    missing = judge("services.endpoints", good(pods=[on("gone")], endpointslices=[endpointslice("web")])).findings
    assert [each.observed.rpartition(": ")[2] for each in missing] == ["it selects 1 pod, 0 ready"]


def test_a_node_may_join_between_two_lists():
    """A pod that was made a moment ago may be on a node that is younger than the list."""
    young = pod(metadata={"creationTimestamp": ago(seconds=20)}, spec={"nodeName": "new"})
    assert severities("services.endpoints-live", pods=[young]) == {}
    assert severities("deployments.ready", pods=[young]) == {"Deployment/shop/web": ("critical", True)}


RESIZED = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
KRUISE = {"ownerReferences": [{**CUSTOM, "apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet"}]}


@pytest.mark.parametrize(
    ("why", "policy", "generation", "meta", "restarts", "found"),
    [
        ("resized once", RESIZED, 2, {}, 1, False),
        ("resized once, and restarted by itself", RESIZED, 2, {}, 2, True),
        ("resized, by a release that does not count", RESIZED, 0, {}, 1, False),
        ("never resized", RESIZED, 1, {}, 1, True),
        ("resized without a restart", [{**RESIZED[0], "restartPolicy": "NotRequired"}], 2, {}, 1, True),
        ("an image in place", None, 2, KRUISE, 1, False),
        ("of a ReplicaSet", None, 2, {}, 1, True),
    ],
)
def test_a_change_in_place_restarts_a_container_on_purpose(why, policy, generation, meta, restarts, found):
    """A resize with RestartContainer and an image that OpenKruise changes are no crashes."""
    app = {"name": "app", "image": "app:1", **({"resizePolicy": policy} if policy else {})}
    before = pod(spec={"containers": [app]}, metadata=meta)
    again = container_status(
        restarts=restarts, state={"running": {"startedAt": ago(minutes=9)}}, lastState=terminated(143)
    )
    own = {"generation": generation} if generation else {}
    after = merged(before, {"metadata": own, "status": {"containerStatuses": [again]}})
    result = judge("pods.restarts", good(pods=[after]), baseline=baseline(good(pods=[before])))
    assert bool(result.findings) is found


EXCEEDED = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
GATED = {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}


@pytest.mark.parametrize(
    ("why", "gates", "status", "severity"),
    [
        ("all are held", [True, True], {}, "warning"),
        ("for longer than a rollout may take", [True, True], {"conditions": [EXCEEDED]}, "warning"),
        ("one is not", [True, False], {}, "critical"),
        ("one was never made", [True], {}, "critical"),
        ("its controller does not see it", [True, True], {"observedGeneration": 0}, "critical"),
    ],
)
def test_a_workload_whose_pods_are_held_by_a_gate_queues(why, gates, status, severity):
    """Kueue holds the pods of workloads too, until there is quota."""
    web = replicated("web", 2, status={"readyReplicas": 0, "availableReplicas": 0, **status})
    versions = replicated("web-rs", 2, metadata=owner("Deployment", web))
    pods = [unscheduled(f"web-{n}", spec=GATED if gated else {}) for n, gated in enumerate(gates)]
    world = {"deployments": [web], "replicasets": [versions], "pods": pods}
    assert severities("deployments.ready", **world)["Deployment/shop/web"] == (severity, False)


@pytest.mark.parametrize(
    ("grace", "gone", "found"),
    [(30, 1, True), (30, -1, False), (10**9, -(10**9 - 9 * 86400), True), (700_000, -50, False)],
)
def test_no_grace_lasts_for_ever(grace, gone, found):
    """A pod that may take decades to go should be gone within a week."""
    due = {
        "deletionTimestamp": ago(hours=gone) if abs(gone) < 99 else ago(seconds=gone),
        "deletionGracePeriodSeconds": grace,
    }
    assert bool(severities("pods.terminating", pods=[pod(metadata=due)])) is found


@pytest.mark.parametrize(
    ("seconds", "silent", "found"), [(40, 150, False), (40, 170, True), (10**9, 1300, True), (300, 1000, False)]
)
def test_no_lease_lasts_for_ever(seconds, silent, found):
    """What a kubelet, or whoever writes its lease, promises is bounded."""
    late = lease(renewed=silent, spec={"leaseDurationSeconds": seconds})
    assert bool(severities("nodes.heartbeat", leases=[late])) is found


def gpu(**changes):
    """A node of a pool, not Ready."""
    down = node("gpu-1", "False", metadata={"labels": {"gpu": "yes"}, **changes})
    down["spec"]["taints"] = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    return down


@pytest.mark.parametrize(("minutes", "transitional"), [(2, True), (20, False)])
def test_the_first_node_of_a_daemonset_may_join(minutes, transitional):
    """Until it is Ready the DaemonSet of its pool wants no node."""
    agent = daemonset("agent", 0, spec={"template": {"spec": {"nodeSelector": {"gpu": "yes"}}}})
    found = severities(
        "daemonsets.ready", nodes=[node(), gpu(creationTimestamp=ago(minutes=minutes))], daemonsets=[agent]
    )
    assert found == {"DaemonSet/shop/agent": ("critical", transitional)}
