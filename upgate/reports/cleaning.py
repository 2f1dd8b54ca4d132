"""Text that comes from a cluster, made harmless: no terminal sequences, nothing that XML or UTF-8 cannot carry."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

T = TypeVar("T")

#: Terminal sequences of ECMA-48: CSI (colours, cursor), OSC and its relatives (titles, links, clipboard), other escapes.
SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]"
)
#: Controls but tab and newline, directions that make text read as something else, surrogates, and XML's non-characters.
UNPRINTABLE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def harmless(text: str) -> str:
    """The text without terminal sequences, each other character that cannot be shown replaced by U+FFFD."""
    if text.isprintable():
        return text
    return UNPRINTABLE.sub("\ufffd", SEQUENCES.sub("", text.replace("\r\n", "\n")))


#: What may stand for such characters in JSON: anything but ASCII, and the escapes of what has no short one.
SUSPECT = re.compile(rb"\\[bfru]")


def cleaned(value: T) -> T:
    """The same value with every string in it harmless; nearly always that is the value itself, found out in one look."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate
        return rewritten(value)
    return rewritten(value) if not data.isascii() or SUSPECT.search(data) else value


def rewritten(value: T) -> T:
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
    return shortened(" ".join(text.split()), limit)


def begun(text: str, limit: int) -> str:
    """The text without line breaks, and no more than its beginning: for what outlives the run's reports."""
    return " ".join(text.split())[:limit]


def shortened(text: str, limit: int) -> str:
    """At most about `limit` characters of the text, and how many were left out."""
    left_out = len(text) - limit
    return text if left_out <= 0 else f"{text[:limit]} … ({left_out:,} more characters in results.json)"
