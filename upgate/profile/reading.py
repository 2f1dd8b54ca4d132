"""YAML text → a tree of values that know their place. PyYAML composes it; the bounds and what is refused are here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import Composer

from upgate.profile.problems import Keys, Position, Problem, at
from upgate.profile.syntax import syntax_error
from upgate.profile.tree import UnreadableProfile, YamlNode

#: No profile needs more; deeper ones are mistakes or attacks.
DEEPEST = 40
#: Values in a file, those that aliases stand for included.
LARGEST = 100_000
#: Characters of a number or a date; PyYAML's time for longer ones grows with their square.
LONGEST_NUMBER = 200
STANDARD = "tag:yaml.org,2002:"
COLLECTIONS = {yaml.MappingNode: STANDARD + "map", yaml.SequenceNode: STANDARD + "seq"}
TEXT = STANDARD + "str"
SCALARS = {STANDARD + kind for kind in ("str", "int", "float", "bool", "null", "timestamp")}
#: `<<` and `=`, which are plain words except where a mapping merges another one.
WORDS = {STANDARD + "merge", STANDARD + "value"}


class BoundedComposer(Composer):
    """PyYAML's composer in Python, also above libyaml's parser: libyaml's own composer recurses without a bound in C, so that a
    file of brackets would end the process."""

    def __init__(self, loader: Any, text: str, file: str) -> None:
        loader.__init__(self, text)
        Composer.__init__(self)
        self.file = file
        self._keys: list[str | int] = []
        self._depth = self._count = 0
        self._complete: set[str] = set()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node with all that is in it. Raises UnreadableProfile beyond the bounds."""
        event = self.peek_event()  # type: ignore[attr-defined]  # of the parser beside it
        is_key = isinstance(parent, yaml.MappingNode) and index is None
        keys = [] if parent is None or is_key else [index.value if isinstance(index, yaml.Node) else index]
        self._keys += keys
        self._depth += 1
        self._check_bounds(event, is_key)
        node = super().compose_node(parent, index)
        self._depth -= 1
        del self._keys[len(self._keys) - len(keys) :]
        if event.anchor:
            self._complete.add(event.anchor)
        return node

    def _check_bounds(self, event: Any, is_key: bool) -> None:
        """Raises UnreadableProfile for what no profile holds."""
        place, self._count = position_of(self.file, event.start_mark), self._count + 1
        if is_key and not isinstance(event, yaml.ScalarEvent):
            raise UnreadableProfile(place, "a key must be text, not a list, a mapping or an alias", tuple(self._keys))
        if self._depth > DEEPEST + 1:
            raise UnreadableProfile(place, f"nested deeper than {DEEPEST} levels")
        if self._count > 2 * LARGEST:
            raise UnreadableProfile(place, f"holds more than {LARGEST} values")
        if isinstance(event, yaml.AliasEvent):
            self._check_alias(event.anchor or "", place)
        elif event.anchor:  # it may be given to another value
            self.anchors.pop(event.anchor, None)
            self._complete.discard(event.anchor)

    def _check_alias(self, anchor: str, place: Position) -> None:
        """An alias stands for a value that is complete before it. Raises UnreadableProfile."""
        if anchor not in self._complete:
            raise UnreadableProfile(place, f"no anchor &{anchor} ends before this *{anchor}", tuple(self._keys))


