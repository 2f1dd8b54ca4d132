"""One real cluster for all end-to-end tests: built, started, made healthy, and stopped at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.battery import Battery
from tests.e2e.cluster import SCRIPTS, WORLDS, RealCluster, autoscalers_seen, until
from tests.e2e.faults import namespace

KEEP = bool(os.environ.get("KEEP"))
NAMESPACES = ("kube-system", "shop", "data", "edge", "oddities")


@pytest.fixture(scope="session")
def cluster() -> Iterator[RealCluster]:
    """The cluster with the healthy world in it. KEEP=1 takes one that runs already, and leaves it running."""
    if not (SCRIPTS / "up").exists():
        pytest.fail(f"there is no real cluster at {SCRIPTS}; say where it is with REALCLUSTER=/path", pytrace=False)
    cluster = RealCluster()
    try:
        cluster.resume() if KEEP and cluster.answers else cluster.start()
        make_healthy(cluster)
        yield cluster
    finally:
        if not KEEP:
            cluster.stop()


def make_healthy(cluster: RealCluster) -> None:
    """Apply the healthy world, and wait until it is complete."""
    cluster.remove(
        each["metadata"]["name"] for each in cluster.get("namespaces") if "e2e" in each["metadata"].get("labels", {})
    )
    cluster.apply(WORLDS / "dns.yaml", WORLDS / "healthy.yaml", WORLDS / "oddities.yaml")
    make_odd(cluster)
    cluster.wait_complete(*NAMESPACES)
    for job in ("import", "retried"):
        cluster.kubectl("wait", f"job/{job}", "--namespace=batch", "--for=condition=Complete", "--timeout=120s")
    until("pod one-off has completed", lambda: ended(cluster, "one-off"))
    until("autoscalers have been looked at", lambda: autoscalers_seen(cluster, "oddities"))


def make_odd(cluster: RealCluster) -> None:
    """What oddities.yaml cannot say: objects of its kinds, addresses that a cloud would give, a young lock of kured."""
    for kind in ("widgets.oddities.example.com", "gateways.gateway.networking.k8s.io"):
        cluster.kubectl("wait", f"crd/{kind}", "--for=condition=Established", "--timeout=60s")
    until("objects of the new kinds can be made", lambda: made(cluster, WORLDS / "oddities-custom.yaml"))
    address = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.11"}]}}}
    for each in ("service/front", "ingress/front"):
        patch = ("--subresource=status", "--type=merge", f"--patch={json.dumps(address)}")
        cluster.kubectl("patch", each, "--namespace=oddities", *patch)


def made(cluster: RealCluster, file: Path) -> bool:
    """The API server takes the objects; it serves a new kind a moment after it has established it."""
    return cluster.ask("apply", f"--filename={file}").returncode == 0


def ended(cluster: RealCluster, pod: str) -> bool:
    """The pod in the namespace batch has completed."""
    phase = cluster.kubectl("get", "pod", pod, "--namespace=batch", "--output=jsonpath={.status.phase}")
    return phase == "Succeeded"


@pytest.fixture
def battery(cluster: RealCluster, tmp_path: Path) -> Battery:
    """Runs of the battery on the cluster."""
    return Battery(tmp_path, cluster.kubeconfig)


@pytest.fixture
def broken(cluster: RealCluster, battery: Battery) -> Iterator[Callable[..., None]]:
    """Breaks something that `undo` repairs at the end of the test, however that ends; then all must be clear again."""
    undoing: list[Callable[[], object]] = []

    def break_it(fault: Callable[[], object], undo: Callable[[], object]) -> None:
        undoing.append(undo)
        fault()

    yield break_it
    for undo in reversed(undoing):
        undo()
    battery.run("--settle=90s", "--clean=2", "--every=1s").must_be_clear()


@pytest.fixture
def workshop(cluster: RealCluster) -> Iterator[str]:
    """A namespace for a test's own objects."""
    cluster.apply(namespace("workshop"))
    yield "workshop"
    cluster.remove(["workshop"])
