"""Pydantic's errors in our words: where, what was found, what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from upgate.profile.model import Profile
from upgate.profile.problems import Keys, Position, Problem, at, nearest
from upgate.profile.section import Section
from upgate.profile.tree import YamlNode

#: What pydantic calls a kind of value, and what we do.
KINDS = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "tuple_type": "a list, such as [one, two]",
}
#: What people call the values that YAML knows.
WORDS = {
    bool: "true-or-false value",
    int: "number",
    float: "number",
    str: "text",
    date: "date",
    dict: "mapping",
    list: "list",
}
#: Marks a mapping's key in pydantic's locations.
KEY = "[key]"


def problems_of(error: ValidationError, root: YamlNode) -> list[Problem]:
    """All that pydantic found, each at its place in the files."""
    errors = error.errors(include_url=False, include_input=False)
    return [problem_of(each, root) for each in errors if not is_echo(each, root)]


def is_echo(error: Mapping[str, Any], root: YamlNode) -> bool:
    """Pydantic calls a list too short when all of its entries are wrong, each of which has its own error already."""
    node = root.found_at(keys_in(root, error["loc"]))
    return error["type"] == "too_short" and node.value != []


def problem_of(error: Mapping[str, Any], root: YamlNode) -> Problem:
    """One of pydantic's errors at its place."""
    of_key, keys = error["loc"][-1:] == (KEY,), keys_in(root, error["loc"])
    if error["type"] == "extra_forbidden":
        return unknown_key(root, keys)
    if error["type"] == "missing":
        return at(root.found_at(keys).place, keys, f'needs the key "{error["loc"][-1]}"')
    node = root.found_at(keys)
    words = words_for(error, node)
    if error["type"] == "string_type" and not of_key:
        words = quoting_fails(node, keys) or words
    return at(key_place(root, keys) if of_key else node.place, keys, words)


def quoting_fails(node: YamlNode, keys: Keys) -> str:
    """What would be wrong with the text, if it were quoted; empty where it would be right."""
    try:
        section = section_at(keys[:-1])
    except KeyError:  # a mapping with keys of the user's own
        return ""
    known = section.keys()
    name = None if keys[-2:-1] and keys[-2] in known else known.get(str(keys[-1]))
    annotation = section.model_fields[name].annotation if name else None
    if annotation is None or isinstance(node.value, dict | list):
        return ""
    try:
        TypeAdapter(annotation).validate_python(node.text)
    except ValidationError as error:
        own = [each["ctx"]["error"] for each in error.errors() if each["type"] == "value_error"]
        return f"{own[0]}; found {found(node)}" if own else ""
    return ""


def keys_in(root: YamlNode, location: tuple[str | int, ...]) -> Keys:
    """As much of a location as is in the tree; the rest names pydantic's own steps."""
    keys: Keys = ()
    for step in location:
        if root.at((*keys, step)) is not None:
            keys = (*keys, step)
    return keys


def key_place(root: YamlNode, keys: Keys) -> Position:
    """Where a key itself is written."""
    return root.found_at(keys[:-1]).keys[str(keys[-1])]


def words_for(error: Mapping[str, Any], node: YamlNode) -> str:
    """What is wrong with a value, and what would be right."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return own_words(str(context["error"]), node)
    if kind == "string_type":
        return not_text(node)
    if kind == "literal_error":
        return f"expected {context['expected']}; found {found(node)}"
    if kind in KINDS:
        return f"expected {KINDS[kind]}; found {found(node)}"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    return error["msg"].removeprefix("Input ").replace("should be", "must be")


def own_words(words: str, node: YamlNode) -> str:
    """What our own validators say. Details behind a colon may repeat the value, and are left out if that came from a
    variable.
    """
    expanded = isinstance(node.value, str) and node.value != node.text
    return words.partition(":")[0] if expanded else words


def not_text(node: YamlNode) -> str:
    """YAML read as something else what should be text."""
    if isinstance(node.value, bool | int | float | date):
        return f'expected text; YAML reads {node.text} as a {yaml_kind(node.value)}; quote it: "{node.text}"'
    return f"expected text; found {found(node)}"


def found(node: YamlNode) -> str:
    """A value for people: as it is written, short."""
    if node.value is None:
        return "nothing"
    if isinstance(node.value, dict | list):
        return f"a {yaml_kind(node.value)}"
    text = node.text if len(node.text) <= 40 else f"{node.text[:40]}…"
    return (
        f'the {yaml_kind(node.value)} "{text}"'
        if isinstance(node.value, str)
        else f"the {yaml_kind(node.value)} {text}"
    )


def yaml_kind(value: object) -> str:
    """What YAML makes of a value."""
    return next(word for kind, word in WORDS.items() if isinstance(value, kind))


def unknown_key(root: YamlNode, keys: Keys) -> Problem:
    """A key that means nothing here, and those that would."""
    known = section_at(keys[:-1]).keys()
    words = f"unknown key{nearest(str(keys[-1]), known)} Valid keys: {', '.join(sorted(known))}"
    return at(key_place(root, keys), keys, words.replace("key Valid", "key. Valid"))


def section_at(keys: Keys) -> type[Section]:
    """The part of the profile that describes the mapping under these keys."""
    section: type[Section] = Profile
    for key in keys:
        if isinstance(key, str):
            section = section_in(section.model_fields[section.keys()[key]].annotation) or section
    return section


def section_in(annotation: Any) -> type[Section] | None:
    """The section that a type is made of: of `tuple[External, ...]` it is External."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(section_in, get_args(annotation))), None)
