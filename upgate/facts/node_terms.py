"""Which nodes a pod template or a volume asks for, in the words of nodeSelector and nodeAffinity.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from upgate.facts.meta import Fact
from upgate.facts.nodes import Node
from upgate.facts.selectors import LabelRequirement


class NodeTerm(Fact):
    """One of `nodeSelectorTerms`."""

    match_expressions: list[LabelRequirement] | None = None
    match_fields: list[LabelRequirement] | None = None

    @property
    def keys(self) -> list[str]:
        """The labels that it names."""
        return [each.key for each in self.match_expressions or ()]

    def matches(self, node: Node) -> bool:
        """All of holds for the node. A term without anything matches none."""
        met = [requirement_holds(each, node.labels) for each in self.match_expressions or ()]
        met += [requirement_holds(each, {"metadata.name": node.name}) for each in self.match_fields or ()]
        return bool(met) and all(met)


class NodeTerms(Fact):
    """`requiredDuringSchedulingIgnoredDuringExecution`, or `required` of a volume."""

    node_selector_terms: list[NodeTerm] | None = None


class PreferredNodes(Fact):
    """One of `preferredDuringSchedulingIgnoredDuringExecution`."""

    preference: NodeTerm = NodeTerm()


class NodeAffinity(Fact):
    """`affinity.nodeAffinity` of a pod template."""

    required: NodeTerms | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")
    preferred: list[PreferredNodes] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )

    @property
    def keys(self) -> Iterator[str]:
        """The labels of nodes that it names, also where it only prefers them."""
        for term in (self.required.node_selector_terms if self.required else None) or ():
            yield from term.keys
        for each in self.preferred or ():
            yield from each.preference.keys


def requirement_holds(requirement: LabelRequirement, labels: Mapping[str, str]) -> bool:
    """The requirement holds for these labels; Gt and Lt compare whole numbers."""
    if requirement.operator not in ("Gt", "Lt"):
        return requirement.matches(labels)
    have, limit = labels.get(requirement.key, ""), next(iter(requirement.values or ()), "")
    if not (have.lstrip("-").isdecimal() and limit.lstrip("-").isdecimal()):
        return False
    return int(have) > int(limit) if requirement.operator == "Gt" else int(have) < int(limit)


def node_affinity(affinity: Mapping[str, Any] | None) -> NodeAffinity:
    """The part of an affinity that is about nodes; nothing, where it cannot be read."""
    try:
        return msgspec.convert((affinity or {}).get("nodeAffinity") or {}, NodeAffinity)
    except msgspec.ValidationError:
        return NodeAffinity()


def terms_of(required: Mapping[str, Any] | None) -> Sequence[NodeTerm]:
    """The terms of a volume, of which one must hold; none, where they cannot be read."""
    try:
        return msgspec.convert(required or {}, NodeTerms).node_selector_terms or ()
    except msgspec.ValidationError:
        return ()
