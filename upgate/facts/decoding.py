"""A page of JSON becomes facts, item by item: one malformed object costs one object, and a time that cannot be read no object.

Every fact of a cluster comes through here, and leaves without secrets (`hiding.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec.structs import force_setattr

from upgate.base.decoders import decoder
from upgate.facts.compact import compact
from upgate.facts.hiding import without_secrets_in
from upgate.facts.meta import KubernetesObject
from upgate.facts.times import struct_of, with_readable_times

#: Bytes of the largest object that is looked through for times; etcd holds none of more than 1.5 MiB.
LARGEST = 4 * 2**20
#: Characters of a name, and of a problem, in a report. Names of Kubernetes' own have up to 253.
LONGEST = 300
#: What becomes of JSON that does not fit: it has another type, is not UTF-8, or has too many brackets.
UNFIT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

T = TypeVar("T", bound=KubernetesObject)


class Malformed(msgspec.Struct, frozen=True):
    """An object that could not be understood."""

    object: str
    problem: str
    #: The namespace that it is in (a namespace is in itself); empty where that cannot be read, or there is none.
    namespace: str = ""


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


def decode_with_raw(type: type[T]) -> Callable[[msgspec.Raw], T]:
    """Decodes an object of a kind that keeps all that the API server sent."""

    def decode(raw: msgspec.Raw) -> T:
        item = decoder(type).decode(raw)
        force_setattr(item, "raw", kept_of(type, msgspec.json.decode(raw)))
        return item

    return decode


def decode_page(type: type[T], page: Page) -> tuple[list[T], list[Malformed]]:
    """The facts of a page, and the objects that are none."""
    items, malformed = [], []
    decode = decode_with_raw(type) if keeps_raw(type) else decoder(type).decode
    for number, raw in enumerate(page.items or ()):
        try:
            items.append(compact(decode(raw)))
        except UNFIT as problem:
            again = without_odd_times(type, raw)
            if again is None:
                malformed.append(described_as(type, raw, number, problem))
            else:
                items.append(compact(again))
    return items, malformed


def without_odd_times(type: type[T], raw: msgspec.Raw) -> T | None:
    """The fact without the times that cannot be read; None where something else is wrong with it."""
    if memoryview(raw).nbytes > LARGEST:
        return None
    try:
        document = msgspec.json.decode(raw)
        item = msgspec.convert(with_readable_times(document, struct_of(type)), type)
    except UNFIT:
        return None
    if keeps_raw(type):
        force_setattr(item, "raw", kept_of(type, document))
    return item


def kept_of(type: type[KubernetesObject], document: dict[str, Any]) -> dict[str, Any]:
    """The part of a whole object that its kind keeps: all of it, unless the kind says otherwise."""
    kept: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(type, "kept", None)
    return kept(document) if kept else document


def keeps_raw(type: type[T]) -> bool:
    """The kind was declared with `raw=True`."""
    return "raw" in type.__struct_fields__


def described_as(type: type[KubernetesObject], raw: msgspec.Raw, number: int, problem: Exception) -> Malformed:
    """A malformed object, as far as its name can be read."""
    try:
        meta = decoder(_Named).decode(raw).metadata
    except UNFIT:
        meta = _Name()
    name, home = meta.name[:LONGEST], meta.namespace[:LONGEST]
    ref = "/".join(filter(None, (type.__name__, home, name or f"item {number} of its page")))
    return Malformed(ref, without_secrets_in(str(problem)[:LONGEST]), name if type.__name__ == "Namespace" else home)
