"""What a profile says about machines, and every mistake in it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.profile_files import Folder
from upgate.profile.showing import effective_profile

#: Each text, and the only error that it has.
WRONG = {
    "a password": (
        'hosts: {connection: "ssh://ops:hush@{address}"}',
        "1:21: hosts.connection: do not put a password into a profile: use a key (`key`, `ssh-config`) or an agent",
    ),
    "a shell's characters": (
        'hosts: {each: ["w1", "w2;reboot"]}',
        "1:15: hosts.each: not a host such as worker-1, ops@10.0.0.1:22 or ops@[2001:db8::1]; "
        "a shell's characters are refused",
    ),
    "an option of ssh for a host": ('hosts: {jump: "-oProxyCommand=id"}', "1:15: hosts.jump: not a host such as"),
    "an argument that would reach a shell": (
        'hosts: {each: ["ssh://w1?ssh_extra_args=$(id)"]}',
        "1:15: hosts.each: only sudo, sudo_user, ssh_config, ssh_identity_file, timeout can stand behind the ?",
    ),
    "another way than ssh": (
        'hosts: {each: ["docker://w1"]}',
        "1:15: hosts.each: the connection must be ssh://… or local://",
    ),
    "nodes for node": ("hosts: {each: nodes}", '1:15: hosts.each: did you mean "node"?'),
    "node among others": ("hosts: {each: [node, w1]}", "1:15: hosts.each: either node, for every node of the cluster"),
    "a connection without a place": (
        'hosts: {connection: "ssh://ops@w1"}',
        "1:21: hosts.connection: needs {address} or {name} where the host belongs",
    ),
    "a key that is nearly right": (
        "hosts: {listning: []}",
        '1:9: hosts.listning: unknown key; did you mean "listening"? Valid keys: address, arguments, ',
    ),
    "a key of a group that is nearly right": (
        "hosts: {groups: [{name: a, servics: []}]}",
        '1:28: hosts.groups[0].servics: unknown key; did you mean "services"?',
    ),
    "two groups of one name": (
        "hosts:\n  groups:\n  - {name: a}\n  - {name: a}",
        "4:12: hosts.groups[1].name: duplicate name; the first is in line 3",
    ),
    "labels of hosts that are no nodes": (
        "hosts: {each: [w1], groups: [{name: a, labels: {b: c}}]}",
        "1:40: hosts.groups[0].labels: has no effect without each: node",
    ),
    "a socket without a port": (
        'hosts: {listening: ["0.0.0.0"]}',
        "1:21: hosts.listening[0]: not a socket such as 0.0.0.0:10256",
    ),
    "a port that there is not": ('hosts: {not-listening: ["70000"]}', "1:25: hosts.not-listening[0]: not a socket"),
    "a preset that there is not": (
        "hosts: {preset: kubeadmin}",
        "1:17: hosts.preset: expected 'kubeadm', 'rke', 'k3s', 'rke2', 'containerd' or 'docker'",
    ),
    "a unit with a blank": (
        'hosts: {services: ["kubelet; id"]}',
        "1:20: hosts.services[0]: not a unit such as kubelet",
    ),
    "a component with a blank": (
        'hosts: {arguments: {"kube proxy": [--x]}}',
        "1:21: hosts.arguments.kube proxy: not the name of a component such as kube-proxy",
    ),
    "a share that is none": ("hosts: {disk: {free: lots}}", "1:22: hosts.disk.free: not a percentage such as 10%"),
    "a share of less than nothing": (
        "hosts: {disk: {free: -5}}",
        "1:22: hosts.disk.free: not a percentage such as 10%",
    ),
    "a socket at no address": (
        'hosts: {listening: ["300.0.0.1:80"]}',
        "1:21: hosts.listening[0]: not a socket such as",
    ),
    "a path with a blank": ('hosts: {certificates: ["/a b"]}', "1:24: hosts.certificates[0]: not an absolute path"),
    "an age without a unit": (
        "hosts: {reboot: {max-age: 3}}",
        "1:27: hosts.reboot.max-age: a duration needs a unit: say 3ms, 3s or 3m",
    ),
    "versions of hosts that nobody looks at": (
        'expect: {hosts: {kubelet: "1.36"}}',
        "1:10: expect.hosts: has no effect without hosts",
    ),
    "a version of hosts that is a number": (
        "expect: {hosts: {docker: 24.0}}\nhosts: {}",
        "1:26: expect.hosts.docker: expected text; YAML reads 24.0 as a number",
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


@pytest.mark.parametrize(("text", "error"), WRONG.values(), ids=WRONG)
def test_a_mistake_has_its_line_and_column(folder, text, error):
    """Every mistake is one line with file, line, column, and what to write instead; it never repeats a password."""
    (line,) = folder.errors(text)
    assert line.startswith(f"profiles/prod.yaml:{error}"), line
    assert "hush" not in line


def test_what_is_said_is_shown_with_all_defaults(folder):
    """The effective profile holds what is said, every default, and would load as the same profile."""
    folder.write(
        'expect: {hosts: {kernel: ">=6"}}\nhosts: {preset: [rke, docker], disk: {free: 20%}, groups: [{name: cp, names: [cp-*]}]}'
    )
    profile = folder.load()
    text = effective_profile(profile)
    for words in ("kernel: '>=6'", "- rke\n", "free: 20%", "inodes: 5%", "max-age: 7d", "tls-days: 21", "timeout: 30s"):
        assert words in text
    folder.write(text, "again")
    again = folder.load("again")
    assert again.hosts == profile.hosts
    assert (profile.hosts.groups[0].labels, profile.hosts.deadline) == ({}, timedelta(minutes=2))


def test_staging_may_log_in_elsewhere_and_keeps_every_demand(folder):
    """A profile that extends another one may change the connection alone; groups merge by their names."""
    folder.write('hosts: {services: [kubelet], groups: [{name: cp, names: ["cp-*"], listening: ["6443"]}]}')
    folder.write(
        'extends: prod\nhosts: {connection: "ssh://t@{address}", groups: [{name: cp, names: ["t-*"]}]}', "staging"
    )
    hosts = folder.load("staging").hosts
    assert (hosts.connection, hosts.services) == ("ssh://t@{address}", ("kubelet",))
    assert [(each.names, each.listening) for each in hosts.groups] == [(("t-*",), ("6443",))]
