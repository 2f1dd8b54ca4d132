"""Hostile hosts over a real sshd: what tenants of a machine put there, and what a machine sends that is no longer ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.hostile.hosts import ADDRESSES, BOMB
from tests.sshd import MISSING, Machine, Sshd, sshd
from tests.worlds import good, judge, node, profile, snapshot
from upgate.facts.hosts import Host
from upgate.snapshot import Snapshot
from upgate.sources.hosts.looking import look_at_hosts
from upgate.sources.hosts.script import Asked, shell_command
from upgate.sources.hosts.targets import NO_ADDRESS, host_targets
from upgate.sources.hosts.transport import HostProcesses, run_on_host

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
TAKEN = datetime.now(UTC).replace(microsecond=0)
NOBODY = 65534
#: The most memory that a run may take, in MB.
MOST_MEMORY = 400
#: Looks at one host in a process of its own, and tells the most memory that it took, in KiB, the seconds, and why it saw nothing.
MEASURE = """
import sys, time
from datetime import UTC, datetime, timedelta
from tests.worlds import profile
from upgate.sources.hosts.looking import look_at_hosts
from upgate.snapshot import Snapshot
each, key, known, timeout = sys.argv[1:]
hosts = {"each": each.split(","), "key": key, "known-hosts": known, "timeout": timeout}
hosts["arguments"] = {"kube-proxy": ["--x"]}
now, started = datetime.now(UTC), time.monotonic()
seen = look_at_hosts(profile(hosts=hosts), Snapshot(taken=now), now - timedelta(hours=1))
spent = time.monotonic() - started
# ru_maxrss is inherited from the process that started this one; VmHWM is not.
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(peak, spent, seen[0].unseen or seen[0].gaps.get("arguments"), sep="|")
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Sshd]:
    """One sshd for all tests."""
    with sshd(tmp_path_factory.mktemp("sshd"), hosts=8) as server:
        yield server


@pytest.fixture
def machine(server) -> Machine:
    """A host without files of its own."""
    for each in server.machines:
        each.reset()
    return server.machines[0]


@pytest.fixture
def wanted(server, machine):
    """Makes a profile of the host."""

    def wanted(*, expect: dict[str, str] | None = None, **keys):
        known = {"key": str(server.key), "known-hosts": str(server.known_hosts), "timeout": "25s"}
        return profile(hosts={"each": [machine.spec], **known, **keys}, expect={"hosts": expect or {}})

    return wanted


def seen(profile) -> Host:
    """What is seen of the host."""
    (host,) = look_at_hosts(profile, Snapshot(taken=TAKEN), TAKEN - timedelta(hours=1))
    return host


def said(id: str, profile, host: Host):
    """What a check says of it."""
    return judge(id, Snapshot(taken=TAKEN, hosts=[host]), profile=profile)


def pretend(folder: Path, name: str, *arguments: str, **who) -> subprocess.Popen[bytes]:
    """A process that only calls itself so."""
    program = folder / name
    shutil.copy("/bin/bash", program)
    for each in (program, folder, *folder.parents):
        each.chmod(each.stat().st_mode | 0o055) if str(each).startswith("/tmp/") else None
    return subprocess.Popen([program, "-c", "read line", *arguments], stdin=subprocess.PIPE, **who)


@contextmanager
def pretending(folder: Path, name: str, *arguments: str, **who) -> Iterator[int]:
    """As long as it runs."""
    running = pretend(folder, name, *arguments, **who)
    try:
        yield running.pid
    finally:
        running.kill()
        running.communicate()


@contextmanager
def contained(folder: Path, name: str, *arguments: str) -> Iterator[int]:
    """A process of root's in a mount namespace of its own, as in a container with the host's network."""
    program = folder / name
    shutil.copy("/bin/sh", program)
    ready = folder / "ready"
    running = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", 'touch "$0"; exec "$@"', ready, program, "-c", "read line", *arguments],
        stdin=subprocess.PIPE,
    )
    while Path(f"/proc/{running.pid}/comm").read_text().strip() != name:
        assert running.poll() is None
        time.sleep(0.02)
    try:
        yield running.pid
    finally:
        running.kill()
        running.communicate()


def test_a_nodes_address_is_no_command(server, machine, tmp_path):
    """An address with a query makes ssh run nothing here, and is that node's gap."""
    marker = tmp_path / "marker"
    address = ADDRESSES[0].format(marker=marker)
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    nodes = snapshot(good(nodes=[node("worker-1", status=status)]))
    hosts = {"connection": "ssh://root@{address}", "key": str(server.key), "known-hosts": str(server.known_hosts)}
    (host,) = look_at_hosts(profile(hosts=hosts), nodes, TAKEN)
    assert not marker.exists()
    assert host.unseen == NO_ADDRESS


