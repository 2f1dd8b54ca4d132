"""Keeps secrets out of everything that is written or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

#: JSON Web Tokens (service accounts, OIDC), other bearer tokens, and credentials inside URLs.
TOKENS = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=[Bb]earer )[\w.~+/=-]{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
HIDDEN = "[hidden]"
#: Shorter values than this are too common to be told apart from ordinary text.
SHORTEST = 4


#: Every token begins with, or follows, one of these.
MARKS = (b"eyJ", b"earer ", b"://")


def is_clean(data: bytes, secrets: Iterable[str] = ()) -> bool:
    """Certainly nothing in this JSON needs redaction: found out in one look, however large it is."""
    encoded = (msgspec.json.encode(secret)[1:-1] for secret in secrets if len(secret) >= SHORTEST)
    return not any(mark in data for mark in (*MARKS, *encoded))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without tokens and without these values, the longest first."""
    for secret in sorted((each for each in secrets if len(each) >= SHORTEST), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return TOKENS.sub(HIDDEN, text)
