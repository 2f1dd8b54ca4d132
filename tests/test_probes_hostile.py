"""Servers that mean us harm: each is its own target's finding or gap, in bounded time and memory, and the end of nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.hostile import certificates as odd_certificates
from tests.hostile.http import MIB, bombs, redirecting, whole
from tests.servers import accepting, serving, tls_with
from upgate.base.errors import Inconclusive
from upgate.facts.certificates import read_certificate
from upgate.sources.probes import Attempt, Expectation, ProbeTarget, attempt, attempt_all, judge_attempt
from upgate.sources.probes.running import TOGETHER, deadline
from upgate.sources.probes.target import ProbeStep

TIMEOUT = 3.0
MOST_MEMORY = 400 << 20
BOMBS = bombs()
#: A process of its own, whose memory is that of one attempt: VmHWM starts with it, ru_maxrss is inherited from pytest's.
ALONE = """
import json, sys, time, msgspec
from upgate.sources.probes import Expectation, ProbeTarget, attempt, judge_attempt, running
url, timeout = sys.argv[1], float(sys.argv[2])
target = ProbeTarget(id="external.x", url=url, status=(200,), timeout=timeout, follow=True, expectations=(
    Expectation("json", '"y"', "a"), Expectation("contains", "zzz"), Expectation("header", "q", "X-1")))
cpu = time.process_time()
seen = attempt(target)
msgspec.json.encode(seen)
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
memory = int(peak) * 1024
try:
    said = [each.observed for each in judge_attempt(target, seen)]
except Exception as reason:
    said = [f"{type(reason).__name__}: {reason}"]
spent = {"seconds": seen.elapsed.total, "cpu": time.process_time() - cpu}
print(json.dumps({**spent, "memory": memory, "said": said, "size": len(msgspec.json.encode(seen))}))
"""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def target(url: str, **options: object) -> ProbeTarget:
    return ProbeTarget(**{"id": "external.x", "url": url, "timeout": TIMEOUT, **options})


def said(asked: ProbeTarget, seen: Attempt) -> str:
    """What is wrong, or why that cannot be said."""
    try:
        return "; ".join(each.observed for each in judge_attempt(asked, seen))
    except Inconclusive as reason:
        return f"inconclusive: {reason}"


@pytest.mark.parametrize("name", BOMBS)
def test_an_answer_costs_neither_memory_nor_time(name: str) -> None:
    """Bombs, floods and drips end at the timeout, below 400 MB, and are a finding of a few hundred characters."""
    with accepting(BOMBS[name]) as port:
        command = [sys.executable, "-c", ALONE, f"http://127.0.0.1:{port}/", str(TIMEOUT)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    print(f"{name}: {seen['seconds']:.2f} s, {seen['cpu']:.2f} s of CPU, {seen['memory'] >> 20} MiB, {seen['said']}")
    assert seen["memory"] < MOST_MEMORY
    assert seen["seconds"] < TIMEOUT + 2
    assert seen["cpu"] < TIMEOUT + 1
    assert seen["size"] < 20_000
    assert seen["said"]


def test_a_bomb_beside_others_does_not_slow_them_down() -> None:
    """What one server sends does not make another one look slow: the event loop is never held up for long."""
    with accepting(BOMBS["gzip-gzip"]) as bomb, serving() as web:
        targets = [target(f"http://127.0.0.1:{bomb}/"), *(target(web.url(), within=1.0) for _ in range(5))]
        attempts = attempt_all(targets)
    assert [said(*pair) for pair in list(zip(targets, attempts, strict=True))[1:]] == [""] * 5


#: Patterns that look harmless, and bodies for which trying all ways to match takes longer than anybody lives.
ENDLESS = {
    "(a+)+$": b"a" * (MIB - 1) + b"!",
    "(a|aa)+$": b"a" * (MIB - 1) + b"!",
    r"\s+$": b" " * (MIB - 1) + b"!",
    r"^(?:.*?,){11}P": b"1," * (MIB // 2),
}


@pytest.mark.parametrize(("pattern", "journey"), [*((each, False) for each in ENDLESS), ("(a+)+$", True)])
def test_a_search_without_end_is_its_targets_gap(pattern: str, journey: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that a body keeps busy is inconclusive for that target after a second; the others are judged."""
    monkeypatch.setattr("upgate.sources.probes.searching.LONGEST", 0.1)
    with accepting(whole(ENDLESS[pattern])) as port, serving() as web:
        url = f"http://127.0.0.1:{port}/"
        steps = (ProbeStep(method="GET", url=url, capture={"x": f"regex:{pattern}"}),) if journey else ()
        odd = target(url, steps=steps, expectations=() if journey else (Expectation("matches", pattern),), within=2.0)
        fine = target(web.url("/text/v12"), expectations=(Expectation("matches", r"^v\d+"),), within=2.0)
        began = time.process_time()
        attempts = attempt_all([odd, *[fine] * 5])
    assert time.process_time() - began < 3
    assert [said(fine, each) for each in attempts[1:]] == [""] * 5
    assert said(odd, attempts[0]).startswith("inconclusive: ")
    assert "is not known: the search took more than 0.1 s" in said(odd, attempts[0])


