"""Words for a connection that failed: what happened, at which address, in the terms that people search for."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3.exceptions

if TYPE_CHECKING:
    from upgate.sources.cluster.connection import Timeouts


def explain(problem: BaseException, server: str, patience: Timeouts) -> tuple[str, bool]:
    """What went wrong, and whether the server was reached."""
    causes = chain(problem)
    url = urlsplit(server)
    at = url.netloc

    def first(*types: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, types)), None)

    if cause := first(socket.gaierror):
        return f"the name {url.hostname} does not resolve ({cause.args[-1]})", False
    if cause := first(ssl.SSLCertVerificationError):
        return f"the certificate of {at} is not accepted: {cause.verify_message}", False  # type: ignore[attr-defined]
    if first(ConnectionRefusedError):
        return f"connection refused at {at}", False
    if first(urllib3.exceptions.ReadTimeoutError):
        return f"{at} sent nothing for {patience.read:g} s", True
    if first(urllib3.exceptions.ConnectTimeoutError) and first(TimeoutError, socket.timeout):
        return f"no connection to {at} within {patience.connect:g} s", False
    if first(ConnectionResetError, BrokenPipeError):
        return f"{at} reset the connection", True
    if first(urllib3.exceptions.IncompleteRead):
        return f"{at} broke off in the middle of its answer", True
    return innermost(causes, at)


def innermost(causes: list[BaseException], at: str) -> tuple[str, bool]:
    """The rest: what the innermost error says."""
    text = " ".join(str(causes[-1]).split()) or type(causes[-1]).__name__
    refused = any(
        isinstance(cause, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProxyError)) for cause in causes
    )
    tls = any(isinstance(cause, (ssl.SSLError, urllib3.exceptions.SSLError)) for cause in causes)
    return f"no answer from {at}: {text}", not (refused or tls)


def chain(problem: BaseException) -> list[BaseException]:
    """The error and all that it was raised from, the outermost first."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [problem]
    while todo:
        current = todo.pop(0)
        if current is not None and current not in seen:
            seen.append(current)
            todo += [current.__cause__, current.__context__, *(a for a in current.args if isinstance(a, BaseException))]
            todo.append(
                getattr(current, "reason", None)
                if isinstance(getattr(current, "reason", None), BaseException)
                else None
            )
    return seen
