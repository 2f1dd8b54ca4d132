"""Pools of nodes, compared: labels, taints, what they run, and how large they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from upgate.base.text import counted
from upgate.battery.compared.changed import ChangedObject, old_to_new
from upgate.facts.amounts import in_bytes
from upgate.facts.nodes import JOINING
from upgate.facts.pools import FAMILY
from upgate.facts.recorded.nodes import PoolState
from upgate.facts.recorded.states import stem

#: Labels that follow from where a node is, or from its kernel.
PASSING_LABELS = (
    *("kubernetes.io/hostname", "feature.node.kubernetes.io/*", "*version*", "*image*", "*revision*", "*zone*"),
    *("topology.*/*", "failure-domain.beta.kubernetes.io/*", "alpha.eksctl.io/instance-id", "*/instance-id"),
)
#: What a release may reserve more of by itself: so much less is no change. Of other resources each one counts.
RESERVED, SLACK = ("cpu", "memory", "ephemeral-storage"), 0.05
#: Resources that are none of the machine: the in-tree drivers' limits went to the CSINodes with the drivers.
OF_DRIVERS = "attachable-volumes-"
#: Resources in bytes.
IN_BYTES = ("memory", "ephemeral-storage", "hugepages-*")


@dataclass(frozen=True)
class ChangedPool(ChangedObject[PoolState]):
    """A pool as it is, and what it is compared with: itself, or the pools that it replaces."""

    now: PoolState

    @property
    def changes(self) -> str:
        """Labels, taints and software: old → new. Empty where all is as before, or an upgrade of the kubelet explains it."""
        return "; ".join([*self._labels(), *self._values(), *self._taints(), *self._software()])

    @property
    def smaller(self) -> str:
        """The resources of which its nodes have less than before. Empty where they have not."""
        return "; ".join(self._shrunk())

    def joining(self, moment: datetime) -> bool:
        """One of its nodes has joined just now: device plugins follow."""
        return self.now.joined is not None and moment - self.now.joined < JOINING

    @property
    def _lost(self) -> int:
        return max(0, self.before.nodes - self.now.nodes)

    def _labels(self) -> Iterator[str]:
        for key, had in self.before.labels.items():
            have, everywhere = self.now.labels.get(key, 0), had == self.before.nodes
            fewer = have < self.now.nodes if everywhere else have + self._lost < had and not self.now.autoscaled
            if fewer and not passes(key):
                yield f"label {key}: on {counted(had, 'node')} → on {have} of {self.now.nodes}"

    def _values(self) -> Iterator[str]:
        for key, had in self.before.values.items():
            have = self.now.values.get(key, had)
            if not (passes(key) or self.now.autoscaled) and {*map(stem, had)} - {*map(stem, have)}:
                yield old_to_new(f"label {key}", ", ".join(sorted(had)), ", ".join(sorted(have)))

    def _taints(self) -> Iterator[str]:
        yield from (old_to_new("taint", each, "(none)") for each in self.before.taints if each not in self.now.taints)

    def _software(self) -> Iterator[str]:
        upgraded = {*self.before.runs.get("kubelet", ())} != {*self.now.runs.get("kubelet", ())}
        for part, had in self.before.runs.items():
            have = self.now.runs.get(part, {})
            family = family_of if upgraded else str
            if part != "kubelet" and {*map(family, had)} - {*map(family, have)}:
                yield old_to_new(part, ", ".join(sorted(had)), ", ".join(sorted(have)))

    def _shrunk(self) -> Iterator[str]:
        for name, had in self.before.allocatable.items():
            have = self.now.allocatable.get(name, {})
            if name.startswith(OF_DRIVERS) or (
                self.now.autoscaled and (name in (*RESERVED, "pods") or sum_of_all(have))
            ):
                continue  # an autoscaler chooses machines of several sizes
            slack = 1 - SLACK if name in RESERVED else 1.0
            old, new = smallest(had, self.before.nodes), smallest(have, self.now.nodes)
            if new < old * slack:
                yield old_to_new(name, amount_words(name, old), amount_words(name, new))
            elif not self._lost and sum_of_all(have) < sum_of_all(had) * slack:
                yield old_to_new(
                    f"{name} of all", amount_words(name, sum_of_all(had)), amount_words(name, sum_of_all(have))
                )


def passes(key: str) -> bool:
    """A label of that key comes and goes with the place, the image or the kernel of a node."""
    return any(fnmatchcase(key.lower(), each) for each in PASSING_LABELS)


def family_of(text: str) -> str:
    """`containerd` of `containerd://2.0.1`, `Ubuntu` of `Ubuntu 24.04.1 LTS`; of a kernel nothing."""
    found = FAMILY.match(text.partition("://")[0])
    return found[0].strip() if found else ""


def smallest(amounts: Mapping[int, int], nodes: int) -> int:
    """What the node with the least has; nothing, where not all have some."""
    return min(amounts, default=0) if sum(amounts.values()) >= nodes else 0


def sum_of_all(amounts: Mapping[int, int]) -> int:
    """What all nodes have together."""
    return sum(amount * nodes for amount, nodes in amounts.items())


def amount_words(name: str, amount: int) -> str:
    """An amount of a resource, for people."""
    if name == "cpu":
        return f"{amount / 1000:.4g} CPU"
    return in_bytes(amount) if any(fnmatchcase(name, each) for each in IN_BYTES) else str(amount)


def changed_pools(before: Mapping[str, PoolState], now: Mapping[str, PoolState]) -> Iterator[ChangedPool]:
    """Each pool with what it was, or with the pools that are gone where it is new; other new pools have nothing to be
    compared with here."""
    gone = merged_pools(state for ref, state in before.items() if ref not in now)
    for ref, state in now.items():
        reference = before.get(ref) or gone
        if reference:
            yield ChangedPool(ref, reference, state)


def resized_pools(before: Mapping[str, PoolState], now: Mapping[str, PoolState]) -> Iterator[ChangedPool]:
    """The same; a new pool beside the others is compared with the smallest node of the baseline."""
    compared = {each.ref: each for each in changed_pools(before, now)}
    least = smallest_node(before.values())
    for ref, state in now.items():
        if ref in compared or least:
            yield compared.get(ref) or ChangedPool(ref, least or state, state)


def merged_pools(states: Iterable[PoolState]) -> PoolState | None:
    """Several pools as one; None for none."""
    found = list(states)
    if not found:
        return None
    return PoolState(
        nodes=sum(each.nodes for each in found),
        autoscaled=sum(each.autoscaled for each in found),
        labels=summed(each.labels for each in found),
        taints={taint: 1 for taint in found[0].taints if all(taint in each.taints for each in found)},
        runs=joined_counts(each.runs for each in found),
        allocatable=joined_counts(each.allocatable for each in found),
        capacity=joined_counts(each.capacity for each in found),
    )


def summed(counts: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    """The counts together."""
    every: Counter[Any] = Counter()
    for each in counts:
        every.update(each)
    return dict(every)


def joined_counts(counts: Iterable[Mapping[str, Mapping[Any, int]]]) -> dict[str, dict[Any, int]]:
    """The same of counts by name."""
    found = list(counts)
    return {name: summed(each.get(name, {}) for each in found) for name in {name for each in found for name in each}}


def smallest_node(states: Iterable[PoolState]) -> PoolState | None:
    """A node that has of each resource as little as any of the baseline; extended resources are not asked of it."""
    whole = merged_pools(states)
    if whole is None:
        return None
    least = {name: {smallest(whole.allocatable.get(name, {}), whole.nodes): 1} for name in (*RESERVED, "pods")}
    return PoolState(nodes=1, allocatable=least)
