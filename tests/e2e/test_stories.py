"""Upgrade stories, each played on the real cluster with its profile of profiles/examples/: fault, finding, repair, clear."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.e2e.battery import UNPROVEN, Battery, Run
from tests.e2e.cluster import RealCluster, until
from tests.e2e.faults import namespace
from tests.e2e.stories import (
    FAKE,
    PLANS,
    PROXY,
    SHOP,
    SHORT_LIVED,
    Shop,
    describe,
    expected,
    fault,
    restart_api_server,
)

pytestmark = UNPROVEN
AGAIN = ("--settle=60s", "--every=1s")
Look = Callable[..., Run]


@pytest.fixture
def look(cluster: RealCluster, battery: Battery) -> Look:
    """A look with the profile of a story."""

    def run(story: str, *options: str, **sections: Any) -> Run:
        # An autoscaler cannot see for a moment what it scales when the API server was restarted.
        checks = {"nodes.stable": "off", "hpas.active": "off"}
        return battery.play(story, *options, **{"hosts": None, "checks": checks, **sections})

    return run


def test_rke_health_ports_that_only_a_question_from_outside_sees(cluster: RealCluster, look: Look) -> None:
    """kube-proxy's health port on localhost, and an API server that refuses anonymous checks: nothing in the cluster tells."""

    def proxy(extra: str) -> None:
        cluster.halt("node1-kube-proxy")
        cluster.shell(f"export PROXY_EXTRA='{extra}'; $HERE/node-up 1")

    def repair() -> None:
        proxy("healthzBindAddress: 0.0.0.0:10256")
        restart_api_server(cluster)
        cluster.resume()

    ca = cluster.shell("echo $P/ca.crt").strip()
    api = {"name": "api", "url": "https://127.0.0.1:6443/healthz", "ca": ca}
    world = {"expect": expected(), "external": [PROXY, api, SHOP]}
    with fault(
        lambda: proxy("healthzBindAddress: 127.0.0.1:10256"),
        lambda: restart_api_server(cluster, "--anonymous-auth=false"),
        repair=repair,
    ):
        run = look("rke", **world)
        run.must_find(
            "external.kube-proxy: http://10.199.0.11:10256/healthz", "external.api: https://127.0.0.1:6443/healthz"
        )
        assert "status 401" in run.said
    look("rke", *AGAIN, **world).must_be_clear()


def test_eks_an_image_on_which_pods_do_not_end(cluster: RealCluster, look: Look) -> None:
    """A node with a kernel that the profile denies, and a pod that cannot be ended."""
    held = {"metadata": {"name": "held", "namespace": "eks", "finalizers": ["example.com/unkillable"]}}
    spec = {"nodeSelector": {"type": "fake"}, "containers": [{"name": "app", "image": "shop:1"}]}

    def break_it() -> None:
        describe(cluster, "fake-00002", kernelVersion="5.10.198-187.748.amzn2.x86_64")
        cluster.apply(namespace("eks"), {"apiVersion": "v1", "kind": "Pod", **held, "spec": spec})
        cluster.kubectl("wait", "pod/held", "--namespace=eks", "--for=condition=Ready", "--timeout=60s")
        cluster.kubectl("delete", "pod", "held", "--namespace=eks", "--wait=false", "--grace-period=1")

    def repair() -> None:
        describe(cluster, "fake-00002", **FAKE)
        cluster.remove(["eks"])

    world = {"expect": expected(**{"image-label": None}), "external": [SHOP]}
    with fault(break_it, repair=repair):
        until("the pod is overdue", lambda: look("eks", "-k", "pods.terminating", **world).code == 1, within=40)
        run = look("eks", **world)
        run.must_find(
            "nodes.image: Node/fake-00002", "nodes.uniform: Node/fake-00002", "pods.terminating: Pod/eks/held"
        )
        assert "containers that cannot be killed" in run.said
    look("eks", *AGAIN, **world).must_be_clear()


