"""Looks at all machines concurrently, within limits. An error with one machine does not affect the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from secrets import token_hex
from threading import Lock
from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive, words_of
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.hosts import Host
from upgate.snapshot import Snapshot
from upgate.sources.hosts.parsing import host
from upgate.sources.hosts.script import Asked, shell_command
from upgate.sources.hosts.sections import split_sections
from upgate.sources.hosts.targets import HostTarget, host_targets
from upgate.sources.hosts.transport import HostProcesses, run_on_host

if TYPE_CHECKING:
    from upgate.profile.hosts import Hosts
    from upgate.profile.model import Profile

#: Machines at a time: more would wait for this machine's CPU (ssh's cryptography).
WORKERS = 32


def look_at_hosts(profile: Profile, snapshot: Snapshot, since: datetime) -> list[Host] | None:
    """What is seen of every machine; None if the machines are unknown."""
    hosts = profile.hosts
    if hosts is None:
        return []
    try:
        wanted = host_targets(hosts, snapshot)
    except Inconclusive:
        return None  # the noun `hosts` raises the same
    asked = Asked(since, tuple(profile.expect.hosts), hosts.certificates, hosts.journal.patterns)
    visitor = Visitor(hosts, asked, Deadline(hosts.deadline.total_seconds()))
    try:
        seen = concurrently({str(number): partial(visitor.visit, each) for number, each in enumerate(wanted)}, WORKERS)
    finally:
        visitor.running.stop()
    return [seen[str(number)] for number in range(len(wanted))]


@dataclass(frozen=True)
class Visitor:
    """Looks at machines until the deadline."""

    hosts: Hosts
    asked: Asked
    deadline: Deadline
    running: HostProcesses = field(default_factory=HostProcesses)
    #: Answers are parsed one at a time: each needs many times its size in memory.
    understanding: Lock = field(default_factory=Lock)

    def visit(self, target: HostTarget) -> Host:
        """Look at one machine; an error with it does not stop the others."""
        try:
            text, mark = self._answer(target)
            with self.understanding:
                return host_from_answer(target.name, text, mark, self.asked.since)
        except Inconclusive as problem:
            return Host(name=target.name, unseen=str(problem))
        except Exception as problem:  # the answer of one host must not stop the others
            return Host(name=target.name, unseen=f"cannot be looked at: {words_of(problem)}")

    def _answer(self, target: HostTarget) -> tuple[str, str]:
        """Its answer, and the mark of its sections. Raises Inconclusive."""
        if target.gap:
            raise Inconclusive(target.gap)
        if self.deadline.passed:
            raise Inconclusive(f"not started before the {self.deadline.seconds:.0f} s deadline")
        mark = token_hex(16)
        seconds = min(self.hosts.timeout.total_seconds(), self.deadline.remaining)
        return run_on_host(
            self.hosts, target.spec, shell_command(target, self.asked, mark), seconds, self.running
        ), mark


def host_from_answer(name: str, text: str, mark: str, since: datetime) -> Host:
    """The facts in an answer. Raises Inconclusive if the answer is incomplete or has an unknown format."""
    answer = split_sections(text, mark)
    try:
        return host(name, answer, since)
    except Exception as problem:
        raise Inconclusive(f"its answer cannot be parsed: {words_of(problem)}") from problem
