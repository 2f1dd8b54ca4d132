"""Starting takes time: a pod within its own promises is "not yet", one that breaks them is found."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.battery import LATE, Battery
from tests.e2e.cluster import RealCluster, until
from tests.e2e.faults import workload

#: Within two minutes, or within two seconds; either never starts.
PATIENT, STRICT = ({"exec": {"command": ["false"]}, "periodSeconds": 2, "failureThreshold": n} for n in (60, 1))
INIT = [{"name": "download", "command": ["sleep", "9999"]}]


def started(cluster: RealCluster, namespace: str) -> None:
    """Wait until the pod's first container runs, and is older than the short patience."""
    listing = ("get", "pods", f"--namespace={namespace}", "--output=json")
    until("it has started", lambda: '"startedAt"' in cluster.kubectl(*listing))
    time.sleep(2 * LATE)


@pytest.mark.parametrize(
    ("pod", "check"),
    [
        ({"containers": [{"startupProbe": PATIENT}]}, "pods.ready"),
        ({"initContainers": INIT, "containers": [{}]}, "pods.pending"),
    ],
    ids=["startup-probe", "init-container"],
)
def test_a_start_within_its_promises_is_under_way(
    cluster: RealCluster, battery: Battery, workshop: str, pod: dict[str, Any], check: str
) -> None:
    """A startupProbe's budget, and the time of an init container, are waited for although our own patience is over."""
    cluster.apply(workload(workshop, pod))
    started(cluster, workshop)
    run = battery.run()
    found = {each["check"]: each["transitional"] for each in run.findings}
    assert found[check] is True
    assert set(found.values()) == {True}, run.output


def test_a_start_that_always_fails_is_found(cluster: RealCluster, battery: Battery, workshop: str) -> None:
    """A container that its startupProbe kills again and again is not under way."""
    cluster.apply(workload(workshop, {"containers": [{"startupProbe": STRICT}]}))
    path = "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}"
    listing = ("get", "pods", f"--namespace={workshop}", path)
    until("it has restarted three times", lambda: int(cluster.kubectl(*listing) or 0) > 2, within=120)
    battery.run().must_find(f"pods.crashing: Pod/{workshop}/app-*")