def test_eks_before_the_upgrade(cluster: RealCluster, look: Look) -> None:
    """An API in use that the next version removes, and nodes that a skipped minor would leave too far behind."""
    beta = "networking.k8s.io/v1beta1"

    def repair() -> None:
        describe(cluster, "fake-00002", **FAKE)
        restart_api_server(cluster)
        cluster.resume()

    world = {"expect": expected(**{"image-label": None}) | {"next-version": "1.38"}, "external": [SHOP]}
    with fault(lambda: restart_api_server(cluster, f"--runtime-config={beta}=true"), repair=repair):
        cluster.kubectl("get", "nodes")
        before = set(look("eks", "-m", "preflight", **world).roots)
        describe(cluster, "fake-00002", kubeletVersion="v1.34.2")
        cluster.kubectl("get", "--raw", f"/apis/{beta}/ipaddresses")
        run = look("eks", "-m", "preflight", **world)
        told = {f"apis.deprecated: API/{beta}/ipaddresses", "version.kubelet-skew: Node/fake-00002"}
        assert set(run.roots) - before == told
        assert run.code == 1


@pytest.fixture
def shop() -> Iterator[str]:
    """The address of a shop on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_aks_a_pool_that_was_not_upgraded_and_customers_that_see_it(
    cluster: RealCluster, look: Look, shop: str
) -> None:
    """The old node image in a label, and a journey of customers that fails: found, and found again by a monitoring round."""
    label, now, old = "kubernetes.azure.com/node-image-version", "202611.10.0", "202609.02.0"
    image = "AKSUbuntu-2404gen2containerd-"
    steps = [
        {"post": f"{shop}/login", "form": {"user": "${SYNTH_USER}"}, "capture": {"token": "json:token"}},
        {"get": f"{shop}/orders", "headers": {"Authorization": "Bearer {token}"}, "status": 200},
    ]
    environ = {"SYNTH_USER": "u", "SYNTH_PASSWORD": "p", "ALERT_URL": f"json://{shop.removeprefix('http://')}/alerts"}
    external = [{"name": "order", "journey": steps}, SHOP]
    world = {"expect": expected(), "external": external, "environ": environ}
    cluster.kubectl("label", "nodes", "--all", f"{label}={image}{now}")

    def break_it() -> None:
        Shop.broken = True
        cluster.kubectl("label", "node", "fake-00003", "--overwrite", f"{label}={image}{old}")

    def repair() -> None:
        Shop.broken = False
        cluster.kubectl("label", "node", "fake-00003", "--overwrite", f"{label}={image}{now}")

    try:
        with fault(break_it, repair=repair):
            run = look("aks", **world)
            run.must_find(
                "nodes.image: Node/fake-00003",
                "nodes.uniform: Node/fake-00003",
                f"external.journey.order: {shop}/login",
            )
            assert f"step 2, GET {shop}/orders" in run.said
            brief = look("aks", "--monitor", "-m", "monitor", **world)
            assert {"nodes.image", "external.journey.order"} <= brief.having("failed")
        look("aks", *AGAIN, **world).must_be_clear()
    finally:
        cluster.kubectl("label", "nodes", "--all", f"{label}-")


def test_kured_a_lock_of_nobody_and_a_cordon_left_behind(cluster: RealCluster, look: Look) -> None:
    """The node that held the lock is gone, and another was never uncordoned after its reboot."""
    lock = {"nodeID": "node-that-is-gone", "created": "2026-01-01T00:00:00Z", "TTL": 0}
    mark = "weave.works/kured-reboot-in-progress"
    template = {
        "metadata": {"labels": {"name": "kured"}},
        "spec": {"nodeSelector": {"type": "fake"}, "containers": [{"name": "kured", "image": "kured:1.19.0"}]},
    }
    meta = {"name": "kured", "namespace": "reboots", "annotations": {"weave.works/kured-node-lock": json.dumps(lock)}}
    spec = {"selector": {"matchLabels": {"name": "kured"}}, "template": template}

    def break_it() -> None:
        cluster.kubectl("cordon", "fake-00004")
        cluster.kubectl("annotate", "node", "fake-00004", f"{mark}=2026-01-01T00:00:00Z")
        cluster.apply(
            namespace("reboots"), {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec}
        )
        cluster.wait_complete("reboots")

    def repair() -> None:
        cluster.kubectl("uncordon", "fake-00004")
        cluster.kubectl("annotate", "node", "fake-00004", f"{mark}-")
        cluster.ask("annotate", "daemonset", "kured", "--namespace=reboots", "weave.works/kured-node-lock-")

    try:
        with fault(break_it, repair=repair):
            look("kured", expect=expected()).must_find(
                "nodes.kured-lock: Node/node-that-is-gone", "nodes.schedulable: Node/fake-00004"
            )
        look("kured", *AGAIN, expect=expected()).must_be_clear()
    finally:
        cluster.remove(["reboots"])


def test_kubeadm_a_certificate_that_was_not_renewed_and_a_node_that_was_forgotten(
    cluster: RealCluster, look: Look
) -> None:
    """The API server's certificate ends within the days of the profile, and one kubelet is of the release before."""
    etc = cluster.shell("echo $E").strip()
    short = (f"--tls-cert-file={etc}/short.crt", f"--tls-private-key-file={etc}/short.key")

    def repair() -> None:
        describe(cluster, "fake-00001", **FAKE)
        restart_api_server(cluster)
        cluster.resume()

    ca = cluster.shell("echo $P/ca.crt").strip()
    api = {"name": "api", "each": None, "pool": None, "url": "https://127.0.0.1:6443/livez", "ca": ca}
    expect = expected(kernel=None) | {"hosts": None}
    world = {"expect": expect, "external": [api, PROXY, SHOP]}
    with fault(
        lambda: cluster.shell(SHORT_LIVED),
        lambda: restart_api_server(cluster, *short),
        lambda: describe(cluster, "fake-00001", kubeletVersion="v1.35.6"),
        repair=repair,
    ):
        look("kubeadm", **world).must_find(
            "certs.api-server: *",
            "external.api: https://127.0.0.1:6443/livez",
            "version.nodes-upgraded: Node/fake-00001",
            "nodes.image: Node/fake-00001",
            "nodes.uniform: Node/fake-00001",
        )
    look("kubeadm", *AGAIN, **world).must_be_clear()


