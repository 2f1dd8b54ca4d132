"""The nodes as machines: an sshd in each node's network namespace, where its kubelet, containerd and kube-proxy run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.battery import Battery, Run
from tests.e2e.cluster import FAKE_NODES, SCRIPTS, RealCluster, until
from tests.sshd import Sshd, sshd

Broken = Callable[..., None]
NODES = {"node1": "10.199.0.11", "node2": "10.199.0.12"}
#: The checks for which these nodes, which have no systemd, hold something to judge.
JUDGED = ("hosts.ports", "hosts.arguments", "hosts.versions", "certs.hosts")


@pytest.fixture(scope="module")
def doors(cluster: RealCluster, tmp_path_factory) -> Iterator[dict[str, Sshd]]:
    """A way into each real node."""
    with ExitStack() as stack:
        yield {
            node: stack.enter_context(
                sshd(tmp_path_factory.mktemp(node), 1, address=address, under=["ip", "netns", "exec", node])
            )
            for node, address in NODES.items()
        }


@pytest.fixture
def look(cluster: RealCluster, battery: Battery, doors: dict[str, Sshd], tmp_path) -> Callable[..., Run]:
    """A run of the checks of machines, over both real nodes unless told otherwise."""
    known = tmp_path / "known_hosts"
    known.write_text("".join(door.known_hosts.read_text() for door in doors.values()))
    config = tmp_path / "ssh_config"
    keys = (
        f"Match host {door.address}\n  IdentityFile {door.key}\n  Port {door.machines[0].port}"
        for door in doors.values()
    )
    config.write_text("\n".join(keys) + "\n")
    access = {"known-hosts": str(known), "ssh-config": str(config), "timeout": "20s"}
    demands = {
        "listening": ["0.0.0.0:10256", "127.0.0.1:10248", "{address}:10250"],
        "not-listening": ["10255"],
        "arguments": {"kubelet": ["--v=2"]},
        "certificates": [f"{cluster.home}/pki/{node}.crt" for node in NODES],
    }

    def run(*options: str, **keys: object) -> Run:
        each = [f"ssh://root@{address}" for address in NODES.values()]
        hosts = {"each": each, **access, **demands, **keys}
        expect = {"hosts": {"kubelet": "1.36", "containerd": ">=1.6", "kernel": ">=4"}}
        return battery.run("-m", "hosts or certs or changes", *options, hosts=hosts, expect=expect, external=None)

    return run


def test_the_real_components_are_seen_as_they_run(look: Callable[..., Run]) -> None:
    """Sockets, command lines, running versions and certificates of the real nodes are judged, and all are right."""
    run = look()
    assert {run.outcomes[id] for id in JUDGED} == {"passed"}, run.output
    assert {each["examined"] for each in run.results["checks"] if each["id"] in JUDGED} == {2}
    assert "systemd" in run.reason("hosts.services")


def test_a_health_port_on_localhost_is_found_on_its_node(
    cluster: RealCluster, look: Callable[..., Run], broken: Broken
) -> None:
    """kube-proxy's health port on 127.0.0.1, as after a change of defaults, is named with where it is, on that node alone.

    Where the baseline knows what it was, both values are told, and nothing else has changed.
    """
    baseline = look("--save-baseline").baseline
    assert found_changes(look(baseline)) == []

    def restart(extra: str) -> None:
        cluster.halt("node1-kube-proxy")
        cluster.shell(f"PROXY_EXTRA='{extra}' {SCRIPTS}/node-up 1")

    broken(lambda: restart("healthzBindAddress: 127.0.0.1:10256"), lambda: restart(""))
    until("the health port is there again", lambda: "127.0.0.1:10256" in listening(cluster), within=30)
    run = look(baseline)
    ((object, observed),) = found_changes(run)
    assert object == "KubeProxy/10.199.0.11/healthzBindAddress"
    assert observed == "0.0.0.0:10256 → 127.0.0.1:10256 on 10.199.0.11"
    (finding,) = (each for each in run.findings if each["check"] == "hosts.ports")
    assert finding["object"] == "Host/10.199.0.11"
    assert finding["observed"] == "does not listen on 0.0.0.0:10256 but on 127.0.0.1:10256 (kube-proxy)"


def found_changes(run: Run) -> list[tuple[str, str]]:
    """What has changed since the baseline on the hosts that were looked at.

    All nodes share the machine's processes here, so that which kube-proxy's arguments are seen may change.
    """
    assert run.outcomes["changes.hosts"] in ("passed", "failed"), run.output
    changed = (each for each in run.findings if each["check"] == "changes.hosts")
    return [(each["object"], each["observed"]) for each in changed if not each["object"].startswith("Argument/")]


def listening(cluster: RealCluster) -> str:
    """What node1 listens on."""
    return cluster.shell("nsenter --net=/var/run/netns/node1 -- ss -Hltn")


def test_every_node_is_looked_at_and_the_unreachable_ones_are_told_once(look: Callable[..., Run]) -> None:
    """`each: node` takes the nodes from the cluster; the fake ones answer nobody, and are one sentence for every check."""
    run = look(each="node", connection="ssh://root@{address}", groups=[{"name": "real", "labels": {"type": "real"}}])
    reason = run.reason("hosts.ports")
    assert reason.startswith("fake-00000, fake-00001, "), run.output
    assert {run.reason(id) for id in JUDGED} == {reason}
    assert next(each["examined"] for each in run.results["checks"] if each["id"] == "hosts.ports") == len(NODES)
    assert run.code == 75, run.output
    assert FAKE_NODES > 5, "the sentence names five and counts the others"


def test_what_a_node_lacks_is_found(look: Callable[..., Run]) -> None:
    """Other demands on the same nodes fail: an argument, a version, a certificate that is too near its end."""
    run = look(arguments={"kubelet": ["--v=9"]}, **{"tls-days": 100000})
    found = {each["check"]: each["observed"] for each in run.findings if each["object"] == "Host/10.199.0.11"}
    assert found["hosts.arguments"].endswith("--v=2")
    assert run.code == 1
