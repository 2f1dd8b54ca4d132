"""Certificates: what is kept of one, and when it ends too soon. Also of one that does not verify, or is malformed."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from upgate.base.text import duration, one_line_excerpt
from upgate.facts.attempts import Certificate

if TYPE_CHECKING:
    from cryptography import x509

T = TypeVar("T")
#: Names that are kept of a certificate, and characters of each text in it: a server may present 100 KB.
MOST_NAMES, LONGEST = 100, 255
#: Certificates of one chain that are read, and characters of a text with some in it.
MOST_CERTIFICATES, MOST_TEXT = 10, 2**20
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
#: A certificate may have been made by a clock that is so far ahead.
SKEW = timedelta(minutes=5)


def read_certificate(der: bytes) -> Certificate:
    """The facts of a DER certificate. What is malformed in it is named, and the rest is read all the same."""
    from cryptography import x509

    problems: list[str] = []
    try:
        certificate = x509.load_der_x509_certificate(der)
    except Exception as error:  # whatever a stranger's bytes do to the parser: they are his
        return Certificate(sha256=sha256(der).hexdigest(), problem=_words(error))

    def part(of: Callable[[x509.Certificate], T], otherwise: T) -> T:
        try:
            return of(certificate)
        except Exception as error:  # as above: each part is parsed when it is asked for
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


def read_chain(pem: bytes) -> list[Certificate]:
    """The facts of the certificates in a PEM text, in its order; empty where there is none. Keys in it are passed over."""
    from ssl import PEM_cert_to_DER_cert

    found = []
    for block in pem_blocks(pem, MOST_CERTIFICATES):
        try:
            found.append(read_certificate(PEM_cert_to_DER_cert(block)))
        except ValueError as error:
            found.append(Certificate(sha256="", problem=_words(error)))
    return found


def pem_blocks(pem: bytes, most: int) -> Iterator[str]:
    """The certificates in a PEM text, at most so many, each with its BEGIN and END; the last may lack its END."""
    for part in pem[:MOST_TEXT].decode("ascii", errors="replace").split(BEGIN)[1 : most + 1]:
        body, end, _ = part.partition(END)
        yield f"{BEGIN}{body}{end}\n"


def decode_base64(text: str) -> bytes:
    """The decoded base64; empty if it is invalid."""
    try:
        return b64decode(text)
    except ValueError:
        return b""


def first_to_end(chain: list[Certificate]) -> Certificate | None:
    """The certificate of a chain that cannot be read, or ends first: with it the whole chain does."""
    broken = (each for each in chain if each.not_after is None)
    return next(broken, None) or min(chain, key=lambda each: each.not_after or datetime.max, default=None)


def expiry(
    not_before: datetime | None, not_after: datetime | None, moment: datetime, days: int, clock: datetime | None = None
) -> str:
    """When it ends, where that is soon: within so many days, or within a tenth of a shorter life. Empty where it is not.

    The home of that rule: for certificates and tokens, on hosts, in Secrets, and of the API server. `clock`: that of the
    machine where it was made, where that is known.
    """
    if not_before and not_before > (clock or moment) + SKEW:
        return f"is not valid before {not_before:%Y-%m-%d}"
    if not_after is None:
        return ""
    left = not_after - moment
    life = not_after - not_before if not_before else timedelta.max
    if left > min(timedelta(days=days), life / 10):
        return ""
    return f"expires in {duration(left)}" if left > timedelta(0) else f"expired {duration(-left)} ago"


def still_valid_words(days: int) -> str:
    """What is expected of each, in words."""
    return f"more than {days} days left, or a tenth of a shorter life"


def _words(error: Exception) -> str:
    return one_line_excerpt(f"{error}" or type(error).__name__)


def _common_name(name: x509.Name) -> str:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return one_line_excerpt(str(found[0].value) if found else name.rfc4514_string(), LONGEST)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    found = (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))
    return tuple(one_line_excerpt(each, LONGEST) for each in found[:MOST_NAMES])
