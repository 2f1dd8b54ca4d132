"""What a server's certificate says, also when it does not verify."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from upgate.facts.attempts import Certificate
from upgate.sources.probes.answers import one_line_excerpt

T = TypeVar("T")
#: Limits for the names of a certificate that are kept, and for the characters of each text: a server may send 100 KB.
MOST_NAMES, LONGEST = 100, 255


def read_certificate(der: bytes) -> Certificate:
    """The facts of a DER certificate. Malformed parts are named, and the other parts are read."""
    problems: list[str] = []
    try:
        certificate = x509.load_der_x509_certificate(der)
    except Exception as error:  # any error of the parser is caused by the server's bytes
        return Certificate(sha256=sha256(der).hexdigest(), problem=_words(error))

    def part(of: Callable[[x509.Certificate], T], otherwise: T) -> T:
        try:
            return of(certificate)
        except Exception as error:  # as above: each part is parsed when it is read
            problems.append(_words(error))
            return otherwise

    found = Certificate(
        subject=part(lambda each: _common_name(each.subject), ""),
        issuer=part(lambda each: _common_name(each.issuer), ""),
        names=part(_names, ()),
        not_before=part(lambda each: each.not_valid_before_utc, None),
        not_after=part(lambda each: each.not_valid_after_utc, None),
        sha256=sha256(der).hexdigest(),
    )
    return replace(found, problem="; ".join(dict.fromkeys(problems))[:LONGEST])


def _words(error: Exception) -> str:
    return one_line_excerpt(f"{error}" or type(error).__name__)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return one_line_excerpt(str(found[0].value) if found else name.rfc4514_string(), LONGEST)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    found = (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))
    return tuple(one_line_excerpt(each, LONGEST) for each in found[:MOST_NAMES])


async def fetch(address: str, port: int, server_name: str, seconds: float) -> bytes | None:
    """The certificate of a server that did not verify, from a separate handshake over which no data is sent.

    None if it cannot be read: the failed verification is known already and is reported.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with suppress(OSError, TimeoutError, ValueError):  # ValueError: a name that TLS cannot ask for
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=server_name)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return der
    return None
