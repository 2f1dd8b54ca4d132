"""Conditions in CEL, the Common Expression Language, as Kubernetes itself uses it: https://kubernetes.io/docs/reference/using-api/cel/

An object is hostile: it may be as large as etcd takes. What a condition does not ask for is not handed to it, and what it may
cost is bounded by steps, counted before it is evaluated: the library cannot be interrupted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from cel import Program

#: Texts in an expression, which may hold anything.
TEXTS = re.compile(r"\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'")
#: What an expression asks for: `spec.template.spec`; a call at its end is not a part of the path.
PATHS = re.compile(r"(?<![\w.])([A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+)(\s*\()?")
#: Where an expression goes through a list or a map: https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros
MACROS = re.compile(r"\.(?:all|exists|exists_one|existsOne|map|filter|transformList|transformMap)\s*\($")
#: The place and the words of a syntax error.
SYNTAX = re.compile(r"<input>:(\d{1,6}):(\d{1,6}): (?:Syntax error: )?([^\n]{1,300})")
#: Steps of one condition on one object.
MOST_STEPS = 1_000_000
#: Characters of a value that is told, and values.
LONGEST, FEW = 120, 4
#: The variable that stands for the whole object.
WHOLE = "object"


class CannotEvaluate(Exception):
    """The condition cannot be evaluated on this object; the text says why."""


class CelCondition:
    """One condition. Raises ValueError, which says where the expression is wrong."""

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self._program: Program = compiled(text)
        bare = TEXTS.sub('""', text)
        self.paths = list(dict.fromkeys(paths_in(bare)))
        self._nesting = nesting(bare)

    def holds(self, document: Mapping[str, Any], more: Mapping[str, Any]) -> bool:
        """What it says of an object, of which steps() said before that it can be judged. Raises CannotEvaluate."""
        try:
            result = self._program.execute({**self.asked_of(document), **more})
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as problem:  # a panic of the library does not derive from Exception
            raise CannotEvaluate(why_not_evaluated(problem)) from None
        if not isinstance(result, bool):
            raise CannotEvaluate(f"it gives {shown_value(result)}, which is neither true nor false")
        return result

    def steps(self, document: Mapping[str, Any]) -> int:
        """An upper bound of its steps on an object: each macro may go through all values, and so may those in it."""
        return size_of(self.asked_of(document)) ** self._nesting if self._nesting else 1

    def asked_of(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The part of an object that it asks for; `spec` and `status` are there always."""
        found: dict[str, Any] = {"spec": {}, "status": {}}
        for path in self.paths:
            if path[0] == WHOLE:
                copy_path({WHOLE: document}, path, found)
            else:
                copy_path(document, path, found)
        return found

    def values(self, document: Mapping[str, Any]) -> str:
        """What an object has at the places that it asks for: `spec.version is "1.11"`."""
        told = [
            f"{'.'.join(path)} is {shown_value(value)}" for path in self.paths for value in values_at(document, path)
        ]
        return ", ".join(told[:FEW])


def compiled(text: str) -> Program:
    """The expression, compiled. Raises ValueError."""
    import cel  # slow, and few profiles have conditions

    try:
        return cel.compile(text)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:  # a panic of the library does not derive from Exception
        raise ValueError(f"not a CEL expression: {syntax_words(str(problem))}") from None


@cache
def cel_condition(text: str) -> CelCondition:
    """The condition, compiled once. Raises ValueError."""
    return CelCondition(text)


def syntax_words(said: str) -> str:
    """Where the expression is wrong, and what is wrong there."""
    found = SYNTAX.search(said)
    if not found:
        return " ".join(said.split())[:200]
    line, column, words = found.groups()
    where = f"column {column}" if line == "1" else f"line {line}, column {column}"
    return f"{where} of it: {words.partition(' expecting {')[0].replace('<EOF>', 'its end')}"


def paths_in(bare: str) -> Iterator[tuple[str, ...]]:
    """The paths that an expression asks for, without its texts; a name alone may be a function or a constant."""
    for match in PATHS.finditer(bare):
        path = tuple(match[1].split("."))
        path = path[:-1] if match[2] else path
        if path:
            yield path


def nesting(bare: str) -> int:
    """How deep macros are in macros."""
    deepest, open_macros = 0, []
    for end, char in enumerate(bare):
        if char == "(":
            open_macros.append(bool(MACROS.search(bare, max(0, end - 40), end + 1)))
            deepest = max(deepest, sum(open_macros))
        elif char == ")" and open_macros:
            open_macros.pop()
    return deepest


def size_of(value: Any) -> int:
    """How many values there are in a value. Without recursion: its depth is a stranger's choice."""
    count, todo = 0, [value]
    while todo:
        each = todo.pop()
        count += 1
        if isinstance(each, dict):
            todo += each.values()
        elif isinstance(each, list):
            todo += each
    return count


def copy_path(source: Mapping[str, Any], path: tuple[str, ...], into: dict[str, Any]) -> None:
    """Copy what is at a path, and no more; where a part of the way is not a map, all of that part."""
    here: Any = source
    for key in path[:-1]:
        inner = here.get(key, MISSING)
        if inner is MISSING:
            return
        if not isinstance(inner, dict):
            into[key] = inner
            return
        known = into.get(key)
        if known is inner:
            return  # it is there as a whole
        into = into.setdefault(key, {})
        here = inner
    if path[-1] in here:
        into[path[-1]] = here[path[-1]]


MISSING = object()


def values_at(document: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Any]:
    """What is at a path; nothing where the way is not there."""
    here: Any = {WHOLE: document} if path[0] == WHOLE else document
    for key in path:
        if not isinstance(here, dict) or key not in here:
            return
        here = here[key]
    yield here


def shown_value(value: Any) -> str:
    """A value for people, short; of a large one how large it is."""
    if isinstance(value, dict | list) and size_of(value) > 20:
        return f"a {'map' if isinstance(value, dict) else 'list'} of {len(value)}"
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        text = str(value)
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def why_not_evaluated(problem: BaseException) -> str:
    """Why an evaluation failed."""
    if isinstance(problem, KeyError):
        return f"there is no field {str(problem)[:LONGEST]}"
    said = str(problem).partition(". Check that")[0].partition(". CEL does not")[0].partition(". Convert")[0]
    return " ".join(said.split())[: 2 * LONGEST] or type(problem).__name__
