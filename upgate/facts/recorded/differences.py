"""Two inventories, compared field by field: also what is new, and also of two clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from upgate.facts.recorded.inventory import Inventory

#: The parts, as people call them.
PART_WORDS = {
    "workload_states": "Workloads, Services and Ingresses",
    "endpoint_states": "Endpoints",
    "address_states": "Addresses",
    "pool_states": "Node pools",
    "selector_states": "Selectors",
    "namespace_states": "Namespaces",
    "extension_states": "Webhooks and classes",
    "api_states": "APIs",
    "answer_states": "Answers from outside",
}
#: Fields that differ from one moment to the next: times, counts of what comes and goes.
MOMENTARY = {"seconds", "joined", "matched", "objects", "labels of nodes", "wanted of endpoints"}
#: Parts and fields that two clusters never have in common.
OWN_PARTS, OWN_FIELDS = {"address_states", "answer_states"}, {"kubelet"}
ONLY = "(not there)"


class Difference(msgspec.Struct, frozen=True):
    """One field of one object that is not the same in both."""

    part: str
    object: str
    #: Empty where the object as a whole is only in one of them.
    field: str
    a: Any
    b: Any


def differences(a: Inventory, b: Inventory, *, one_cluster: bool) -> list[Difference]:
    """Whatever differs; of two clusters without what is their own."""
    return [
        found
        for part in PART_WORDS
        if one_cluster or part not in OWN_PARTS
        if comparable(a, b, part)
        for found in in_part(part, getattr(a, part), getattr(b, part))
        if one_cluster or found.field.rpartition(".")[2] not in OWN_FIELDS
    ]


def comparable(a: Inventory, b: Inventory, part: str) -> bool:
    """Both know this part."""
    return getattr(a, part) is not None and getattr(b, part) is not None


def not_compared(a: Inventory, b: Inventory, *, one_cluster: bool) -> dict[str, str]:
    """The parts that one of them does not know, and why."""
    missing = (part for part in PART_WORDS if not comparable(a, b, part) and (one_cluster or part not in OWN_PARTS))
    return {
        PART_WORDS[part]: a.gaps.get(part) or b.gaps.get(part) or "an earlier version has saved it" for part in missing
    }


def in_part(part: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    """What differs in one part, object by object."""
    for ref in sorted({*a, *b}):
        if ref not in a or ref not in b:
            yield Difference(PART_WORDS[part], ref, "", *("there" if ref in each else ONLY for each in (a, b)))
            continue
        old, new = (dict(leaves_of("", msgspec.to_builtins(each[ref]))) for each in (a, b))
        for field in sorted({*old, *new}):
            if old.get(field) != new.get(field) and field.rpartition(".")[2] not in MOMENTARY:
                yield Difference(PART_WORDS[part], ref, field, old.get(field, ONLY), new.get(field, ONLY))


def leaves_of(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a state with their paths; a list is one value."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, each in value.items():
        yield from leaves_of(f"{path}.{key}" if path else str(key), each)
