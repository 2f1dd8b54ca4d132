"""A rollout under way is "not yet", and settling waits for it."""

from __future__ import annotations

import json
import time

import pytest

from tests.e2e.battery import Battery
from tests.e2e.cluster import RealCluster
from tests.e2e.faults import workload

#: Ready 8 s after its start: three replicas one after the other take longer than a look on a busy machine.
SLOW = {
    "containers": [{"readinessProbe": {"exec": {"command": ["true"]}, "initialDelaySeconds": 8, "periodSeconds": 1}}]
}
ROLLING = {
    "Deployment": {"strategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}},
    "StatefulSet": {},
    "DaemonSet": {},
}
CHECKS = {"Deployment": "deployments.ready", "StatefulSet": "statefulsets.ready", "DaemonSet": "daemonsets.ready"}


@pytest.fixture
def rolling(cluster: RealCluster, workshop: str) -> None:
    """One workload of each kind, half way from one version to the next."""
    cluster.apply(*(workload(workshop, SLOW, 3, {"kind": kind, "spec": spec}) for kind, spec in ROLLING.items()))
    cluster.wait_complete(workshop)
    for kind in ROLLING:
        cluster.kubectl("set", "env", f"{kind}/app", "VERSION=2", f"--namespace={workshop}")
    cluster.kubectl("wait", "deployment/app", f"--namespace={workshop}", "--for=jsonpath={.status.updatedReplicas}=1")


@pytest.mark.usefixtures("rolling")
def test_a_rollout_is_not_yet_clear_and_settling_waits_for_it(battery: Battery, workshop: str) -> None:
    """While it goes on, each workload is one transitional finding and the gate says "run again"; --settle turns it green."""
    run = battery.run(patience=None)
    run.must_find(*(f"{CHECKS[kind]}: {kind}/{workshop}/app" for kind in ROLLING))
    assert all(each["transitional"] for each in run.findings)
    assert run.code == 75
    assert "--settle" in run.output

    settled = battery.run("--settle=2m", "--clean=2", "--every=1s", patience=None)
    settled.must_be_clear()
    rounds = [json.loads(line) for line in (settled.reports / "rounds.jsonl").read_text().splitlines()]
    assert rounds[0]["verdict"] == "inconclusive"
    assert [each["verdict"] for each in rounds[-2:]] == ["clear", "clear"]
    assert len(rounds) == settled.results["rounds"]
    waited = {each["id"]: each["clear_after"] for each in settled.results["checks"]}
    assert waited["deployments.ready"] > waited["nodes.ready"] >= 0


def test_settling_gives_up_in_time(cluster: RealCluster, battery: Battery, workshop: str) -> None:
    """What does not settle within the time given is not clear, and the run takes little longer than that."""
    cluster.apply(workload(workshop, {"nodeSelector": {"type": "quantum"}, "containers": [{}]}))
    began = time.monotonic()
    battery.run()
    once = time.monotonic() - began
    run = battery.run("--settle=8s", "--every=1s")
    assert time.monotonic() - began < 8 + 4 * once
    run.must_find(f"pods.pending: Pod/{workshop}/app-*")
    assert run.code == 1
    assert "0 of 1 clean rounds" in " ".join(run.results["notes"])
