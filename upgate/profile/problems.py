"""What is wrong with a profile, and where: collected, so that all errors are shown at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from upgate.base.errors import UsageError
from upgate.base.text import counted, nearest, shown

__all__ = ["Keys", "Position", "Problem", "at", "dotted", "nearest", "refusal", "refuse", "shown"]

#: Line breaks and control characters: an error is one line, and does nothing to a terminal.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
#: Characters of a key that are quoted; the place says the rest.
LONGEST_KEY = 80
#: Errors that are shown at once; a file with more of them was generated.
MOST = 200
#: Where a value is inside a profile: keys, and numbers in lists.
Keys = tuple[str | int, ...]


class Position(NamedTuple):
    """A place in a file; lines and columns count from 1, as in editors."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """One thing that is wrong."""

    place: Position
    words: str

    def __str__(self) -> str:
        return UNPRINTABLE.sub(" ", f"{self.place}: {self.words}")


def at(place: Position, keys: Keys, words: str) -> Problem:
    """A problem of the value under these keys."""
    return Problem(place, f"{dotted(keys)}: {words}" if keys else words)


def dotted(keys: Keys) -> str:
    """The keys as people write them: `expect.nodes.min`, `external[0].url`."""
    words = (f"[{key}]" if isinstance(key, int) else f".{key[:LONGEST_KEY]}" for key in keys)
    return "".join(words).removeprefix(".")


def refusal(problems: Iterable[Problem]) -> UsageError:
    """One line for each problem, in the order of the file."""
    ordered = sorted(set(problems))
    more = [f"… and {counted(len(ordered) - MOST, 'more error')}"] if len(ordered) > MOST else []
    return UsageError("\n".join([*map(str, ordered[:MOST]), *more]))


def refuse(problems: Iterable[Problem]) -> None:
    """Raise UsageError where there is any problem."""
    if found := list(problems):
        raise refusal(found)
