"""The checks of machines, trap by trap."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.machines import NOW, certificate, command, file_system, host, limit, line, reboot, service, socket
from tests.worlds import good, judge, node, profile, snapshot
from upgate.battery.machine import ssh_login
from upgate.facts.hosts import Host
from upgate.results import CheckResult


def said(id: str, *hosts: Host, nodes: list[dict[str, Any]] | None = None, **keys: Any) -> CheckResult:
    """What a check says of these machines, one for each node."""
    world = good(nodes=nodes or [node(each.name) for each in hosts])
    return judge(
        id, snapshot(world, hosts=list(hosts)), profile=profile(hosts=keys, expect={"hosts": {"kubelet": "1.36"}})
    )


def observed(id: str, machine: Host, **keys: Any) -> str:
    """What it found wrong on one machine; empty where nothing is."""
    return "".join(each.observed for each in said(id, machine, **keys).findings)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"enabled": "static"}, ""),
        ({"enabled": "indirect"}, ""),
        ({"enabled": "alias"}, ""),
        ({"enabled": "disabled"}, "kubelet: disabled"),
        ({"enabled": "enabled-runtime"}, "kubelet: enabled-runtime"),
        ({"enabled": "masked"}, "kubelet: masked"),
        ({"enabled": ""}, "kubelet: not enabled"),
        ({"state": "activating", "sub": "auto-restart"}, "kubelet: activating (auto-restart)"),
        ({"state": "inactive", "sub": "dead", "kind": "oneshot", "result": "success"}, ""),
        ({"state": "inactive", "sub": "dead", "kind": "oneshot", "result": "exit-code"}, "kubelet: inactive (dead)"),
        ({"state": "running", "enabled": "always", "container": True}, ""),
        ({"state": "running", "enabled": "no", "container": True}, "kubelet: its restart policy is no"),
    ],
)
def test_a_service_runs_and_starts_by_itself(change, found):
    """Static and indirect units start when they are needed, a oneshot unit that has done its work is fine."""
    machine = host(services=(service(**change), service("containerd")))
    assert observed("hosts.services", machine) == found


def test_one_runtime_is_enough():
    """A runtime that was replaced may lie there dead, as long as another one runs."""
    runtimes = (service("docker", "inactive", "disabled"), service("crio"))
    assert observed("hosts.services", host(services=(service(), *runtimes))) == ""
    dead = observed("hosts.services", host(services=(service(), runtimes[0])))
    assert dead == "docker: inactive (running), disabled"


@pytest.mark.parametrize(
    ("demanded", "listens", "is_there"),
    [
        ("0.0.0.0:10256", "*", True),
        ("0.0.0.0:10256", "0.0.0.0", True),
        ("0.0.0.0:10256", "127.0.0.1", False),
        ("0.0.0.0:10256", "::", False),
        ("0.0.0.0:10256", "10.0.0.1", False),
        ("[::]:10256", "*", True),
        ("[::]:10256", "::", True),
        ("[::]:10256", "0.0.0.0", False),
        ("127.0.0.1:10256", "0.0.0.0", True),
        ("127.0.0.1:10256", "*", True),
        ("[::1]:10256", "::", True),
        ("[::1]:10256", "0.0.0.0", False),
        ("*:10256", "0.0.0.0", True),
        ("*:10256", "10.0.0.1", False),
        ("10256", "127.0.0.1", True),
        ("{address}:10256", "10.0.0.1", True),
        ("{address}:10256", "10.0.0.2", False),
        ("0.0.0.0:10256/udp", "0.0.0.0", False),
        ("[0:0:0:0:0:0:0:1]:10256", "::1", True),
    ],
)
def test_a_socket_is_there_where_it_is_reached(demanded, listens, is_there):
    """All addresses include one's own; a dual-stack socket is on both families; 127.0.0.1 is reached from nowhere else."""
    machine = host(sockets=(socket(listens),))
    assert (observed("hosts.ports", machine, listening=[demanded]) == "") == is_there
    assert (observed("hosts.ports", machine, **{"not-listening": [demanded]}) != "") == is_there


@pytest.mark.parametrize(
    ("arguments", "lacks"),
    [
        (["--anonymous-auth=true"], ""),
        (["-anonymous-auth=true"], ""),
        (["--anonymous-auth", "true"], ""),
        (["--anonymous_auth=True"], ""),
        (["--anonymous-auth", "--v=2"], ""),
        (["--anonymous-auth=false", "--anonymous-auth=true"], ""),
        (["--anonymous-auth=true", "--anonymous-auth=false"], "--anonymous-auth=false"),
        (["--anonymous-auth-x=true"], "--anonymous-auth is not set"),
        (["--config=/etc/x"], "--anonymous-auth is not set (it may be in the file of --config)"),
    ],
)
def test_arguments_are_read_as_go_reads_them(arguments, lacks):
    """One or two hyphens, with or without `=`, and of two equal flags the last counts."""
    found = observed(
        "hosts.arguments", host(commands=(command(*arguments),)), arguments={"kubelet": ["--anonymous-auth=true"]}
    )
    assert found == (f"kubelet (process 7): {lacks}" if lacks else "")


