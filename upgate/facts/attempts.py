"""What one attempt saw: plain data that the snapshot keeps, without any credential."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal[
    "name",
    "connect-refused",
    "connect-timeout",
    "unreachable",
    "no-network",
    "tls-expired",
    "tls-wrong-name",
    "tls-unknown-issuer",
    "tls-other",
    "reset",
    "read-timeout",
    "protocol",
    "proxy",
    "resolver",
    "set-up",
]

#: What is broken on our side says nothing about the server.
OURS: frozenset[str] = frozenset({"proxy", "resolver", "set-up"})
#: The handshake was refused by us because of the certificate.
CERTIFICATE: frozenset[str] = frozenset({"tls-expired", "tls-wrong-name", "tls-unknown-issuer"})


class Failure(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    kind: Kind
    #: The underlying error's own.
    words: str = ""

    @property
    def is_ours(self) -> bool:
        """We could not look: a file, a proxy or a name server of this side is at fault."""
        return self.kind in OURS


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The server's certificate, as far as it can be read. Times in UTC."""

    subject: str = ""
    issuer: str = ""
    #: The DNS names and addresses that it is for.
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    sha256: str
    #: Why not all of it can be read; empty where it can.
    problem: str = ""

    def days_left(self, at: datetime) -> int | None:
        """Whole days until it expires, negative once it has; None where that cannot be read."""
        return None if self.not_after is None else (self.not_after - at).days


class Elapsed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Seconds, by a monotonic clock. Without an answer to the end, what was not reached is None."""

    name: float | None = None
    connect: float | None = None
    tls: float | None = None
    #: From the start to the first byte of the answer.
    first_byte: float | None = None
    #: From the start to the end of the answer, redirects included.
    total: float = 0.0
    #: For how much of that this process was too busy to look.
    ours: float = 0.0


class Comparison(msgspec.Struct, frozen=True):
    """How the answer compared with one expectation. The body itself may be large, or private, and is not kept."""

    #: The expectation in words.
    expected: str
    #: None where that is not known.
    met: bool | None
    #: What was there instead, or why that is not known; empty where it was met.
    observed: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one attempt saw."""

    id: str
    #: The URL or `host:port`, fit for people.
    target: str
    vantage: str = ""
    #: In UTC.
    started: datetime
    elapsed: Elapsed = Elapsed()
    #: `address:port` that was tried; several where a name has several.
    address: str = ""
    failure: Failure | None = None
    status: int | None = None
    #: Such as HTTP/1.1.
    http_version: str = ""
    #: Where the answer redirects to, when it was not followed.
    location: str = ""
    #: Only those that an expectation names, credentials aside.
    headers: dict[str, str] = {}
    seen: tuple[Comparison, ...] = ()
    #: How the body begins, where something about the answer was wrong.
    excerpt: str = ""
    certificate: Certificate | None = None
    #: The URL of the last request, where redirects or the steps of a journey led on from that of `target`.
    asked: str = ""
    #: The URLs that led here, when redirects were followed.
    hops: tuple[str, ...] = ()
    #: What was wrong in earlier attempts of the same target.
    earlier: tuple[str, ...] = ()
    #: It succeeded after that many attempts that did not.
    flaky_after: int = 0
