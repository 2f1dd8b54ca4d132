"""Certificates and tokens of our own connection: public parts only, and from what is there already; nothing is asked for them."""

from __future__ import annotations

import socket
import ssl
from base64 import urlsafe_b64decode
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from upgate.base.errors import Inconclusive, words_of
from upgate.base.text import one_line_excerpt
from upgate.base.waiting import Deadline
from upgate.facts.attempts import Certificate
from upgate.facts.certificates import first_to_end, read_certificate, read_chain
from upgate.facts.credentials import Credential, ServingCertificate
from upgate.sources.cluster.connection import NOT_JSON, YEARS, Connection

#: Bytes of a file of certificates that are read.
MOST_BYTES = 2**20


class _Claims(msgspec.Struct):
    """What a token says of itself: https://www.rfc-editor.org/rfc/rfc7519#section-4.1"""

    sub: str = ""
    exp: float | None = None
    iat: float | None = None


def api_certificates(connection: Connection, deadline: Deadline) -> list[ServingCertificate]:
    """What the API server presented, and its authority; empty where it is asked through plain http. Raises Inconclusive."""
    if urlsplit(connection.server).scheme != "https":
        return []
    place = urlsplit(connection.server)
    host, port = place.hostname or "", place.port or 443
    server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    own = read_certificate(connection.peer or presented_to_us(connection, host, port))
    authorities = [each for each in trusted(connection) if each.subject == own.issuer and each.sha256 != own.sha256]
    # Of authorities with one name, where one follows the other, the last one counts.
    last = max(authorities, key=lambda each: each.not_after or datetime.min.replace(tzinfo=UTC), default=None)
    found = [ServingCertificate(server=server, certificate=own)]
    return found + ([ServingCertificate(server=server, certificate=last, authority=True)] if last else [])


def presented_to_us(connection: Connection, host: str, port: int) -> bytes:
    """The certificate, by a handshake over which nothing is sent: for servers that end each connection. Raises Inconclusive.

    It is not verified here: what is asked of this server is.
    """
    if connection.configuration.proxy:
        raise Inconclusive("the certificate of the API server was not seen: the proxy's connections do not show it")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), connection.patience.connect) as plain,
            context.wrap_socket(plain, server_hostname=connection.configuration.tls_server_name or host) as secured,
        ):
            return secured.getpeercert(binary_form=True) or b""
    except (OSError, ValueError) as problem:  # ValueError: a name that TLS cannot ask for
        raise Inconclusive(f"the certificate of the API server was not seen: {words_of(problem)}") from problem


def trusted(connection: Connection) -> list[Certificate]:
    """The authorities that the kubeconfig names; those of the system are not looked at."""
    path = connection.configuration.ssl_ca_cert
    return read_chain(beginning_of(path)) if path else []


def own_credentials(connection: Connection, deadline: Deadline) -> list[Credential]:
    """What stands in the kubeconfig itself. A plugin, a token file and a pod's own token are renewed by themselves."""
    if connection.renews:
        return []
    own = connection.configuration
    found = [of_certificate(own.cert_file)] if own.cert_file else []
    return [*found, *of_token(own.api_key.get("BearerToken") or "")]


def of_certificate(path: str) -> Credential:
    """The client certificate in a file. Raises Inconclusive where it cannot be read."""
    first = first_to_end(read_chain(beginning_of(path)))
    if first is None or first.not_after is None:
        raise Inconclusive("the client certificate that we log in with cannot be read")
    return Credential(
        type="client certificate", subject=first.subject, not_before=first.not_before, not_after=first.not_after
    )


def of_token(token: str) -> list[Credential]:
    """When a JWT ends, as far as it says so: it is not verified, and nothing else of it is kept. None for other tokens."""
    parts = token.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return []
    try:
        text = urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        said = msgspec.json.decode(text, type=_Claims)
    except (ValueError, *NOT_JSON):
        return []
    return [
        Credential(
            type="token",
            subject=one_line_excerpt(said.sub),
            not_before=unix_moment(said.iat),
            not_after=unix_moment(said.exp),
        )
    ]


def unix_moment(seconds: float | None) -> datetime | None:
    """A moment of the Unix clock; None for none, and for one that no clock shows."""
    with suppress(ValueError, OverflowError, OSError):
        moment = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        return moment if moment and moment.year in YEARS else None
    return None


def beginning_of(path: str) -> bytes:
    """The bytes of a file of certificates. Raises Inconclusive where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError as problem:
        raise Inconclusive(f"cannot read the certificates of our connection: {problem.strerror}") from problem
