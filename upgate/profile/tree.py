"""What a profile's file holds: values that know where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from upgate.profile.problems import Keys, Position, Problem, at


@dataclass(slots=True)
class YamlNode:
    """A value in a file: a scalar, a list of nodes or a mapping from text to nodes."""

    value: Any
    place: Position
    #: A scalar as it is written.
    text: str = ""
    #: Where a mapping's keys are.
    keys: dict[str, Position] = field(default_factory=dict)
    #: How many values it unfolds to, and how deep they are nested.
    size: int = 1
    depth: int = 0
    #: It is null, and takes a value of the base away.
    hides: bool = False

    def at(self, keys: Keys) -> YamlNode | None:
        """The node under these keys, if there is one."""
        node: YamlNode | None = self
        for key in keys:
            node = node.child(key) if node else None
        return node

    def found_at(self, keys: Keys) -> YamlNode:
        """The node under keys that are known to be there. Raises KeyError."""
        found = self.at(keys)
        if found is None:
            raise KeyError(keys)
        return found

    def child(self, key: str | int) -> YamlNode | None:
        """The node under a key of a mapping or at an index of a list, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and key < len(self.value):
            return self.value[key]
        return None

    def present(self, key: str | int) -> YamlNode:
        """The node under a key or index that is known to be there. Raises KeyError."""
        found = self.child(key)
        if found is None:
            raise KeyError(key)
        return found

    def text_at(self, key: str) -> str:
        """The text under this key; empty where there is none."""
        child = self.child(key)
        return child.value if child and isinstance(child.value, str) else ""

    def is_set(self, key: str) -> bool:
        """The mapping has this key, and it is not null."""
        child = self.child(key)
        return child is not None and child.value is not None

    def items(self) -> list[tuple[str, YamlNode]]:
        """The entries of a mapping; none for anything else."""
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def entries(self) -> list[YamlNode]:
        """The entries of a list; none for anything else."""
        return self.value if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """The bare value; lists as tuples, so that it stays as it is."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return tuple(node.plain() for node in self.value) if isinstance(self.value, list) else self.value


class UnreadableProfile(Exception):
    """The text ends here for us: it is not YAML, or not of a kind that we read."""

    def __init__(self, place: Position, words: str, keys: Keys = ()) -> None:
        self.problem: Problem = at(place, keys, words)
        super().__init__(str(self.problem))


def walk(node: YamlNode, keys: Keys = ()) -> Iterator[tuple[Keys, YamlNode]]:
    """Every node of a tree with its keys, the outer before the inner."""
    yield keys, node
    for key, child in node.items():
        yield from walk(child, (*keys, key))
    for index, child in enumerate(node.entries()):
        yield from walk(child, (*keys, index))
