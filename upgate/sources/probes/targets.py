"""The profile's entries joined with the snapshot: what to ask, and what was seen of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from upgate.base.errors import Inconclusive
from upgate.facts.attempts import Attempt
from upgate.snapshot import Snapshot
from upgate.sources.probes import hints
from upgate.sources.probes.asking import target_at
from upgate.sources.probes.explaining import Whereabouts
from upgate.sources.probes.judging import Mismatch, judge_attempt
from upgate.sources.probes.places import EACH, probe_locations
from upgate.sources.probes.target import ProbeTarget

if TYPE_CHECKING:
    from upgate.profile.external import External

#: The lists that tell whose address does not answer. Without the right to list them, failures are explained less well.
EXPLAINING = ("nodes", "services", "endpointslices", "ingresses")
#: Targets of one entry with `each`, unless it says `at-most`.
MOST = 500
#: Locations that are considered, as a multiple of the targets that may be asked: several locations may give one target.
TRIED = 20


@dataclass(frozen=True)
class ProbedTarget:
    """One target and what was seen of it, as a check judges it."""

    target: ProbeTarget
    attempt: Attempt
    #: What the cluster knows about addresses, to explain a failure.
    whereabouts: Whereabouts

    @property
    def ref(self) -> str:
        """The URL or `host:port`, without credentials."""
        return self.attempt.target

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return hints.hint_words(self.target, self.attempt)

    @property
    def gap(self) -> str:
        """Why it could not be judged; empty when it could."""
        try:
            judge_attempt(self.target, self.attempt)
        except Inconclusive as reason:
            return str(reason)
        return ""

    @property
    def problems(self) -> str:
        """What is wrong, and what the cluster knows about the address; empty if nothing is wrong. Raises Inconclusive."""
        found = [problem.observed for problem in self._judged()]
        return "; ".join([*found, *self.whereabouts.known(self.attempt)]) if found else ""

    @property
    def expected(self) -> str:
        """What was expected instead of what is wrong. Raises Inconclusive."""
        return "; ".join(dict.fromkeys(problem.expected for problem in self._judged()))

    @property
    def flaky(self) -> str:
        """Why it is flaky: it passed after failed attempts; else empty."""
        if not self.attempt.flaky_after:
            return ""
        number = self.attempt.flaky_after + 1
        return f"flaky: passed at attempt {number}, after: {'; '.join(self.attempt.earlier)}"

    def _judged(self) -> list[Mismatch]:
        return judge_attempt(self.target, self.attempt)


@dataclass
class ProbedEntry:
    """What the snapshot holds about one entry."""

    endpoints: list[ProbedTarget] = field(default_factory=list)
    #: What could not be probed, one sentence each.
    gaps: list[str] = field(default_factory=list)


def lists_for_probes(entries: Iterable[External]) -> set[str]:
    """The lists that are needed to expand these entries, or to explain their failures."""
    entries = list(entries)
    expanding = {EACH[entry.each][0] for entry in entries if entry.each}
    return expanding | set(EXPLAINING) if entries else set()


def probe_targets(
    entries: Iterable[External], snapshot: Snapshot, secrets: Sequence[str] = (), scope: Sequence[str] = ("*",)
) -> list[ProbeTarget]:
    """All targets. Entries that cannot be expanded are skipped; `probed_entry` says why."""
    return [target for entry in entries for target in _possible(entry, snapshot, secrets, scope)]


def probed_entry(
    entry: External, snapshot: Snapshot, secrets: Sequence[str] = (), scope: Sequence[str] = ("*",)
) -> ProbedEntry:
    """What was seen of one entry. Raises Inconclusive if the objects of its `each` could not be listed."""
    attempts, whereabouts = {attempt.id: attempt for attempt in snapshot.attempts}, Whereabouts(snapshot)
    expanded, found = _expanded(entry, snapshot, secrets, scope), ProbedEntry()
    for target in expanded:
        if isinstance(target, str):
            found.gaps.append(target)
        elif target.id in attempts:
            found.endpoints.append(ProbedTarget(target, attempts[target.id], whereabouts))
        else:
            found.gaps.append(f"{target.shown} was not probed when this snapshot was taken")
    found.gaps += [each.gap for each in found.endpoints if each.gap]
    found.endpoints = [each for each in found.endpoints if not each.gap]
    return found


def _possible(
    entry: External, snapshot: Snapshot, secrets: Sequence[str], scope: Sequence[str]
) -> Iterator[ProbeTarget]:
    try:
        yield from (each for each in _expanded(entry, snapshot, secrets, scope) if isinstance(each, ProbeTarget))
    except Inconclusive:
        return  # `probed_entry` raises the same, as the result of this entry's check


def _expanded(
    entry: External, snapshot: Snapshot, secrets: Sequence[str], scope: Sequence[str]
) -> list[ProbeTarget | str]:
    """The targets without duplicates, or a sentence why a location cannot be probed. Raises Inconclusive."""
    found: dict[object, ProbeTarget | str] = {}
    every, most = probe_locations(entry, snapshot, scope), entry.at_most or MOST
    for place in islice(every, TRIED * most):
        target = place.gap or target_at(entry, place, secrets)
        if target:
            found.setdefault(_distinct(target), target)
        if len(found) >= most:
            break
    return [*found.values(), *_left_out(entry, Counter(place.namespace for place in every))]


def _left_out(entry: External, left: Counter[str]) -> list[str]:
    """The sentence about the locations over the limit."""
    if not left:
        return []
    most = ", ".join(f"{number} of {name}" if name else str(number) for name, number in left.most_common(3))
    return [
        f"{left.total()} more places of each {entry.each} were left out ({most}): at-most is {entry.at_most or MOST}"
    ]


def _distinct(target: ProbeTarget | str) -> object:
    """The key of targets that are probed only once: everything but the name."""
    return target if isinstance(target, str) else msgspec.json.encode(msgspec.structs.replace(target, id=""))
