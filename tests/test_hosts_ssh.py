"""Machines over a real sshd: real processes, sockets, certificates, logs; stand-ins only for what cannot run here."""

from __future__ import annotations

import os
import re
import socket as sockets
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Authority
from tests.sshd import MISSING, Machine, Sshd, process, sshd
from tests.worlds import judge, profile
from upgate.facts.hosts import Host
from upgate.results import CheckResult
from upgate.snapshot import Snapshot
from upgate.sources.hosts.looking import look_at_hosts

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
#: Whole seconds, as files and logs have them.
TAKEN = datetime.now(UTC).replace(microsecond=0)
#: A kubelet and a containerd that run, as systemctl tells of them; any other unit is not there.
SYSTEMCTL = """
    for unit; do :; done
    case "$*" in *Version*) echo Version=252; exit;; esac
    case "$unit" in
      kubelet) echo Id=kubelet.service; echo LoadState=loaded; echo ActiveState={state}; echo SubState=x
               echo UnitFileState={enabled}; echo Type=simple; echo Result=success;;
      containerd) echo Id=containerd.service; echo LoadState=loaded; echo ActiveState=active; echo SubState=running
                  echo UnitFileState=enabled; echo Type=notify; echo Result=success;;
      *) echo Id=$unit.service; echo LoadState=not-found; echo ActiveState=inactive;;
    esac
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Sshd]:
    """One sshd for all tests."""
    with sshd(tmp_path_factory.mktemp("sshd"), hosts=3) as server:
        yield server


@pytest.fixture
def machine(server) -> Machine:
    """A host without files of its own."""
    server.machines[0].reset()
    return server.machines[0]


class Looked:
    """What was seen, and how checks judge it."""

    def __init__(self, server: Sshd, *machines: Machine, expect: dict[str, str] | None = None, **keys: Any) -> None:
        specs = [each.spec for each in machines]
        known = {"key": str(server.key), "known-hosts": str(server.known_hosts), "timeout": "25s"}
        self._keys = {"each": specs, **known, **keys}
        self._expect = {"hosts": expect or {}}
        wanted = profile(hosts=self._keys, expect=self._expect)
        self.snapshot = Snapshot(
            taken=TAKEN, hosts=look_at_hosts(wanted, Snapshot(taken=TAKEN), TAKEN - timedelta(hours=1))
        )

    @property
    def host(self) -> Host:
        """The first machine."""
        return self.snapshot.hosts[0]

    def judge(self, id: str, **keys: Any) -> CheckResult:
        """What a check says, with other demands if need be."""
        return judge(id, self.snapshot, profile=profile(hosts=self._keys | keys, expect=self._expect))

    def found(self, id: str, **keys: Any) -> str:
        """What a check found wrong on the only machine."""
        (finding,) = self.judge(id, **keys).findings
        return finding.observed


def test_units_are_judged_by_systemds_words(server, machine):
    """A unit that has failed, or is not enabled, is named; one that is not there as well; one of several runtimes is enough."""
    machine.command("systemctl", SYSTEMCTL.format(state="failed", enabled="disabled"))
    looked = Looked(server, machine, services=["node_exporter"])
    assert looked.found("hosts.services") == "kubelet: failed (x), disabled; node_exporter: not installed"
    machine.command("systemctl", SYSTEMCTL.format(state="active", enabled="static"))
    assert Looked(server, machine).judge("hosts.services").outcome == "passed"


def test_a_systemd_that_falls_silent_is_no_finding(server, machine):
    """A unit of which systemctl does not tell is not one that is missing."""
    machine.command("systemctl", 'case "$*" in *Version*) echo Version=252;; *) exit 124;; esac')
    result = Looked(server, machine).judge("hosts.services")
    assert (result.outcome, result.findings) == ("inconclusive", ())
    assert "systemctl does not show kubelet" in result.reason


def test_a_host_without_systemd_cannot_be_judged(server, machine):
    """Without a systemd that answers nobody knows about services: inconclusive, with systemctl's own words."""
    machine.command("systemctl", "echo 'System has not been booted with systemd' >&2; exit 1")
    result = Looked(server, machine).judge("hosts.services")
    assert result.outcome == "inconclusive"
    assert result.reason == (f"{machine.name}: its services cannot be listed: System has not been booted with systemd")


