"""Certificates on a host: only certificates are read, never keys."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from upgate.facts.certificates import decode_base64
from upgate.facts.hosts import HostCertificate
from upgate.sources.hosts.sections import Lines

END = "-----END CERTIFICATE-----"


def certificates(lines: Lines) -> tuple[tuple[HostCertificate, ...], list[str]]:
    """Each certificate of each file once, and the files with invalid certificates."""
    found: list[HostCertificate] = []
    spoilt: list[str] = []
    for path, text in [*of_files(lines), *of_kubeconfigs(lines)]:
        try:
            found += of_pem(path, text)
        except Exception:  # any error of the decoder; a negative serial number is only a warning
            spoilt.append(f"a certificate in {path} cannot be parsed")
    return tuple({(each.path, each.subject, each.not_after): each for each in found}.values()), spoilt


def of_files(lines: Lines) -> Iterator[tuple[str, bytes]]:
    """Path and text of each certificate in PEM files, including incomplete ones."""
    path, block = "", []
    for field, *rest in lines:
        if field == "pem" and any(rest):
            block.append("".join(rest).strip())
        if block and (field == "file" or block[-1] == END):
            yield path, "\n".join(block).encode()
            block = []
        if field == "file":
            path = "\t".join(rest)
    if block:
        yield path, "\n".join(block).encode()


def of_kubeconfigs(lines: Lines) -> Iterator[tuple[str, bytes]]:
    """Path and text of the client certificates inside kubeconfigs."""
    path = ""
    for field, *rest in lines:
        if field == "kubeconfig":
            path = "\t".join(rest)
        elif field == "data" and any(rest):
            yield path, decode_base64(rest[0])


def of_pem(path: str, text: bytes) -> Iterator[HostCertificate]:
    """The certificates of a text. Raises ValueError if one is invalid."""
    for certificate in x509.load_pem_x509_certificates(text):
        yield HostCertificate(
            path=path,
            subject=certificate.subject.rfc4514_string(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
