"""What workloads and nodes say of themselves, against what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.battery import Battery, named
from tests.e2e.cluster import RealCluster, until
from tests.e2e.faults import workload

Broken = Callable[..., None]
KINDS = {"Deployment": "deployments.ready", "StatefulSet": "statefulsets.ready", "DaemonSet": "daemonsets.ready"}
#: One that somebody else than a Deployment keeps: Argo Rollouts, or a person.
BARE = {"ReplicaSet": "replicasets.ready"}
FAKE = {"nodeSelector": {"type": "fake"}, "containers": [{}]}
EDGE = {"nodeSelector": {"pool": "edge"}, "containers": [{}]}


@pytest.fixture
def staffed(cluster: RealCluster, workshop: str) -> str:
    """A namespace with a complete workload of each kind."""
    kinds = [*KINDS, *BARE]
    cluster.apply(*(workload(workshop, FAKE, 3, {"kind": kind, "metadata": {"name": kind.lower()}}) for kind in kinds))
    cluster.wait_complete(workshop)
    bare = f"--namespace={workshop}"
    cluster.kubectl("wait", "rs/replicaset", bare, "--for=jsonpath={.status.readyReplicas}=3", "--timeout=60s")
    return workshop


def test_a_status_that_nobody_writes_any_more_is_not_believed(
    cluster: RealCluster, battery: Battery, staffed: str, broken: Broken
) -> None:
    """With the controller manager dead, workloads claim pods that were deleted: each is found, by both looks."""
    broken(lambda: cluster.halt("kube-controller-manager"), cluster.resume)
    pods = ("pods", "--all", f"--namespace={staffed}")
    cluster.kubectl("delete", *pods, "--force", "--grace-period=0")
    until("the pods are gone", lambda: not cluster.get("pods", staffed))
    found = {f"{check}: {kind}/{staffed}/{kind.lower()}" for kind, check in (KINDS | BARE).items()}
    for run in (battery.run(), battery.run("-m", "monitor")):
        mine = [each for each in run.findings if f"/{staffed}/" in each["object"]]
        assert {named(each) for each in mine} == found, run.output
        assert all(each["observed"].endswith("of which 0 exist") for each in mine)
        assert not any(each["transitional"] or each["because"] for each in mine)
        assert run.code == 1


@pytest.fixture
def edge(cluster: RealCluster, broken: Broken, workshop: str) -> str:
    """A DaemonSet for the nodes of one pool, and the Service with which users come in."""
    label = "fake-00001"
    broken(
        lambda: cluster.kubectl("label", "node", label, "pool=edge"),
        lambda: cluster.kubectl("label", "node", label, "pool-"),
    )
    front: dict[str, Any] = {"selector": {"app": "app"}, "ports": [{"port": 80}], "type": "LoadBalancer"}
    front = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front", "namespace": workshop}, "spec": front}
    cluster.apply(workload(workshop, EDGE, over={"kind": "DaemonSet"}), front)
    until("the DaemonSet wants its node", lambda: wanted(cluster, workshop) == "1")
    cluster.wait_complete(workshop)
    return workshop


def wanted(cluster: RealCluster, namespace: str) -> str:
    """How many nodes the DaemonSet wants."""
    path = "--output=jsonpath={.status.desiredNumberScheduled}"
    return cluster.kubectl("get", "daemonset/app", f"--namespace={namespace}", path)


def test_a_daemonset_that_lost_its_place_is_found(
    cluster: RealCluster, battery: Battery, edge: str, tmp_path: Path
) -> None:
    """A pool made again without its label leaves the DaemonSet and its Service with nothing."""
    baseline = f"--baseline={tmp_path / 'baseline.json'}"
    battery.run("--save-baseline", baseline)
    cluster.kubectl("label", "node", "fake-00001", "pool-")
    until("the DaemonSet wants no node", lambda: wanted(cluster, edge) == "0")
    until("its pods are gone", lambda: not cluster.get("pods", edge))
    alone, compared = battery.run(), battery.run(baseline)
    assert f"services.endpoints: Service/{edge}/front" in alone.roots
    assert f"daemonsets.ready: DaemonSet/{edge}/app" in compared.roots
    assert (alone.code, compared.code) == (1, 1)


def test_a_taint_that_came_later_is_no_fault_of_a_daemonset(
    cluster: RealCluster, battery: Battery, staffed: str, broken: Broken
) -> None:
    """A pod of a DaemonSet rightly stays on a node that was tainted NoSchedule after it had started; the taint is told."""
    taint = ("taint", "node", "fake-00002")
    broken(
        lambda: cluster.kubectl(*taint, "e2e=later:NoSchedule"),
        lambda: cluster.kubectl(*taint, "e2e-"),
    )
    run = battery.run(patience=None)
    assert (run.code, [named(each) for each in run.findings]) == (0, ["nodes.taints: Node/fake-00002"]), run.output


def test_a_cordon_is_left_over_when_it_is_old(cluster: RealCluster, battery: Battery, broken: Broken) -> None:
    """A cordon is not yet a fault within its patience, and one afterwards."""
    broken(lambda: cluster.kubectl("cordon", "fake-00003"), lambda: cluster.kubectl("uncordon", "fake-00003"))
    (young,) = battery.run(patience={"cordoned": "5m"}).findings
    assert (named(young), young["transitional"]) == ("nodes.schedulable: Node/fake-00003", True)
    old = until("it is older", lambda: [each for each in aged(battery) if not each["transitional"]], within=30)
    assert [named(each) for each in old] == ["nodes.schedulable: Node/fake-00003"]


def aged(battery: Battery) -> list[dict[str, Any]]:
    """What is found with little patience for cordons."""
    return battery.run(patience={"cordoned": "1s"}).findings


@pytest.mark.parametrize("key", ["node.cloudprovider.kubernetes.io/uninitialized", "node.cilium.io/agent-not-ready"])
def test_a_taint_that_stays_is_found(cluster: RealCluster, battery: Battery, broken: Broken, key: str) -> None:
    """A node that its cloud or its agent never releases takes no pods, though it is Ready."""
    taint = ("taint", "node", "fake-00003")
    broken(lambda: cluster.kubectl(*taint, f"{key}=x:NoSchedule"), lambda: cluster.kubectl(*taint, f"{key}-"))
    assert battery.run(patience=None).findings == []
    found = until("it is older", lambda: aged(battery), within=30)
    assert [named(each) for each in found] == ["nodes.schedulable: Node/fake-00003"]


def test_a_small_cluster_may_lack_kinds(battery: Battery) -> None:
    """Where nobody has a StatefulSet or a DaemonSet, their checks pass."""
    run = battery.run(scope={"namespaces": ["shop"]})
    kinds = ("statefulsets.ready", "daemonsets.ready", "replicasets.ready")
    assert {id: run.outcomes[id] for id in kinds} == dict.fromkeys(kinds, "passed")
