"""Beyond Kubernetes: any object in CEL, what custom resources say of themselves, Prometheus, kinds of one's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.battery import CHECKOUT, Battery
from tests.e2e.cluster import RealCluster, until
from tests.e2e.faults import definition, namespace, workload
from tests.servers import free_port
from tests.test_prometheus import get, process

SPACE = "beyond"
KINDS = [
    definition("argoproj.io", "v1alpha1", "Application"),
    definition("cert-manager.io", "v1", "Certificate"),
]
LONG_AGO = "2026-01-01T00:00:00Z"
RULES: list[dict[str, Any]] = [
    {"alert": "TargetDown", "expr": "up == 0", "labels": {"severity": "critical"}},
    {"alert": "Known", "expr": "vector(1)"},
    {"alert": "Pending", "expr": "vector(1)", "for": "1h"},
    {
        "alert": "KubePodCrashLooping",
        "expr": "vector(1)",
        "labels": {"namespace": SPACE, "deployment": "app"},
    },
]


def application(name: str, health: str) -> dict[str, Any]:
    """An application of Argo CD."""
    meta = {"name": name, "namespace": SPACE, "labels": {"team": "shop"}}
    spec = {"source": {"repoURL": "https://git.example.com/shop"}}
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta}
    return {**head, "spec": spec, "status": {"health": {"status": health, "lastTransitionTime": LONG_AGO}}}


def certificate(ready: str) -> dict[str, Any]:
    """A certificate of cert-manager."""
    condition = {"type": "Ready", "status": ready, "reason": "Issuing", "message": "", "lastTransitionTime": LONG_AGO}
    head = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "web", "namespace": SPACE}}
    return {**head, "status": {"conditions": [condition]}}


def expectation(name: str, kind: str = "Application", **more: Any) -> dict[str, Any]:
    """An entry of `resources:`; by default that applications are healthy."""
    head = {"name": name, "apiVersion": "argoproj.io/v1alpha1", "kind": kind, "namespace": SPACE}
    return head | {"that": 'status.health.status == "Healthy"'} | more


@pytest.fixture(scope="module")
def beyond(cluster: RealCluster) -> Iterator[RealCluster]:
    """The cluster with an application and a certificate that are not right, and a workload that crashes."""
    try:
        cluster.apply(*KINDS, namespace(SPACE))
        for kind in ("applications.argoproj.io", "certificates.cert-manager.io"):
            cluster.kubectl("wait", f"crd/{kind}", "--for=condition=Established", "--timeout=60s")
            until(f"{kind} are served", lambda kind=kind: cluster.ask("get", kind).returncode == 0)
        cluster.apply(application("good", "Healthy"), application("sick", "Degraded"), certificate("False"))
        cluster.apply(workload(SPACE, {"containers": [{"command": ["sh", "-c", "exit 1"]}]}))
        yield cluster
    finally:
        cluster.remove([SPACE])
        cluster.ask("delete", "crd", "applications.argoproj.io", "certificates.cert-manager.io")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real Prometheus, with a target that is down."""
    if shutil.which("prometheus") is None:
        pytest.skip("not here: prometheus; apt-get install prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [f"127.0.0.1:{free_port()}"]}]}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "ours", "rules": RULES}]}))
    listen = (f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=data")
    with process(folder, f"http://127.0.0.1:{port}", "prometheus", "--config.file=prometheus.yaml", *listen) as url:
        until("all alerts are there", lambda: len(get(f"{url}/api/v1/alerts")["data"]["alerts"]) == len(RULES))
        yield url


def test_objects_conditions_and_alerts(beyond: RealCluster, battery: Battery, prometheus: str) -> None:
    """What the profile expects and is not so is found: by name, by selector, of a kind that is not served; conditions; alerts.

    A condition that cannot be evaluated fails. An alert about a workload that crashes follows from that.
    """
    until("the pod has crashed", lambda: battery.run("-k", "pods.crashing").code == 1, within=60)
    run = battery.run(
        resources=[
            expectation("good", object="good"),
            expectation("sick", object="sick"),
            expectation("absent", object="missing"),
            expectation("unselected", selector="team=nobody"),
            expectation("unserved", kind="Applicaton"),
            expectation("fieldless", object="good", that="status.sync.status == 'Synced'"),
        ],
        conditions={},
        prometheus={
            "url": prometheus,
            "ignore": ["Known"],
            "queries": [
                {"name": "errors", "query": "vector(3)", "that": "< 1"},
                {"name": "fine", "query": "vector(3)", "that": "> 1"},
            ],
        },
    )
    run.must_find(
        f"pods.crashing: Pod/{SPACE}/app-*",
        f"expect.sick: Application/{SPACE}/sick",
        f"expect.absent: Application/{SPACE}/missing",
        f"expect.unselected: Application/{SPACE}/*",
        f"expect.unserved: Applicaton/{SPACE}/*",
        f"expect.fieldless: Application/{SPACE}/good",
        f"conditions.false: Application/{SPACE}/sick",
        f"conditions.false: Certificate/{SPACE}/web",
        "alerts.firing: Alert/TargetDown",
        "alerts.query.errors: *",
    )
    assert "alerts.firing: Deployment/beyond/app" in {f"{each['check']}: {each['object']}" for each in run.findings}


def test_kinds_of_ones_own(beyond: RealCluster, battery: Battery, tmp_path: Path) -> None:
    """The examples of CONTRIBUTING.md, with kinds of their own, find the same on a real cluster."""
    blocks = re.findall(r"```python\n(.*?)\n```", (CHECKOUT / "CONTRIBUTING.md").read_text(), re.S)
    examples = [each for each in blocks if "@kind" in each]
    assert len(examples) == 2
    (folder := tmp_path / "own").mkdir()
    for number, text in enumerate(examples):
        (folder / f"test_own_{number}.py").write_text(text)
    run = battery.run(f"--config-file={CHECKOUT / 'pyproject.toml'}", str(folder))
    run.must_find(f"argocd.healthy: Application/{SPACE}/sick", f"certificates.ready: Certificate/{SPACE}/web")


def test_all_is_clear_once_it_is_repaired(beyond: RealCluster, battery: Battery, prometheus: str) -> None:
    """With the objects repaired, and the alerts acknowledged, nothing is left."""
    beyond.apply(application("sick", "Healthy"), certificate("True"))
    beyond.kubectl("delete", "deployment", "app", f"--namespace={SPACE}")
    acknowledged = {"url": prometheus, "ignore": ["Known", '{job="shop"}', "Kube*"]}
    sections = {"resources": [expectation("all")], "conditions": {}, "prometheus": acknowledged}
    battery.run("--settle=60s", "--every=1s", **sections).must_be_clear()