def test_what_runs_counts_before_what_would():
    """Of a component that runs its manifest is not asked; each of several processes is."""
    lines = (command("--a=1"), command("--a=2", running=False, source="/x.yaml"), command("--a=3", source="process 8"))
    assert (
        observed("hosts.arguments", host(commands=lines), arguments={"kubelet": ["--a=1"]})
        == "kubelet (process 8): --a=3"
    )


def test_a_unit_with_variables_does_not_tell_its_arguments():
    """Nobody knows what $KUBELET_EXTRA_ARGS would be: inconclusive, not green."""
    unit = command("--a=1", "$KUBELET_EXTRA_ARGS", running=False, source="unit kubelet")
    result = said("hosts.arguments", host(commands=(unit,)), arguments={"kubelet": ["--a=1"]})
    assert (result.outcome, result.reason) == (
        "inconclusive",
        "kubelet does not run on worker-1, and unit kubelet has variables",
    )
    assert not said("hosts.arguments", host(commands=(unit,)), arguments={"kubelet": ["--b=1"]}).findings


@pytest.mark.parametrize(
    ("running", "installed", "newer"),
    [
        ("6.1.0-18-amd64", "6.1.0-21-amd64", True),
        ("6.1.0-18-amd64", "6.1.0-9-amd64", False),
        ("6.1.0-18-amd64", "6.1.0-21-cloud-amd64", False),
        ("5.15.0-91-generic", "5.15.0-101-generic", True),
        ("5.15.0-91-generic", "5.15.0-1052-aws", False),
        ("4.18.0-477.27.1.el8_8.x86_64", "4.18.0-513.9.1.el8_9.x86_64", True),
        ("5.14.0-70.el9.x86_64", "5.14.0-70.el9.x86_64+debug", False),
        ("6.1.0-0.deb11.13-amd64", "6.1.0-0.deb11.17-amd64", True),
        ("6.1.0-9-amd64", "6.1.0-10-amd64", True),
        ("6.1.0-28-amd64", "6.12.41+deb13-amd64", True),
        ("6.12.41+deb13-amd64", "6.1.0-28-amd64", False),
        ("6.1.0-28-amd64", "6.12.9+bpo-amd64", True),
        ("6.1.55-75.123.amzn2023.x86_64", "6.1.59-84.139.amzn2023.x86_64", True),
    ],
)
def test_the_newest_kernel_of_the_same_flavour_should_run(running, installed, newer):
    """Numbers are compared as numbers, and only between kernels of one flavour."""
    found = observed("hosts.reboot", host(reboot=reboot(running, running, installed)))
    assert (found == f"runs kernel {running}, installed is {installed}") == newer


def test_a_reboot_that_is_long_overdue_is_critical():
    """Up to `max-age` it is a warning; afterwards it fails the gate."""
    due = host(reboot=reboot(flagged=NOW - timedelta(days=3), packages=("libc6",)))
    assert said("hosts.reboot", due).outcome == "warned"
    assert said("hosts.reboot", due, reboot={"max-age": "2d"}).outcome == "failed"
    assert observed("hosts.reboot", due) == "it asks for a reboot for 3d (libc6)"


def test_a_certificate_that_is_not_valid_yet_is_a_finding():
    """A host whose clock ran ahead has made one that nobody accepts; a few minutes are nothing."""
    assert "is not valid before" in observed("certs.hosts", host(certificates=(certificate(days=366, lifetime=364),)))
    just_made = certificate(days=365 + 1 / 1440, lifetime=365)
    assert said("certs.hosts", host(certificates=(just_made,))).outcome == "passed"


@pytest.mark.parametrize(
    ("days", "lifetime", "outcome"),
    [
        (22, 365, "passed"),
        (20, 365, "failed"),
        (-1, 365, "failed"),
        (0.5, 1, "passed"),
        (0.05, 1, "failed"),
        (10, 90, "passed"),
    ],
)
def test_a_short_lived_certificate_has_a_threshold_of_its_own(days, lifetime, outcome):
    """One that lives for a day can never have 21 days left: the kubelet renews it in the last third of its life."""
    assert said("certs.hosts", host(certificates=(certificate(days, lifetime),))).outcome == outcome


def test_a_version_that_is_not_expected_is_told_as_both():
    """What is there, and what should be."""
    (finding,) = said("hosts.versions", host(versions={"kubelet": "1.35.2"})).findings
    assert (finding.observed, finding.expected) == ("kubelet 1.35.2", "kubelet 1.36")


def test_inodes_run_out_as_space_does():
    """A file system that does not count inodes is judged by its space alone."""
    assert observed("hosts.disk", host(file_systems=(file_system(inodes=2),))) == "/ has 2% of inodes left"
    assert observed("hosts.disk", host(file_systems=(file_system(inodes=None),))) == ""
    both = file_system(free=3, inodes=2, mount="/var")
    assert observed("hosts.disk", host(file_systems=(both,))) == "/var has 3% of space and 2% of inodes left"


