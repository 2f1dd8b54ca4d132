"""Certificates that OpenSSL serves, and that are not what they should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

#: The names of a certificate in DER, by what is odd about them; 87 04 7f 00 00 01 is the address 127.0.0.1.
NAMES = {
    "x400": b"\x30\x08\xa3\x00\x87\x04\x7f\x00\x00\x01",
    "byte-ff": b"\x30\x09\x82\x01\xff\x87\x04\x7f\x00\x00\x01",
    "short-address": b"\x30\x05\x87\x03\x7f\x00\x00",
    "empty": b"\x30\x00",
    "line-break": b"\x30\x05\x82\x03a\nb",
    "many": b"\x30\x82\xea\x60" + b"\x82\x01a" * 20_000,
}


def odd(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate with such names, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, NAMES[name]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
