"""Whatever bytes a server, a name server or a certificate is made of: an attempt comes of it, in time, and can be kept."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dns.message
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.hostile.certificates import NAMES
from upgate.base.errors import Inconclusive
from upgate.facts.certificates import read_certificate
from upgate.sources.probes import Attempt, Expectation, ProbeTarget, attempt, bodies, judge_attempt
from upgate.sources.probes.answers import Answer, compare
from upgate.sources.probes.reach import as_address, reserved_kind
from upgate.sources.probes.searching import search

#: Sockets take their time on a busy machine; hangs are found by the attempt's own timeout.
calm = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
quick = settings(max_examples=200, deadline=None)
TIMEOUT = 2.0
EXPECTATIONS = (
    Expectation("contains", "ok"),
    Expectation("matches", "^o.k"),
    Expectation("json", "1", "a.0.b"),
    Expectation("header", "x", "X-A"),
    Expectation("location", "https://shop.example.com/"),
)
#: Header lines that mean something to us, and values that are nearly right.
NAMED = st.sampled_from(
    [
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "Transfer-Encoding",
        "Location",
        "Set-Cookie",
        "X-A",
        "Upgrade",
    ]
)
VALUES = st.sampled_from(
    ["gzip", "deflate", "gzip, br", "chunked", "0", "-1", "99999999999999999999", "text/plain; charset=utf-7", "//", "http://[",
     "text/html; charset=\x01", "sid=1; Domain=.; Path=\x02; Expires=x", "javascript:1", "/\u00ff", "http://a:99999/", "", "a\tb"]
) | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)  # fmt: skip
BODIES = st.binary(max_size=200) | st.sampled_from(
    [b"[" * 5000, b'{"a":[{"b":1}]}', b"1e999", b"\x1f\x8b\x08", b"5\r\nab"]
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Something like an answer over HTTP."""
    status = draw(
        st.sampled_from(["200 OK", "302 Found", "101 Switching", "204 No", "407 Proxy", "999 x", "0 y", "503"])
    )
    lines = draw(st.lists(st.tuples(NAMED, VALUES), max_size=6))
    text = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"HTTP/1.1 {status}\r\n{text}\r\n".encode("latin-1") + draw(BODIES)


@contextmanager
def answering() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a server that sends what lies in the list, to each that asks, and hangs up."""
    sent = [b""]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, sent), daemon=True)
        thread.start()
        yield listener.getsockname()[1], sent
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listener: socket.socket, sent: list[bytes]) -> None:
    while True:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        with suppress(OSError), connection:
            connection.settimeout(TIMEOUT)
            connection.recv(65536)
            connection.sendall(sent[0])


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, list[bytes]]]:
    """One server for all examples."""
    with answering() as place, pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield place


def survives(asked: ProbeTarget) -> None:
    """An attempt comes of it that is bounded, can be kept, and can be judged; what we could not see is a reason in words."""
    seen = attempt(asked)
    data = msgspec.json.encode(seen)
    assert msgspec.json.decode(data, type=Attempt) == seen
    assert len(data) < 20_000
    assert not (seen.failure and "Error:" in seen.failure.words), seen.failure
    with suppress(Inconclusive):
        for problem in judge_attempt(asked, seen):
            assert problem.observed
            assert "\n" not in problem.observed


@calm
@given(answer=answers() | st.binary(max_size=300))
def test_any_answer_over_http(server: tuple[int, list[bytes]], answer: bytes) -> None:
    """No answer is a traceback or a hang."""
    port, sent = server
    sent[0] = answer
    url = f"http://127.0.0.1:{port}/"
    survives(ProbeTarget(id="external.x", url=url, timeout=TIMEOUT, follow=True, expectations=EXPECTATIONS))


@calm
@given(answer=st.binary(max_size=300))
@pytest.mark.parametrize("url", ["https://127.0.0.1:{}/", "tls://127.0.0.1:{}", "ws://127.0.0.1:{}/"])
def test_any_bytes_in_a_handshake(server: tuple[int, list[bytes]], url: str, answer: bytes) -> None:
    """What speaks neither TLS nor WebSocket is said not to."""
    port, sent = server
    sent[0] = answer
    survives(
        ProbeTarget(id="external.x", url=url.format(port), timeout=TIMEOUT, tls_days=3 if "ws:" not in url else None)
    )


@quick
@given(lines=st.lists(st.tuples(NAMED, VALUES), max_size=5), body=BODIES)
def test_any_body(lines: list[tuple[str, str]], body: bytes) -> None:
    """A body is text, or a reason why not, or is not packed as it says."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    response = httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))
    try:
        found = asyncio.run(bodies.bounded_body(response))
    except httpx.DecodingError:
        return
    found.text.encode()
    answer = Answer(response.headers, found.text, unread=found.unread)
    for expected in EXPECTATIONS:
        answer.searched[expected.wanted] = search(expected.wanted, found.text) if expected.about == "matches" else None
        assert compare(expected, answer).expected