def test_processes_are_read_for_their_arguments(server, machine, tmp_path):
    """The real command line of a running component is judged, with its process and what it says instead."""
    with process(tmp_path, "kube-proxy", "--healthz-bind-address=127.0.0.1", "--v", "2", "--password=hush") as pid:
        looked = Looked(server, machine, arguments={"kube-proxy": ["--healthz-bind-address=0.0.0.0", "--v=2"]})
    assert looked.found("hosts.arguments") == f"kube-proxy (process {pid}): --healthz-bind-address=127.0.0.1"
    assert "hush" not in repr(looked.snapshot)
    right = {"kube-proxy": ["--healthz-bind-address=127.0.0.1", "--v=2"]}
    assert looked.judge("hosts.arguments", arguments=right).outcome == "passed"


def test_static_pods_tell_the_arguments_of_what_does_not_run(server, machine):
    """A component that does not run is judged by its manifest; one that is nowhere to be found is not judged."""
    pod = 'spec: {containers: [{name: kube-thing, command: [kube-thing, "--anonymous-auth=false"]}]}'
    machine.write("etc/kubernetes/manifests/kube-thing.yaml", pod)
    looked = Looked(server, machine, arguments={"kube-thing": ["--anonymous-auth=true"], "kube-other": ["--x"]})
    result = looked.judge("hosts.arguments")
    assert looked.found("hosts.arguments") == (
        "kube-thing (/etc/kubernetes/manifests/kube-thing.yaml): --anonymous-auth=false"
    )
    assert result.reason == "the component kube-other was found on none of the hosts"


def test_real_sockets_are_judged_by_their_address(server, machine):
    """A port on 127.0.0.1 is not one on all addresses, and the finding says where it is; a forbidden one is named."""
    with sockets.create_server(("127.0.0.1", 0)) as inner, sockets.create_server(("", 0)) as outer:
        at, open_ = inner.getsockname()[1], outer.getsockname()[1]
        looked = Looked(server, machine)
    found = looked.found("hosts.ports", listening=[f"0.0.0.0:{at}"], **{"not-listening": [str(open_)]})
    assert found.startswith(f"does not listen on 0.0.0.0:{at} but on 127.0.0.1:{at}")
    assert f"listens on 0.0.0.0:{open_}" in found
    fine = [f"127.0.0.1:{at}", f"0.0.0.0:{open_}", f"127.0.0.1:{open_}"]
    assert looked.judge("hosts.ports", listening=fine).outcome == "passed"


def test_without_ss_the_kernels_tables_tell(server, machine):
    """Where ss does not work, /proc/net is read: the same sockets, dual-stack ones included."""
    machine.command("ss", "exit 1")
    with sockets.create_server(("127.0.0.1", 0)) as four, dual_stack() as both:
        ports = {four.getsockname()[1]: "127.0.0.1", both.getsockname()[1]: "*"}
        seen = {each.port: each.address for each in Looked(server, machine).host.sockets if each.port in ports}
    assert seen == ports


def dual_stack() -> sockets.socket:
    """A socket of IPv6 that takes IPv4 as well, as Go's do."""
    return sockets.create_server(("::", 0), family=sockets.AF_INET6, dualstack_ipv6=True)


def test_certificates_leave_the_host_and_keys_do_not(server, machine, tmp_path):
    """Certificates in files and kubeconfigs are judged by their days; of a file with a key beside it no key is read."""
    authority = Authority(tmp_path)
    old, key = authority.issue("kubelet", days=3.01)
    machine.write("var/lib/kubelet/pki/kubelet-client-current.pem", old.read_bytes() + key.read_bytes())
    machine.write("etc/kubernetes/pki/apiserver.crt", authority.issue("apiserver", days=300)[0].read_bytes())
    gone = authority.issue("admin", days=-2.01)[0].read_bytes()
    machine.write("etc/kubernetes/admin.conf", f"users:\n- user:\n    client-certificate-data: {encoded(gone)}\n")
    looked = Looked(server, machine)
    assert looked.judge("certs.hosts").outcome == "failed"
    assert looked.found("certs.hosts") == (
        "/var/lib/kubelet/pki/kubelet-client-current.pem (CN=kubelet) expires in 3d; "
        "/etc/kubernetes/admin.conf (CN=admin) expired 2d ago"
    )
    assert len(looked.host.certificates) == 3
    assert "PRIVATE" not in repr(looked.snapshot)


