"""TLS contexts: trusted authorities and client certificates. Loading the system's takes 10 ms or more, so they are shared."""

from __future__ import annotations

import os
import ssl
from functools import cache

from upgate.base.errors import Inconclusive


class Trust:
    """The TLS contexts of one run: the next run reads changed files again."""

    def __init__(self) -> None:
        #: HTTP/2 needs a separate context: a context holds the protocols that it offers.
        self.context = cache(lambda ca, certificate, key, http2: _context(ca, certificate, key))


def _context(ca: str, certificate: str, key: str) -> ssl.SSLContext:
    context = _of_file(ca) if ca else _system()
    # As browsers and curl do: a trusted intermediate is enough, and the extensions of RFC 5280 may be missing.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # As browsers and Go do: a name in the subject alone is ignored (RFC 9525, section 6.3).
    context.hostname_checks_common_name = False
    if certificate:
        _identify(context, certificate, key)
    return context


def _system() -> ssl.SSLContext:
    """The operating system's authorities (SSL_CERT_FILE and SSL_CERT_DIR override them), or certifi's if there are none."""
    paths = ssl.get_default_verify_paths()
    context = ssl.create_default_context()
    if not (paths.cafile or paths.capath or context.cert_store_stats()["x509_ca"]):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _of_file(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=_readable(ca, "CA file"))
    except ssl.SSLError as error:
        raise Inconclusive(f"the CA file {ca} holds no usable certificate: {error.reason or error}") from error


def _readable(path: str, what: str) -> str:
    try:
        with open(path, "rb"):
            return path
    except OSError as error:
        raise Inconclusive(f"the {what} {path} cannot be read: {error.strerror}") from error


def _identify(context: ssl.SSLContext, certificate: str, key: str) -> None:
    _readable(certificate, "client certificate")
    try:
        context.load_cert_chain(certificate, os.fspath(key) or None, password=_no_password)
    except (OSError, ValueError) as error:
        raise Inconclusive(f"the client certificate {certificate} cannot be used: {error}") from error


def _no_password() -> str:
    raise ValueError("its key is encrypted; probes need one without a passphrase")
