"""The API servers one by one: a load balancer would hide that one of them is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.battery import Battery, Run
from tests.e2e.cluster import RealCluster, until

SLICE = ("get", "endpointslice", "kubernetes", "--namespace=default", "--output=jsonpath={.endpoints[*].addresses[0]}")


@pytest.fixture(scope="module")
def two(cluster: RealCluster) -> Iterator[RealCluster]:
    """The cluster with a second API server."""
    cluster.script("apiserver-up", "2")
    yield cluster
    cluster.shell(
        "kill -CONT $(head -1 $R/kube-apiserver-2.pid) 2>/dev/null; stop api-forward-2; stop kube-apiserver-2 KILL"
    )
    until("its address is gone", lambda: "10.199.0.2" not in cluster.kubectl(*SLICE), within=60)


def ask(battery: Battery, **cluster: object) -> Run:
    """A run of the checks of APIs alone."""
    kubeconfig = {"kubeconfig": str(battery._kubeconfig)}
    return battery.run("-m", "apis", cluster={**kubeconfig, **cluster}, allow=["nodes-proxy"])


def test_two_api_servers_that_agree_are_fine(two: RealCluster, battery: Battery) -> None:
    """Both answer by themselves, and reach every kubelet of a real node."""
    run = ask(battery, **{"api-servers": ["127.0.0.2:6443"]})
    assert run.outcomes["apis.answer"] == "passed", run.output
    judged = next(each for each in run.results["checks"] if each["id"] == "apis.answer")
    assert judged["examined"] == 3


def test_one_that_hangs_is_found(two: RealCluster, battery: Battery) -> None:
    """The other one answers, and so does the kubeconfig's server."""
    two.signal("kube-apiserver-2", "STOP")
    try:
        run = ask(battery, **{"api-servers": ["127.0.0.2:6443"]})
    finally:
        two.signal("kube-apiserver-2", "CONT")
    found = {each["object"] for each in run.findings if each["check"] == "apis.answer"}
    assert "APIServer/127.0.0.2:6443" in found, run.output
