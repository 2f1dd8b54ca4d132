"""Facts without secrets: what the free texts of an object say is redacted when it is decoded, so that nothing keeps it.

Names are left as they are: a fact is found by them. What a kind's texts are follows from its type, once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from msgspec import json
from msgspec.inspect import AnyType, DictType, Field, ListType, StructType, Type, UnionType, type_info
from msgspec.structs import force_setattr as put

from upgate.base.redaction import HIDDEN, has_mark, without_known

#: The fields that hold what somebody wrote.
TEXTS = frozenset({"message", "reason", "body", "note", "problem", "image", "expression", "error"})
MAPS = frozenset({"annotations"})
#: Characters of one text that are kept: what is longer is not read, and this much more is looked at, so that a secret is
#: not cut in two.
LONGEST, BEYOND = 10_000, 4_000
#: Characters of a name and a text that are remembered.
LONGEST_WORD = 200
#: Characters of all texts of one object that are looked at. What a tenant may write into one costs no minutes.
MOST = 2**16
#: The same of JSON of a kind that a user has declared: any of its values may be what is asked for.
MOST_OF_DOCUMENT = 2**20


class Left:
    """How many characters of an object may still be looked at."""

    def __init__(self, most: int = MOST) -> None:
        self._characters = most

    def take(self, text: str) -> bool:
        """Take as many as are looked at of a text; False where the object has had its share."""
        self._characters -= min(len(text), LONGEST + BEYOND)
        return self._characters >= 0


#: What changes one field of a struct.
Change = Callable[[Any, Left], None]


def hide(item: Any, left: Left | None = None) -> None:
    """Redact the texts of a fact, in place."""
    left = left or Left()
    for change in changes(type(item)):  # type: ignore[arg-type]  # a type is hashable
        change(item, left)


@cache
def changes(kind: type[Any]) -> tuple[Change, ...]:
    """What is to be done about the fields of a type; nothing for most."""
    fields = type_info(kind).fields  # type: ignore[attr-defined]
    return tuple(change for field in fields if (change := change_of(field)))


def change_of(field: Field) -> Change | None:
    """What is to be done about one field."""
    name = field.name
    if name in TEXTS:
        return lambda item, left: change_text(item, name, left)
    if name in MAPS:
        return lambda item, left: change_map(item, name, left)
    if is_free(field.type):
        return lambda item, left: put(item, name, hidden_parts(getattr(item, name), Left(MOST_OF_DOCUMENT)))
    kinds = structs_in(field.type)
    if any(changes(kind) for kind in kinds):
        change = change_each if is_list(field.type) else change_one
        return lambda item, left: change(item, name, left)
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


def change_text(item: Any, name: str, left: Left) -> None:
    """Redact one text."""
    text = getattr(item, name)
    if text and (hidden := without_secrets_in(text) if left.take(text) else unread(text)) != text:
        put(item, name, hidden)


def change_map(item: Any, name: str, left: Left) -> None:
    """Redact the values of a map."""
    values = getattr(item, name)
    if values:
        put(item, name, hidden_values(values, left))


def hidden_values(values: dict[str, str], left: Left | None = None) -> dict[str, str]:
    """Annotations without secrets; the shortest are looked at first, for what is read of them is short."""
    left = left or Left()
    shortest_first = sorted(values.items(), key=lambda each: len(each[1]))
    hidden = {key: without_secrets_in(value) if left.take(value) else unread(value) for key, value in shortest_first}
    return {key: hidden[key] for key in values}


def hidden_parts(document: Any, left: Left) -> Any:
    """The same, faster: most parts of an object (`spec`, `status`) are short and clean, which one look at their text tells."""
    if not isinstance(document, dict) or {"name", "value"} <= document.keys():
        return hidden_document(document, left)
    return {
        key: each if is_clean_part(key, each, left) else hidden_document(each, left, key)
        for key, each in document.items()
    }


def is_clean_part(name: str, value: Any, left: Left) -> bool:
    """Nothing in a part has to be hidden, or to be cut."""
    if not isinstance(value, dict | list):
        return False
    text = json.encode(value).decode()
    return len(text) <= LONGEST and not is_marked(name) and not has_mark(text) and left.take(text)


def is_marked(name: str) -> bool:
    """It may be the name of a secret: there are few, and each comes again and again."""
    return remembered_mark(name) if len(name) <= LONGEST_WORD else has_mark(name)


remembered_mark = lru_cache(maxsize=2**12)(has_mark)


def hidden_document(value: Any, left: Left, name: str = "") -> Any:
    """JSON of any form without secrets: neither values that look like one, nor those of a key or a variable named so."""
    if isinstance(value, str):
        if not left.take(value):
            return unread(value)
        return hidden_word(name, value) if len(value) + len(name) <= LONGEST_WORD else hidden_value(name, value)
    if isinstance(value, list):
        return [hidden_document(each, left, name) for each in value]
    if not isinstance(value, dict):
        return value
    variable = value.get("name") if {"name", "value"} <= value.keys() else ""
    return {
        key: hidden_document(each, left, str(variable) if variable and key == "value" else key)
        for key, each in value.items()
    }


def hidden_value(name: str, value: str) -> str:
    """A text without secrets; hidden as a whole where its name is that of one."""
    if len(value) <= LONGEST and not has_mark(value) and not is_marked(name):
        return value
    named = without_known(f'{name}="{value[:LONGEST]}"') == f"{name}={HIDDEN}"
    return HIDDEN if named else without_secrets_in(value)


#: The same of a short text, once for equal ones: objects of one kind have most of them in common.
hidden_word = lru_cache(maxsize=2**14)(hidden_value)


def change_one(item: Any, name: str, left: Left) -> None:
    """Go on with a fact in a fact."""
    inner = getattr(item, name)
    if inner is not None:
        hide(inner, left)


def change_each(item: Any, name: str, left: Left) -> None:
    """Go on with each of a list."""
    for inner in getattr(item, name) or ():
        hide(inner, left)


def unread(text: str) -> str:
    """What stands in the place of a text that is not looked at."""
    return f"({len(text):,} characters: the object has more than are read)"


def without_secrets_in(text: str) -> str:
    """A text of the cluster without what looks like a secret, and no longer than it is read."""
    hidden = without_known(text[: LONGEST + BEYOND])
    return hidden if len(text) <= LONGEST else f"{hidden[:LONGEST]} … ({len(text) - LONGEST:,} more characters)"
