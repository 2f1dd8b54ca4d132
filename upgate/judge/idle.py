"""Nodes that are Ready and do not work explain the pods that hang on them, and no others there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from upgate.facts.work import NodeWork
from upgate.judge.dependencies import listed
from upgate.results import CheckResult
from upgate.snapshot import Snapshot

#: The check that finds them.
WORK = "nodes.work"


def explained_by_work(results: Sequence[CheckResult], snapshot: Snapshot) -> dict[str, Collection[str]]:
    """The pods that such a node explains, by the id of that check: not those whose own image or configuration is wrong."""
    if not any(each.id == WORK and each.active for each in results):
        return {}
    work = NodeWork({noun: listed(snapshot, noun) for noun in NodeWork.needs})
    return {WORK: {pod.ref for pod in listed(snapshot, "pods") if work.suffers(pod)}}
