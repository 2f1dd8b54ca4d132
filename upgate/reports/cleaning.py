"""Results made harmless, string by string, and texts cut to what is read."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from upgate.base.harmless import harmless

T = TypeVar("T")

#: What may stand in JSON for what is not harmless, beside anything that is not ASCII: escapes, and commands of CI systems.
SUSPECT = re.compile(rb'\\[bfru]|#\w{0,40}\[|section_|travis_|::[A-Za-z\d_]|["n](?:---|\+\+\+|~~~|\^\^\^)')


def cleaned(value: T) -> T:
    """The same value with every string in it harmless; nearly always that is the value itself, found out in one look."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate
        return rewritten(value)
    return rewritten(value) if not data.isascii() or SUSPECT.search(data) else value


def rewritten(value: Any) -> Any:
    """The same value with each string in it made harmless."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, tuple):
        return tuple(map(rewritten, value))
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(
            value, **{name: rewritten(getattr(value, name)) for name in value.__struct_fields__}
        )
    return value


def one_line(text: str, limit: int = 500) -> str:
    """The text without line breaks, cut where it is no longer read but only scrolled past."""
    return shortened_text(" ".join(text.split()), limit)


def begun(text: str, limit: int) -> str:
    """The text without line breaks, and no more than its beginning: for what outlives the run's reports."""
    return " ".join(text.split())[:limit]


def shortened_text(text: str, limit: int) -> str:
    """At most about `limit` characters of the text, and how many were left out."""
    left_out = len(text) - limit
    return text if left_out <= 0 else f"{text[:limit]} … ({left_out:,} more characters in results.json)"
