"""Real servers on loopback, with real certificates, that behave as well or as badly as a test asks."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority; its certificates and keys are PEM files in `folder`."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self._folder, self._name, self._key = folder, name, ec.generate_private_key(ec.SECP256R1())
        ca = x509.BasicConstraints(ca=True, path_length=None)
        certificate = _builder(name, name, self._key, days=365).add_extension(ca, critical=True)
        self.file = _write(folder / f"{name}.pem", certificate.sign(self._key, hashes.SHA256()))

    def issue(self, *names: str, days: float = 90, alternatives: bool = True) -> tuple[Path, Path]:
        """Certificate and key for these names and addresses, valid for so many days from now; negative is expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(names[0], self._name, key, days)
        if alternatives:
            builder = builder.add_extension(_alternatives(names), critical=False)
        stem = f"{names[0]}-{days}".replace(":", "-")
        _write_key(self._folder / f"{stem}.key", key)
        return _write(
            self._folder / f"{stem}.pem", builder.sign(self._key, hashes.SHA256())
        ), self._folder / f"{stem}.key"


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that nobody but itself vouches for."""
    return Authority(folder, name).issue(name)


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: float) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_common_name(subject))
        .issuer_name(_common_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternatives(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in names])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    plain = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))


class Handler(BaseHTTPRequestHandler):
    """Answers by path; the server remembers each request's path and headers."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        name, _, rest = self.path.partition("?")[0].lstrip("/").partition("/")
        getattr(self, f"answer_{name}", self.answer_ok)(rest)

    do_HEAD = do_POST = do_GET  # noqa: N815 - the base class calls them so

    def answer_ok(self, _: str) -> None:
        self.reply(b"ok")

    def answer_status(self, code: str) -> None:
        self.reply(b"down for maintenance", int(code))

    def answer_text(self, text: str) -> None:
        self.reply(text.encode())

    def answer_json(self, _: str) -> None:
        text = json.dumps({"status": "UP", "load": 1.0, "checks": [{"name": "db", "up": True}]})
        self.reply(b"\xef\xbb\xbf" + text.encode())

    def answer_slow(self, seconds: str) -> None:
        self.server.closing.wait(float(seconds))
        self.reply(b"ok")

    def answer_drip(self, _: str) -> None:
        self.head(200, {"Content-Length": "1000"})
        while not self.server.closing.wait(0.05):
            self.wfile.write(b".")
            self.wfile.flush()

    def answer_big(self, megabytes: str) -> None:
        self.reply(b"x" * (int(megabytes) << 20) + b"the end")

    def answer_gzip(self, _: str) -> None:
        self.reply(gzip.compress(b"ok, unpacked"), headers={"Content-Encoding": "gzip"})

    def answer_badgzip(self, _: str) -> None:
        self.reply(b"not gzip at all", headers={"Content-Encoding": "gzip"})

    def answer_latin(self, _: str) -> None:
        self.reply("grün".encode("latin-1"), headers={"Content-Type": "text/plain; charset=latin-1"})

    def answer_binary(self, _: str) -> None:
        self.reply(b"\xff\xfe\x00ok\x1b[31m\x80")

    def answer_echo(self, _: str) -> None:
        self.reply(f"{self.path} {dict(self.headers)}".encode(), 500)

    def answer_repeat(self, text: str) -> None:
        self.reply(f"{text} {self.headers['X-Api-Key']}".encode(), 500)

    def answer_redirect(self, _: str) -> None:
        self.reply(b"", 302, {"Location": self.path.partition("?")[2]})

    def answer_loop(self, _: str) -> None:
        self.reply(b"", 302, {"Location": self.path})

    def answer_cookie(self, _: str) -> None:
        self.reply(b'{"user": {"token": "t0ken"}}', headers={"Set-Cookie": "sid=c00kie; HttpOnly"})

    def answer_ws(self, _: str) -> None:
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = b64encode(sha1(key.encode()).digest()).decode()
        self.head(101, {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept})

    def answer_login(self, _: str) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if form != {"user": "ops", "password": "pass-word"}:
            self.reply(f"who is {form}?".encode(), 403)
            return
        self.reply(b'{"token": "t0ken-1234"}', headers={"Set-Cookie": "sid=c00kie-1234"})

    def answer_orders(self, _: str) -> None:
        wanted = {"Authorization": "Bearer t0ken-1234", "Cookie": "sid=c00kie-1234"}
        known = all(self.headers[name] == value for name, value in wanted.items())
        self.reply(f"3 orders {self.headers['Authorization']}".encode(), 200 if known else 401)

    def answer_short(self, _: str) -> None:
        self.head(200, {"Content-Length": "1000"})
        self.wfile.write(b"only this")
        self.close_connection = True

    def do_CONNECT(self) -> None:
        """As a proxy does: bytes go both ways until one side has had enough."""
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        if self.path.endswith(":1"):
            self.reply(b"", 502)
            return
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as behind:
            self.head(200, {})
            back = threading.Thread(target=_pump, args=(behind, self.connection), daemon=True)
            back.start()
            _pump(self.connection, behind)
            back.join()
        self.close_connection = True

    def reply(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """An answer of known length."""
        self.head(status, {"Content-Length": str(len(body)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Status line and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True  # a client that has seen enough hangs up

    def log_message(self, *_: object) -> None:
        """Nothing: requests are remembered instead."""


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either side may hang up at any time
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


class Server(ThreadingHTTPServer):
    """`Handler` on a free port of loopback."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, family: socket.AddressFamily = socket.AF_INET, tls: ssl.SSLContext | None = None) -> None:
        self.address_family, self._tls = family, tls
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.closing = threading.Event()
        super().__init__(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), Handler)
        self.port = self.server_address[1]

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        """The handshake happens in the request's own thread, so that a bad one holds nobody up."""
        try:
            stream = self._tls.wrap_socket(request, server_side=True) if self._tls else request
        except OSError:
            return
        super().finish_request(stream, client_address)
        if self._tls:
            stream.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has seen enough hangs up; everything else is a mistake of ours, and shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def url(self, path: str = "/ok", host: str | None = None) -> str:
        """Where this server answers."""
        address = "[::1]" if self.address_family == socket.AF_INET6 else "127.0.0.1"
        return f"{'https' if self._tls else 'http'}://{host or address}:{self.port}{path}"


@contextmanager
def serving(family: socket.AddressFamily = socket.AF_INET, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that answers by path."""
    with Server(family, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def tls_with(certificate: tuple[Path, Path], clients: Path | None = None) -> ssl.SSLContext:
    """A server's TLS; with `clients`, only for those with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


@contextmanager
def accepting(behave: Callable[[socket.socket], None], host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """The port of a server that does something of its own with each connection."""
    with socket.create_server((host, port), backlog=64) as listener:
        thread = threading.Thread(target=_accept, args=(listener, behave), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, behave: Callable[[socket.socket], None]) -> None:
    connections = []
    while True:
        try:
            connections.append(listener.accept()[0])
        except OSError:
            break
        behave(connections[-1])
    for connection in connections:
        connection.close()


def hang(_: socket.socket) -> None:
    """Never say a word."""


def reset(connection: socket.socket) -> None:
    """Break off with a TCP reset, once there is a request."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    """Close in peace, once there is a request, without an answer."""
    connection.recv(65536)
    connection.close()


def babble(connection: socket.socket) -> None:
    """Answer something that is neither HTTP nor TLS."""
    connection.recv(65536)
    connection.sendall(b"220 mail.example.com ESMTP ready\r\n\r\n")
    connection.close()


@contextmanager
def not_accepting() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel drops what comes, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [_knock(port) for _ in range(3)]
        yield port
        for knock in waiting:
            knock.close()


def _knock(port: int) -> socket.socket:
    knock = socket.socket()
    knock.setblocking(False)
    knock.connect_ex(("127.0.0.1", port))
    return knock


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
