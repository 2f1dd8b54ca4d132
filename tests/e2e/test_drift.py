"""Settings that change on a real cluster, compared with a baseline of it: each gives exactly its finding, and none repaired."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.e2e.battery import Battery, Run
from tests.e2e.cluster import SCRIPTS, RealCluster, until

Broken = Callable[..., None]
ALLOW = ["nodes-proxy"]
SYSTEM = "--namespace=kube-system"


@pytest.fixture
def compared(battery: Battery) -> Callable[[], Run]:
    """Save a baseline; what is returned compares with it."""
    before = battery.run("-m", "config", "--save-baseline", allow=ALLOW, external=None)
    return lambda: battery.run("-m", "config", before.baseline, allow=ALLOW, external=None)


def found(run: Run) -> list[tuple[str, str]]:
    """Objects and what was observed; the fake nodes have no kubelet, which is said."""
    assert run.reason("config.drift").startswith("Kubelet: fake-00000, fake-00001, "), run.output
    return [(each["object"], each["observed"]) for each in run.findings]


def test_settings_that_change_are_found_with_old_and_new(
    cluster: RealCluster, compared: Callable[[], Run], broken: Broken
) -> None:
    """A kubelet's limit, an API server's flag, the Corefile and an add-on's environment: each by its name, nothing else."""
    assert found(compared()) == []
    broken(lambda: kubelet(cluster, "maxPods: 33"), lambda: kubelet(cluster, ""))
    broken(lambda: api_server(cluster, "--profiling=false"), lambda: api_server(cluster, ""))
    broken(lambda: cache(cluster, "cache 30", "cache 7"), lambda: cache(cluster, "cache 7", "cache 30"))
    broken(lambda: environment(cluster, "GOGC=50"), lambda: environment(cluster, "GOGC-"))
    assert sorted(found(compared())) == [
        ("APIServer/--profiling", "true → false"),
        ("ConfigMap/kube-system/coredns/Corefile", "now without `cache 30`, with `cache 7`"),
        ("Deployment/kube-system/coredns/coredns/env/GOGC", "not set → 50"),
        ("Kubelet/node1/maxPods", "110 → 33 on node1"),
    ]
    cache(cluster, "cache 7", "cache 30")
    environment(cluster, "GOGC-")
    assert [object for object, _ in found(compared())] == ["APIServer/--profiling", "Kubelet/node1/maxPods"]


def test_a_node_in_the_place_of_another_is_no_difference(
    cluster: RealCluster, compared: Callable[[], Run], broken: Broken
) -> None:
    """A third node comes, with another name and address, and CoreDNS is rolled: nothing is found."""
    broken(lambda: cluster.script("node-up", "3"), lambda: gone(cluster, "3"))
    cluster.kubectl("rollout", "restart", "deployment/coredns", SYSTEM)
    cluster.wait_complete("kube-system")
    assert found(compared()) == []


def kubelet(cluster: RealCluster, extra: str) -> None:
    """Start node1's kubelet again with another line in its configuration."""
    cluster.halt("node1-kubelet")
    cluster.shell(f"KUBELET_EXTRA='{extra}' {SCRIPTS}/node-up 1")
    until("node1 is Ready", lambda: cluster.node_is("node1", "True"))


def api_server(cluster: RealCluster, extra: str) -> None:
    """Start the API server again with another flag."""
    cluster.halt("kube-apiserver")
    cluster.shell(f"APISERVER_EXTRA='{extra}' {SCRIPTS}/up")
    cluster.resume()


def cache(cluster: RealCluster, old: str, new: str) -> None:
    """Write another Corefile."""
    text = json.loads(cluster.kubectl("get", "configmap", "coredns", SYSTEM, "--output=json"))["data"]["Corefile"]
    patch = json.dumps({"data": {"Corefile": text.replace(old, new)}})
    cluster.kubectl("patch", "configmap", "coredns", SYSTEM, f"--patch={patch}")


def environment(cluster: RealCluster, change: str) -> None:
    """Set or take away a variable of CoreDNS."""
    cluster.kubectl("set", "env", "deployment/coredns", change, SYSTEM)
    cluster.wait_complete("kube-system")


def gone(cluster: RealCluster, number: str) -> None:
    """Take the node away, with its object."""
    cluster.script("node-down", number)
    cluster.kubectl("delete", "node", f"node{number}", "--ignore-not-found")
