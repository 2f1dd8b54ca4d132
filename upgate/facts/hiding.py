"""Facts without secrets: what the free texts of an object say is redacted when it is decoded, so that nothing keeps it.

Names are left as they are: a fact is found by them. What a kind's texts are follows from its type, once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec.inspect import AnyType, DictType, Field, ListType, StructType, Type, UnionType, type_info
from msgspec.structs import force_setattr as put

from upgate.base.redaction import HIDDEN, without_known

#: The fields that hold what somebody wrote.
TEXTS = frozenset({"message", "reason", "body", "note", "problem", "image"})
MAPS = frozenset({"annotations"})
#: Characters of one text that are kept: what is longer is not read, and this much more is looked at, so that a secret is
#: not cut in two.
LONGEST, BEYOND = 10_000, 4_000
#: What changes one field of a struct.
Change = Callable[[Any], None]


def hide(item: Any) -> None:
    """Redact the texts of a fact, in place."""
    for change in changes(type(item)):  # type: ignore[arg-type]  # a type is hashable
        change(item)


@cache
def changes(kind: type[Any]) -> tuple[Change, ...]:
    """What is to be done about the fields of a type; nothing for most."""
    fields = type_info(kind).fields  # type: ignore[attr-defined]
    return tuple(change for field in fields if (change := change_of(field)))


def change_of(field: Field) -> Change | None:
    """What is to be done about one field."""
    name = field.name
    if name in TEXTS:
        return lambda item: change_text(item, name)
    if name in MAPS:
        return lambda item: change_map(item, name)
    if is_free(field.type):
        return lambda item: put(item, name, hidden_document(getattr(item, name)))
    kinds = structs_in(field.type)
    if any(changes(kind) for kind in kinds):
        return (lambda item: change_each(item, name)) if is_list(field.type) else (lambda item: change_one(item, name))
    return None


def structs_in(kind: Type) -> list[type]:
    """The types of facts in a field."""
    if isinstance(kind, StructType):
        return [kind.cls]
    if isinstance(kind, ListType):
        return structs_in(kind.item_type)
    return [each for part in kind.types for each in structs_in(part)] if isinstance(kind, UnionType) else []


def is_free(kind: Type) -> bool:
    """The field holds JSON of any form: `raw`, or a `status: dict` of a kind that a user has declared."""
    if isinstance(kind, UnionType):
        return any(map(is_free, kind.types))
    inner = kind.item_type if isinstance(kind, ListType) else kind.value_type if isinstance(kind, DictType) else kind
    return isinstance(inner, AnyType) or (inner is not kind and is_free(inner))


def is_list(kind: Type) -> bool:
    """The field holds several."""
    return isinstance(kind, ListType) or (isinstance(kind, UnionType) and any(map(is_list, kind.types)))


def change_text(item: Any, name: str) -> None:
    """Redact one text."""
    text = getattr(item, name)
    if text and (hidden := without_secrets_in(text)) != text:
        put(item, name, hidden)


def change_map(item: Any, name: str) -> None:
    """Redact the values of a map."""
    values = getattr(item, name)
    if values:
        put(item, name, hidden_values(values))


def hidden_values(values: dict[str, str]) -> dict[str, str]:
    """Labels or annotations without secrets."""
    return {key: without_secrets_in(value) for key, value in values.items()}


def hidden_document(value: Any, name: str = "") -> Any:
    """JSON of any form without secrets: neither values that look like one, nor those of a key or a variable named so."""
    if isinstance(value, str):
        named = without_known(f'{name}="{value[:LONGEST]}"') == f"{name}={HIDDEN}"
        return HIDDEN if named else without_secrets_in(value)
    if isinstance(value, list):
        return [hidden_document(each, name) for each in value]
    if not isinstance(value, dict):
        return value
    variable = value.get("name") if {"name", "value"} <= value.keys() else ""
    return {
        key: hidden_document(each, str(variable) if variable and key == "value" else key) for key, each in value.items()
    }


def change_one(item: Any, name: str) -> None:
    """Go on with a fact in a fact."""
    inner = getattr(item, name)
    if inner is not None:
        hide(inner)


def change_each(item: Any, name: str) -> None:
    """Go on with each of a list."""
    for inner in getattr(item, name) or ():
        hide(inner)


def without_secrets_in(text: str) -> str:
    """A text of the cluster without what looks like a secret, and no longer than it is read."""
    hidden = without_known(text[: LONGEST + BEYOND])
    return hidden if len(text) <= LONGEST else f"{hidden[:LONGEST]} … ({len(text) - LONGEST:,} more characters)"
