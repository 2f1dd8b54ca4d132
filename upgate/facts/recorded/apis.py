"""Which APIs are served, and whether there are objects of them."""

from __future__ import annotations

from collections import Counter

import msgspec

from upgate.facts.kinds import KINDS
from upgate.facts.recorded.states import Lists
from upgate.facts.recorded.workloads import not_deleted


class ApiState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version of an API group; of a CustomResourceDefinition the versions that it serves."""

    group: str = ""
    #: Of a CustomResourceDefinition.
    versions: list[str] = []
    #: Objects of kinds of the group that were listed; None where none of its kinds were.
    objects: int | None = None
    #: Another server answers for it.
    aggregated: bool = False


class ApiStates:
    """All that the API server serves."""

    needs = ("apiservices", "customresourcedefinitions")
    #: Whatever was listed tells how many objects a group has.
    helped_by = tuple(noun for noun, kind in KINDS.items() if not kind.optional)

    def __init__(self, lists: Lists) -> None:
        counts = objects_by_group(lists)
        self.states: dict[str, ApiState] = {
            each.ref: ApiState(each.spec.group, [], counts.get(each.spec.group), each.spec.service is not None)
            for each in lists["apiservices"]
        } | {
            each.ref: ApiState(each.spec.group, sorted(each.served_versions))
            for each in lists["customresourcedefinitions"]
            if not_deleted(each)
        }


def objects_by_group(lists: Lists) -> dict[str, int]:
    """How many objects of each API group were listed; only of groups of which a kind was."""
    counts: Counter[str] = Counter()
    for noun, kind in KINDS.items():
        if noun in lists:
            counts[kind.group] += len(lists[noun])
    return dict(counts)
