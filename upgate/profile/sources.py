"""A profile's file, and the one that it extends → one tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from upgate.base.errors import UsageError
from upgate.profile.files import DEFAULT, find, is_path
from upgate.profile.merging import merge
from upgate.profile.problems import Position, Problem, refusal, shown
from upgate.profile.reading import ProfileReader
from upgate.profile.rules import repeated_names
from upgate.profile.tree import UnreadableProfile, YamlNode

#: Bytes. A longer file is something else.
LONGEST = 2_000_000


class Source(NamedTuple):
    """What the files say, merged, and what is wrong with it that does not keep us from reading on."""

    root: YamlNode
    problems: list[Problem]


@dataclass
class Sources:
    """Reads a profile's files."""

    search: Sequence[Path]
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: Path) -> Source:
        """The profile in this file, laid over the one that it extends. Raises UsageError for files that cannot be read."""
        try:
            own = self._tree(path)
            base = self._base(own, path)
        except UnreadableProfile as problem:
            raise refusal([*self.problems, problem.problem]) from None
        return Source(merge(base, own) if base else own, self.problems)

    def _tree(self, path: Path) -> YamlNode:
        """One file. Raises UnreadableProfile."""
        reader = ProfileReader(content(path), shown(path))
        root = reader.read()
        if root is None or root.value is None:
            raise UnreadableProfile(
                Position(reader.file), "the file is empty; a profile needs at least `description: …`"
            )
        if not isinstance(root.value, dict):
            raise UnreadableProfile(
                root.place, "a profile is a mapping of keys to values, such as `cluster: {context: prod}`"
            )
        self.problems += [*reader.problems, *repeated_names(root)]
        return root

    def _base(self, own: YamlNode, path: Path) -> YamlNode | None:
        """The profile that this one extends, if any. Raises UnreadableProfile."""
        extends = own.child("extends")
        if extends is None or not isinstance(extends.value, str) or extends.value == DEFAULT:
            return None
        file = self._file_of(extends, path)
        if same(file, path):
            raise cannot_extend(extends, "a profile cannot extend itself")
        base = self._tree(file)
        if (further := base.child("extends")) and further.value not in (None, DEFAULT):
            raise cannot_extend(extends, self._too_far(further, file, path))
        return base

    def _file_of(self, extends: YamlNode, path: Path) -> Path:
        """The file that `extends` names: beside this one, or where profiles are looked for. Raises UnreadableProfile."""
        folder = path.parent
        try:
            file = find(
                str(folder / Path(extends.value).expanduser()) if is_path(extends.value) else extends.value,
                [folder, *self.search],
            )
        except (UsageError, RuntimeError) as problem:
            raise cannot_extend(extends, str(problem)) from None
        return file or path

    def _too_far(self, further: YamlNode, file: Path, path: Path) -> str:
        """What is wrong with a base that extends another profile."""
        try:
            circle = same(self._file_of(further, file), path)
        except UnreadableProfile:
            circle = False
        why = "that is a circle" if circle else "only one level is possible: extend that one, or repeat what is needed"
        return f"{shown(file)} itself extends {further.text}; {why}"


def cannot_extend(extends: YamlNode, words: str) -> UnreadableProfile:
    """What cannot be extended, and why."""
    return UnreadableProfile(extends.place, words, ("extends",))


def same(one: Path, other: Path) -> bool:
    """The two are one file."""
    return one.resolve() == other.resolve()


def content(path: Path) -> str:
    """A file's text. Raises UnreadableProfile."""
    place = Position(shown(path))
    try:
        data = path.read_bytes()[: LONGEST + 1]
    except OSError as problem:
        raise UnreadableProfile(place, f"cannot be read: {problem.strerror}") from None
    if len(data) > LONGEST:
        raise UnreadableProfile(place, f"longer than {LONGEST // 1_000_000} MB; not a profile")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n")
        column = problem.start - data.rfind(b"\n", 0, problem.start)
        raise UnreadableProfile(Position(place.file, line + 1, column), "not UTF-8; save the file as UTF-8") from None
