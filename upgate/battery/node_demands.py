"""What the profile expects of what nodes run, and what it denies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from upgate.base.versions import satisfies
from upgate.facts.node_images import images_of, info_of
from upgate.facts.nodes import Node
from upgate.profile.quantities import is_comparison

if TYPE_CHECKING:
    from upgate.profile.parts import DeniedNodes, ExpectedNodes


def patterns_of(kind: DeniedNodes | ExpectedNodes) -> dict[str, str]:
    """What it says of nodes, by key, in the order in which it is told."""
    every = {"kubelet": kind.kubelet, "kernel": kind.kernel, "runtime": kind.runtime, "image": kind.image}
    return {key: pattern for key, pattern in every.items() if pattern is not None}


@dataclass(frozen=True)
class NodeDemands:
    """`expect.nodes`, asked of one node after the other."""

    expected: ExpectedNodes

    def unmet(self, node: Node) -> str:
        """What is not as expected, and what is denied, with the reason. Empty where all is well."""
        return "; ".join([*self._denials(node), *(self._said(node, key) for key in self._unlike(node))])

    def wanted(self, node: Node) -> str:
        """What the profile says of what is not right."""
        said = [f"{key} {pattern}" for key, pattern in self._unlike(node).items()]
        denied = ["no node on the list of expect.nodes.deny"] if any(self._denials(node)) else []
        return ", ".join([*said, *denied])

    def _unlike(self, node: Node) -> dict[str, str]:
        wanted = patterns_of(self.expected)
        return {key: pattern for key, pattern in wanted.items() if not is_one_of(self._values(node, key), pattern)}

    def _denials(self, node: Node) -> Iterator[str]:
        for denied in self.expected.deny:
            patterns = patterns_of(denied)
            if all(is_one_of(self._values(node, key), pattern) for key, pattern in patterns.items()):
                yield f"{', '.join(self._said(node, key) for key in patterns)} is denied: {denied.reason}"

    def _said(self, node: Node, key: str) -> str:
        values, label = self._values(node, key), self.expected.image_label
        absent = f"no label {label}" if key == "image" and label else f"the node does not report its {key}"
        return f"{key} {' or '.join(values)}" if values else absent

    def _values(self, node: Node, key: str) -> list[str]:
        info = info_of(node)
        reported = {
            "kubelet": info.kubelet_version,
            "kernel": info.kernel_version,
            "runtime": info.container_runtime_version,
        }
        values = images_of(node, self.expected.image_label) if key == "image" else [reported[key]]
        return list(filter(None, values))


def is_one_of(values: Sequence[str], wanted: str) -> bool:
    """One of the values is as the pattern, version or range says."""
    return any(is_as(value, wanted) for value in values)


def is_as(value: str, wanted: str) -> bool:
    """A version begins so, or is in the range; anything else is a pattern. The v of a version does not count."""
    if is_comparison(wanted):
        return satisfies(value, wanted)
    return fnmatchcase(value.removeprefix("v"), wanted.removeprefix("v"))
