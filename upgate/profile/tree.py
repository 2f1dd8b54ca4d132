"""YAML text → a tree of values that know where they come from.

Built from PyYAML's events, not from its own node composer: that one recurses without bound in C, so that a file of
brackets ends the process, and it keeps the last of two equal keys in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from upgate.profile.problems import Keys, Place, Problem, at

#: No profile needs more; deeper ones are mistakes or attacks.
DEEPEST = 40
#: Values that aliases may unfold to.
LARGEST = 100_000
STANDARD = "tag:yaml.org,2002:"
SCALARS = {STANDARD + kind for kind in ("str", "int", "float", "bool", "null", "timestamp")}
#: `<<` and `=`, which are plain words but where a mapping merges another one.
WORDS = {STANDARD + "merge", STANDARD + "value"}


@dataclass(slots=True)
class Node:
    """A value in a file: a scalar, a list of nodes or a mapping from text to nodes."""

    value: Any
    place: Place
    #: A scalar as it is written.
    text: str = ""
    #: Where a mapping's keys are.
    keys: dict[str, Place] = field(default_factory=dict)
    #: How many values it unfolds to.
    size: int = 1
    #: It is null, and takes a value of the base away.
    hides: bool = False

    def at(self, keys: Keys) -> Node | None:
        """The node under these keys, if there is one."""
        node: Node | None = self
        for key in keys:
            node = node.child(key) if node else None
        return node

    def child(self, key: str | int) -> Node | None:
        """The node under a key of a mapping or at an index of a list, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and key < len(self.value):
            return self.value[key]
        return None

    def items(self) -> list[tuple[str, Node]]:
        """The entries of a mapping; none for anything else."""
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def entries(self) -> list[Node]:
        """The entries of a list; none for anything else."""
        return self.value if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """The bare value; lists as tuples, so that it stays as it is."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return tuple(node.plain() for node in self.value) if isinstance(self.value, list) else self.value


class Unreadable(Exception):
    """The text ends here for us: it is not YAML, or not of a kind that we read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass
