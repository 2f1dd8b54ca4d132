"""The real command with machines in its profile: looked at once, saved, judged again offline, left aside when nobody asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.running import REPOSITORY, Run
from tests.sshd import MISSING, Sshd, sshd

HOSTS = ("hosts.services", "hosts.reboot", "hosts.disk", "hosts.clock", "hosts.journal", "certs.hosts")


def run(folder: Path, hosts: dict, *options: str, cluster: dict | None = None) -> Run:
    """One run of the battery on the embedded cluster."""
    profile = folder / "own.yaml"
    profile.write_text(yaml.safe_dump({"cluster": cluster or {"embedded": "healthy"}, "hosts": hosts}))
    reports = folder / "reports"
    command = [sys.executable, "-m", "pytest", f"--profile={profile}", f"--reports={reports}", *options]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    return Run(done.returncode, done.stdout + done.stderr, reports / "partial", 0.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An sshd with two hosts."""
    with sshd(tmp_path_factory.mktemp("sshd"), hosts=2) as server:
        yield server


def machines(server: Sshd) -> dict:
    """Both hosts, and one where nobody listens."""
    specs = [*(each.spec for each in server.machines), "ssh://root@127.0.0.1:1"]
    return {"each": specs, "key": str(server.key), "known-hosts": str(server.known_hosts), "disk": {"free": "100%"}}


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_machines_are_looked_at_saved_and_judged_again_offline(server, tmp_path):
    """What ssh saw is in the snapshot: without any host the same profile comes to the same results; with xdist as well."""
    server.machines[0].write("run/reboot-required")
    hosts = machines(server)
    seen = run(tmp_path, hosts, "-m", "hosts or certs", "-n", "1").whole()
    assert {seen.outcomes[id] for id in HOSTS} == {"inconclusive"}
    assert seen.code == 75
    unreachable = "127.0.0.1:1: connection refused"
    assert all(seen.check(id)["reason"].startswith(unreachable) for id in HOSTS)
    assert [each["object"] for each in seen.check("hosts.reboot")["findings"]] == [f"Host/{server.machines[0].name}"]
    saved = tmp_path / "saved.gz"
    (seen.reports / "snapshot.json.gz").rename(saved)
    again = run(tmp_path, hosts, "-m", "hosts or certs", cluster={"snapshot": str(saved)}).whole()
    for id in HOSTS:
        assert again.check(id) | {"duration": 0} == seen.check(id) | {"duration": 0}


def test_an_unreachable_host_is_told_in_one_line(tmp_path):
    """All checks that have nothing else to say share one line of the report."""
    hosts = {"each": ["ssh://127.0.0.1:1"], "preset": "containerd"}
    told = run(tmp_path, hosts, "-m", "hosts or certs").whole()
    assert told.out.count("127.0.0.1:1: connection refused") == 1, told.out


def test_nobody_logs_in_where_no_check_asks(tmp_path):
    """With -m 'not hosts and not certs' no host is looked at."""
    told = run(tmp_path, {"each": ["ssh://127.0.0.1:1"]}, "-m", "nodes").whole()
    assert told.code == 0
    assert "connection refused" not in told.out


def test_without_machines_in_the_profile_their_checks_are_skipped_and_named(tmp_path):
    """A profile without `hosts:` skips all of them visibly."""
    profile = tmp_path / "own.yaml"
    profile.write_text(yaml.safe_dump({"cluster": {"embedded": "healthy"}}))
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--profile={profile}",
        f"--reports={tmp_path / 'reports'}",
        "-m",
        "hosts or nodes",
    ]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    told = Run(done.returncode, done.stdout, tmp_path / "reports" / "partial", 0.0).whole()
    assert told.check("hosts.disk")["reason"] == "the profile says nothing under hosts:"
    assert (
        told.check("hosts.ports")["reason"] == "the profile says nothing under hosts.listening or hosts.not-listening:"
    )
