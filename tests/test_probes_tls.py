"""TLS as users meet it: the certificate for a name, the accepted versions, HTTP/2."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.h2_servers import alpn, serving_h2
from tests.servers import Authority, accepting, hang, self_signed, serving, tls_with
from upgate.sources.probes import Expectation, ProbeTarget, attempt, judge_attempt


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


def context(
    authority: Authority, *names: str, least: str = "TLSv1_2", most: str = "TLSv1_3", **how: Any
) -> ssl.SSLContext:
    """A server's TLS for these names, with these versions."""
    server = tls_with(authority.issue(*(names or ("shop.example.com",)), **how))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        server.set_ciphers("ALL:@SECLEVEL=0")
        server.minimum_version, server.maximum_version = ssl.TLSVersion[least], ssl.TLSVersion[most]
    return server


def target(port: int, authority: Authority, **options: Any) -> ProbeTarget:
    given = {"server_name": "shop.example.com", "ca": str(authority.file), "timeout": 3.0}
    return ProbeTarget(id="external.tls.x", url=f"tls://127.0.0.1:{port}", **{**given, **options})


def problem(asked: ProbeTarget) -> str:
    return "; ".join(each.observed for each in judge_attempt(asked, attempt(asked)))


def versions(*names: str) -> tuple[Expectation, ...]:
    return (Expectation("versions", ", ".join(sorted(names))),)


def test_the_right_certificate(authority: Authority) -> None:
    """A certificate for the name that is asked for, of an issuer that is trusted, is fine; its days are kept."""
    with serving(tls=context(authority)) as server:
        asked = target(server.port, authority, tls_days=21)
        seen = attempt(asked)
    assert judge_attempt(asked, seen) == []
    assert seen.certificate is not None
    assert seen.certificate.names == ("shop.example.com",)


def test_the_default_certificate_is_found(authority: Authority) -> None:
    """A controller that serves one name and its own default for all others is found out by the name that it lost."""
    default = context(authority, "ingress.local")
    lost = context(authority, "shop.example.com")

    def choose(connection: ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if name == "shop.example.com":
            connection.context = lost

    default.sni_callback = choose  # type: ignore[assignment]
    with serving(tls=default) as server:
        assert problem(target(server.port, authority)) == ""
        other = problem(target(server.port, authority, server_name="pay.example.com"))
    assert other == "certificate is for ingress.local, not pay.example.com"


@contextmanager
def served(authority: Authority, tmp_path: Path, fault: str) -> Iterator[int]:
    certificates = {
        "expired": lambda: authority.issue("shop.example.com", days=-2),
        "soon": lambda: authority.issue("shop.example.com", days=3.5),
        "self-signed": lambda: self_signed(tmp_path, "shop.example.com"),
    }
    with serving(tls=tls_with(certificates[fault]())) as server:
        yield server.port


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("expired", "certificate expired 2 days ago"),
        ("soon", "certificate has 3 days left"),
        ("self-signed", "certificate was issued by itself, which is not trusted"),
    ],
)
def test_bad_certificates(authority: Authority, tmp_path: Path, fault: str, said: str) -> None:
    """Expired, soon expired and self-signed certificates are told apart."""
    with served(authority, tmp_path, fault) as port:
        assert problem(target(port, authority, tls_days=21)).startswith(said)


@pytest.mark.parametrize(
    ("least", "most", "accepted"),
    [
        ("TLSv1_2", "TLSv1_3", ("TLSv1.2", "TLSv1.3")),
        ("TLSv1_3", "TLSv1_3", ("TLSv1.3",)),
        ("TLSv1", "TLSv1_3", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
    ],
)
def test_accepted_versions(authority: Authority, least: str, most: str, accepted: tuple[str, ...]) -> None:
    """The versions that a server accepts are found by asking with each, and must be exactly those expected."""
    with serving(tls=context(authority, least=least, most=most)) as server:
        assert problem(target(server.port, authority, expectations=versions(*accepted))) == ""
        other = problem(target(server.port, authority, expectations=versions("TLSv1.1", "TLSv1.2")))
    assert other == f"accepts {', '.join(accepted)}"


def test_a_server_with_old_versions_only(authority: Authority) -> None:
    """Who speaks nothing newer than TLS 1.1 is refused, as by users' browsers."""
    with serving(tls=context(authority, least="TLSv1", most="TLSv1_1")) as server:
        said = problem(target(server.port, authority))
        web = problem(ProbeTarget(id="x", url=server.url("/ok"), ca=str(authority.file), timeout=3.0))
    assert said == f"TLS with 127.0.0.1:{server.port} failed (it does not support TLS 1.2 or later)"
    assert web == said


def test_a_port_that_accepts_and_is_silent(authority: Authority) -> None:
    """A handshake that never ends ends at the timeout."""
    with accepting(hang) as port:
        asked = target(port, authority, timeout=0.3)
        seen = attempt(asked)
    assert [each.observed for each in judge_attempt(asked, seen)] == [
        f"TLS with 127.0.0.1:{port} failed (the handshake did not complete in time)"
    ]
    assert seen.elapsed.total < 2


def web(port: int, authority: Authority, **options: Any) -> ProbeTarget:
    given = {"ca": str(authority.file), "address": "127.0.0.1", "http2": True, "status": (200,), "timeout": 3.0}
    return ProbeTarget(id="external.x", url=f"https://shop.example.com:{port}/", **{**given, **options})


def test_http2(authority: Authority) -> None:
    """Over HTTP/2 status, body and headers are judged as ever."""
    with serving_h2(alpn(context(authority))) as port:
        asked = web(
            port,
            authority,
            expectations=(Expectation("contains", "over h2"), Expectation("header", "text", "content-type")),
        )
        seen = attempt(asked)
    assert (judge_attempt(asked, seen), seen.http_version, seen.failure) == ([], "HTTP/2", None)


def test_http2_with_a_wrong_answer(authority: Authority) -> None:
    """A wrong status over HTTP/2 is a problem like any other."""
    with serving_h2(alpn(context(authority)), status="503") as port:
        assert problem(web(port, authority)).startswith("status 503")


def test_http2_is_demanded(authority: Authority) -> None:
    """A server that only speaks HTTP/1.1 does not do where HTTP/2 is expected."""
    with serving(tls=context(authority)) as server:
        asked = web(server.port, authority)
        [found] = judge_attempt(asked, attempt(asked))
    assert found == ("answered over HTTP/1.1", "HTTP/2")
