"""Exceptions → classified failures. Most of httpx's exceptions differ only in their causes."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator

import dns.exception
import httpcore
import httpx

from upgate.base.errors import Inconclusive
from upgate.facts.attempts import Failure, Kind
from upgate.sources.probes.names import Unresolved
from upgate.sources.probes.reach import Refused
from upgate.sources.probes.watch import Phase, Watch

#: OpenSSL's verification results: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
VERIFICATION: dict[int, Kind] = {
    10: "tls-expired",
    18: "tls-unknown-issuer",
    19: "tls-unknown-issuer",
    20: "tls-unknown-issuer",
    21: "tls-unknown-issuer",
    62: "tls-wrong-name",
    64: "tls-wrong-name",
}
#: OpenSSL's reasons that need an explanation. We support TLS 1.2 and later, as browsers do.
HANDSHAKE = {
    "UNSUPPORTED_PROTOCOL": "it does not support TLS 1.2 or later",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it does not support TLS 1.2 or later",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it requires a client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it rejects our handshake: no common cipher, or a missing client certificate",
    "TLSV1_UNRECOGNIZED_NAME": "it does not know the requested name",
    "WRONG_VERSION_NUMBER": "it does not support TLS: wrong version number",
}
UNREACHABLE = {errno.EHOSTUNREACH, errno.EHOSTDOWN}
#: No route to the address.
NO_NETWORK = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
#: An invalid header, which h11 quotes in its error: it may be a credential.
QUOTED = re.compile(r" b(['\"]).*\1", re.DOTALL)
OUT_OF_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
#: What an attempt was waiting for when its time was over.
OVERDUE: dict[Phase, Failure] = {
    "name": Failure("resolver", "the name server did not answer in time"),
    "dns": Failure("read-timeout", "no answer to the DNS query"),
    "connect": Failure("connect-timeout"),
    "proxy": Failure("proxy", "the proxy did not answer in time"),
    "tls": Failure("tls-other", "the handshake did not complete in time"),
    "answer": Failure("read-timeout", "connected, but no answer"),
    "body": Failure("read-timeout", "the answer began, but did not end"),
}


def classify(error: Exception, watch: Watch) -> Failure:
    """What went wrong. An unknown error counts as a problem of the probe, never as an answer."""
    if isinstance(error, TimeoutError):
        return OVERDUE[_proxied(watch.phase, watch)]
    failure = _first(error, watch.host) or Failure("set-up", f"{type(error).__name__}: {error}")
    if watch.by_proxy and watch.phase in ("name", "connect", "proxy"):
        return _of_proxy(error, failure, watch)
    return failure


def _first(error: Exception, host: str) -> Failure | None:
    causes = list(_causes(error))
    for known in (_our_own, _name, _tls, _connection, _protocol):
        for cause in causes:
            if failure := known(cause, host):
                return failure
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, and all members of exception groups among them."""
    yield error
    for member in getattr(error, "exceptions", ()):
        yield from _causes(member)
    if deeper := error.__cause__ or error.__context__:
        yield from _causes(deeper)


def _our_own(error: BaseException, _: str) -> Failure | None:
    if isinstance(error, Inconclusive | httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return Failure("set-up", QUOTED.sub("", str(error)))
    if isinstance(error, Refused):
        return Failure("protocol" if error.by_redirect else "set-up", error.words)
    if isinstance(error, OSError) and error.errno in OUT_OF_FILES:
        return Failure("set-up", f"{error.strerror}: raise the limit on open files (ulimit -n)")
    return None


def _name(error: BaseException, host: str) -> Failure | None:
    if isinstance(error, Unresolved):
        return Failure("name", str(error))
    if isinstance(error, dns.exception.DNSException):
        return Failure("protocol", str(error))
    if isinstance(error, UnicodeError):
        return Failure("name", f"{host} is not a valid name")
    if not isinstance(error, socket.gaierror):
        return None
    again = error.errno == socket.EAI_AGAIN
    return Failure("resolver" if again else "name", f"{host} does not resolve ({error.strerror})")


def _tls(error: BaseException, host: str) -> Failure | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        kind: Kind = VERIFICATION.get(error.verify_code, "tls-other")
        return Failure(kind, host if kind == "tls-wrong-name" else error.verify_message)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        reason = error.reason or str(error)
        return Failure("tls-other", HANDSHAKE.get(reason, reason.lower().replace("_", " ")))
    return None


def _connection(error: BaseException, _: str) -> Failure | None:
    if isinstance(error, ConnectionRefusedError):
        return Failure("connect-refused")
    if isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
        return Failure("connect-timeout")
    if isinstance(error, OSError) and error.errno in UNREACHABLE | NO_NETWORK:
        kind: Kind = "unreachable" if error.errno in UNREACHABLE else "no-network"
        return Failure(kind, os.strerror(error.errno).lower())
    return None


def _protocol(error: BaseException, _: str) -> Failure | None:
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
        early = "incomplete" in str(error) or "closed connection" in str(error)
        return Failure("reset" if early else "protocol", str(error))
    if isinstance(error, httpx.DecodingError | httpx.TooManyRedirects):
        return Failure("protocol", str(error))
    if isinstance(error, httpx.ProxyError):
        return Failure("proxy", f"the proxy refused: {error}")
    if isinstance(error, httpx.TransportError | httpcore.NetworkError | ConnectionError | ssl.SSLEOFError):
        return Failure("reset", _reset_words(error))
    return None


def _reset_words(error: BaseException) -> str:
    if any(isinstance(cause, ConnectionResetError) for cause in _causes(error)):
        return "connection reset"
    return "before its answer was complete"


def _proxied(phase: Phase, watch: Watch) -> Phase:
    return "proxy" if watch.by_proxy and phase in ("connect", "proxy") else phase


def _of_proxy(error: Exception, failure: Failure, watch: Watch) -> Failure:
    """Errors that the proxy reports about the target are the target's; all others concern the connection to the proxy."""
    if isinstance(error, httpx.ProxyError) and str(error)[:3] in ("502", "503", "504"):
        return Failure("unreachable", f"the proxy {watch.address} answered {error}")
    words = {"connect-refused": "connection refused", "connect-timeout": "no connection in time"}
    return Failure("proxy", f"the proxy {watch.address}: {failure.words or words.get(failure.kind, failure.kind)}")
