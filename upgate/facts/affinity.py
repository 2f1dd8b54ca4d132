"""Which nodes a pod template or a volume asks for, by their labels or names.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from upgate.facts.meta import Fact
from upgate.facts.selectors import LabelRequirement

#: Operators that ask for something; NotIn and DoesNotExist only leave nodes out.
ASKING = ("In", "Exists", "Gt", "Lt")
#: Labels that all nodes of a cluster have, mostly with one value.
EVERY_NODE = ("kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch")


class NodeRequirement(LabelRequirement):
    """One of `matchExpressions` or `matchFields` of a node selector, which also compares numbers."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """The labels meet it. What is not a number is not compared."""
        if self.operator not in ("Gt", "Lt"):
            return super().matches(labels)
        mine, bound = number_in(labels.get(self.key, "")), number_in(next(iter(self.values or ()), ""))
        return mine is not None and bound is not None and (mine > bound if self.operator == "Gt" else mine < bound)


class NodeTerm(Fact):
    """One of `nodeSelectorTerms`: all of it must hold. An empty one matches no node."""

    match_expressions: list[NodeRequirement] | None = None
    match_fields: list[NodeRequirement] | None = None

    @property
    def keys(self) -> list[str]:
        """The labels that it names."""
        return [each.key for each in self.match_expressions or ()]

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """A node of this name with these labels meets it. The only field is `metadata.name`."""
        expressions, fields = self.match_expressions or (), self.match_fields or ()
        if not (expressions or fields):
            return False
        return all(it.matches(labels) for it in expressions) and all(
            it.matches({"metadata.name": name}) for it in fields
        )


class NodeTerms(Fact):
    """`requiredDuringSchedulingIgnoredDuringExecution` of a pod template, `required` of a volume: one term must hold."""

    node_selector_terms: list[NodeTerm] | None = None


class PreferredTerm(Fact):
    """One of `preferredDuringSchedulingIgnoredDuringExecution`: it keeps no pod away."""

    preference: NodeTerm = NodeTerm()


class NodeAffinity(Fact):
    """https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity"""

    required: NodeTerms | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")
    preferred: list[PreferredTerm] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )

    @property
    def terms(self) -> list[NodeTerm]:
        """The terms of which one must hold."""
        return (self.required.node_selector_terms if self.required else None) or []

    @property
    def keys(self) -> Iterator[str]:
        """The labels of nodes that it names, also where it only prefers them."""
        for term in (*self.terms, *(each.preference for each in self.preferred or ())):
            yield from term.keys


class Affinity(Fact):
    """`spec.affinity` of a pod template; of what is about other pods only its text counts."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: dict[str, Any] | None = None
    pod_anti_affinity: dict[str, Any] | None = None

    def allows(self, name: str, labels: Mapping[str, str]) -> bool:
        """A node of this name with these labels meets one of its required terms, where it has any."""
        required = self.node_affinity.required if self.node_affinity else None
        return required is None or any(each.matches(name, labels) for each in required.node_selector_terms or ())

    @property
    def asked_labels(self) -> Iterator[str]:
        """The labels by which its required terms choose nodes."""
        for term in self.node_affinity.terms if self.node_affinity else ():
            yield from (each.key for each in term.match_expressions or () if each.operator in ASKING)


def number_in(text: str) -> int | None:
    """The whole number that a label holds; None where it holds something else."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None
