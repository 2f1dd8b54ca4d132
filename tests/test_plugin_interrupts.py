"""Ctrl-C and killed workers: what was judged until then is told, and nothing is lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.apiserver import EmbeddedCluster, Fault
from tests.running import profile_of, started

#: Seconds from Ctrl-C to the end of the process: two on a quiet machine, and far less than what it would wait for.
SOON = 20
SLOW = """
import time, pathlib
def test_before(): pass
def test_slow():
    time.sleep(1)  # the result of the test before is on its way to the controller
    pathlib.Path(__file__).with_name("mark").touch()
    time.sleep(60)
def test_after(): pass
"""
DEADLY = f"""
import os
def test_before(): pass
def test_kill(): os.kill(os.getpid(), {int(signal.SIGKILL)})
def test_after(): pass
"""
#: Too long to be waited for by mistake.
PATIENT = {"read-timeout": "60s", "deadline": "60s"}


def alive(pid: str) -> bool:
    """Whether a process still runs; one that nobody has buried yet does not."""
    stat = Path("/proc", pid, "stat")
    return stat.exists() and ") Z " not in stat.read_text()


@pytest.fixture
def slow(tmp_path):
    """A folder with a check that takes a minute."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "test_slow.py").write_text(SLOW)
    return folder


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--settle=10m",)])
def test_while_lists_hang(tmp_path, options):
    """Every check that is known by then is inconclusive, the reports are whole, exit code 2."""
    with EmbeddedCluster("healthy", faults=[Fault("hang", "pods")]) as cluster:
        running = started(profile_of(cluster, tmp_path, **PATIENT), "-q", *options)
        running.until(lambda: any(request.path.endswith("/pods") for request in cluster.requests))
        run = running.interrupted(group=True).whole()
    assert run.code == 2
    assert run.seconds < SOON
    assert run.ids("inconclusive") or options == ("-n", "2")
    assert "the run was interrupted: this is what was judged until then" in run.results["notes"]


@pytest.mark.parametrize(("options", "group"), [((), True), (("-n", "2"), False)])
def test_between_checks(tmp_path, slow, options, group):
    """What was judged stays judged; the rest was interrupted. A check that hangs in a worker is not waited for."""
    with EmbeddedCluster("healthy") as cluster:
        running = started(profile_of(cluster, tmp_path), "-q", slow, "checks", *options)
        run = running.until((slow / "mark").exists).interrupted(group=group).whole()
    assert run.code == 2
    assert run.seconds < SOON
    assert run.outcomes["slow.before"] == "passed"
    assert run.outcomes["slow.slow"] == "inconclusive"
    assert "interrupted before it was judged" in run.reasons
    assert len(run.outcomes) > 20


def test_between_rounds(tmp_path):
    """The last whole round is told."""
    with EmbeddedCluster("healthy", forbid=["pods"]) as cluster:
        running = started(profile_of(cluster, tmp_path), "-q", "--settle=10m", "--every=5m")
        running.until(lambda: "round 1" in running.out)
        run = running.interrupted().whole()
    assert run.code == 2
    assert run.seconds < SOON
    assert run.results["rounds"] == len(run.rounds) == 1
    assert run.outcomes["nodes.ready"] == "passed"
    assert run.outcomes["pods.ready"] == "inconclusive"


def test_in_the_middle_of_a_round(tmp_path):
    """A round that was broken off is not told: the one before is, with the snapshot that it judged."""
    with EmbeddedCluster("healthy", forbid=["pods"]) as cluster:
        running = started(profile_of(cluster, tmp_path, **PATIENT), "-q", "--settle=10m", "--every=200ms")
        running.until(lambda: "round 1" in running.out)
        cluster._server.plan._faults = (Fault("hang", "nodes"),)
        asked = len(cluster.requests)
        running.until(lambda: any(request.path.endswith("/nodes") for request in cluster.requests[asked:]))
        run = running.interrupted().whole()
    assert run.code == 2
    assert run.results["rounds"] == len(run.rounds) >= 1
    assert run.outcomes["nodes.ready"] == "passed"
    assert run.results["cluster"]["nodes"]


def test_while_a_login_plugin_hangs(tmp_path):
    """Whoever presses Ctrl-C does not wait for the plugin, and it is ended with all that it has started."""
    plugin = tmp_path / "plugin"
    plugin.write_text('#!/bin/sh\nsleep 600 &\necho $! > "$(dirname "$0")/pid"\nwait\n')
    plugin.chmod(0o755)
    with EmbeddedCluster("healthy") as cluster:
        path = profile_of(cluster, tmp_path, **PATIENT)
        config = (tmp_path / "kubeconfig").read_text()
        command = f'{{"exec": {{"apiVersion": "client.authentication.k8s.io/v1", "command": "{plugin}"}}}}'
        (tmp_path / "kubeconfig").write_text(
            config.replace(f'{{\n        "token": "{cluster.token}"\n      }}', command)
        )
        assert cluster.token not in (tmp_path / "kubeconfig").read_text()
        running = started(path, "-q")
        running.until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
        run = running.interrupted().whole()
    assert run.code == 2
    assert run.seconds < SOON
    assert not alive((tmp_path / "pid").read_text().strip())


@pytest.mark.parametrize("options", [("-n", "2"), ("-n", "1", "--max-worker-restart=0")])
def test_a_killed_worker_loses_no_check(tmp_path, options):
    """The check that it was judging is inconclusive by its own id, and so is all that nobody judged instead."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "test_deadly.py").write_text(DEADLY)
    with EmbeddedCluster("healthy") as cluster:
        run = started(profile_of(cluster, tmp_path), "-q", mine, "checks", *options).ended().whole()
    assert run.code == 75
    assert "crashed while running" in run.check("deadly.kill")["reason"]
    assert {"deadly.after", "nodes.ready", "pods.ready", "api.ready"} <= run.outcomes.keys()
    assert (run.ids("inconclusive") == {"deadly.kill"}) is (options == ("-n", "2"))


def test_nothing_is_left_behind(tmp_path):
    """Folders for what processes tell each other go with the run."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with EmbeddedCluster("healthy", faults=[Fault("hang", "pods")]) as cluster:
        running = started(profile_of(cluster, tmp_path, **PATIENT), "-q", "-n", "1", TMPDIR=str(temporary))
        running.until(lambda: any(request.path.endswith("/pods") for request in cluster.requests))
        running.interrupted(group=True)
    assert [name for name in os.listdir(temporary) if not name.startswith("pytest-of-")] == []
