"""`upgate watch` beside faults of a real cluster: what it tells, against an independent loop of curl."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.battery import UNPROVEN
from tests.e2e.cluster import CHECKOUT, WORLDS, RealCluster, until

#: The address of node2, which is not drained: its kube-proxy leads to the pods on either node.
ENTRANCE, PORTS = "10.199.0.12", {"one": 30081, "three": 30083}
pytestmark = UNPROVEN
PROFILE = """
cluster: {{kubeconfig: {kubeconfig}}}
external:
  - {{name: one, url: "http://10.199.0.12:30081/", timeout: 1s, budget: 30s}}
  - {{name: three, url: "http://10.199.0.12:30083/", timeout: 1s}}
watch: {{interval: 100ms}}
"""
#: A loop of curl with -m 1 asks no more often than each second while nothing answers.
CURL_ERROR = 1.5
LOOP = (
    "while :; do s=$(date +%s.%N); c=$(curl -s -o /dev/null -m 1 -w '%{http_code}' http://10.199.0.12:30081/); "
    "echo $s $c; sleep 0.05; done"
)


class Watch:
    """A watch that runs, and a loop of curl beside it."""

    def __init__(self, folder: Path, cluster: RealCluster) -> None:
        self.record = folder / "reports" / "disruption.jsonl"
        (folder / "prod.yaml").write_text(PROFILE.format(kubeconfig=cluster.kubeconfig))
        command = [sys.executable, "-m", "upgate", "watch", "--profile=./prod.yaml", "--reports=reports"]
        self._curl = (folder / "curl.txt").open("w+")
        self._processes = [
            subprocess.Popen(
                command, cwd=folder, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, stdout=subprocess.DEVNULL
            ),
            subprocess.Popen(["bash", "-c", LOOP], stdout=self._curl, start_new_session=True),
        ]
        until("the watch sees the cluster", lambda: self.record.exists() and "Services" in self.record.read_text())
        until("samples were taken", lambda: self.target("one")["samples"] > 5)

    def timeline(self) -> dict[str, Any]:
        """What it says now."""
        command = [sys.executable, "-m", "upgate", "timeline", "--format=json", str(self.record)]
        return json.loads(subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout)

    def target(self, name: str) -> dict[str, Any]:
        """One target."""
        return next(each for each in self.timeline()["targets"] if each["name"] == name)

    def events(self) -> list[str]:
        """What the cluster did."""
        return [f"{each['object']}: {each['what']}" for each in self.timeline()["events"]]

    def seen_by_curl(self) -> float:
        """Seconds from the first failing request to the first good one, all outages together."""
        self._curl.seek(0)
        rows = [line.split() for line in self._curl.read().splitlines() if len(line.split()) == 2]
        total, since = 0.0, 0.0
        for moment, code in rows:
            if code != "200" and not since:
                since = float(moment)
            elif code == "200" and since:
                total, since = total + float(moment) - since, 0.0
        return total

    def end(self) -> None:
        """Stop both."""
        self._processes[0].send_signal(signal.SIGINT)
        os.killpg(self._processes[1].pid, signal.SIGKILL)
        for each in self._processes:
            each.wait(20)
        self._curl.close()


@pytest.fixture
def watch(cluster: RealCluster, tmp_path: Path) -> Iterator[Watch]:
    """A watch beside the two Deployments."""
    with namespace_of_watched(cluster):
        made = Watch(tmp_path, cluster)
        try:
            yield made
        finally:
            made.end()


@contextmanager
def namespace_of_watched(cluster: RealCluster) -> Iterator[None]:
    """The Deployments, complete, and reached from outside."""
    cluster.apply(WORLDS / "watched.yaml")
    try:
        cluster.wait_complete("watched")
        for port in PORTS.values():
            url = f"http://{ENTRANCE}:{port}/"
            until(
                f"{url} answers",
                lambda url=url: subprocess.run(["curl", "-sf", "-m", "1", url], check=False).returncode == 0,
            )
        yield
    finally:
        cluster.remove(["watched"])


def node_of_one(cluster: RealCluster) -> str:
    """Where the single replica runs."""
    pods = [each for each in cluster.get("pods", "watched") if each["metadata"]["labels"]["app"] == "one"]
    return next(each["spec"]["nodeName"] for each in pods if "deletionTimestamp" not in each["metadata"])


def test_a_drain_cuts_off_a_single_replica_and_not_three(cluster: RealCluster, watch: Watch) -> None:
    """The outage is that of curl, and the sentence names the drain; the Service with three replicas had none."""
    node = node_of_one(cluster)
    try:
        cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=90s")
        until("the replacement answers", lambda: watch.target("one")["outages"] and not last(watch)["ongoing"])
    finally:
        cluster.kubectl("uncordon", node)
    time.sleep(3)
    told = watch.target("one")
    assert told["outage_seconds"] > 0.3
    assert abs(told["outage_seconds"] - watch.seen_by_curl()) <= CURL_ERROR
    assert f"when {node} was drained; its only ready endpoint was there" in " ".join(watch.timeline()["sentences"])
    assert watch.target("three")["outage_seconds"] <= 0.2
    assert {f"Node/{node}: cordoned", f"Node/{node}: drain began"} <= {*watch.events()}


def last(watch: Watch) -> dict[str, Any]:
    """The last outage of the single replica."""
    return watch.target("one")["outages"][-1]


def test_restarts_of_kubelet_and_kube_proxy_are_told_and_cut_nobody_off(cluster: RealCluster, watch: Watch) -> None:
    """Both are events of their node; packets flow on."""
    cluster.halt("node1-kubelet")
    cluster.halt("node2-kube-proxy")
    cluster.nodes_up()
    until(
        "both starts are told",
        lambda: {"Node/node1: kubelet started", "Node/node2: kube-proxy started"} <= {*watch.events()},
        every=1,
    )
    assert watch.target("one")["outage_seconds"] <= 0.3
    assert watch.seen_by_curl() <= CURL_ERROR


def test_a_node_that_is_cut_off_takes_its_address_with_it(cluster: RealCluster, watch: Watch) -> None:
    """The outage of the node port is as long as curl's."""
    cluster.shell("ip link set rcn2 down")
    try:
        time.sleep(8)
    finally:
        cluster.shell("ip link set rcn2 up")
    until("it answers again", lambda: watch.target("one")["outages"] and not last(watch)["ongoing"])
    told = watch.target("one")
    assert abs(told["outage_seconds"] - watch.seen_by_curl()) <= CURL_ERROR
    assert told["outage_seconds"] > 7


def test_an_outage_of_the_api_server_is_survived(cluster: RealCluster, watch: Watch) -> None:
    """The API server is a target of its own; the watches go on afterwards; users noticed nothing."""
    cluster.halt("kube-apiserver", "KILL")
    time.sleep(2)
    cluster.resume()
    until("the cluster is watched again", lambda: "Watch: the cluster is watched again" in watch.events(), every=1)
    assert watch.target("kube-apiserver")["outage_seconds"] > 1.5
    assert watch.target("one")["outage_seconds"] <= 0.3
    cluster.kubectl("cordon", "node1")
    cluster.kubectl("uncordon", "node1")
    until("changes are told again", lambda: "Node/node1: uncordoned" in watch.events(), every=1)