def test_a_file_without_a_whole_certificate_is_no_pass(server, machine, tmp_path):
    """A full disk leaves empty and half files behind; line ends of Windows and a chain in one file are read."""
    authority = Authority(tmp_path)
    whole = authority.issue("apiserver", days=300)[0].read_bytes()
    old = authority.issue("old-ca", days=-2.01)[0].read_bytes()
    machine.write("etc/kubernetes/pki/apiserver.crt", (whole + old).replace(b"\n", b"\r\n"))
    machine.write("etc/kubernetes/pki/empty.crt")
    machine.write("etc/kubernetes/pki/half.crt", whole[:200])
    looked = Looked(server, machine)
    assert looked.found("certs.hosts") == "/etc/kubernetes/pki/apiserver.crt (CN=old-ca) expired 2d ago"
    reason = looked.judge("certs.hosts").reason
    assert "/etc/kubernetes/pki/empty.crt has no certificate" in reason
    assert "a certificate in /etc/kubernetes/pki/half.crt cannot be parsed" in reason


def test_a_certificate_that_is_no_longer_used_is_not_judged(server, machine, tmp_path):
    """The kubelet's self-made certificate stays where it was once the cluster has signed it another one."""
    authority = Authority(tmp_path)
    machine.write("var/lib/kubelet/pki/kubelet.crt", authority.issue("own", days=-2.01)[0].read_bytes())
    assert "(CN=own) expired 2d ago" in Looked(server, machine).found("certs.hosts")
    machine.write("var/lib/kubelet/pki/kubelet-server-current.pem", authority.issue("signed")[0].read_bytes())
    assert Looked(server, machine).judge("certs.hosts").outcome == "passed"


def encoded(data: bytes) -> str:
    """Base64."""
    from base64 import b64encode

    return b64encode(data).decode()


def test_debians_reboot_flag_is_read(server, machine):
    """/var/run/reboot-required, its age and the packages that ask for it; older than `max-age` it is critical."""
    flag = machine.write("run/reboot-required")
    machine.write("run/reboot-required.pkgs", "linux-image-amd64\nlibc6\nlibc6\n")
    days_old(flag, 2)
    looked = Looked(server, machine)
    assert looked.judge("hosts.reboot").outcome == "warned"
    assert looked.found("hosts.reboot").startswith("it asks for a reboot for 2d")
    assert looked.found("hosts.reboot").endswith("(libc6, linux-image-amd64)")
    assert looked.judge("hosts.reboot", reboot={"max-age": "1d"}).outcome == "failed"


def days_old(path: Path, days: float) -> None:
    """Make a file that old."""
    then = datetime.now(UTC).timestamp() - 86400 * days
    os.utime(path, (then, then))


def test_red_hats_reboot_advice_is_read(server, machine):
    """needs-restarting -r says whether, and because of what."""
    machine.command(
        "needs-restarting", "echo '  * kernel'; echo; echo 'Reboot is required to fully utilize these updates.'; exit 1"
    )
    assert Looked(server, machine).found("hosts.reboot") == "it asks for a reboot (kernel)"


def test_a_newer_kernel_waits_for_a_reboot(server, machine):
    """The newest installed kernel of the running one's flavour is the running one; rescue images are none."""
    running = os.uname().release
    machine.write(f"boot/vmlinuz-{running}")
    machine.write("boot/vmlinuz-0-rescue-0123456789abcdef")
    machine.write("boot/vmlinuz-999.1.0-1-other")
    assert Looked(server, machine).judge("hosts.reboot").outcome == "passed"


def test_a_host_that_talks_nonsense_is_inconclusive(server, machine):
    """Its clock may be beyond all years: that is told of it, and the others go on."""
    machine.command("date", "echo 99999999999999999999")
    assert "its answer cannot be parsed" in Looked(server, machine).judge("hosts.disk").reason


def test_a_kernel_waits_since_it_was_installed(server, machine):
    """Not since it was built, which is the time that packages give to its file."""
    running = os.uname().release
    newer = re.sub(r"\d+", lambda number: str(int(number[0]) + 1), running, count=1)
    days_old(machine.write(f"boot/vmlinuz-{newer}"), 60)
    looked = Looked(server, machine)
    assert looked.judge("hosts.reboot").outcome == "warned"
    assert looked.found("hosts.reboot") == f"runs kernel {running}, installed is {newer}"


def test_a_kernel_that_cannot_be_compared_tells_nothing(server, machine):
    """Alpine's has no version in its name."""
    machine.write("boot/vmlinuz-lts")
    assert Looked(server, machine).judge("hosts.reboot").outcome == "inconclusive"


def test_nothing_that_tells_of_reboots_is_no_pass(server, machine):
    """No flag, no kernel, no needs-restarting: nobody knows."""
    assert Looked(server, machine).judge("hosts.reboot").outcome == "inconclusive"


