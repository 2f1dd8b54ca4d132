"""Tiny builders of machines: facts as one pass over ssh gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from upgate.facts.hosts import (
    CommandLine,
    FileSystem,
    Host,
    HostCertificate,
    HostService,
    Kernel,
    KernelLimit,
    LogLine,
    RebootStatus,
    Socket,
)

#: The moment of all snapshots in tests.
NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
#: What the profile demands of the machine below.
DEMANDS = {"listening": ["0.0.0.0:10256"], "arguments": {"kubelet": ["--anonymous-auth=false"]}}


def service(name: str = "kubelet", state: str = "active", enabled: str = "enabled", **more: Any) -> HostService:
    """A unit that runs."""
    return HostService(name=name, state=state, enabled=enabled, **{"sub": "running", "kind": "notify", **more})


def socket(address: str = "*", port: int = 10256, protocol: str = "tcp") -> Socket:
    """A socket that is listened on."""
    return Socket(protocol=protocol, address=address, port=port)


def command(
    *arguments: str, component: str = "kubelet", running: bool = True, source: str = "process 7"
) -> CommandLine:
    """How a component was started."""
    return CommandLine(component=component, arguments=(component, *arguments), source=source, running=running)


def certificate(
    days: float = 200, lifetime: float = 365, path: str = "/etc/kubernetes/pki/apiserver.crt"
) -> HostCertificate:
    """A certificate with so many days left."""
    end = NOW + timedelta(days=days)
    return HostCertificate(path=path, subject="CN=x", not_before=end - timedelta(days=lifetime), not_after=end)


def reboot(running: str = "6.1.0-18-amd64", *installed: str, **more: Any) -> RebootStatus:
    """A machine that runs one of its kernels."""
    kernels = tuple(Kernel(version=each, installed=NOW - timedelta(days=2)) for each in installed or (running,))
    return RebootStatus(running=running, kernels=kernels, **more)


def file_system(free: int = 50, inodes: int | None = 50, mount: str = "/") -> FileSystem:
    """A file system with so much of a hundred left."""
    return FileSystem(mount=mount, type="ext4", size=100, free=free, inodes=inodes and 100, inodes_free=inodes)


def limit(used: int = 10, most: int = 100, name: str = "file handles") -> KernelLimit:
    """A limit of the kernel."""
    return KernelLimit(name=name, used=used, most=most)


def line(text: str = "panic: no such thing", **more: Any) -> LogLine:
    """A line of the kubelet's journal."""
    return LogLine(source="journal of kubelet", text=text, **more)


def host(name: str = "worker-1", **changes: Any) -> Host:
    """A machine on which all is well."""
    good = Host(
        name=name,
        now=NOW,
        services=(service(), service("containerd")),
        reboot=reboot(),
        versions={"kubelet": "1.36.3", "kernel": "6.1.0-18-amd64"},
        commands=(command("--anonymous-auth=false"),),
        sockets=(socket(),),
        file_systems=(file_system(),),
        limits=(limit(),),
        synchronised=True,
        clock="chronyc",
        log_since=NOW - timedelta(hours=1),
        certificates=(certificate(),),
        settings={"Sysctl": {"net.ipv4.ip_forward": "1"}},
    )
    return replace(good, **changes)


#: One bad machine for each check: what differs from the good one.
BAD_HOSTS: dict[str, dict[str, Any]] = {
    "hosts.services": {"services": (service(state="failed"), service("containerd"))},
    "hosts.reboot": {"reboot": reboot("6.1.0-18-amd64", "6.1.0-18-amd64", "6.1.0-21-amd64")},
    "hosts.versions": {"versions": {"kubelet": "1.35.2"}},
    "hosts.arguments": {"commands": (command("--anonymous-auth=true"),)},
    "hosts.ports": {"sockets": (socket("127.0.0.1"),)},
    "hosts.disk": {"file_systems": (file_system(free=3),)},
    "hosts.limits": {"limits": (limit(80),)},
    "hosts.clock": {"synchronised": False},
    "hosts.journal": {"log": (line(),)},
    "changes.hosts": {"settings": {"Sysctl": {"net.ipv4.ip_forward": "0"}}},
    "certs.hosts": {"certificates": (certificate(days=3),)},
}