def test_nobodys_process_is_not_the_kubelet(wanted, tmp_path):
    """What an unprivileged process calls itself, says on its command line, or would answer is not the host's component."""
    asked = wanted(arguments={"kube-thing": ["--a=1"]}, expect={"kube-thing": "1"})
    with pretending(tmp_path, "kube-thing", "--a=1", user=NOBODY, group=NOBODY, extra_groups=[]):
        host = seen(asked)
    assert host.commands == ()
    assert "kube-thing" not in host.versions
    assert said("hosts.arguments", asked, host).reason == "the component kube-thing was found on none of the hosts"


def test_a_container_is_not_the_host(wanted, machine, tmp_path):
    """Root in a container can call itself kube-proxy; only what Docker or the CRI has as the cluster's own is taken for it."""
    asked = wanted(arguments={"kube-thing": ["--a=1"]}, preset=["kubeadm", "rke"], expect={"kube-thing": "1.35"})
    with contained(tmp_path, "kube-thing", "--a=1") as pid:
        forged = seen(asked)
        machine.command("docker", docker(pid))
        own = seen(asked)
    assert forged.commands == ()
    assert (
        "kube-thing runs in a container that may not belong to the cluster"
        in said("hosts.arguments", asked, forged).reason
    )
    assert [(each.source, each.running) for each in own.commands][:1] == [(f"process {pid}", True)]
    assert said("hosts.arguments", asked, own).outcome == "passed"
    assert own.versions["kube-thing"] == "1.35.2-rancher1"


def docker(pid: int) -> str:
    """A Docker with a container kube-proxy, whose process this is."""
    return f"""
    for name; do :; done
    case "$*" in *"ps -q"*) exit 0;; *logs*) exit 0;; esac
    [ "$name" = kube-thing ] || exit 1
    case "$*" in
      *Pid*) echo "{pid} registry:5000/rancher/hyperkube:v1.35.2-rancher1";;
      *Status*) echo "running always";;
      *Args*) echo '["kube-thing","--a=1"]';;
    esac"""


def test_a_container_of_kube_system_is_the_clusters_own(wanted, machine, tmp_path):
    """The CRI is asked for the namespace kube-system alone, in which no tenant makes pods."""
    asked = wanted(arguments={"kube-other": ["--a=1"]}, expect={"kube-other": "1.36.3"})
    with contained(tmp_path, "kube-other", "--a=1") as pid:
        image = "registry.k8s.io/kube-apiserver:v1.36.3"
        machine.command(
            "crictl",
            f"""
            case "$*" in
              ps*--label*io.kubernetes.pod.namespace=kube-system*) echo c0ffee;;
              inspect*c0ffee) printf '{pid} {image}';;
            esac
            """,
        )
        host = seen(asked)
    assert said("hosts.arguments", asked, host).outcome == "passed"
    assert host.versions["kube-other"] == "1.36.3"


def test_a_tenants_container_has_no_log_of_the_control_plane(wanted, machine):
    """A container that is called etcd in a tenant's namespace is not asked for its log."""
    machine.command(
        "crictl", 'case "$*" in *kube-system*) ;; ps*) echo c0ffee;; logs*) echo "2030-01-01T00:00:00Z panic: x";; esac'
    )
    assert seen(wanted()).log == ()


def test_programs_are_asked_for_their_version_as_nobody(wanted, machine):
    """Also a file of root's is run without root's privileges."""
    machine.command("kube-thing", 'echo "Kubernetes v1.35.$(id -u)"')
    assert seen(wanted(expect={"kube-thing": "1"})).versions["kube-thing"] == f"1.35.{NOBODY}"


@pytest.mark.parametrize("make", ["chmod o+w", "chown nobody", "chmod g+w,g-s {file}; chgrp nogroup"])
def test_a_program_that_others_can_write_is_not_run(wanted, machine, make):
    """Its version is not known, then."""
    machine.command("kube-thing", "echo Kubernetes v1.35.2")
    file = machine.folder / "usr/local/sbin/kube-thing"
    subprocess.run(f"{make.format(file=file)} {file}", shell=True, check=True)
    host = seen(wanted(expect={"kube-thing": "1"}))
    assert "kube-thing" not in host.versions
    assert host.gaps["versions"] == ("its kube-thing does not print its version",)


def test_a_process_whose_program_others_can_write_is_not_run(wanted, tmp_path):
    """Nor where a folder above it is everybody's: what lies there was put there by whoever came first."""
    with pretending(tmp_path, "kube-thing"):
        tmp_path.chmod(0o1777)
        host = seen(wanted(expect={"kube-thing": "1"}))
    assert "kube-thing" not in host.versions
    assert host.gaps["versions"] == ("its kube-thing does not print its version",)


