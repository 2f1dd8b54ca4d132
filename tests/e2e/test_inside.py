"""From inside: faults of one node alone that no list tells, and nothing left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.e2e.battery import UNPROVEN, Battery, Run
from tests.e2e.cluster import CHECKOUT, SCRIPTS, RealCluster, until
from tests.e2e.logins import kubeconfig

NETWORK = "nsenter --net=/var/run/netns/node2 -- iptables {} FORWARD {} -j DROP"
NAMESPACE = "upgate-probe"
CONFIG = "$E/node2/cni/10-bridge.conflist"
IMAGES = "$B/ctr -a $R/node2/containerd.sock -n k8s.io images"


def dropped(*rules: str) -> tuple[str, str]:
    """What drops packets that pass through node2, and what takes it back."""
    first, again = ("; ".join(NETWORK.format(verb, rule) for rule in rules) for verb in ("-I", "-D"))
    return first, again


#: Fault → what breaks node2, what repairs it, and what is found.
FAULTS = {
    "DNS dropped": (*dropped("-p udp --dport 53"), ["probe.dns: Node/node2"]),
    "API blocked": (*dropped("-p tcp --dport 6443"), ["probe.api: Node/node2"]),
    "peers cut": (
        *dropped("-s 10.244.2.0/24 -d 10.244.1.0/24", "-s 10.244.2.0/24 -d 10.244.3.0/24"),
        ["probe.peers: Node/node2"],
    ),
    "CNI broken": (
        f"""sed -i 's/"type":"bridge"/"type":"missing"/' {CONFIG}""",
        f"""sed -i 's/"type":"missing"/"type":"bridge"/' {CONFIG}""",
        ["probe.starts: Node/node2"],
    ),
    "image not there": (
        f"{IMAGES} rm docker.io/library/busybox:1.36",
        f"{IMAGES} tag docker.io/library/busybox:1.37 docker.io/library/busybox:1.36",
        ["probe.starts: Node/node2"],
    ),
    "tainted": (
        "$B/kubectl --kubeconfig=$K/admin.kubeconfig taint node node2 debug=x:NoSchedule",
        "$B/kubectl --kubeconfig=$K/admin.kubeconfig taint node node2 debug-",
        [],
    ),
}


@pytest.fixture(scope="module")
def three(cluster: RealCluster) -> Iterator[RealCluster]:
    """The cluster with a third real node."""
    cluster.script("node-up", "3")
    until("node3 is Ready", lambda: cluster.node_is("node3", "True"))
    yield cluster
    cluster.script("node-down", "3")
    cluster.kubectl("delete", "node", "node3", "--ignore-not-found")
    until("its pods are gone", lambda: not on_node(cluster, "node3"), within=180)


def on_node(cluster: RealCluster, node: str) -> list[str]:
    """The pods that are bound to it; those of a node that is gone are collected within a minute."""
    return [each["metadata"]["name"] for each in cluster.get("pods") if each["spec"].get("nodeName") == node]


def ask(battery: Battery, **sections: object) -> Run:
    """A run of the probe alone."""
    probe = {"node-selector": {"type": "real"}, "start-up": "12s", **sections.pop("probe", {})}
    return battery.run("-m", "probe", probe=probe, **sections)


def nothing_left(cluster: RealCluster) -> bool:
    """No namespace of the probe is there, or it is going and empty."""
    found = cluster.ask("get", "namespace", NAMESPACE, "--output=jsonpath={.status.phase}").stdout
    return found in ("", "Terminating") and not cluster.get("pods", NAMESPACE)


def test_two_healthy_nodes_are_clear_within_15_s(cluster: RealCluster, battery: Battery) -> None:
    """Under restricted Pod Security, which the namespace enforces. What was created is said, and gone."""
    run = ask(battery)
    run.must_be_clear()
    began, ended = (datetime.fromisoformat(run.results[key]) for key in ("started", "finished"))
    assert ended - began < timedelta(seconds=15)
    assert "this run CREATES pods" in run.output
    assert any("created 4 pods and a Service" in note for note in run.results["notes"])
    until("nothing is left", lambda: nothing_left(cluster), within=20)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_node_is_found_there(three: RealCluster, battery: Battery, fault: str) -> None:
    """The node is named once, and the others are fine; a tainted one is left out and named in the notes."""
    breaks, repairs, expected = FAULTS[fault]
    three.shell(breaks)
    try:
        run = ask(battery)
    finally:
        three.shell(repairs)
    run.must_find(*expected)
    if not expected:
        assert any("left out Node/node2" in note and "debug=x:NoSchedule" in note for note in run.results["notes"])


@UNPROVEN
def test_a_full_node_is_inconclusive(cluster: RealCluster, battery: Battery) -> None:
    """It has no room for one more pod: that is no fault, and it was not asked."""
    cluster.shell(f'stop node2-kubelet; KUBELET_EXTRA="maxPods: 1" {SCRIPTS}/node-up 2')
    try:
        until("node2 is Ready", lambda: cluster.node_is("node2", "True"))
        run = ask(battery)
    finally:
        cluster.shell(f"stop node2-kubelet; {SCRIPTS}/node-up 2")
        until("node2 is Ready", lambda: cluster.node_is("node2", "True"))
        # What the kubelet threw out for want of room was replaced.
        cluster.kubectl("delete", "pods", "--all-namespaces", "--field-selector=status.phase=Failed")
    assert run.code == 75
    assert "node2 was not asked: it has no room" in run.reason("probe.starts")


@UNPROVEN
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_nothing_behind(cluster: RealCluster, battery: Battery, number: int) -> None:
    """After SIGTERM nothing is there; what SIGKILL left, the next run deletes."""
    try:
        for _ in range(2):
            killed(cluster, battery, number)
            if number == signal.SIGTERM:
                assert nothing_left(cluster)
        ask(battery).must_be_clear()
        assert nothing_left(cluster)
    finally:
        cluster.remove([NAMESPACE])


def killed(cluster: RealCluster, battery: Battery, number: int) -> None:
    """A run that gets a signal at a random moment after it has made its namespace; one that SIGKILL left may still be there."""
    path = battery.profile(
        cluster={"kubeconfig": str(cluster.kubeconfig)}, probe={"node-selector": {"type": "real"}, "start-up": "12s"}
    )
    command = [sys.executable, "-m", "pytest", f"--profile={path}", f"--reports={path.with_suffix('')}", "-m", "probe"]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, env=dict(os.environ))
    until("the namespace is there", lambda: cluster.ask("get", "namespace", NAMESPACE).returncode == 0, every=0.05)
    time.sleep(random.uniform(0, 4))
    process.send_signal(number)
    process.wait(timeout=60)


def test_a_foreign_namespace_is_refused(cluster: RealCluster, battery: Battery) -> None:
    """It is left alone, and the run is inconclusive."""
    cluster.kubectl("create", "namespace", "taken")
    try:
        run = ask(battery, probe={"namespace": "taken"})
        assert run.code == 75
        assert "not upgate's" in run.reason("probe.dns")
        assert cluster.ask("get", "namespace", "taken", "--output=jsonpath={.status.phase}").stdout == "Active"
    finally:
        cluster.remove(["taken"])


RULES = [
    {"apiGroups": ["", "discovery.k8s.io"], "resources": ["nodes", "services", "endpointslices"], "verbs": ["list"]}
]


def test_without_the_right_to_create_it_is_inconclusive(cluster: RealCluster, battery: Battery, tmp_path) -> None:
    """The lists can be read, and nothing be created: exit code 75, with what is not permitted."""
    meta, account = {"name": "reader"}, {"kind": "ServiceAccount", "name": "reader", "namespace": "default"}
    api = "rbac.authorization.k8s.io/v1"
    cluster.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**meta, "namespace": "default"}},
        {"apiVersion": api, "kind": "ClusterRole", "metadata": meta, "rules": RULES},
        {
            "apiVersion": api,
            "kind": "ClusterRoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"},
            "subjects": [account],
        },
    )
    login = kubeconfig(cluster, tmp_path / "reader", token=cluster.token("reader", "default"))
    run = ask(battery, kubeconfig=login)
    assert run.code == 75
    assert "status 403" in run.reason("probe.starts")
