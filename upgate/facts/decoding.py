"""A page of JSON becomes facts, one item at a time where it must be: one malformed object costs one object, not the list.

Every fact of a cluster comes through here, and leaves without secrets (`hiding.py`).
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import msgspec

from upgate.facts.compact import compact
from upgate.facts.hiding import without_secrets_in
from upgate.facts.meta import KubernetesObject

T = TypeVar("T", bound=KubernetesObject)


class Malformed(msgspec.Struct, frozen=True):
    """An object that could not be understood."""

    object: str
    problem: str


class ListMeta(msgspec.Struct, rename="camel"):
    """`metadata` of a list."""

    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int = 0


class Page(msgspec.Struct):
    """The frame of one page, its items still bytes. Go writes an empty list as null; a list without items is none."""

    items: list[msgspec.Raw] | None
    kind: str = ""
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class _Name(msgspec.Struct):
    name: str = ""
    namespace: str = ""


class _Named(msgspec.Struct):
    metadata: _Name = msgspec.field(default_factory=_Name)


@cache
def decoder(type: type[T]) -> msgspec.json.Decoder[T]:
    """One decoder per kind: making one costs more than an object does."""
    return msgspec.json.Decoder(type)


def decode_page(type: type[T], page: Page) -> tuple[list[T], list[Malformed]]:
    """The facts of a page, and the objects that are none."""
    items, malformed = [], []
    decode = decoder(type).decode
    for number, raw in enumerate(page.items or ()):
        try:
            items.append(compact(decode(raw)))
        except msgspec.DecodeError as problem:
            malformed.append(Malformed(ref(type, raw, number), without_secrets_in(str(problem))))
    return items, malformed


def ref(type: type[KubernetesObject], raw: msgspec.Raw, number: int) -> str:
    """What a malformed object is called, as far as its name can be read."""
    try:
        meta = msgspec.json.decode(raw, type=_Named).metadata
    except msgspec.DecodeError:
        meta = _Name()
    return "/".join(filter(None, (type.__name__, meta.namespace, meta.name or f"item {number} of its page")))
