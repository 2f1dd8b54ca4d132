"""Whom a connection leads to, as its TLS says."""

from __future__ import annotations

import ssl
from typing import Any


def presented(response: Any) -> bytes | None:
    """The certificate that a server presented, also where it was not verified; None where the connection has none."""
    sock = getattr(response.connection, "sock", None)
    return sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
