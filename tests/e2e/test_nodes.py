"""Faults of nodes, one at a time; after each the cluster is all clear again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.e2e.battery import Battery
from tests.e2e.cluster import FAKE_NODES, LEASE_PERIOD, RealCluster, until

Broken = Callable[..., None]


@pytest.mark.parametrize(
    ("fault", "node"),
    [
        ("stop node2-kubelet", "node2"),
        ("kill -STOP $(head -1 $R/node1-kubelet.pid)", "node1"),
        ("ip link set rcn2 down", "node2"),
    ],
    ids=["kubelet stopped", "kubelet frozen", "network cut"],
)
def test_a_node_that_is_not_heard_of_is_the_only_cause(
    cluster: RealCluster, battery: Battery, broken: Broken, fault: str, node: str
) -> None:
    """A node whose kubelet is silent is found, and what its pods and their owners lack is explained by it."""
    broken(lambda: cluster.shell(fault), lambda: revive(cluster, node))
    until(f"{node} is Unknown", lambda: cluster.node_is(node, "Unknown"), within=60)
    run = battery.run()
    run.must_find(f"nodes.ready: Node/{node}")
    assert run.code == 1


def test_a_node_whose_runtime_stopped_is_found(cluster: RealCluster, battery: Battery, broken: Broken) -> None:
    """Without containerd the kubelet itself says that the node is not ready."""
    broken(lambda: cluster.halt("node2-containerd"), lambda: revive(cluster, "node2"))
    until("node2 is not Ready", lambda: cluster.node_is("node2", "False"), within=90)
    battery.run().must_find("nodes.ready: Node/node2")


def test_nodes_that_all_die_are_each_found(cluster: RealCluster, battery: Battery, broken: Broken) -> None:
    """Each dead node is a finding of its own; what ran on them is explained by them."""
    names = [f"fake-{number:05}" for number in range(FAKE_NODES)]
    broken(lambda: cluster.halt("fakenodes"), lambda: replace_pods(cluster, names))
    until("the fake nodes are Unknown", lambda: all(cluster.node_is(name, "Unknown") for name in names), within=60)
    battery.run().must_find(*(f"nodes.ready: Node/{name}" for name in names))


def replace_pods(cluster: RealCluster, names: Iterable[str]) -> None:
    """Start the nodes again. Fake ones do not tell anew that their pods are ready, as kubelets do: they get new ones."""
    cluster.nodes_up()
    for name in names:
        cluster.kubectl("delete", "pods", "--all-namespaces", f"--field-selector=spec.nodeName={name}", "--wait=false")


def test_a_silent_kubelet_is_found_before_its_node_is_called_unready(
    cluster: RealCluster, battery: Battery, broken: Broken
) -> None:
    """While nobody changes the node's Ready condition, its lease tells that the kubelet is dead.

    The lease's duration is cut to one second, so that four of them need not be waited for.
    """
    broken(lambda: cluster.halt("kube-controller-manager"), cluster.resume)
    broken(lambda: cluster.halt("node2-kubelet"), lambda: revive(cluster, "node2"))
    patch = '--patch={"spec": {"leaseDurationSeconds": 1}}'
    cluster.kubectl("patch", "lease", "node2", "--namespace=kube-node-lease", patch)
    until("the lease is older than four of its durations", lambda: battery.run("-k", "lease").code, within=20)
    battery.run().must_find("nodes.heartbeat: Node/node2")


def revive(cluster: RealCluster, node: str) -> None:
    """Let the node do whatever it was kept from."""
    number = node.removeprefix("node")
    cluster.shell(
        f"ip link set rcn{number} up; running {node}-kubelet && kill -CONT $(head -1 $R/{node}-kubelet.pid); true"
    )
    cluster.script("node-up", number)
    until(f"{node} is Ready", lambda: cluster.node_is(node, "True"), within=60)


def test_cordons_are_found_with_who_made_them(cluster: RealCluster, battery: Battery, broken: Broken) -> None:
    """A cordon by hand and one that a reboot daemon left behind are found, each with the one who made it."""
    mark = "weave.works/kured-reboot-in-progress"
    broken(lambda: cluster.kubectl("cordon", "fake-00003", "fake-00004"), lambda: uncordon(cluster, mark))
    cluster.kubectl("annotate", "node", "fake-00004", f"{mark}=2026-01-01T00:00:00Z")
    run = battery.run()
    run.must_find("nodes.schedulable: Node/fake-00003", "nodes.schedulable: Node/fake-00004")
    by_hand, by_kured = (each["observed"] for each in run.findings)
    assert "field manager kubectl" in by_hand
    assert "kured" in by_kured
    assert "kured" not in by_hand


def uncordon(cluster: RealCluster, mark: str) -> None:
    """Take both cordons back."""
    cluster.kubectl("uncordon", "fake-00003", "fake-00004")
    cluster.kubectl("annotate", "node", "fake-00004", f"{mark}-")


@pytest.fixture
def extra_node(cluster: RealCluster) -> Iterator[str]:
    """One more node than the profile asks for."""
    fakenodes = (
        f"$B/fakenodes run --kubeconfig $K/admin.kubeconfig --prefix extra- --nodes 1 --lease-period {LEASE_PERIOD}"
    )
    cluster.shell(f"start extra-node {fakenodes}")
    until("the extra node is there", lambda: cluster.ask("get", "node", "extra-00000").returncode == 0)
    until("the extra node is Ready", lambda: cluster.node_is("extra-00000", "True"))
    yield "extra-00000"
    cluster.halt("extra-node")
    cluster.kubectl("delete", "node", "extra-00000", "--ignore-not-found")


def test_a_node_that_is_gone_since_the_baseline_is_missed(
    cluster: RealCluster, battery: Battery, extra_node: str, tmp_path: Path
) -> None:
    """A node that is in no list any more is missed in its pool."""
    baseline = tmp_path / "baseline.json"
    battery.run("--save-baseline", f"--baseline={baseline}").must_be_clear()
    cluster.halt("extra-node")
    cluster.kubectl("delete", "node", extra_node)
    battery.run(f"--baseline={baseline}").must_find("nodes.count: NodePool/fake")
