"""Machines without a network: which there are, what is asked of them, and what their answers mean."""

from __future__ import annotations

import re
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.machines import NOW
from tests.worlds import good, node, profile, snapshot
from upgate.sources.hosts.commands import command_lines, redacted_arguments
from upgate.sources.hosts.logs import log
from upgate.sources.hosts.parsing import clock_state, disk, reboot
from upgate.sources.hosts.script import Asked, fatal, shell_command
from upgate.sources.hosts.sections import split_sections
from upgate.sources.hosts.sockets import from_hex, of_ss, sockets
from upgate.sources.hosts.targets import host_targets
from upgate.sources.hosts.transport import backend_options, meaning, ssh_arguments

SINCE = NOW - timedelta(hours=1)


def addresses(*pairs: tuple[str, str]) -> dict:
    """A node's status with these addresses."""
    return {"addresses": [{"type": type, "address": address} for type, address in pairs]}


def test_nodes_are_reached_at_the_address_that_the_profile_wants():
    """Of several addresses the first of the wanted type; IPv6 in brackets; a node that tells none by its name."""
    dual = node(
        "a",
        status=addresses(
            ("Hostname", "a.lan"), ("InternalIP", "fd00::1"), ("InternalIP", "10.0.0.9"), ("ExternalIP", "192.0.2.1")
        ),
    )
    bare = node("b", status={"addresses": None})
    seen = snapshot(good(nodes=[dual, bare]))
    specs = {
        kind: [
            each.spec
            for each in host_targets(
                profile(hosts={"connection": "ssh://ops@{address}:22", "address": kind}).hosts, seen
            )
        ]
        for kind in ("internal", "external", "hostname")
    }
    assert specs == {
        "internal": ["ssh://ops@[fd00::1]:22", "ssh://ops@b:22"],
        "external": ["ssh://ops@192.0.2.1:22", "ssh://ops@b:22"],
        "hostname": ["ssh://ops@a.lan:22", "ssh://ops@b:22"],
    }


def test_listed_hosts_are_whole_specs_or_take_the_place_of_the_address():
    """testinfra's host specs are taken as they are, bare hosts go into `connection`; ports tell hosts apart."""
    wanted = profile(hosts={"each": ["w1", "ssh://ops@10.0.0.1:2222?sudo=true", "ops@[fd00::1]:22", "local://"]}).hosts
    assert [(each.name, each.spec, each.address) for each in host_targets(wanted, snapshot({}))] == [
        ("w1", "ssh://w1", "w1"),
        ("10.0.0.1:2222", "ssh://ops@10.0.0.1:2222?sudo=true", "10.0.0.1"),
        ("[fd00::1]:22", "ssh://ops@[fd00::1]:22", "fd00::1"),
        ("localhost", "local://", "localhost"),
    ]


def test_host_keys_are_always_checked_and_nothing_prompts():
    """For the host as for the one in between; strictly, without asking anybody, and without a password anywhere."""
    hosts = profile(hosts={"jump": "ops@bastion:2222", "known-hosts": "/k", "key": "/id"}).hosts
    said = ssh_arguments(hosts)
    (through,) = [each for each in said if each.startswith("ProxyCommand=")]
    for text in (" ".join(said), through):
        assert "StrictHostKeyChecking=yes" in text
        assert "BatchMode=yes" in text
        assert "UserKnownHostsFile=/k" in text
    assert through.endswith("-i /id -W [%h]:%p ssh://ops@bastion:2222")
    assert backend_options(hosts, 30)["timeout"] == 10


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("ssh: connect to host 10.0.0.1 port 22: Connection refused", "connection refused"),
        ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", "it does not answer in time"),
        ("ssh: connect to host 10.0.0.1 port 22: No route to host", "no route to it"),
        ("ssh: Could not resolve hostname w1: Name or service not known", "its name does not resolve"),
        ("sh: 1: ssh: not found", "ssh is not installed here: install the OpenSSH client"),
        ("mux: something new", "the command failed: mux: something new"),
    ],
)
def test_what_ssh_says_is_the_same_for_all_hosts(said, means):
    """Without the address in it, hosts that fail alike are told in one line."""
    assert meaning(said) == means


def test_the_script_goes_through_any_shell():
    """The command holds nothing that csh or fish read otherwise, whatever the profile says."""
    hosts = profile(hosts={"each": ["w1"], "journal": {"patterns": ["it's $HOME `x` !"]}}).hosts
    (target,) = host_targets(hosts, snapshot({}))
    line = shell_command(target, Asked(SINCE, patterns=hosts.journal.patterns), "m")
    assert re.fullmatch(r"echo [A-Za-z0-9+/=]+ \| base64 -d \| sh", line)