def test_what_runs_counts_though_its_file_is_gone(wanted):
    """An upgraded package has replaced the file of a kubelet that still runs: the old one is asked."""
    folder = Path("/usr/local/lib/upgate-test")
    folder.mkdir(exist_ok=True)
    try:
        with pretending(folder, "kube-thing"):
            (folder / "kube-thing").unlink()
            host = seen(wanted(expect={"kube-thing": "1"}))
    finally:
        shutil.rmtree(folder)
    bash = subprocess.run(["bash", "-c", "echo ${BASH_VERSION%%(*}"], capture_output=True, text=True, check=True).stdout
    assert host.versions["kube-thing"] == bash.strip()


def test_a_pipe_or_a_device_holds_up_nothing(wanted, machine):
    """Where a file is looked for, a pipe lies that never ends: it is named, and the rest is read."""
    for path in ("etc/kubernetes/manifests/a.yaml", "etc/kubernetes/pki/a.crt", "etc/kubernetes/a.conf"):
        os.mkfifo(machine.write(f"{path}.x").with_suffix(""))
    (machine.folder / "etc/kubernetes/pki/zero.crt").symlink_to("/dev/zero")
    host = seen(wanted(arguments={"kube-proxy": ["--x"]}, timeout="12s"))
    assert host.unseen == ""
    assert host.gaps["arguments"] == ("/etc/kubernetes/manifests/a.yaml is not a plain file",)
    for path in ("pki/a.crt", "pki/zero.crt", "a.conf"):
        assert f"/etc/kubernetes/{path} is not a plain file" in host.gaps["certificates"]


def test_a_files_name_is_no_line_and_no_command(wanted, machine):
    """Line breaks and sed's own marks in the names of files stay where they are."""
    for name in ("a\ngap\tforged", "b|e", "c&\\1|w x"):
        machine.write(f"etc/kubernetes/{name}.conf", "client-certificate-data: AAAA\n")
        machine.write(f"etc/kubernetes/pki/{name}.crt", "nothing")
    gaps = seen(wanted()).gaps["certificates"]
    assert not [each for each in gaps if each.startswith("forged")]
    assert "a certificate in /etc/kubernetes/b|e.conf cannot be parsed" in gaps
    assert "a certificate in /etc/kubernetes/c&\\1|w x.conf cannot be parsed" in gaps


def test_a_key_behind_half_a_certificate_stays_on_its_host(wanted, machine, tmp_path):
    """Of a certificate without an end nothing is taken beyond it."""
    half = "-----BEGIN CERTIFICATE-----\nAAAA\n"
    machine.write("etc/kubernetes/pki/a.crt", f"{half}-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n")
    asked = wanted()
    (target,) = host_targets(asked.hosts, Snapshot(taken=TAKEN))
    text = run_on_host(asked.hosts, target.spec, shell_command(target, Asked(TAKEN), "m"), 25, HostProcesses())
    assert "pem\tAAAA" in text
    assert "SECRET" not in text


def test_a_bad_byte_in_a_log_hides_no_line_of_it(wanted, machine):
    """grep takes a log with a zero byte for no text, and shows nothing of it."""
    now = f"{TAKEN:%m%d %H:%M:%S}"
    text = f"I{now}.1 7 x.go:1] \0\xff\n".encode("latin-1") + f"I{now}.1 7 x.go:1] a\npanic: b\n".encode()
    machine.write("var/lib/rancher/rke2/agent/logs/kubelet.log", text)
    assert [each.text for each in seen(wanted(preset="rke2")).log] == ["panic: b"]


def measured(server: Sshd, *machines: Machine, timeout: str = "25s") -> tuple[float, float, str]:
    """MB, seconds and the gap of a look at these hosts."""
    arguments = [",".join(each.spec for each in machines), str(server.key), str(server.known_hosts), timeout]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), *arguments], capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    memory, seconds, gap = done.stdout.strip().split("|", 2)
    return int(memory) / 1024, float(seconds), gap


@pytest.mark.parametrize("where", ["", " >&2"])
@pytest.mark.parametrize("what", ["head -c 600000000 /dev/zero", "yes"])
def test_a_host_that_sends_without_end_fills_no_memory(server, machine, what, where):
    """600 MB on either stream: what comes behind the bound is not read, and the host is let go at once."""
    machine.write("before", f"{what}{where}; exit 0")
    memory, seconds, gap = measured(server, machine)
    assert gap.startswith("its answer has more than")
    assert memory < MOST_MEMORY
    assert seconds < 20


def test_many_hosts_that_send_too_much_fill_no_memory(server, machine):
    """Eight at a time."""
    for each in server.machines:
        each.write("before", "yes; exit 0")
    memory, _, gap = measured(server, *server.machines)
    assert gap.startswith("its answer has more than")
    assert memory < MOST_MEMORY


def test_aliases_of_yaml_fill_no_memory(server, machine):
    """A manifest of a few hundred bytes that stands for ten million texts is not read."""
    machine.write("etc/kubernetes/manifests/bomb.yaml", BOMB)
    memory, seconds, gap = measured(server, machine)
    assert "bomb.yaml cannot be read: it has an alias" in gap
    assert memory < MOST_MEMORY
    assert seconds < 25