def test_what_is_wrong_otherwise_is_found_beside_such_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that does not end hides no wrong status."""
    monkeypatch.setattr("upgate.sources.probes.searching.LONGEST", 0.1)
    with accepting(whole(ENDLESS["(a+)+$"])) as port:
        asked = target(f"http://127.0.0.1:{port}/", status=(204,), expectations=(Expectation("matches", "(a+)+$"),))
        assert said(asked, attempt(asked)).startswith("status 200")


def test_a_mebibyte_is_searched() -> None:
    """A body of the longest kind is searched as a whole, and the search is not the server's time."""
    with accepting(whole(b"a" * MIB)) as port:
        asked = target(f"http://127.0.0.1:{port}/", expectations=(Expectation("matches", "(a+)+$"),))
        assert said(asked, attempt(asked)) == ""


def test_the_time_of_a_search_is_not_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """While this process searches, neither the attempt's deadline nor the time that its answer takes goes on."""
    monkeypatch.setattr("upgate.sources.probes.searching.search", lambda pattern, text: time.sleep(2.5) or text)
    with serving() as web:
        asked = target(web.url("/text/v12"), timeout=2.0, within=1.8, expectations=(Expectation("matches", "v"),))
        assert said(asked, attempt(asked)) == ""


def test_identity_is_asked_for_and_a_packed_answer_is_read_all_the_same() -> None:
    """No coding is asked for; one gzip is unpacked, and more than one is said to be unreadable where the body matters."""
    with serving() as web:
        asked = target(web.url("/gzip"), expectations=(Expectation("contains", "ok, unpacked"),))
        assert said(asked, attempt(asked)) == ""
        assert web.requests[-1][2]["Accept-Encoding"] == "identity"
    with accepting(whole(b"x", "Content-Encoding: gzip, br")) as port:
        asked = target(f"http://127.0.0.1:{port}/", expectations=(Expectation("contains", "ok"),))
        assert said(asked, attempt(asked)).startswith("body cannot be read: it has Content-Encoding gzip, br")
        plain = target(f"http://127.0.0.1:{port}/")
        assert said(plain, attempt(plain)) == ""


@pytest.mark.parametrize("name", odd_certificates.NAMES)
@pytest.mark.parametrize("trusted", [True, False])
def test_an_odd_certificate_is_its_targets_finding(name: str, trusted: bool, tmp_path: Path) -> None:
    """Whatever stands in a certificate, the other targets of the run are asked, and this one says what is wrong with it."""
    files = odd_certificates.odd(tmp_path, name)
    with serving(tls=tls_with(files)) as server, serving() as web:
        odd = target(server.url(), ca=str(files[0]) if trusted else "", tls_days=40)
        attempts = attempt_all([odd, fine := target(web.url())])
    assert said(fine, attempts[1]) == ""
    assert "certificate" in said(odd, attempts[0]) or "TLS" in said(odd, attempts[0])
    assert msgspec.json.decode(msgspec.json.encode(attempts[0]), type=Attempt) == attempts[0]
    assert len(msgspec.json.encode(attempts[0])) < 5_000
    assert "\n" not in said(odd, attempts[0])


def test_a_name_that_cannot_be_read_does_not_hide_the_last_day(tmp_path: Path) -> None:
    """A certificate with an x400Address among its names is trusted, and its days are counted."""
    files = odd_certificates.odd(tmp_path, "x400")
    with serving(tls=tls_with(files)) as server:
        asked = target(server.url(), ca=str(files[0]), tls_days=60)
        assert said(asked, attempt(asked)).startswith("certificate has 29 days left")


def test_bytes_that_are_no_certificate() -> None:
    """Nothing can be read of them, and that is said."""
    assert read_certificate(b"\xff\xff").problem
    assert read_certificate(b"\xff\xff").not_after is None


# Where requests go


def by_cluster(url: str, **options: object) -> ProbeTarget:
    return target(url, named_by_cluster=True, **options)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "localhost", "[::1]", "[::ffff:127.0.0.1]",
     "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "[fd00:ec2::254]", "[fe80::1]",
     "224.0.0.1", "100.100.100.200", "168.63.129.16", "[::]", "[ff02::1]", "255.255.255.255"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_what_an_object_of_the_cluster_names_does_not_lead_here(scheme: str, host: str) -> None:
    """Loopback, link-local, metadata and multicast addresses are not connected to, in whatever spelling; that is a gap."""
    with serving() as web:
        asked = by_cluster(f"{scheme}://{host}:{web.port}" + ("/" if scheme == "http" else ""))
        words = said(asked, attempt(asked))
        assert web.requests == []
    assert words.startswith("inconclusive: ")
    unspellable = scheme == "http" and host.startswith("01")  # httpx itself refuses octal numbers
    assert " address: the profile does not name this address; allow-addresses of the entry can" in words or unspellable


def test_what_the_profile_allows_is_asked() -> None:
    """`allow-addresses` names networks, and counts for each spelling of their addresses."""
    with serving() as web:
        for host in ("127.0.0.1", "2130706433"):
            asked = by_cluster(web.url(host=host), allow_addresses=("127.0.0.0/8",))
            assert said(asked, attempt(asked)) == ""