@quick
@given(der=st.binary(max_size=300))
@example(der=b"")
@example(der=b"\x30\x80")
def test_any_certificate(der: bytes) -> None:
    """Bytes that are no certificate have a problem, and a certificate can be kept."""
    assert read_certificate(der).problem
    assert msgspec.json.encode(read_certificate(der))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A certificate in DER."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    from tests.hostile.certificates import odd

    pem = odd(tmp_path_factory.mktemp("pki"), next(iter(NAMES)))[0].read_bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


@quick
@given(changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_certificate_with_other_bytes(certificate: bytes, changes: list[tuple[int, int]]) -> None:
    """A certificate of which bytes were changed is read as far as it goes."""
    der = bytearray(certificate)
    for place, byte in changes:
        der[place % len(der)] = byte
    found = read_certificate(bytes(der))
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


@contextmanager
def name_server() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a name server that answers each question with its id and the bytes in the list."""
    sent = [b""]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.1)
        done = threading.Event()
        thread = threading.Thread(target=_resolve, args=(listener, sent, done), daemon=True)
        thread.start()
        yield listener.getsockname()[1], sent
        done.set()
        thread.join()


def _resolve(listener: socket.socket, sent: list[bytes], done: threading.Event) -> None:
    while not done.is_set():
        try:
            question, place = listener.recvfrom(65536)
        except TimeoutError:
            continue
        listener.sendto(question[:2] + sent[0], place)


@pytest.fixture(scope="module")
def names() -> Iterator[tuple[int, list[bytes]]]:
    """One name server for all examples."""
    with name_server() as place:
        yield place


RIGHT = dns.message.make_response(dns.message.make_query("shop.example.com", "TXT")).to_wire()[2:]


@settings(max_examples=25, deadline=None)
@given(
    answer=st.binary(max_size=80)
    | st.tuples(st.integers(0, len(RIGHT) - 1), st.binary(max_size=60)).map(lambda it: RIGHT[: it[0]] + it[1])
)
@pytest.mark.parametrize("record", ["TXT", "A"])
def test_any_answer_of_a_name_server(names: tuple[int, list[bytes]], record: str, answer: bytes) -> None:
    """What a name server answers is a record, a finding or a gap."""
    port, sent = names
    sent[0] = answer
    target = ProbeTarget(
        id="external.dns.x", url="dns://shop.example.com", resolver=f"127.0.0.1:{port}", record=record, timeout=0.3
    )
    survives(target)


@quick
@given(host=st.text(max_size=30) | st.from_regex(r"[0-9a-fx.:\[\]%]{0,20}", fullmatch=True))
def test_any_host(host: str) -> None:
    """Whatever spells a host, it is an address of some kind or none."""
    if address := as_address(host):
        assert isinstance(reserved_kind(address), str)
