"""The noun `hosts`: the machines that were seen, and what could not be seen of the others. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive
from upgate.battery.judgement import Judgement, Subjects
from upgate.battery.machine import JudgedMachine
from upgate.snapshot import Snapshot
from upgate.sources.hosts.targets import empty_groups, host_targets

if TYPE_CHECKING:
    from upgate.profile.model import Profile


class Machines(Subjects[JudgedMachine]):
    """The machines that were seen. Those that were not are a gap of every check."""

    def __init__(self, machines: Iterable[JudgedMachine], judgement: Judgement) -> None:
        super().__init__("hosts", machines, judgement)

    def telling(self, section: str) -> Machines:
        """The same; what is not known of this section is a gap."""
        gaps = [(reason, machine.seen.name) for machine in self._items for reason in machine.seen.gaps.get(section, ())]
        self._judgement.gaps += sentence_per_reason(gaps)
        return self

    def each_has(self, what: str, names: Iterable[str], known: Callable[[JudgedMachine, str], object]) -> None:
        """What is on none of the machines could not be asked: that is a gap."""
        self._judgement.gaps += [
            f"{what} {name} was found on none of the hosts"
            for name in names
            if self._items and not any(known(machine, name) for machine in self._items)
        ]


def machines(profile: Profile, seen: Snapshot, judgement: Judgement) -> Machines:
    """The noun `hosts`. Raises Inconclusive where they were not looked at."""
    if profile.hosts is None:
        return Machines((), judgement)
    wanted = host_targets(profile.hosts, seen)
    if wanted and seen.hosts is None:
        raise Inconclusive("hosts were not looked at when this snapshot was taken")
    facts = {host.name: host for host in seen.hosts or ()}
    unseen = [(facts[each.name].unseen if each.name in facts else "it was not looked at", each.name) for each in wanted]
    judgement.gaps += [*sentence_per_reason(pair for pair in unseen if pair[0]), *empty_groups(profile.hosts, seen)]
    visible = [each for each in wanted if each.name in facts and not facts[each.name].unseen]
    return Machines(
        (JudgedMachine(facts[each.name], each, profile.hosts, profile.expect.hosts, seen.taken) for each in visible),
        judgement,
    )


def sentence_per_reason(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """One sentence for each reason, with all hosts that it is true of."""
    hosts: dict[str, list[str]] = {}
    for reason, name in pairs:
        hosts.setdefault(reason, []).append(name)
    return [f"{few(names)}: {reason}" for reason, names in hosts.items()]


def few(names: list[str], most: int = 5) -> str:
    """Some names, and how many there are beside them."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} other hosts" if len(names) > most else "")