def test_versions_are_those_that_packages_and_programs_tell(server, machine):
    """A package by its package manager, the kernel by itself, a program by its own word; what is nowhere is a gap."""
    machine.command("kubelet", "echo Kubernetes v1.35.2")
    expect = {"kubelet": "1.36", "kernel": ">=2", "openssh-server": ">=1000", "no-such": "1"}
    looked = Looked(server, machine, expect=expect)
    assert looked.found("hosts.versions").startswith("kubelet 1.35.2; openssh-server ")
    assert looked.judge("hosts.versions").reason == "the version of no-such was found on none of the hosts"


def test_a_program_that_does_not_tell_its_version_is_no_pass(server, machine):
    """It is there, and nobody knows which it is."""
    machine.command("kubelet", "exit 1")
    assert (
        "its kubelet does not print its version"
        in Looked(server, machine, expect={"kubelet": "1"}).judge("hosts.versions").reason
    )


def test_a_clock_is_judged_by_what_keeps_it(server, machine):
    """chrony's own word is taken; where nobody tells, nobody knows."""
    assert Looked(server, machine).judge("hosts.clock").outcome == "inconclusive"
    machine.command("chronyc", "echo 'Leap status     : Not synchronised'")
    assert Looked(server, machine).found("hosts.clock") == "not synchronised, by chronyc"


def test_a_full_disk_is_found(server, machine):
    """What df tells of the mounts that matter is compared with what must be free; thresholds are the profile's."""
    looked = Looked(server, machine)
    assert looked.found("hosts.disk", disk={"free": "100%", "inodes": "0%"}).startswith("/")
    assert looked.found("hosts.disk", disk={"free": "100%", "inodes": "0%"}).endswith("of space left")
    assert looked.judge("hosts.disk", disk={"free": "0%", "inodes": "0%"}).outcome == "passed"


def test_the_journal_is_searched_since_the_reference_time(server, machine):
    """Fatal lines are found, with how often; ordinary ones, those that the profile ignores, and older ones are not."""
    stamp = int(TAKEN.timestamp()) - 60
    machine.command(
        "journalctl",
        f"""
        case "$*" in *containerd*|*docker*|*crio*) exit;; esac
        echo "{stamp}.1 worker kubelet[7]: I1121 01:00:00.1 7 kubelet.go:1] all is well"
        echo "{stamp}.2 worker kubelet[7]: F1121 01:00:00.1    7 server.go:12] cannot go on"
        echo "{stamp}.3 worker kubelet[7]: F1121 01:00:00.2    7 server.go:12] cannot go on at all"
        echo "{stamp - 7200}.1 worker kubelet[7]: panic: long ago"
        echo "{stamp}.4 worker kubelet[7]: my own words (of course)"
        """,
    )
    assert Looked(server, machine).found("hosts.journal") == (
        "journal of kubelet: 2 lines, the last is: F1121 01:00:00.2    7 server.go:12] cannot go on at all"
    )
    own = {"patterns": ["my own words (of"], "ignore": ["cannot go on"]}
    assert Looked(server, machine, journal=own).found("hosts.journal") == (
        "journal of kubelet: 1 line, the last is: my own words (of course)"
    )


def test_a_journal_that_fails_is_no_pass(server, machine):
    """A journalctl that ends in an error has not shown everything."""
    machine.command("journalctl", 'case "$*" in *since*) exit 3;; esac; echo "1.0 worker kubelet[7]: x"')
    result = Looked(server, machine).judge("hosts.journal")
    assert result.outcome == "inconclusive"
    assert "the journal of kubelet could not be read: exit code 3" in result.reason


def test_log_files_are_dated_by_the_lines_before(server, machine):
    """A panic in RKE2's kubelet.log has no time of its own; the line before it has."""
    old, new = (f"{TAKEN - timedelta(minutes=each):%m%d %H:%M:%S}" for each in (120, 5))
    machine.write(
        "var/lib/rancher/rke2/agent/logs/kubelet.log",
        f"E{old}.000001 7 x.go:1] old\npanic: old\nI{new}.000001 7 x.go:1] new\npanic: new\n",
    )
    looked = Looked(server, machine, preset="rke2")
    assert looked.found("hosts.journal") == (
        "/var/lib/rancher/rke2/agent/logs/kubelet.log: 1 line, the last is: panic: new"
    )


