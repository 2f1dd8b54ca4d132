"""Before and after: many changes side by side in one cluster, each its finding and no other; and what is no change."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.battery import HEALTHY, Battery
from tests.e2e.cluster import LEASE_PERIOD, SCRIPTS, WORLDS, RealCluster, autoscalers_seen, until

NAMESPACE = "before"
GPU = "example.com~1gpu"
#: Workloads on fake nodes: name → replicas, and labels of their pods.
APPS: dict[str, tuple[int, dict[str, str]]] = {
    "kept": (3, {}),
    "scaled": (2, {}),
    "gone": (1, {}),
    "image": (1, {}),
    "asleep": (0, {}),
    "half-a": (1, {"for": "halved"}),
    "half-b": (1, {"for": "halved"}),
}
#: kubectl's arguments → what is found, `check: object`. The taint's finding is that of the label: they are of one pool.
CHANGES: dict[str, tuple[str, ...]] = {
    "delete service gone": ("changes.workloads: Service/before/gone",),
    "delete deployment gone": ("changes.workloads: Deployment/before/gone",),
    "delete cronjob gone": ("changes.workloads: CronJob/before/gone",),
    "delete ingress gone": ("changes.workloads: Ingress/before/gone",),
    "delete networkpolicy gone": ("changes.workloads: NetworkPolicy/before/gone",),
    "delete pdb gone": ("changes.workloads: PodDisruptionBudget/before/gone",),
    "delete hpa gone": ("changes.workloads: HorizontalPodAutoscaler/before/gone",),
    "delete namespace before-gone": ("changes.workloads: Namespace/before-gone",),
    "scale deployment scaled --replicas=1": ("changes.workloads: Deployment/before/scaled",),
    'patch cronjob stopped --patch={"spec":{"suspend":true}}': ("cronjobs.on-time: CronJob/before/stopped",),
    "set image deployment/image app=registry.example.com/app:2": ("changes.images: Deployment/before/image",),
    'patch service misled --patch={"spec":{"selector":{"app":"other"}}}': (
        "services.endpoints: Service/before/misled",
    ),
    'patch service halved --patch={"spec":{"selector":{"app":"half-a"}}}': (
        "changes.endpoints: Service/before/halved",
    ),
    'patch networkpolicy blind --patch={"spec":{"podSelector":{"matchLabels":{"app":"other"}}}}': (
        "changes.selectors: NetworkPolicy/before/blind",
    ),
    "label namespace before-marked policy-": (
        "changes.namespaces: Namespace/before-marked",
        "changes.selectors: NetworkPolicy/before/kept",
    ),
    "annotate namespace before-noted example.com/owner-": ("changes.namespaces: Namespace/before-noted",),
    'patch service balanced --subresource=status --patch={"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.22"}]}}}': (
        "changes.addresses: Service/before/balanced",
    ),
    "patch ingress moved --subresource=status --type=merge "
    '--patch={"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.24"}]}}}': (
        "changes.addresses: Ingress/before/moved",
    ),
    "replace --force -f {moved}": ("changes.addresses: Service/before/moved",),
    'patch service node-port --type=json --patch=[{"op":"replace","path":"/spec/ports/0/nodePort","value":31081}]': (
        "changes.addresses: Service/before/node-port",
    ),
    'patch service ports --type=json --patch=[{"op":"remove","path":"/spec/ports/1"}]': (
        "changes.addresses: Service/before/ports",
    ),
    "delete crd gone.before.example.com": ("changes.apis: CustomResourceDefinition/gone.before.example.com",),
    'patch crd parts.before.example.com --type=json --patch=[{"op":"remove","path":"/spec/versions/1"}]': (
        "changes.apis: CustomResourceDefinition/parts.before.example.com",
    ),
    'patch validatingwebhookconfiguration before --type=json --patch=[{"op":"replace","path":"/webhooks/0/failurePolicy",'
    '"value":"Fail"}]': ("changes.extensions: ValidatingWebhookConfiguration/before",),
    "apply -f {added}": ("changes.extensions: ValidatingWebhookConfiguration/before-added",),
    "annotate storageclass before-default storageclass.kubernetes.io/is-default-class-": (
        "changes.extensions: StorageClass/before-default",
    ),
    "delete storageclass before-gone": ("changes.extensions: StorageClass/before-gone",),
    "delete ingressclass before": ("changes.extensions: IngressClass/before",),
    "label node fake-00001 tier-": ("changes.nodes: NodePool/*fake*",),
    "taint node fake-00002 e2e-": (),
    f'patch node fake-00003 --subresource=status --type=json --patch=[{{"op":"remove","path":"/status/allocatable/{GPU}"}}]': (
        "changes.capacity: NodePool/*fake*",
    ),
}


def deployment(name: str, replicas: int, labels: dict[str, str]) -> dict[str, Any]:
    """A Deployment on fake nodes."""
    marks = {"app": name, **labels}
    containers = [{"name": "app", "image": "registry.example.com/app:1", "ports": [{"containerPort": 8080}]}]
    template = {"metadata": {"labels": marks}, "spec": {"nodeSelector": {"type": "fake"}, "containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


class Front(BaseHTTPRequestHandler):
    """Answers with what the test has put there."""

    status, location, policy = 301, "https://shop.example.com/", "DENY"

    def do_GET(self) -> None:
        """One answer."""
        self.send_response(type(self).status)
        self.send_header("Location", type(self).location)
        self.send_header("X-Frame-Options", type(self).policy)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def front() -> Iterator[str]:
    """The URL of a server on this machine whose answers can be changed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(cluster: RealCluster) -> Iterator[None]:
    """The objects that are changed; afterwards they are gone."""
    cluster.apply(WORLDS / "changes.yaml", *(deployment(name, *more) for name, more in APPS.items()))
    cluster.kubectl("label", "node", "fake-00001", "tier=gold", "--overwrite")
    cluster.kubectl("taint", "node", "fake-00002", "e2e=yes:PreferNoSchedule", "--overwrite")
    patch_status(cluster, "node/fake-00003", [{"op": "add", "path": f"/status/allocatable/{GPU}", "value": "2"}])
    for each, address in (
        ("service/balanced", "192.0.2.21"),
        ("ingress/moved", "192.0.2.23"),
        ("ingress/gone", "192.0.2.25"),
    ):
        status = [{"op": "add", "path": "/status/loadBalancer", "value": {"ingress": [{"ip": address}]}}]
        patch_status(cluster, each, status, f"--namespace={NAMESPACE}")
    cluster.wait_complete(NAMESPACE)
    until("the autoscaler has been looked at", lambda: autoscalers_seen(cluster, NAMESPACE))
    yield
    cluster.ask("delete", f"--filename={WORLDS / 'changes.yaml'}", "--ignore-not-found", "--wait=false")
    cluster.ask("delete", "validatingwebhookconfiguration", "before-added", "--ignore-not-found")
    cluster.remove(["before", "before-marked", "before-noted", "before-gone"])
    cluster.ask("taint", "node", "fake-00002", "e2e-")


