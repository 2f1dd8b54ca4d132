"""Words for a connection that failed: what happened, at which address, in the terms that people search for."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3.exceptions

if TYPE_CHECKING:
    from upgate.cluster.connection import Patience


def explain(problem: BaseException, server: str, patience: Patience) -> tuple[str, bool]:
    """What went wrong, and whether the server was reached."""
    causes = list(chain(problem))
    at = urlsplit(server).netloc
    for cause in causes:
        match cause:
            case socket.gaierror():
                return f"the name {urlsplit(server).hostname} does not resolve ({cause.strerror})", False
            case ssl.SSLCertVerificationError():
                return f"the certificate of {at} is not accepted: {cause.verify_message}", False
            case ConnectionRefusedError():
                return f"connection refused at {at}", False
            case urllib3.exceptions.ConnectTimeoutError():
                return f"no connection to {at} within {patience.connect:g} s", False
            case urllib3.exceptions.ReadTimeoutError() | TimeoutError():
                return f"{at} sent nothing for {patience.read:g} s", True
            case ConnectionResetError() | BrokenPipeError():
                return f"{at} reset the connection", True
            case urllib3.exceptions.IncompleteRead():
                return f"{at} broke off in the middle of its answer", True
    return describe(causes, at)


def describe(causes: list[BaseException], at: str) -> tuple[str, bool]:
    """The rest: what the innermost error says."""
    text = " ".join(str(causes[-1]).split()) or type(causes[-1]).__name__
    refused = any(isinstance(cause, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProxyError)) for cause in causes)
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
            todo.append(getattr(current, "reason", None) if isinstance(getattr(current, "reason", None), BaseException) else None)
    return seen
