"""Our own connection: what the API server presents, and what we log in with, is read without a request of its own."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import yaml

from tests.servers import Authority
from upgate.base.errors import Inconclusive
from upgate.base.waiting import Deadline
from upgate.sources.cluster import credentials as own
from upgate.sources.cluster.login import connect

DEADLINE = Deadline(10)


class Quiet(BaseHTTPRequestHandler):
    """Answers everything with nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def authority(tmp_path):
    """An authority of its own for each test."""
    return Authority(tmp_path)


class Lasting(Quiet):
    """Keeps its connections."""

    protocol_version = "HTTP/1.1"


@pytest.fixture(params=[Quiet, Lasting], ids=["ends-connections", "keeps-connections"])
def server(request, authority):
    """A server on loopback with a certificate of the authority."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1", days=30))
    running = ThreadingHTTPServer(("127.0.0.1", 0), request.param)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


def kubeconfig(tmp_path, server, user, **cluster):
    """A kubeconfig of one user."""
    path = tmp_path / "kubeconfig"
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    config = {"current-context": "x", "contexts": [context], "users": [{"name": "x", "user": user}]}
    path.write_text(yaml.safe_dump({**config, "clusters": [{"name": "x", "cluster": {"server": server, **cluster}}]}))
    return path


def encoded(path):
    """A file as kubeconfigs hold it."""
    return b64encode(path.read_bytes()).decode()


def test_what_the_server_presents_is_kept(tmp_path, server, authority):
    """Its certificate and that of its authority are known after the first answer, whatever was asked."""
    path = kubeconfig(tmp_path, server, {}, **{"certificate-authority-data": encoded(authority.file)})
    connection = connect(path).connection
    connection.get("/version")
    leaf, ca = own.api_certificates(connection, DEADLINE)
    assert (leaf.certificate.names, leaf.authority) == (("127.0.0.1",), False)
    assert (ca.certificate.subject, ca.authority) == ("Test CA", True)
    assert leaf.ref == f"APIServer/{server.removeprefix('https://')}"


def test_it_is_seen_also_where_it_is_not_verified(tmp_path, server):
    """insecure-skip-tls-verify does not keep a certificate from expiring."""
    connection = connect(kubeconfig(tmp_path, server, {}, **{"insecure-skip-tls-verify": True})).connection
    connection.get("/version")
    assert [each.certificate.issuer for each in own.api_certificates(connection, DEADLINE)] == ["Test CA"]


def test_a_server_that_shows_none_is_a_gap(tmp_path):
    """Where nothing answers, or a proxy stands between, the certificate is not known: that is never fine."""
    for more in ({}, {"proxy-url": "http://127.0.0.1:9"}):
        connection = connect(kubeconfig(tmp_path, "https://127.0.0.1:9", {}, **more)).connection
        with pytest.raises(Inconclusive, match="the certificate of the API server was not seen"):
            own.api_certificates(connection, DEADLINE)


def test_plain_http_presents_nothing(tmp_path):
    """There is nothing to look at, and that is known."""
    connection = connect(kubeconfig(tmp_path, "http://127.0.0.1:9", {})).connection
    assert own.api_certificates(connection, DEADLINE) == []


def test_a_client_certificate_is_read_and_its_key_is_not(tmp_path, authority):
    """Of what stands in the kubeconfig, when the certificate ends is kept, and for whom it is."""
    certificate, key = authority.issue("ops", days=5)
    user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    connection = connect(kubeconfig(tmp_path, "https://127.0.0.1:9", user)).connection
    (found,) = own.own_credentials(connection, DEADLINE)
    assert (found.ref, found.not_after.date()) == (
        "ClientCertificate/ops",
        (datetime.now(UTC) + timedelta(days=5)).date(),
    )


def token(text):
    """A JWT with these claims; its signature is nobody's."""
    return f"h.{urlsafe_b64encode(text.encode()).decode().rstrip('=')}.s"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (token('{"sub": "ci", "iat": 1700000000, "exp": 1800000000}'), [datetime(2027, 1, 15, 8, tzinfo=UTC)]),
        (token('{"sub": "ci"}'), [None]),
        (token('{"sub": "ci", "exp": 1e300}'), [None]),
        (token('{"sub": ["ci"], "exp": "soon"}'), []),
        (token("not JSON"), []),
        ("h.ü.s", []),
        ("opaque", []),
        ("a.b.c.d", []),
    ],
)
def test_a_token_says_when_it_ends(tmp_path, text, ends):
    """A JWT may say so; other tokens, and those that say something else, do not."""
    assert [each.not_after for each in own.of_token(f"Bearer {text}")] == ends


@pytest.mark.parametrize(
    "user",
    [
        {"tokenFile": "token"},
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "true", "interactiveMode": "Never"}},
    ],
)
def test_what_is_renewed_by_itself_is_not_judged(tmp_path, user):
    """A token file and a plugin give another one before the first ends."""
    (tmp_path / "token").write_text(token('{"exp": 1700000000}'))
    connection = connect(kubeconfig(tmp_path, "https://127.0.0.1:9", user)).connection
    assert own.own_credentials(connection, DEADLINE) == []


def test_a_token_in_the_kubeconfig_is_judged(tmp_path):
    """It stays as it is until somebody replaces it."""
    connection = connect(
        kubeconfig(tmp_path, "https://127.0.0.1:9", {"token": token('{"sub": "ci", "exp": 1700000000}')})
    ).connection
    assert [each.ref for each in own.own_credentials(connection, DEADLINE)] == ["Token/ci"]
