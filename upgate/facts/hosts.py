"""Facts about the machines themselves, as one pass over ssh saw them. Times by the host's own clock."""

from __future__ import annotations

import re
from datetime import datetime
from typing import dataclass_transform

import msgspec

from upgate.base.text import duration

#: States of a unit's file that start it at boot, or leave that to another unit.
#: https://www.freedesktop.org/software/systemd/man/latest/systemctl.html#is-enabled%20UNIT%E2%80%A6
ENABLED = ("enabled", "static", "indirect", "alias", "generated", "transient")
#: Restart policies that start a container with its engine.
RESTARTED = ("always", "unless-stopped")
#: Marks of distributions inside a kernel's version: .el9_4, .deb12, +deb13, +bpo, .amzn2023.
#: The number at the beginning of a version, and the numbers in it.
BEGINNING = re.compile(r"^[\d.~+_-]*\d")
NUMBER = re.compile(r"\d{1,18}")  # more digits are no version, and int() refuses thousands of them
DISTRIBUTIONS = re.compile(r"[.+]((el|fc|amzn|azl|cm|deb|mga)\d+(_\d+)*|bpo\b)")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class HostFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The base of what is known about a host."""


class HostService(HostFact):
    """A systemd unit, or a container that does its work."""

    name: str
    #: Active, failed, …; for a container running, exited, …
    state: str
    #: The unit file's state; for a container its restart policy.
    enabled: str = ""
    sub: str = ""
    kind: str = ""
    #: How it ended.
    result: str = ""
    container: bool = False

    @property
    def trouble(self) -> str:
        """Why it is not as a service should be; empty when it is."""
        return ", ".join(filter(None, (self._idle, self._unstarted)))

    @property
    def _idle(self) -> str:
        if self.container:
            return "" if self.state == "running" else f"its container is {self.state}"
        done = self.kind == "oneshot" and self.state == "inactive" and self.result == "success"
        if self.state in ("active", "reloading") or done:
            return ""
        return f"{self.state} ({self.sub})" if self.sub else self.state

    @property
    def _unstarted(self) -> str:
        if self.container:
            return "" if self.enabled in RESTARTED else f"its restart policy is {self.enabled or 'no'}"
        return "" if self.enabled in ENABLED else f"{self.enabled or 'not enabled'}"


class Kernel(HostFact):
    """An installed kernel."""

    version: str
    #: When its file came to be here.
    installed: datetime | None = None

    @property
    def flavour(self) -> str:
        """What is not its number: -generic, -cloud-amd64, .x86_64."""
        return BEGINNING.sub("", DISTRIBUTIONS.sub("", self.version))

    @property
    def number(self) -> tuple[int, ...]:
        """Its number, comparable with those of the same flavour."""
        whole = DISTRIBUTIONS.sub("", self.version)
        return tuple(int(each) for each in NUMBER.findall(whole.removesuffix(self.flavour)))


class RebootStatus(HostFact):
    """Whether the host says that it needs a reboot."""

    #: Since when Debian's /var/run/reboot-required is there.
    flagged: datetime | None = None
    #: What Red Hat's needs-restarting says; None where it was not asked.
    advised: bool | None = None
    packages: tuple[str, ...] = ()
    running: str = ""
    kernels: tuple[Kernel, ...] = ()

    @property
    def newer_kernel(self) -> Kernel | None:
        """The newest installed kernel of the running one's flavour, where that is not running."""
        running = Kernel(version=self.running)
        newer = [each for each in self.kernels if each.flavour == running.flavour and each.number > running.number]
        return max(newer, key=lambda each: each.number, default=None)

    @property
    def due_since(self) -> datetime | None:
        """Since when, as far as anything tells."""
        times = (self.flagged, self.newer_kernel.installed if self.newer_kernel else None)
        return min((time for time in times if time), default=None)

    @property
    def told(self) -> bool:
        """Something on this host tells whether it needs a reboot. Debian's flag alone says nothing by being absent.

        Nor does a kernel whose name has no version, as Alpine's, or is of another flavour: it cannot be compared.
        """
        flavour = Kernel(version=self.running).flavour
        return bool(self.flagged) or self.advised is not None or any(each.flavour == flavour for each in self.kernels)

    def words(self, moment: datetime) -> str:
        """Why it needs one, and since when; empty where it does not."""
        kernel = self.newer_kernel
        why = ["it asks for a reboot"] if self.flagged or self.advised else []
        why += [f"for {duration(moment - self.due_since)}"] if why and self.due_since else []
        why += [f"({', '.join(self.packages)})"] if self.packages else []
        parts = [" ".join(why), f"runs kernel {self.running}, installed is {kernel.version}" if kernel else ""]
        return "; ".join(filter(None, parts))


class CommandLine(HostFact):
    """How a component was, or would be, started."""

    component: str
    arguments: tuple[str, ...]
    #: `process 1234`, or the file or container that says so.
    source: str
    running: bool = False


class Socket(HostFact):
    """A socket that is listened on. The address `*` stands for all, of IPv4 and IPv6."""

    protocol: str
    address: str
    port: int
    #: Who listens, as far as one may see.
    owner: str = ""


class FileSystem(HostFact):
    """A mounted file system, in KiB and inodes. None: it does not tell."""

    mount: str
    type: str = ""
    size: int = 0
    free: int = 0
    inodes: int | None = None
    inodes_free: int | None = None


class KernelLimit(HostFact):
    """How much of something the kernel gives out at most, and how much is in use."""

    name: str
    used: int
    most: int


class LogLine(HostFact):
    """A line that matched a fatal pattern."""

    source: str
    text: str
    #: None where nothing tells.
    time: datetime | None = None


class HostCertificate(HostFact):
    """A certificate that lies on the host."""

    path: str
    subject: str
    not_before: datetime
    not_after: datetime


class Host(HostFact):
    """One machine, and what one pass saw."""

    name: str
    #: Why nothing is known about it; everything below is then empty.
    unseen: str = ""
    #: Why a part is not known, or not whole: section → reasons.
    gaps: dict[str, tuple[str, ...]] = {}
    #: Its clock, when it was asked.
    now: datetime | None = None
    services: tuple[HostService, ...] = ()
    reboot: RebootStatus = RebootStatus()
    versions: dict[str, str] = {}
    commands: tuple[CommandLine, ...] = ()
    sockets: tuple[Socket, ...] = ()
    file_systems: tuple[FileSystem, ...] = ()
    limits: tuple[KernelLimit, ...] = ()
    #: None where nothing on the host can tell.
    synchronised: bool | None = None
    #: What says so.
    clock: str = ""
    log: tuple[LogLine, ...] = ()
    #: Since when the logs were read.
    log_since: datetime | None = None
    certificates: tuple[HostCertificate, ...] = ()
    #: Component → setting → value: what is compared with the baseline.
    settings: dict[str, dict[str, str]] = {}
