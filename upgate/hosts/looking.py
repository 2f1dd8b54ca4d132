"""All machines at once, within bounds. What goes wrong with one is told of that one; the others go on."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING

from upgate.concurrently import concurrently
from upgate.errors import Inconclusive
from upgate.facts.hosts import Host
from upgate.hosts.parsing import host
from upgate.hosts.script import Asked, command
from upgate.hosts.sections import Lines, sections
from upgate.hosts.targets import Target, targets
from upgate.hosts.transport import ask
from upgate.profile.machines import check_spec
from upgate.snapshot import Snapshot
from upgate.waiting import Deadline

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
    deadline = Deadline(hosts.deadline.total_seconds())
    tasks = {str(number): partial(visit, hosts, each, asked, deadline) for number, each in enumerate(wanted)}
    seen = concurrently(tasks, WORKERS)
    return [seen[str(number)] for number in range(len(wanted))]


def visit(hosts: Hosts, target: Target, asked: Asked, deadline: Deadline) -> Host:
    """One machine."""
    try:
        return understood(target, answer(hosts, target, asked, deadline), asked)
    except Inconclusive as problem:
        return Host(name=target.name, unseen=str(problem))


def understood(target: Target, answer: dict[str, Lines], asked: Asked) -> Host:
    """The facts in its answer. Raises Inconclusive where something in it has a form that we do not know."""
    try:
        return host(target.name, answer, asked.since)
    except (ValueError, IndexError, KeyError) as problem:
        raise Inconclusive(f"its answer cannot be understood: {problem!r}") from problem


def answer(hosts: Hosts, target: Target, asked: Asked, deadline: Deadline) -> dict[str, Lines]:
    """The sections of its answer. Raises Inconclusive."""
    refuse_odd_address(target)
    if deadline.passed:
        raise Inconclusive(f"its turn did not come within {deadline.seconds:.0f} s")
    mark = token_hex(16)
    seconds = min(hosts.timeout.total_seconds(), deadline.remaining)
    return sections(ask(hosts, target.spec, command(target, asked, mark), seconds), mark)


def refuse_odd_address(target: Target) -> None:
    """A node's address comes from the cluster: nothing that a shell or ssh would read may be in it. Raises Inconclusive."""
    try:
        check_spec(target.spec)
    except ValueError:
        raise Inconclusive("its address or name holds characters that no host has") from None
