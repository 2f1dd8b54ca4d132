"""The inputs of checks in words: which there are, and which fields and questions each offers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec

from upgate.base.errors import UsageError
from upgate.base.text import nearest
from upgate.battery.inputs import Inputs, names
from upgate.facts.kinds import KINDS
from upgate.facts.relations import RELATIONS


def overview() -> str:
    """All inputs, a line each."""
    width = max(map(len, names()))
    return "".join(f"{name:{width}}  {input_summary(name)}\n" for name in names())


def described(name: str) -> str:
    """One input: what it is, and what can be asked of it. Raises UsageError."""
    if name not in names():
        raise UsageError(f"there is no input {name}{nearest(name, names()) or '. `upgate nouns` lists them'}")
    members = {**fields(name), **questions(name)}
    width = max(map(len, members), default=0)
    return f"{name}: {input_summary(name)}\n" + "".join(
        f"  {member:{width}}  {words}\n" for member, words in members.items()
    )


def input_summary(name: str) -> str:
    """What an input is, in one sentence."""
    if name in KINDS:
        kind = KINDS[name]
        which = f" with {kind.field_selector}" if kind.field_selector else ""
        return f"{kind.type.__name__} objects of {kind.version}{which}; needs {kind.permission}"
    if name in RELATIONS:
        return f"{first_line(RELATIONS[name])} Needs the lists {', '.join(RELATIONS[name].needs)}."
    return first_line(getattr(Inputs, name, None)) or "What this check has found so far."


def fields(name: str) -> dict[str, str]:
    """The fields of a kind's objects, with their types."""
    if name not in KINDS:
        return {}
    return {each.name: type_name(each.type) for each in msgspec.structs.fields(KINDS[name].type)}


def questions(name: str) -> dict[str, str]:
    """The properties and methods of a kind's objects, or of a relation."""
    type_ = KINDS[name].type if name in KINDS else RELATIONS.get(name)
    return dict(public_members(type_)) if type_ else {}


def public_members(type_: type[Any]) -> Iterator[tuple[str, str]]:
    """What the class offers besides its fields: name with parameters, and first line."""
    for name, member in inspect.getmembers(type_):
        if name.startswith("_") or not (isinstance(member, property) or inspect.isfunction(member)):
            continue
        yield f"{name}{signature(member)}", first_line(member)


def signature(member: Any) -> str:
    """The parameters of a method in parentheses; empty for a property."""
    if isinstance(member, property):
        return ""
    return f"({', '.join(list(inspect.signature(member).parameters)[1:])})"


def type_name(type_: Any) -> str:
    """A field's type as it is written."""
    return getattr(type_, "__name__", str(type_)).replace("upgate.facts.", "")


def first_line(thing: Any) -> str:
    """The first line of its documentation."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]
