"""kured's lock: who may reboot now. It is an annotation of kured's own DaemonSet.

https://github.com/kubereboot/kured/blob/main/pkg/daemonsetlock/daemonsetlock.go
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from upgate.base.text import duration
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.meta import Fact, Time
from upgate.facts.nodes import Node

Lists = Mapping[str, list[Any]]
#: The annotation of kured's DaemonSet that holds its lock, in its two spellings.
KURED_LOCKS = ("weave.works/kured-node-lock", "kured.dev/kured-node-lock")
#: Where kured is installed.
KURED_HOMES = ("kube-system", "kured")
#: A lock may be written while the lists are being read; what lies further ahead comes from a wrong clock.
AHEAD = timedelta(minutes=10)
#: What becomes of a text that is not a lock.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
#: Nanoseconds of the longest term that counts: Go writes numbers up to 2⁶³.
LONGEST = 10**9 * 86_400 * 36_525


class Holder(Fact):
    """One entry of the lock."""

    node: str = msgspec.field(name="nodeID")
    created: Time
    #: Nanoseconds, as Go writes a duration. None, or less, means that it never ends.
    ttl: int = msgspec.field(name="TTL", default=0)


class SharedLock(Fact):
    """The lock where several nodes may reboot at once: --concurrency."""

    locks: list[Holder] | None


@dataclass(frozen=True)
class KuredLock:
    """A node that holds the lock; or a lock that cannot be read."""

    daemonset: DaemonSet
    annotation: str
    holder: Holder | None
    #: The holder is a node that exists.
    there: bool = True
    problem: str = ""

    @property
    def ref(self) -> str:
        """The node that holds it; of a lock that cannot be read the DaemonSet."""
        return f"Node/{self.holder.node}" if self.holder else self.daemonset.ref

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {**self.daemonset.words, "annotation": self.annotation}

    def held(self, moment: datetime) -> bool:
        """It is not free: its term, if it has one, has not ended."""
        if self.holder is None or self.holder.ttl <= 0:
            return True
        return moment - self.holder.created < timedelta(microseconds=min(self.holder.ttl, LONGEST) // 1000)

    def stale(self, moment: datetime, limit: timedelta) -> str:
        """Why no node will reboot any more. Empty where its holder exists, and has not had it for too long."""
        if self.holder is None:
            return f"the lock cannot be read: {self.problem}"
        if not self.there:
            return f"{self.said(moment)}, and that node does not exist"
        wrong = not -AHEAD < moment - self.holder.created <= limit
        return self.said(moment) if wrong else ""

    def said(self, moment: datetime) -> str:
        """Who holds it, and for how long."""
        if self.holder is None:
            return f"the lock of {self.daemonset.ref} cannot be read"
        age = moment - self.holder.created
        when = f"for {duration(age)}" if age > -AHEAD else f"from {duration(-age)} ahead: a clock is wrong"
        return f"holds the lock of {self.daemonset.ref} {when}"


class KuredLocks:
    """The locks of all kureds in the cluster."""

    needs = ("daemonsets", "nodes")

    def __init__(self, lists: Lists) -> None:
        nodes: list[Node] = lists["nodes"]
        names = {each.name for each in nodes}
        self._locks = [lock for each in lists["daemonsets"] if of_kured(each) for lock in locks_of(each, names)]

    def held(self, moment: datetime) -> list[KuredLock]:
        """Those that are not free."""
        return [each for each in self._locks if each.held(moment)]


def of_kured(daemonset: DaemonSet) -> bool:
    """It may be kured's own: by its name, or by where it is."""
    return "kured" in daemonset.name or daemonset.namespace in KURED_HOMES


def locks_of(daemonset: DaemonSet, nodes: Collection[str]) -> Iterator[KuredLock]:
    """The locks in its annotations."""
    annotations = daemonset.metadata.annotations or {}
    for key in KURED_LOCKS:
        if annotations.get(key):
            try:
                yield from (
                    KuredLock(daemonset, key, each, each.node in nodes) for each in holders_in(annotations[key])
                )
            except UNREADABLE as problem:
                yield KuredLock(daemonset, key, None, problem=str(problem))


def holders_in(text: str) -> list[Holder]:
    """Who holds a lock: one node as an object, or several in a list. Raises msgspec.DecodeError."""
    if "locks" in msgspec.json.decode(text, type=dict[str, msgspec.Raw]):
        return msgspec.json.decode(text, type=SharedLock).locks or []
    return [msgspec.json.decode(text, type=Holder)]