def test_a_name_that_turns_to_loopback_is_refused_when_it_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is the address of the connection: a name server may answer differently each time."""
    with serving() as web:
        answers = iter(["192.0.2.1", "127.0.0.1"])
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: resolved(next(answers), port))
        socket.getaddrinfo("rebind.example.com", web.port)
        asked = by_cluster(f"http://rebind.example.com:{web.port}/")
        words = said(asked, attempt(asked))
        assert web.requests == []
    assert "rebind.example.com is 127.0.0.1, a loopback address" in words


def resolved(address: str, port: int) -> list[tuple]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.fixture
def outer(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name outside, at an address of this machine that is neither loopback nor link-local."""
    address = own_address()
    real = socket.getaddrinfo

    def resolve(host: str, port: object, **hints: int) -> list[tuple]:
        return (
            resolved(address, port)
            if host in ("outer.example.com", b"outer.example.com")
            else real(host, port, **hints)
        )

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return "outer.example.com"


def own_address() -> str:
    """An address of this machine, without asking anybody: connecting UDP sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return probe.getsockname()[0]


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/ok", "http://localhost:{port}/ok", "http://2130706433:{port}/"]
)
def test_a_redirect_from_outside_does_not_lead_here(place: str, outer: str) -> None:
    """A redirect of an outer host to loopback is a finding, is not followed, and nothing of what is there is shown."""
    with serving() as inner, accepting(redirecting(place.format(port=inner.port)), own_address()) as port:
        asked = target(f"http://{outer}:{port}/", follow=True)
        words = said(asked, attempt(asked))
        assert inner.requests == []
    assert "a loopback address: an answer named it" in words
    assert not words.startswith("inconclusive")


@pytest.mark.parametrize(
    "place", ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://[::ffff:a9fe:a9fe]/"]
)
def test_a_redirect_from_loopback_does_not_lead_to_metadata(place: str) -> None:
    """The author who names a loopback URL has allowed loopback, and nothing else."""
    with accepting(redirecting(place)) as port:
        asked = target(f"http://127.0.0.1:{port}/", follow=True)
        assert "a metadata address: an answer named it" in said(asked, attempt(asked))


def test_nothing_of_another_origin_is_shown() -> None:
    """After a redirect to another origin the status counts, and neither its body nor its headers are shown or kept."""
    expected = (Expectation("contains", "zzz"), Expectation("json", "1", "a"), Expectation("header", "q", "Server"))
    with serving() as inner, accepting(redirecting(inner.url("/json"))) as port:
        asked = target(f"http://127.0.0.1:{port}/", follow=True, status=(204,), expectations=expected)
        seen = attempt(asked)
    assert "status 200" in said(asked, seen)
    assert inner.requests
    assert not [word for word in (b"UP", b"BaseHTTP") if word in msgspec.json.encode(seen)]


def test_no_cookie_goes_to_another_port_of_its_host() -> None:
    """A redirect to another server on the same host gets no cookie of a journey, nor any header or captured value."""
    with serving() as stranger, serving() as home:
        steps = (
            ProbeStep(method="GET", url=home.url("/cookie"), capture={"token": "json:user.token"}),
            ProbeStep(
                method="GET",
                url=home.url(f"/redirect?{stranger.url()}"),
                headers={"Authorization": "Bearer {token}"},
            ),
        )
        asked = target(steps[0].url, steps=steps, follow=True)
        attempt(asked)
        assert home.requests[-1][2]["Cookie"] == "sid=c00kie"
        assert {name.lower() for name in stranger.requests[0][2]} == {"host", "accept", "accept-encoding", "user-agent"}


def test_a_captured_host_is_a_servers_word() -> None:
    """A step whose host an answer named is no place that the profile named."""
    with accepting(whole(b'{"next": "169.254.169.254"}')) as port:
        first = f"http://127.0.0.1:{port}/"
        steps = (
            ProbeStep(method="GET", url=first, capture={"next": "json:next"}),
            ProbeStep(method="GET", url="http://{next}/latest"),
        )
        asked = target(first, steps=steps)
        assert "a metadata address: an answer named it" in said(asked, attempt(asked))


# All together


def test_all_probes_together_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What had no turn before it is over could not be looked at, and says so; what was seen until then counts."""
    monkeypatch.setattr("upgate.sources.probes.running.TOGETHER", 0.0)
    monkeypatch.setattr("upgate.sources.probes.running.PAUSE", -0.5)
    with serving() as web:
        targets = [target(web.url("/slow/1"), timeout=1.2)] * 4
        began = time.monotonic()
        words = [said(each, seen) for each, seen in zip(targets, attempt_all(targets, limit=1), strict=True)]
    assert time.monotonic() - began < 3
    assert words[0] == ""
    assert "for all probes together" in words[-1]


def test_the_deadline_leaves_time_for_the_slowest() -> None:
    """It is a constant, unless the profile itself allows one target more."""
    assert deadline([target("http://a/")]) == TOGETHER
    assert deadline([target("http://a/", timeout=400.0, attempts=2)]) > 1600
