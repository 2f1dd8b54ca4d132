"""Faults of the control plane, one at a time; after each the cluster is all clear again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.e2e.battery import Battery, Run
from tests.e2e.cluster import RealCluster, until
from tests.e2e.faults import workload

Broken = Callable[..., None]
#: An API server that answers nothing must not hold up a test for longer.
HURRY = {"connect-timeout": "2s", "read-timeout": "3s", "deadline": "6s"}
LIMIT = 40.0
LEASES = "control-plane.leases"
#: What the connection itself tells.
CONNECTED = ("certs.api-server", "certs.client")


@pytest.fixture
def hurried(cluster: RealCluster, battery: Battery) -> Callable[..., Run]:
    """A run that gives up soon on an API server that does not answer; and that keeps to its time."""

    def run(**patience: str) -> Run:
        began = time.monotonic()
        done = battery.run(cluster={"kubeconfig": str(cluster.kubeconfig), **HURRY, **patience}, external=None)
        took = time.monotonic() - began
        assert took < LIMIT, f"it took {took:.0f} s to say that nothing answers"
        return done

    return run


def must_blame_the_api_server_alone(run: Run) -> None:
    """`api.ready` fails, no check passes, and all reports are there."""
    assert {each["check"] for each in run.findings} == {"api.ready"}, run.output
    assert run.code == 1
    assert run.having("passed") == set()
    assert {path.name for path in run.reports.iterdir()} >= {"junit.xml", "results.json", "report.html"}
    ElementTree.parse(run.reports / "junit.xml")
    assert "Traceback" not in run.output


def test_an_api_server_that_is_gone_is_one_finding(
    cluster: RealCluster, hurried: Callable[..., Run], broken: Broken
) -> None:
    """Where nothing listens, `api.ready` fails and everything else is inconclusive, at once."""
    broken(lambda: cluster.halt("kube-apiserver", "KILL"), cluster.resume)
    must_blame_the_api_server_alone(hurried())


def test_an_api_server_that_hangs_is_one_finding(
    cluster: RealCluster, hurried: Callable[..., Run], broken: Broken
) -> None:
    """An API server that accepts connections and says nothing is given up on, and named."""
    broken(lambda: cluster.signal("kube-apiserver", "STOP"), lambda: thaw(cluster))
    must_blame_the_api_server_alone(hurried())


def thaw(cluster: RealCluster) -> None:
    """Let the API server go on, and start whoever gave up meanwhile."""
    cluster.signal("kube-apiserver", "CONT")
    until("the API server answers", lambda: cluster.answers)
    cluster.resume()


def test_an_api_server_without_its_store_says_so(
    cluster: RealCluster, hurried: Callable[..., Run], broken: Broken
) -> None:
    """Without etcd the API server is up and not ready: the failing sub-check is named, and no list is taken for empty."""
    broken(lambda: cluster.halt("etcd"), cluster.resume)
    until("the API server notices", lambda: cluster.ask("get", "--raw=/readyz").returncode != 0, within=30)
    run = hurried(**{"read-timeout": "15s", "deadline": "15s"})
    assert {each["check"] for each in run.findings} == {"api.ready"}, run.output
    assert "etcd" in run.findings[0]["observed"]
    assert (run.code, run.having("passed") - {"api.version", *CONNECTED}) == (1, set()), run.output


def test_pods_that_no_scheduler_sees_are_found(
    cluster: RealCluster, battery: Battery, workshop: str, broken: Broken
) -> None:
    """Without a scheduler a new pod waits without a word; the scheduler is the only cause."""
    broken(lambda: cluster.halt("kube-scheduler"), lambda: recover(cluster, workshop))
    cluster.apply(workload(workshop, {"containers": [{}]}))
    until("the pod waits in vain", lambda: battery.run("-k", "scheduler").code == 1)
    until("the scheduler's lease is old", lambda: battery.run("-k", LEASES).code == 1)
    run = battery.run()
    run.must_find("control-plane.leases: Lease/kube-system/kube-scheduler")
    assert "pods.scheduler-silent" in {each["check"] for each in run.findings}


def recover(cluster: RealCluster, namespace: str) -> None:
    """Start what was stopped, and wait until it has caught up."""
    cluster.resume()
    cluster.wait_complete(namespace)


def test_endpoints_that_nobody_keeps_up_are_found(
    cluster: RealCluster, battery: Battery, workshop: str, broken: Broken
) -> None:
    """With a dead controller manager a Service goes on naming a pod that is gone, and its Deployment goes on counting it."""
    service = {"selector": {"app": "app"}, "ports": [{"port": 80}]}
    meta = {"name": "front", "namespace": workshop}
    cluster.apply(
        workload(workshop, {"containers": [{}]}),
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
    )
    cluster.wait_complete(workshop)
    until(
        "the Service has an endpoint",
        lambda: any(each["endpoints"] for each in cluster.get("endpointslices", workshop)),
    )
    broken(lambda: cluster.halt("kube-controller-manager"), lambda: recover(cluster, workshop))
    cluster.kubectl("delete", "pod", "--all", f"--namespace={workshop}")
    until("its lease is old", lambda: battery.run("-k", LEASES).code == 1)
    run = battery.run()
    run.must_find("control-plane.leases: Lease/kube-system/kube-controller-manager")
    assert {"services.endpoints-live", "deployments.ready"} <= {each["check"] for each in run.findings}


def test_a_restart_since_the_baseline_is_found(
    cluster: RealCluster, battery: Battery, workshop: str, tmp_path: Path
) -> None:
    """One restart is fine without a baseline, and a finding with one from before it."""
    mortal = {"command": ["sh", "-c", "trap exit TERM; while true; do sleep 1; done"]}
    cluster.apply(workload(workshop, {"containers": [mortal]}))
    cluster.wait_complete(workshop)
    baseline = tmp_path / "baseline.json"
    battery.run("--save-baseline", f"--baseline={baseline}").must_be_clear()
    cluster.kubectl("exec", "deployment/app", f"--namespace={workshop}", "--", "kill", "1")
    until("its container has restarted", lambda: restarted(cluster, workshop))
    cluster.wait_complete(workshop)
    battery.run().must_be_clear()
    battery.run(f"--baseline={baseline}").must_find(f"pods.restarts: Pod/{workshop}/app-*")


def restarted(cluster: RealCluster, namespace: str) -> bool:
    """The container of the one pod there runs for the second time."""
    [pod] = cluster.get("pods", namespace)
    [status] = pod["status"]["containerStatuses"]
    return status["restartCount"] == 1 and "running" in status["state"]