@pytest.mark.parametrize("shell", ["sh", "bash --posix", "busybox sh"])
def test_the_script_runs_in_every_posix_shell(shell):
    """dash, bash and busybox run it to its end, and none of them complains about its syntax."""
    from upgate.sources.hosts.script import body, settings

    (target,) = host_targets(
        profile(hosts={"each": ["local://"], "arguments": {"no-such": ["--x"]}}).hosts, snapshot({})
    )
    words = settings(target, Asked(SINCE))
    script = "".join(f"{name}='{value}'\n" for name, value in ({"MARK": "m"} | words).items() if name != "FATAL")
    if subprocess.run(["which", shell.split()[0]], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no {shell} here")
    done = subprocess.run(
        [*shell.split(), "-c", f"{script}FATAL=x\n{body()}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert set(split_sections(done.stdout, "m")) >= {"host", "services", "arguments", "journal", "certificates"}
    assert "yntax" not in done.stderr


@pytest.mark.parametrize(
    ("text", "is_fatal"),
    [
        ("F1121 01:02:03.000004    7 server.go:12] cannot go on", True),
        ("E1121 01:02:03.000004    7 server.go:12] try again", False),
        ("panic: runtime error: index out of range", True),
        ("kernel-panic: no", False),
        ('time="…" level=fatal msg="x"', True),
        ('err="x509: certificate has expired or is not yet valid: current time"', True),
        (r"forbidden: User \"system:anonymous\" cannot get", True),
        ("my (own) text", True),
        ("my own text", False),
    ],
)
def test_fatal_lines_are_told_from_ordinary_ones(text, is_fatal):
    """grep, which picks them out on the host, takes the profile's own texts literally."""
    found = subprocess.run(
        ["grep", "-E", "-e", fatal(["my (own)"])], input=text, text=True, capture_output=True, check=False
    )
    assert (found.returncode == 0) == is_fatal


def test_sockets_of_both_sources_are_the_same():
    """ss and /proc/net write the same sockets differently; those that do not listen are none."""
    by_ss = sockets(
        [
            ["ss", 'tcp   LISTEN 0      4096       127.0.0.1:10248      0.0.0.0:*    users:(("kubelet",pid=1,fd=2))'],
            ["ss", "tcp   LISTEN 0      4096               *:10256            *:*"],
            ["ss", "udp   UNCONN 0      0      127.0.0.53%lo:53         0.0.0.0:*"],
            ["ss", "tcp   LISTEN 0      128             [::1]:631          [::]:*"],
        ]
    )["sockets"]
    by_proc = sockets(
        [
            ["tcp", "0100007F:2808 0A"],
            ["tcp", "0100007F:9999 01"],
            ["tcp6", "00000000000000000000000000000000:2810 0A"],
            ["udp", "3500007F:0035 07"],
            ["tcp6", "00000000000000000000000001000000:0277 0A"],
        ]
    )["sockets"]
    assert [(each.protocol, each.address, each.port) for each in by_ss] == [
        (each.protocol, each.address, each.port) for each in by_proc
    ]
    assert [each.owner for each in by_ss if each.owner] == ["kubelet"]


def test_addresses_of_the_kernel_are_words_of_the_processor():
    """Each 32 bits have their lowest byte first."""
    assert from_hex("0100007F") == "127.0.0.1"
    assert from_hex("B80D0120000000000000000001000000") == "2001:db8::1"


def test_file_systems_that_are_made_full_are_left_out():
    """A read-only image is always full; btrfs has no number of inodes; a mount point may hold a blank."""
    found = disk(
        [
            ["space", "/dev/loop0 squashfs 100 100 0 100% /usr"],
            ["space", "/dev/sda1 btrfs 100 90 10 90% /"],
            ["inodes", "/dev/sda1 0 0 0 - /"],
            ["space", "df: /stale: Stale file handle"],
        ]
    )["file_systems"]
    assert [(each.mount, each.free, each.inodes) for each in found] == [("/", 10, None)]


@pytest.mark.parametrize(
    ("program", "says", "synchronised"),
    [
        ("chronyc", "Leap status     : Normal", True),
        ("chronyc", "Leap status     : Not synchronised", False),
        ("chronyc", "506 Cannot talk to daemon", None),
        ("timedatectl", "NTPSynchronized=yes", True),
        ("timedatectl", "System clock synchronized: no", False),
        ("timedatectl", "       NTP synchronized: no", False),
        ("timedatectl", "Failed to connect to bus", None),
        ("adjtimex", "-p    return value:    0 (clock synchronized)", True),
        ("adjtimex", "-p    return value:    5 (clock not synchronized)", False),
    ],
)
def test_clocks_are_judged_by_what_keeps_them(program, says, synchronised):
    """chrony, systemd in its old and new words, and the kernel tell; where nobody does, nobody knows."""
    assert clock_state([[program, says]])["synchronised"] is synchronised


def test_one_who_knows_that_the_clock_is_right_is_enough():
    """chrony without rtcsync leaves the kernel's flag alone, by which systemd goes."""
    assert (
        clock_state([["timedatectl", "NTPSynchronized=no"], ["chronyc", "Leap status     : Normal"]])["synchronised"]
        is True
    )


def test_chronys_own_word_counts_first():
    """The kernel's flag stays for hours after chrony has lost what it went by."""
    lost = [["timedatectl", "NTPSynchronized=yes"], ["chronyc", "Leap status     : Not synchronised"]]
    assert clock_state(lost) == {"synchronised": False, "clock": "chronyc"}


def test_an_image_at_the_root_is_not_nearly_full():
    """Fedora CoreOS mounts its system as an overlay of exactly its own size."""
    assert disk([["space", "composefs overlay 8192 8192 0 100% /"]])["file_systems"] == ()


def test_a_process_that_has_just_ended_has_no_arguments():
    """Neither has one that nobody has buried yet: what it lacks is no finding."""
    assert command_lines([["process", "kube-proxy", "7", ""]]) == {"commands": ()}


def test_a_manifest_that_is_none_is_left_alone():
    """Whatever else lies in the folder of static pods: the others are read all the same."""
    odd = "spec: {containers: [{name: kube-proxy, command: 3}]}"
    assert (
        command_lines([["asked", "kube-proxy"], ["manifest", "/odd.yaml"], ["line", odd]])["commands"][0].arguments
        == ()
    )


def test_old_versions_of_ss_have_their_own_words():
    """On CentOS 7 `:::10256` takes IPv4 as well."""
    (socket,) = of_ss([["ss", "tcp LISTEN 0 128 :::10256 :::*"]])
    assert (socket.address, socket.port) == ("*", 10256)


@pytest.mark.parametrize(
    ("advice", "advised"),
    [
        ("Reboot is required to fully utilize these updates.", True),
        ("Reboot should not be necessary.", False),
        ("Reboot is probably not necessary.", False),
        ("No core libraries or services have been updated.\nReboot should not be necessary.", False),
        ("Error: Failed to synchronize cache for repo", None),
    ],
)
def test_red_hats_advice_is_taken_in_its_own_words(advice, advised):
    """needs-restarting ends with the same code for yes and for an error: its words tell them apart."""
    assert reboot([["advice", line] for line in advice.split("\n")])["reboot"].advised is advised


def test_the_times_of_klog_have_no_year():
    """A line of December that is read in January is of the year before; the host's zone counts."""
    since = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    lines = [
        ["source", "f"],
        ["stamped", "0101 00:10:00|panic: a"],
        ["stamped", "1231 23:30:00|panic: b"],
        ["stamped", "1231 23:30:00|rc\t0"],
    ]
    found, gaps = log(lines[:3], since, "+0000")
    assert [each.time.year for each in found] == [2027, 2026]
    assert gaps == []
    assert log([["source", "f"], ["stamped", "1231 23:30:00|panic: b"]], since, "+0100")[0] == ()


@pytest.mark.parametrize(
    ("first", "born", "whole"),
    [("0.0", "0", True), ("9999999999.5", "0", False), ("9999999999.5", "9999999990", True)],
)
def test_a_journal_that_begins_too_late_is_not_whole(first, born, whole):
    """Unless the machine itself is that young: a node that the upgrade has made."""
    lines = [["source", "journal of kubelet"], ["first", first], ["born", born]]
    assert (log(lines, SINCE, "+0000")[1] == []) == whole


def test_secrets_on_command_lines_are_hidden():
    """Values of flags that are named like secrets, not the files that hold them."""
    given = ["x", "--password=a", "--client-secret", "b", "--token-auth-file=/c", "--bootstrap-token", "/d", "--v=2"]
    assert list(redacted_arguments(given)) == [
        "x", "--password=[hidden]", "--client-secret", "[hidden]", "--token-auth-file=/c", "--bootstrap-token", "/d", "--v=2",
    ]  # fmt: skip


def test_no_more_lines_of_a_log_are_understood_than_are_kept():
    """Lines before the reference time cost nothing, and of a crowd the latest are kept."""
    old = [["unix", "1000000000 h u[1]: " + "pwd" * 190]] * 20_000
    new = [["unix", f"{SINCE.timestamp() + number:.0f} h u[1]: panic {number}"] for number in range(700)]
    began = time.process_time()
    found, gaps = log([["source", "journal"], *old, *new], SINCE, "+0000")
    assert time.process_time() - began < 1
    assert [line.text for line in (found[0], found[-1])] == ["panic 200", "panic 699"]
    assert gaps == []
