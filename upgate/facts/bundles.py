"""The bundles of authorities that the API server checks the certificates of webhooks with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from upgate.facts.certificates import decode_base64, pem_blocks

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

#: The authorities of one bundle that are read: those of a whole browser are 150.
MOST = 500


def bundle_fault(text: str, moment: datetime) -> str:
    """Why no certificate verifies with this bundle (PEM in base64) at that moment. Empty where one of it may.

    Go leaves out what it cannot parse, and takes the rest: https://pkg.go.dev/crypto/x509#CertPool.AppendCertsFromPEM
    """
    authorities = list(certificates_of(text))
    if not authorities:
        return "its caBundle holds no PEM certificate"
    if any(each.not_valid_before_utc <= moment <= each.not_valid_after_utc for each in authorities):
        return ""
    last = max(each.not_valid_after_utc for each in authorities)
    if last < moment:
        return f"its caBundle expired on {last:%Y-%m-%d}"
    first = min(each.not_valid_before_utc for each in authorities)
    return f"its caBundle is not valid before {first:%Y-%m-%dT%H:%M:%SZ}"


def certificates_of(text: str) -> Iterator[Certificate]:
    """The certificates of a bundle, as far as they can be parsed."""
    from cryptography import x509

    for block in pem_blocks(decode_base64(text), MOST):
        try:
            yield x509.load_pem_x509_certificate(block.encode())
        except Exception:  # noqa: S112  # whatever the parser makes of a stranger's bytes: Go skips it as well
            continue
