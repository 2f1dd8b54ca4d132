"""All machines at once, within bounds. What goes wrong with one is told of that one; the others go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.hosts import Host
from upgate.profile.machines import check_spec
from upgate.snapshot import Snapshot
from upgate.sources.hosts.parsing import host
from upgate.sources.hosts.script import Asked, command
from upgate.sources.hosts.sections import Lines, sections
from upgate.sources.hosts.targets import Target, targets
from upgate.sources.hosts.transport import Running, ask

if TYPE_CHECKING:
    from upgate.profile.hosts import Hosts
    from upgate.profile.model import Profile

#: Machines at a time: more would only wait for this one to do its cryptography.
WORKERS = 32


def look(profile: Profile, snapshot: Snapshot, since: datetime) -> list[Host] | None:
    """What is seen of every machine; None where it is not known which there are."""
    hosts = profile.hosts
    try:
        wanted = targets(hosts, snapshot) if hosts else []
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
    """Goes to machines, as long as there is time."""

    hosts: Hosts
    asked: Asked
    deadline: Deadline
    running: Running = field(default_factory=Running)

    def visit(self, target: Target) -> Host:
        """One machine."""
        try:
            return self._understood(target, self._answer(target))
        except Inconclusive as problem:
            return Host(name=target.name, unseen=str(problem))

    def _understood(self, target: Target, answer: dict[str, Lines]) -> Host:
        """The facts in its answer. Raises Inconclusive where something in it has a form that we do not know."""
        try:
            return host(target.name, answer, self.asked.since)
        except (ValueError, LookupError, OverflowError) as problem:
            raise Inconclusive(f"its answer cannot be understood: {problem!r}") from problem

    def _answer(self, target: Target) -> dict[str, Lines]:
        """The sections of its answer. Raises Inconclusive."""
        refuse_odd_address(target)
        if self.deadline.passed:
            raise Inconclusive(f"its turn did not come within {self.deadline.seconds:.0f} s")
        mark = token_hex(16)
        seconds = min(self.hosts.timeout.total_seconds(), self.deadline.remaining)
        text = ask(self.hosts, target.spec, command(target, self.asked, mark), seconds, self.running)
        return sections(text, mark)


def refuse_odd_address(target: Target) -> None:
    """A node's address comes from the cluster: nothing that a shell or ssh would read may be in it. Raises Inconclusive."""
    try:
        check_spec(target.spec)
    except ValueError:
        raise Inconclusive("its address or name holds characters that no host has") from None