@dataclass
class ProfileReader:
    """Reads one text. Problems that do not end the reading are kept."""

    text: str
    file: str
    problems: list[Problem] = field(default_factory=list)
    _read: dict[int, YamlNode] = field(default_factory=dict)

    def read(self) -> YamlNode | None:
        """The only document of the text; None where it holds nothing. Raises UnreadableProfile."""
        try:
            composed = self._compose()
            return self._node(composed, ()) if composed else None
        except yaml.reader.ReaderError as problem:
            before = self.text[: problem.position]
            place = Position(self.file, before.count("\n") + 1, len(before) - before.rfind("\n"))
            raise UnreadableProfile(place, "not YAML: a control character") from None
        except yaml.MarkedYAMLError as problem:
            raise syntax_error(problem, self.text, self.file) from None

    def _compose(self) -> yaml.Node | None:
        """PyYAML's tree, whose parser is libyaml's where that is installed."""
        base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._loader = type("ProfileLoader", (BoundedComposer, base), {})(base, self.text, self.file)
        node = self._loader.get_node() if self._loader.check_node() else None
        if node and self._loader.check_node():
            second = self._loader.peek_event().start_mark
            raise UnreadableProfile(
                position_of(self.file, second), "a second document begins; a profile is one document"
            )
        return node

    def _node(self, composed: yaml.Node, keys: Keys) -> YamlNode:
        """The node, the same one wherever an alias stands for it."""
        if id(composed) not in self._read:
            node = self._new(composed, position_of(self.file, composed.start_mark), keys)
            children = [*node.value.values()] if isinstance(node.value, dict) else node.entries()
            node.size = 1 + sum(child.size for child in children)
            node.depth = 1 + max((child.depth for child in children), default=0)
            self._check_unfolded(node)
            self._read[id(composed)] = node
        return self._read[id(composed)]

    def _check_unfolded(self, node: YamlNode) -> None:
        """Aliases must not make a small file large. Raises UnreadableProfile."""
        if node.size > LARGEST:
            raise UnreadableProfile(node.place, f"unfolds to more than {LARGEST} values")
        if node.depth > DEEPEST + 1:
            raise UnreadableProfile(node.place, f"nested deeper than {DEEPEST} levels")

    def _new(self, composed: yaml.Node, place: Position, keys: Keys) -> YamlNode:
        if isinstance(composed, yaml.ScalarNode):
            return YamlNode(self._scalar(composed, place, keys), place, composed.value)
        if isinstance(composed, yaml.CollectionNode) and composed.tag != COLLECTIONS[type(composed)]:
            self.problems.append(refused_tag(composed.tag, place, keys))
        if isinstance(composed, yaml.SequenceNode):
            return YamlNode([self._node(each, (*keys, index)) for index, each in enumerate(composed.value)], place)
        assert isinstance(composed, yaml.MappingNode)  # noqa: S101 - there is no fourth kind of node
        return self._mapping(composed, place, keys)

    def _scalar(self, composed: yaml.ScalarNode, place: Position, keys: Keys) -> Any:
        if composed.tag not in SCALARS | WORDS:
            self.problems.append(refused_tag(composed.tag, place, keys))
        if composed.tag not in SCALARS:
            return composed.value
        try:
            if composed.tag != TEXT and len(composed.value) > LONGEST_NUMBER:
                raise ValueError(f"longer than {LONGEST_NUMBER} characters")
            return self._loader.construct_object(composed)
        except (ValueError, OverflowError, LookupError, AttributeError):
            kind = composed.tag.removeprefix(STANDARD).replace("timestamp", "date")
            words = f"looks like a YAML {kind} but is not one; quote it if it is text"
            self.problems.append(at(place, keys, words))
            return composed.value

    def _mapping(self, composed: yaml.MappingNode, place: Position, keys: Keys) -> YamlNode:
        node, merged = YamlNode({}, place), []
        for key, value in composed.value:
            child = self._node(value, (*keys, key.value))
            if key.value == "<<" and not key.style:
                merged += child.entries() or [child]
            else:
                self._enter(node, key, child, keys)
        self._merge(node, merged, keys)
        return node

    def _enter(self, node: YamlNode, key: yaml.ScalarNode, value: YamlNode, keys: Keys) -> None:
        where = position_of(self.file, key.start_mark)
        if key.tag not in SCALARS | WORDS:
            self.problems.append(refused_tag(key.tag, where, keys))
        if first := node.keys.get(key.value):
            self.problems.append(at(where, (*keys, key.value), f"duplicate key; the first is in line {first.line}"))
        node.value[key.value], node.keys[key.value] = value, where

    def _merge(self, node: YamlNode, merged: list[YamlNode], keys: Keys) -> None:
        for other in merged:
            if not isinstance(other.value, dict):
                self.problems.append(at(other.place, (*keys, "<<"), "only a mapping can be merged"))
            for key, value in other.items():
                node.value.setdefault(key, value)
                node.keys.setdefault(key, other.keys[key])


def position_of(file: str, mark: yaml.Mark) -> Position:
    """PyYAML counts from 0."""
    return Position(file, mark.line + 1, mark.column + 1)


def refused_tag(tag: str, place: Position, keys: Keys) -> Problem:
    """A problem for a YAML tag, which would make the text choose what is run or built."""
    words = f"the YAML tag {tag.replace(STANDARD, '!!')} is refused; remove it"
    return at(place, keys, words if tag.startswith(STANDARD) else f'{words}, or quote the text: "{tag}"')
