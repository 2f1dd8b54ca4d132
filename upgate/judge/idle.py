"""What nodes explain that others find only by looking closely.

Nodes that are Ready and do not work explain the pods that hang on them, and no others there. Nodes that take no pods just now
explain that there is no room, if there is enough with them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from upgate.facts.headroom import Headroom
from upgate.facts.work import NodeWork
from upgate.judge.dependencies import listed
from upgate.results import CheckResult
from upgate.snapshot import Snapshot

#: The checks of nodes that do not work, and of room for pods.
WORK, ROOM = "nodes.work", "nodes.headroom"


def explained_by_work(results: Sequence[CheckResult], snapshot: Snapshot) -> dict[str, Collection[str]]:
    """The pods that such a node explains, by the id of that check: not those whose own image or configuration is wrong."""
    if not is_found(WORK, results):
        return {}
    work = NodeWork({noun: listed(snapshot, noun) for noun in NodeWork.needs})
    return {WORK: {pod.ref for pod in listed(snapshot, "pods") if work.suffers(pod)}}


def room_of_nodes(results: Sequence[CheckResult], snapshot: Snapshot) -> dict[str, list[str]]:
    """The nodes that the lack of room depends on."""
    if not is_found(ROOM, results):
        return {}
    room = Headroom({noun: listed(snapshot, noun) for noun in Headroom.needs})
    return {room.ref: [each.ref for each in room.missed()]}


def is_found(check: str, results: Sequence[CheckResult]) -> bool:
    """The check has found something."""
    return any(each.id == check and each.active for each in results)