def test_k3s_a_plan_that_stopped_at_a_node(cluster: RealCluster, look: Look) -> None:
    """The plan is not done with a node that was cordoned by hand, and that runs the release before."""
    plan = {"apiVersion": "upgrade.cattle.io/v1", "kind": "Plan", "spec": {"version": "v1.36.2+k3s1"}}
    meta = {"name": "agents", "namespace": "system-upgrade"}

    def applying(*nodes: str) -> None:
        cluster.apply({**plan, "metadata": meta, "status": {"applying": list(nodes)}})

    def break_it() -> None:
        describe(cluster, "fake-00005", kubeletVersion="v1.35.6+k3s1")
        cluster.kubectl("cordon", "fake-00005")
        applying("fake-00005")

    def repair() -> None:
        describe(cluster, "fake-00005", **FAKE)
        cluster.kubectl("uncordon", "fake-00005")
        applying()

    ca = cluster.shell("echo $P/ca.crt").strip()
    api = {"name": "api", "each": None, "pool": None, "url": "https://127.0.0.1:6443/livez", "ca": ca}
    traefik = {"name": "traefik", "pool": "type=real", "url": "http://{address}:30080/"}
    world = {"expect": expected(), "external": [api, traefik, SHOP]}
    cluster.apply(PLANS, namespace("system-upgrade"))
    until("the kind Plan is served", lambda: cluster.ask("get", "plans.upgrade.cattle.io").returncode == 0)
    try:
        with fault(break_it, repair=repair):
            look("k3s", **world).must_find(
                "expect.plans: Plan/system-upgrade/agents",
                "nodes.schedulable: Node/fake-00005",
                "version.nodes-upgraded: Node/fake-00005",
                "nodes.image: Node/fake-00005",
                "nodes.uniform: Node/fake-00005",
            )
        look("k3s", *AGAIN, **world).must_be_clear()
    finally:
        cluster.remove(["system-upgrade"])
        cluster.kubectl("delete", "crd", "plans.upgrade.cattle.io")