def test_rke_is_looked_at_through_docker(server, machine):
    """RKE's components are containers: their state, restart policy, arguments and logs come from Docker."""
    machine.command("systemctl", SYSTEMCTL.format(state="active", enabled="enabled"))
    machine.command(
        "docker",
        f"""
        for name; do :; done
        case "$*" in
          *"ps -q"*) ;;
          *inspect*) [ "$name" = kube-proxy ] || exit 1
            case "$*" in
              *State*) echo "exited no";;
              *Args*) echo '["kube-proxy","--healthz-bind-address=127.0.0.1"]';;
            esac;;
          *logs*) echo "{TAKEN:%Y-%m-%dT%H:%M:%S}.123456789Z panic: runtime error";;
        esac
        """,
    )
    looked = Looked(server, machine, preset="rke", arguments={"kube-proxy": ["--healthz-bind-address=0.0.0.0"]})
    services = looked.found("hosts.services")
    assert services == "docker: not installed; kube-proxy: its container is exited, its restart policy is no"
    assert looked.found("hosts.arguments") == "kube-proxy (container kube-proxy): --healthz-bind-address=127.0.0.1"
    assert looked.found("hosts.journal") == "docker logs kube-proxy: 1 line, the last is: panic: runtime error"


def test_an_unreachable_host_is_inconclusive_once_and_the_others_go_on(server, machine):
    """Every check says the same sentence about a host that nobody saw, and finds what there is to find on the others."""
    dead = Machine(Path("/nowhere"), 1)
    machine.write("run/reboot-required")
    looked = Looked(server, machine, dead, disk={"free": "0%", "inodes": "0%"}, listening=["1"])
    disk, ports = looked.judge("hosts.disk"), looked.judge("hosts.ports")
    assert (disk.outcome, disk.examined, disk.reason) == ("inconclusive", 1, "127.0.0.1:1: connection refused")
    assert (ports.outcome, ports.reason) == ("failed", disk.reason)
    assert looked.judge("hosts.reboot").findings


def test_a_host_key_that_is_not_known_is_refused(server, machine, tmp_path):
    """Nobody is talked to whose key is not in known_hosts, and one whose key has changed is told apart."""
    machine.write("run/reboot-required")
    (tmp_path / "empty").write_text("")
    (tmp_path / "other").write_text(f"[127.0.0.1]:{machine.port} {(server.folder / 'other_key.pub').read_text()}")
    for name, words in (("empty", "its host key is not in known_hosts"), ("other", "its host key has changed")):
        looked = Looked(server, machine, **{"known-hosts": str(tmp_path / name)})
        assert words in looked.host.unseen
        assert looked.judge("hosts.reboot").outcome == "inconclusive"


def test_a_login_that_is_refused_is_told_apart(server, machine):
    """A key that the host does not know is no login, and nothing asks for a password."""
    looked = Looked(server, machine, key=str(server.folder / "other_key"))
    assert looked.host.unseen.startswith("it refuses the login: root@127.0.0.1: Permission denied (publickey")


def test_a_jump_host_is_gone_through(server, machine):
    """A host is reached through another one, whose key is checked as well."""
    via = f"root@127.0.0.1:{server.machines[1].port}"
    server.machines[1].reset()
    looked = Looked(server, machine, jump=via)
    assert looked.host.unseen == ""
    assert looked.host.reboot.running == os.uname().release


def test_banners_do_not_matter_and_a_torn_answer_is_no_answer(server, machine):
    """What a login prints is left aside; an answer that ends early, or never began, is inconclusive."""
    machine.write("before", "echo '*** Authorised users only ***'")
    assert Looked(server, machine).host.unseen == ""
    machine.write("before", 'sh -c "$SSH_ORIGINAL_COMMAND" | head -n 9; exit 0')
    assert Looked(server, machine).host.unseen.startswith("its answer was cut off at ")
    machine.write("before", "echo This account is not available.; exit 0")
    assert Looked(server, machine).host.unseen == (
        "it does not run the script; it answers 'This account is not available.'"
    )


def test_a_host_that_hangs_is_given_up_on(server, machine):
    """A host that takes the login and then nothing is left after its time; nothing of ours goes on running."""
    machine.write("before", "sleep 30")
    looked = Looked(server, machine, timeout="1s")
    assert looked.host.unseen == "its answer was not complete within 1 s"
    assert not [line for line in command_lines() if f"Port={machine.port}" in line]


def command_lines() -> list[str]:
    """Of all processes of this machine."""
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


def test_sudo_that_asks_for_a_password_says_what_to_do(server, machine):
    """A sudo that would prompt is not answered, and is named."""
    machine.command("sudo", "echo 'sudo: a terminal is required to read the password' >&2; exit 1")
    looked = Looked(server, machine, sudo=True)
    assert looked.host.unseen.startswith("sudo is denied: sudo: a terminal is required to read the password; allow it")
    machine.command("sudo", 'exec "$@"')
    assert Looked(server, machine, sudo=True).host.unseen == ""
