"""How much of a workload is wrong, and what users see of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from upgate.base.errors import Inconclusive
from upgate.facts.backends import WORKLOADS
from upgate.facts.workloads import Workload
from upgate.judge.dependencies import entrance_refs
from upgate.reports.families import replica_family, seen_from_outside
from upgate.results import Finding
from upgate.snapshot import Snapshot


class Size(msgspec.Struct, frozen=True, array_like=True):
    """So many bad ones, of how many; `of` is 0 where that is not known."""

    bad: int
    of: int = 0

    def outgrows(self, told: Size) -> bool:
        """The share of bad ones is larger by half than people know, or it is all of them now."""
        if bool(self.of) != bool(told.of):
            return False
        if not self.of:
            return 2 * self.bad >= 3 * told.bad > 0
        more = self.bad * told.of - told.bad * self.of
        return more > 0 and (self.bad >= self.of or 2 * more >= told.bad * self.of)


class Impact(NamedTuple):
    """What the snapshot adds to the findings of a round."""

    #: Workload → how many of its pods are not ready, of how many.
    workloads: Mapping[str, Size] = {}
    #: Pods that replace each other → how many there are to be.
    pods: Mapping[str, int] = {}
    #: The Services that users come in by.
    entrances: Container[str] = ()

    def seen_by_users(self, object: str) -> bool:
        """Users see it: an address, what leads to pods, or a workload without a single pod that is ready."""
        size = self.workloads.get(object)
        return seen_from_outside(object) or bool(size and size.bad >= size.of)

    def sizes(self, found: Iterable[Finding]) -> dict[str, Size]:
        """The size of each object that can be more or less wrong: workloads, and pods that replace each other."""
        members = Counter(replica_family(name) for name in {each.object for each in found})
        return {
            name: self.workloads.get(name) or Size(bad, self.pods.get(name, 0))
            for name, bad in members.items()
            if name in self.workloads or name.endswith("-*")
        }


#: Nothing but the findings is known.
NO_IMPACT = Impact()


def impact_of(snapshot: Snapshot | None) -> Impact:
    """The workloads of a snapshot, and the pods that they make; where a kind was not seen, nothing is said of it."""
    every = list(workloads_of(snapshot)) if snapshot else []
    down = {each.ref: Size(each.missing, each.desired) for each in every if each.desired and each.missing > 0}
    pods = {pods_of(each): each.desired for each in reversed(every) if each.desired}
    return Impact(down, pods, entrance_refs(snapshot) if snapshot else ())


def workloads_of(snapshot: Snapshot) -> Iterator[Workload]:
    """The workloads of every kind that could be looked at."""
    for noun in WORKLOADS:
        try:
            yield from snapshot.facts(noun)
        except Inconclusive:
            continue


def pods_of(workload: Workload) -> str:
    """What the family of its pods is called."""
    return replica_family(f"Pod/{workload.namespace}/{workload.name}-bcdfg")