class Reader:
    """Reads one text. Problems that do not end the reading are kept."""

    text: str
    file: str
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)

    @property
    def start(self) -> Place:
        """Where the text begins."""
        return Place(self.file)

    def read(self) -> Node | None:
        """The only document of the text; None where it holds nothing. Raises Unreadable."""
        try:
            self._loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(self.text)
            return self._document()
        except yaml.reader.ReaderError as problem:
            raise unreadable(self._place_of(self.text[: problem.position]), "not YAML: a control character") from None
        except yaml.MarkedYAMLError as problem:
            raise self._broken_off(problem) from None

    def _broken_off(self, problem: yaml.MarkedYAMLError) -> Unreadable:
        """PyYAML's error. What the end of the text leaves open is told where it begins."""
        mark = problem.problem_mark or problem.context_mark
        if mark and problem.context_mark and mark.index >= len(self.text.rstrip()):
            mark = problem.context_mark
        place = min(self._place(mark), self._place_of(self.text))  # libyaml adds a last line of its own
        if mark and self._is_tab(mark):
            return unreadable(place, "not YAML: a tab; indent with spaces")
        return unreadable(place, f"not YAML: {problem.problem} {problem.context or ''}".strip())

    def _is_tab(self, mark: Any) -> bool:
        """The line begins with a tab, and that is what the mark is about."""
        begin = self.text[: mark.index + 1].rpartition("\n")[2]
        return begin.isspace() and "\t" in begin

    def _document(self) -> Node | None:
        self._next()  # the stream's start
        if self._loader.check_event(yaml.StreamEndEvent):
            return None
        self._next()  # the document's start
        node = self._node(self._next(), ())
        self._next()  # the document's end
        if not self._loader.check_event(yaml.StreamEndEvent):
            raise unreadable(self._place(self._next().start_mark), "a second document begins; a profile is one")
        return node

    def _next(self) -> Any:
        return self._loader.get_event()

    def _place(self, mark: Any) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1) if mark else self.start

    def _place_of(self, before: str) -> Place:
        return Place(self.file, before.count("\n") + 1, len(before) - before.rfind("\n"))

    def _node(self, event: Any, keys: Keys) -> Node:
        place = self._place(event.start_mark)
        if len(keys) > DEEPEST:
            raise unreadable(place, f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, place, keys)
        node = self._new(event, place, keys)
        if node.size > LARGEST:
            raise unreadable(place, f"unfolds to more than {LARGEST} values")
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _new(self, event: Any, place: Place, keys: Keys) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place, keys)
        self._check_tag(event, place, keys)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, keys)
        return self._mapping(place, keys)

    def _alias(self, name: str, place: Place, keys: Keys) -> Node:
        if name not in self.anchors:
            raise unreadable(place, f"no anchor &{name} ends before this *{name}", keys)
        return self.anchors[name]

    def _scalar(self, event: Any, place: Place, keys: Keys) -> Node:
        tag = event.tag or self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag not in SCALARS | WORDS:
            self.problems.append(refused(tag, place, keys))
        if tag not in SCALARS:
            return Node(event.value, place, event.value)
        return Node(self._value(tag, event, place, keys), place, event.value)

    def _value(self, tag: str, event: Any, place: Place, keys: Keys) -> Any:
        try:
            return self._loader.construct_object(yaml.ScalarNode(tag, event.value))
        except (ValueError, OverflowError, LookupError, AttributeError):
            kind = tag.removeprefix(STANDARD).replace("timestamp", "date")
            self.problems.append(at(place, keys, f"looks like a YAML {kind}, but is none; quote it if it is text"))
            return event.value

    def _check_tag(self, event: Any, place: Place, keys: Keys) -> None:
        if event.tag not in (None, "!", STANDARD + "map", STANDARD + "seq"):
            self.problems.append(refused(event.tag, place, keys))

    def _sequence(self, place: Place, keys: Keys) -> Node:
        nodes: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            nodes.append(self._node(event, (*keys, len(nodes))))
        return Node(nodes, place, size=1 + sum(node.size for node in nodes))

    def _mapping(self, place: Place, keys: Keys) -> Node:
        node = Node({}, place)
        merged: list[Node] = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key, where = self._key(event, keys)
            value = self._node(self._next(), (*keys, key))
            if key == "<<" and not event.style:
                merged += value.entries() or [value]
            else:
                self._enter(node, key, where, value, keys)
        self._merge(node, merged, keys)
        node.size = 1 + sum(value.size for value in node.value.values())
        return node

    def _key(self, event: Any, keys: Keys) -> tuple[str, Place]:
        place = self._place(event.start_mark)
        if not isinstance(event, yaml.ScalarEvent):
            raise unreadable(place, "a key must be a word, no list, mapping or alias", keys)
        return event.value, place

    def _enter(self, node: Node, key: str, where: Place, value: Node, keys: Keys) -> None:
        if first := node.keys.get(key):
            self.problems.append(at(where, (*keys, key), f"duplicate key; the first is in line {first.line}"))
        node.value[key], node.keys[key] = value, where

    def _merge(self, node: Node, merged: list[Node], keys: Keys) -> None:
        for other in merged:
            if not isinstance(other.value, dict):
                self.problems.append(at(other.place, (*keys, "<<"), "only a mapping can be merged"))
            for key, value in other.items():
                node.value.setdefault(key, value)
                node.keys.setdefault(key, other.keys[key])


def unreadable(place: Place, words: str, keys: Keys = ()) -> Unreadable:
    """The end of reading, for this reason."""
    return Unreadable(at(place, keys, words))


def refused(tag: str, place: Place, keys: Keys) -> Problem:
    """A problem for a YAML tag, which would make the text choose what is run or built."""
    return at(place, keys, f"the YAML tag {tag.replace(STANDARD, '!!')} is refused; remove it")


def walk(node: Node, keys: Keys = ()) -> Iterator[tuple[Keys, Node]]:
    """Every node of a tree with its keys, the outer before the inner."""
    yield keys, node
    for key, child in node.items():
        yield from walk(child, (*keys, key))
    for index, child in enumerate(node.entries()):
        yield from walk(child, (*keys, index))
