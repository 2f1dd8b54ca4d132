"""Keeps secrets out of everything that is written or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from upgate.results import CheckResult, Results

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


def without_secrets(results: Results, secrets: Sequence[str]) -> Results:
    """The results with every text redacted."""
    frame = msgspec.structs.replace(results, checks=())
    checks = tuple(check_without_secrets(check, secrets) for check in results.checks)
    return msgspec.structs.replace(
        msgspec.convert(redacted(msgspec.to_builtins(frame), secrets), Results), checks=checks
    )


def check_without_secrets(check: CheckResult, secrets: Sequence[str]) -> CheckResult:
    """The result with every text redacted; nearly always there is nothing to do."""
    if is_clean(msgspec.json.encode(check), secrets):
        return check
    return msgspec.convert(redacted(msgspec.to_builtins(check), secrets), CheckResult)


def redacted(value: Any, secrets: Sequence[str]) -> Any:
    """The value with every text in it redacted."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, Mapping):
        return {key: redacted(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(each, secrets) for each in value]
    return value
