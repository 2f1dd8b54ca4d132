"""What the profile demands of one machine, compared with what was seen of it: texts, empty when all is well. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from upgate.base.harmless import Typed, shell_word
from upgate.base.text import counted
from upgate.base.versions import satisfies
from upgate.battery.host_demands import lacking, reaches
from upgate.facts.certificates import expiry
from upgate.facts.hosts import CommandLine, FileSystem, Host, HostCertificate, HostService
from upgate.sources.hosts.presets import KUBELET_PKI
from upgate.sources.hosts.targets import HostTarget

if TYPE_CHECKING:
    from upgate.profile.hosts import Hosts

#: The kubelet's own certificate, left behind once the cluster signs it one.
REPLACED = {f"{KUBELET_PKI}/kubelet.crt": f"{KUBELET_PKI}/kubelet-server-current.pem"}
PORT = re.compile(r"^(.+):(\d+)$")
BRACKETS = str.maketrans("", "", "[]")
#: Percent of a limit of the kernel that may be in use.
TIGHT = 80


@dataclass(frozen=True)
class JudgedMachine:
    """One machine that was seen, and what is demanded of it."""

    seen: Host
    target: HostTarget
    demands: Hosts
    versions: dict[str, str]
    #: The moment of the snapshot.
    moment: datetime

    @property
    def ref(self) -> str:
        """`Host/name`."""
        return f"Host/{self.seen.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.seen.name, "login": ssh_login(self.target.spec)}

    @property
    def now(self) -> datetime:
        """The moment by its own clock, which is that of its files."""
        return self.seen.now or self.moment

    @property
    def idle_services(self) -> str:
        """The services that do not run, or are not enabled."""
        return join_texts(self._service(each) for each in self.target.services)

    @property
    def reboot(self) -> str:
        """Why it needs a reboot."""
        return self.seen.reboot.words(self.now)

    @property
    def reboot_overdue(self) -> bool:
        """It has needed one for longer than the profile allows."""
        due = self.seen.reboot.due_since
        return bool(due and self.now - due > self.demands.reboot.max_age)

    @property
    def unexpected_versions(self) -> str:
        """The versions that are not as expected; what is not installed here has none."""
        have = self.seen.versions
        wrong = {name: want for name, want in self.versions.items() if name in have and not satisfies(have[name], want)}
        return join_texts(f"{name} {have[name]}" for name in wrong)

    @property
    def expected_versions(self) -> str:
        """What the profile expects of what is installed here."""
        return ", ".join(f"{name} {want}" for name, want in self.versions.items() if name in self.seen.versions)

    @property
    def lacking_arguments(self) -> str:
        """The demanded arguments that command lines do not hold."""
        return join_texts(
            f"{component} ({line.source}): {lacking(line.arguments, wanted)}"
            for component, wanted in self.target.arguments.items()
            for line in self.command_lines(component)
            if not unfilled(line) and lacking(line.arguments, wanted)
        )

    def command_lines(self, component: str) -> list[CommandLine]:
        """Its processes; where there is none, the first place that says how it would be started."""
        lines = [line for line in self.seen.commands if line.component == component]
        return [line for line in lines if line.running] or lines[:1]

    @property
    def unfilled(self) -> list[str]:
        """Components that do not run, and of which only a unit with variables tells how they would be started."""
        lines = [line for component in self.target.arguments for line in self.command_lines(component)]
        return [
            f"{line.component} does not run on {self.seen.name}, and {line.source} has variables"
            for line in lines
            if unfilled(line)
        ]

    @property
    def wrong_sockets(self) -> str:
        """The sockets that are demanded and not there, and those that must not be there."""
        closed = [each for each in self.target.listening if not self._reached(each)]
        open_ = [
            f"listens on {', '.join(self._reached(each))}" for each in self.target.not_listening if self._reached(each)
        ]
        return join_texts([*(f"does not listen on {each}{self._elsewhere(each)}" for each in closed), *open_])

    @property
    def expected_sockets(self) -> str:
        """What the profile demands."""
        parts = {"listens on": self.target.listening, "does not listen on": self.target.not_listening}
        return "; ".join(f"{words} {', '.join(sockets)}" for words, sockets in parts.items() if sockets)

    @property
    def full_disks(self) -> str:
        """The file systems that are nearly full."""
        return join_texts(map(self._full, self.seen.file_systems))

    @property
    def tight_limits(self) -> str:
        """The limits of the kernel that are nearly reached."""
        return join_texts(
            f"{each.name}: {each.used} of {each.most} are in use"
            for each in self.seen.limits
            if each.used * 100 >= each.most * TIGHT
        )

    @property
    def fatal_lines(self) -> str:
        """What its logs hold of fatal lines: the latest of each log."""
        ignored = self.demands.journal.ignore
        lines = [line for line in self.seen.log if not any(text in line.text for text in ignored)]
        latest = {line.source: line for line in lines}
        counts = {source: sum(line.source == source for line in lines) for source in latest}
        return join_texts(
            f"{source}: {counted(counts[source], 'line')}, the last is: {line.text[:300]}"
            for source, line in latest.items()
        )

    @property
    def old_certificates(self) -> str:
        """The certificates that expire soon, or have expired."""
        there = {each.path for each in self.seen.certificates}
        return join_texts(self._old(each) for each in self.seen.certificates if REPLACED.get(each.path) not in there)

    def _service(self, names: str) -> str:
        services = [each for name in names.split("|") for each in self.seen.services if each.name == name]
        if not services:
            unknown = "services" in self.seen.gaps
            return "" if unknown else f"{names.replace('|', ', ')}: not installed"
        best: HostService = min(services, key=lambda each: (bool(each.trouble), each.state != "active"))
        return best.trouble and f"{best.name}: {best.trouble}"

    def _reached(self, demanded: str) -> list[str]:
        return reaches(self._here(demanded), self.seen.sockets)

    def _elsewhere(self, demanded: str) -> str:
        port = demanded.rpartition(":")[2]
        there = reaches(port, self.seen.sockets)
        return f" but on {', '.join(there)}" if there else ""

    def _here(self, demanded: str) -> str:
        address = self.target.address
        return demanded.replace("{address}", f"[{address}]" if ":" in address else address)

    def _full(self, disk: FileSystem) -> str:
        demanded = self.demands.disk
        space = percent_of(disk.free, disk.size) if disk.size else 100.0
        inodes = percent_of(disk.inodes_free or 0, disk.inodes) if disk.inodes else 100.0
        parts = [
            f"{space:.0f}% of space" if space < demanded.free else "",
            f"{inodes:.0f}% of inodes" if inodes < demanded.inodes else "",
        ]
        return (free := " and ".join(filter(None, parts))) and f"{disk.mount} has {free} left"

    def _old(self, certificate: HostCertificate) -> str:
        days, made = self.demands.tls_days, max(self.now, self.moment)
        ends = expiry(certificate.not_before, certificate.not_after, self.moment, days, made)
        return ends and f"{certificate.path} ({certificate.subject}) {ends}"


def unfilled(line: CommandLine) -> bool:
    """Nobody knows what systemd would put into it."""
    return line.source.startswith("unit ") and any("$" in each for each in line.arguments)


def ssh_login(spec: str) -> Typed:
    """How a person logs in there with ssh, as a shell takes it."""
    place = spec.partition("://")[2].partition("?")[0]
    host, port = match.groups() if (match := PORT.fullmatch(place)) else (place, None)
    return Typed((f"-p {port} " if port else "") + shell_word((host or "localhost").translate(BRACKETS)))


def percent_of(part: int, whole: int) -> float:
    """Percent."""
    return 100 * part / whole


def join_texts(texts: Iterable[str] | Iterator[str]) -> str:
    """What is wrong, joined."""
    return "; ".join(filter(None, texts))