def patch_status(cluster: RealCluster, each: str, patch: list[dict[str, Any]], *more: str) -> None:
    """Write a status, as a controller would."""
    cluster.kubectl("patch", each, *more, "--subresource=status", "--type=json", f"--patch={json.dumps(patch)}")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Objects that a change puts there."""
    moved = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "moved", "namespace": NAMESPACE},
        "spec": {"clusterIP": "10.96.200.2", "ports": [{"port": 80}]},
    }
    hook = {
        "name": "a.added.example.com",
        "clientConfig": {"url": "https://policy.example.com/validate"},
        "rules": [
            {
                "apiGroups": ["oddities.example.com"],
                "apiVersions": ["*"],
                "operations": ["CREATE"],
                "resources": ["unused"],
            }
        ],
        "failurePolicy": "Ignore",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    added = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "before-added"},
        "webhooks": [hook],
    }
    paths = {}
    for name, document in (("moved", moved), ("added", added)):
        paths[name] = tmp_path / f"{name}.json"
        paths[name].write_text(json.dumps(document))
    return paths


def change(cluster: RealCluster, command: str, files: dict[str, Path]) -> None:
    """Make one change; what is a path in it is filled in."""
    words = [word.format(**files) if word in ("{moved}", "{added}") else word for word in command.split()]
    cluster.kubectl(*words, f"--namespace={NAMESPACE}")


@pytest.mark.usefixtures("world")
def test_each_change_gives_its_finding_and_no_other(
    cluster: RealCluster, battery: Battery, front: str, files: dict[str, Path], tmp_path: Path
) -> None:
    """Thirty changes at once; kept is what was wrong before, and each new finding is that of a change."""
    baseline = f"--baseline={tmp_path / 'baseline.json'}"
    outside = [{"name": "redirect", "url": f"{front}a", "status": 301}]
    nodes = {**HEALTHY["expect"]["nodes"], "taints": ["e2e"]}  # type: ignore[index]
    expect = {**HEALTHY["expect"], "nodes": nodes}  # type: ignore[dict-item]
    sections: dict[str, Any] = {"external": [*HEALTHY["external"], *outside], "expect": expect}  # type: ignore[misc]
    battery.run("--save-baseline", baseline, **sections).must_be_clear()
    battery.run(baseline, **sections).must_be_clear()
    for command in CHANGES:
        change(cluster, command, files)
    Front.location, Front.policy = "https://login.example.com/", "SAMEORIGIN"
    cluster.wait_complete(NAMESPACE)
    until("the namespace is gone", lambda: "before-gone" not in cluster.kubectl("get", "namespaces", "--output=name"))
    expected = [each for found in CHANGES.values() for each in found]
    run = battery.run(baseline, **sections)
    run.must_find(*expected, f"changes.external: {front}a")
    assert run.code == 1
    assert run.results["baseline"]["known"] == 0
    assert "new, 0 known since before the upgrade" in " ".join(run.output.split())


def test_what_a_rollout_and_a_new_node_change_is_nothing(
    cluster: RealCluster, battery: Battery, tmp_path: Path
) -> None:
    """CoreDNS is rolled, and a node is replaced by one with another name: all is clear."""
    baseline = f"--baseline={tmp_path / 'baseline.json'}"
    start_node(cluster, "extra-")
    try:
        battery.run("--save-baseline", baseline).must_be_clear()
        cluster.halt("extra-node")
        cluster.kubectl("delete", "node", "extra-00000")
        start_node(cluster, "other-")
        cluster.kubectl("rollout", "restart", "deployment/coredns", "--namespace=kube-system")
        cluster.wait_complete("kube-system")
        battery.run("--settle=60s", "--every=2s", baseline).must_be_clear()
    finally:
        cluster.halt("extra-node")
        cluster.ask("delete", "node", "extra-00000", "other-00000", "--ignore-not-found")


def start_node(cluster: RealCluster, prefix: str) -> None:
    """One more fake node."""
    options = f"--kubeconfig $K/admin.kubeconfig --prefix {prefix} --nodes 1 --lease-period {LEASE_PERIOD}"
    cluster.shell(f"start extra-node $B/fakenodes run {options}")
    until("the node is there", lambda: cluster.ask("get", "node", f"{prefix}00000").returncode == 0)
    until("the node is Ready", lambda: cluster.node_is(f"{prefix}00000", "True"))


def test_a_kubelet_with_another_default_has_room_for_fewer_pods(
    cluster: RealCluster, battery: Battery, tmp_path: Path
) -> None:
    """maxPods is 33 after a restart: its pool has fewer pods to give."""
    baseline = f"--baseline={tmp_path / 'baseline.json'}"
    battery.run("--save-baseline", baseline).must_be_clear()
    try:
        cluster.shell(f'stop node1-kubelet; KUBELET_EXTRA="maxPods: 33" {SCRIPTS}/node-up 1')
        until("the kubelet says so", lambda: pods_of(cluster) == "33")
        battery.run(baseline).must_find("changes.capacity: NodePool/*real*")
    finally:
        cluster.halt("node1-kubelet")
        cluster.nodes_up()
        until("the kubelet says 110 again", lambda: pods_of(cluster) == "110")


def pods_of(cluster: RealCluster) -> str:
    """How many pods node1 takes."""
    return cluster.kubectl("get", "node", "node1", "--output=jsonpath={.status.allocatable.pods}")