def test_lines_that_the_profile_ignores_are_fine():
    """Known noise is left aside, and nothing else."""
    machine = host(log=(line("panic: known"), line("panic: new")))
    assert (
        observed("hosts.journal", machine, journal={"ignore": ["known"]})
        == "journal of kubelet: 1 line, the last is: panic: new"
    )


def test_what_a_host_does_not_tell_is_a_gap_of_that_check_alone():
    """Hosts that lack the same are told in one sentence; the other checks judge them."""
    hosts = [host(f"w{number}", gaps={"clock": ("nobody tells",)}, synchronised=None) for number in range(7)]
    result = said("hosts.clock", *hosts)
    assert (result.outcome, result.reason) == ("inconclusive", "w0, w1, w2, w3, w4 and 2 other hosts: nobody tells")
    assert said("hosts.disk", *hosts).outcome == "passed"


def test_hosts_that_nobody_saw_make_no_check_green():
    """Unreachable hosts are a gap of every check, in the same words; a node that was not looked at is one as well."""
    seen = [host("w1"), Host(name="w2", unseen="connection refused"), Host(name="w3", unseen="connection refused")]
    nodes = [node(name) for name in ("w1", "w2", "w3", "w4")]
    reasons = {
        said(id, *seen, nodes=nodes).reason for id in ("hosts.services", "hosts.disk", "hosts.clock", "certs.hosts")
    }
    assert reasons == {"w2, w3: connection refused; w4: it was not looked at"}


def test_a_snapshot_without_machines_says_so():
    """A profile with `hosts:` that judges a snapshot of a time before it gets no green light."""
    result = judge("hosts.disk", snapshot(good(), hosts=None), profile=profile(hosts={}))
    assert (result.outcome, result.reason) == (
        "inconclusive",
        "hosts were not looked at when this snapshot was taken",
    )


def test_groups_demand_more_of_their_hosts():
    """What a group demands is demanded of its hosts alone, in addition to what is demanded of all."""
    nodes = [node("cp-1", metadata={"labels": {"node-role.kubernetes.io/control-plane": ""}}), node("worker-1")]
    hosts = [host("cp-1"), host("worker-1")]
    groups = [
        {"name": "cp", "labels": {"node-role.kubernetes.io/control-plane": "*"}, "listening": ["6443"]},
        {"name": "workers", "names": ["worker-*"], "services": ["node_exporter"]},
    ]
    assert [each.object for each in said("hosts.ports", *hosts, nodes=nodes, groups=groups).findings] == ["Host/cp-1"]
    found = said("hosts.services", *hosts, nodes=nodes, groups=groups).findings
    assert [(each.object, each.observed) for each in found] == [("Host/worker-1", "node_exporter: not installed")]


def test_a_group_without_hosts_asks_nobody():
    """A typing error in a group's pattern is no green light."""
    result = said("hosts.disk", host(), groups=[{"name": "gpu", "names": ["gpu-*"]}])
    assert (result.outcome, result.reason) == ("inconclusive", "the group gpu of hosts: matches no host")


def test_windows_nodes_are_left_out_and_named():
    """A Windows node has no sh: it is not looked at, and a note says so."""
    from upgate.sources.hosts.targets import left_out

    windows = node("win-1", metadata={"labels": {"kubernetes.io/os": "windows"}})
    world = good(nodes=[node(), windows])
    seen, wanted = snapshot(world), profile(hosts={})
    result = judge("hosts.disk", seen, profile=wanted)
    assert (result.outcome, result.examined) == ("passed", 1)
    assert left_out(wanted.hosts, seen) == ["hosts: win-1 not looked at: a Windows node has no sh"]


@pytest.mark.parametrize(
    ("spec", "there"),
    [
        ("ssh://ops@10.0.0.1", "ops@10.0.0.1"),
        ("ssh://ops@10.0.0.1:2222?sudo=true", "-p 2222 ops@10.0.0.1"),
        ("ssh://[fd00::1]", "fd00::1"),
        ("ssh://ops@[fd00::1]:22", "-p 22 ops@fd00::1"),
        ("local://", "localhost"),
    ],
)
def test_a_hint_leads_to_the_host(spec, there):
    """The command to look first names who logs in where, as ssh wants it."""
    assert ssh_login(spec) == there
    (finding,) = said("hosts.services", host(services=()), connection="ssh://ops@{address}").findings
    assert finding.hint == "ssh ops@10.0.0.1 systemctl status kubelet"


@pytest.mark.parametrize(("used", "outcome"), [(79, "passed"), (80, "warned"), (100, "warned")])
def test_a_limit_that_is_nearly_reached_is_found(used, outcome):
    """From 80 % on, with both numbers."""
    result = judge("hosts.limits", snapshot(good(), hosts=[host(limits=(limit(used),))]), profile=profile(hosts={}))
    assert result.outcome == outcome
    if result.findings:
        assert result.findings[0].observed == f"file handles: {used} of 100 are in use"
