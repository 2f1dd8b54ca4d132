"""Probes against real servers: every expectation, every kind of failure, and what must never leak."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from tests import servers
from tests.servers import Authority, Server, accepting, free_port, not_accepting, serving, tls_with
from upgate.base.errors import Inconclusive
from upgate.facts.attempts import Elapsed
from upgate.sources.probes import Attempt, Expectation, ProbeTarget, asking, attempt, attempt_all, judge_attempt, names
from upgate.sources.probes.proxies import proxy_for


@pytest.fixture(scope="module", autouse=True)
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="module")
def web() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def shop(authority: Authority) -> Iterator[Server]:
    """https://shop.example.com/, if one connects to loopback."""
    with serving(tls=tls_with(authority.issue("shop.example.com", "127.0.0.1"))) as server:
        yield server


def target(url: str, **options: object) -> ProbeTarget:
    return ProbeTarget(**{"id": "external.x", "url": url, "timeout": 3.0, **options})


def problems(url: str, **options: object) -> list[tuple[str, str]]:
    asked = target(url, **options)
    return [tuple(problem) for problem in judge_attempt(asked, attempt(asked))]


def only_problem(url: str, **options: object) -> str:
    (found,) = problems(url, **options)
    return found[0]


def kind(seen: Attempt) -> str:
    return seen.failure.kind if seen.failure else "none"


def contains(text: str) -> tuple[Expectation, ...]:
    return (Expectation("contains", text),)


# What an answer must hold


def test_an_answer_as_expected_has_no_problem(web: Server) -> None:
    """200 with the expected body in time is fine, and the attempt says who answered, and how fast."""
    asked = target(web.url(), status=(200,), expectations=contains("ok"), within=2.0)
    seen = attempt(asked, vantage="office")
    assert judge_attempt(asked, seen) == []
    assert (seen.status, seen.address, seen.vantage) == (200, f"127.0.0.1:{web.port}", "office")
    assert 0 < seen.elapsed.connect < seen.elapsed.first_byte <= seen.elapsed.total < 2


def test_status(web: Server) -> None:
    """Another status is a problem that shows both, and how the body begins."""
    found = problems(web.url("/status/503"), status=(200,))
    assert found == [('status 503; the body begins "down for maintenance"', "status 200")]


@pytest.mark.parametrize(("status", "accepted"), [(204, True), (304, True), (404, False), (500, False)])
def test_status_by_default(web: Server, status: int, accepted: bool) -> None:
    """Without an expected status all below 400 will do, and nothing else."""
    assert (problems(web.url(f"/status/{status}")) == []) is accepted


def test_an_expected_error_status_is_fine(web: Server) -> None:
    """401 is the right answer where 401 or 403 is expected."""
    assert problems(web.url("/status/401"), status=(401, 403)) == []


def test_body_contains(web: Server) -> None:
    """A body without the text is a problem that shows how the body begins instead."""
    assert problems(web.url("/text/sorry"), expectations=contains("ok")) == [
        ('body does not contain "ok"; begins "sorry"', 'body contains "ok"')
    ]


@pytest.mark.parametrize(("pattern", "fine"), [("^v[0-9]+$", True), ("^[0-9]+$", False)])
def test_body_matches(web: Server, pattern: str, fine: bool) -> None:
    """A regular expression is searched in the body."""
    assert (problems(web.url("/text/v12"), expectations=(Expectation("matches", pattern),)) == []) is fine


@pytest.mark.parametrize(
    ("path", "wanted", "observed"),
    [
        ("status", '"UP"', None),
        ("checks.0.up", "true", None),
        ("status", '"DOWN"', 'JSON status is "UP"'),
        ("checks.0.up", "1", "JSON checks.0.up is true"),
        ("load", "1", None),
        ("load", "1.5", "JSON load is 1.0"),
        ("checks.1.up", "true", "JSON has no checks.1.up: 1 is missing"),
        ("state", '"UP"', "JSON has no state: state is missing"),
    ],
)
def test_json_value(web: Server, path: str, wanted: str, observed: str | None) -> None:
    """A value inside a JSON body is compared as JSON: true is not 1, but 1.0 is; a byte order mark is no part of it."""
    found = problems(web.url("/json"), expectations=(Expectation("json", wanted, path),))
    assert [problem[0] for problem in found] == ([observed] if observed else [])


def test_json_of_something_else(web: Server) -> None:
    """A body that is not JSON is said to be none."""
    expected = (Expectation("json", '"UP"', "status"),)
    assert only_problem(web.url("/text/UP"), expectations=expected) == 'body is not JSON; begins "UP"'


def test_header(web: Server) -> None:
    """A header must be there and contain the text, whatever the case of its name."""
    latin = Expectation("header", "latin-1", "content-type")
    assert problems(web.url("/latin"), expectations=(latin,)) == []
    html = Expectation("header", "text/html", "Content-Type")
    assert only_problem(web.url("/latin"), expectations=(html,)).startswith('header Content-Type is "text/plain')
    assert only_problem(web.url("/ok"), expectations=(html,)) == "header Content-Type is missing"


def test_within(web: Server) -> None:
    """An answer that takes longer than allowed is a problem with both times."""
    ((observed, expected),) = problems(web.url("/slow/1"), within=0.1)
    assert observed.startswith("took 1.")
    assert expected == "within 100ms"


def test_within_on_a_busy_machine(web: Server) -> None:
    """Time in which this process did not get to look is not the server's; another problem still counts."""
    asked = target(web.url(), within=0.8, expectations=contains("ok"))
    seen = attempt(asked)
    busy = msgspec.structs.replace(seen, elapsed=Elapsed(total=1.0, ours=0.5))
    with pytest.raises(Inconclusive, match="was busy"):
        judge_attempt(asked, busy)
    assert len(judge_attempt(asked, msgspec.structs.replace(busy, status=500))) == 1
    assert len(judge_attempt(asked, msgspec.structs.replace(seen, elapsed=Elapsed(total=1.0, ours=0.1)))) == 1


def test_head(web: Server) -> None:
    """HEAD is sent as HEAD, and an answer without a body is fine."""
    assert problems(web.url("/ok?head"), method="HEAD") == []
    assert web.requests[-1][:2] == ("HEAD", "/ok?head")


def test_gzip(web: Server) -> None:
    """A compressed body is compared unpacked."""
    assert problems(web.url("/gzip"), expectations=contains("ok, unpacked")) == []


def test_charset(web: Server) -> None:
    """A body is read in the charset that its header names."""
    assert problems(web.url("/latin"), expectations=contains("grün")) == []


def test_binary_body(web: Server) -> None:
    """Bytes that are no text do no harm, and no control character reaches a report."""
    assert problems(web.url("/binary"), expectations=contains("ok")) == []
    observed = only_problem(web.url("/binary"), expectations=contains("missing"))
    assert "\x1b" not in observed
    assert observed.isprintable()


def test_large_body(web: Server) -> None:
    """Of 10 MB the first MiB is read and judged, and the attempt stays small."""
    asked = target(web.url("/big/10"), expectations=contains("the end"))
    seen = attempt(asked)
    assert "the first MiB of the body does not contain" in judge_attempt(asked, seen)[0].observed
    assert len(msgspec.json.encode(seen)) < 2000


def test_ipv6() -> None:
    """An IPv6 address is probed, and written in brackets."""
    with serving(socket.AF_INET6) as server:
        seen = attempt(target(server.url()))
    assert (seen.status, seen.address) == (200, f"[::1]:{server.port}")


def test_other_expectations_than_those_asked(web: Server) -> None:
    """An attempt that was made with other expectations cannot be judged by these."""
    seen = attempt(target(web.url(), expectations=contains("ok")))
    with pytest.raises(Inconclusive, match="other expectations"):
        judge_attempt(target(web.url(), expectations=contains("fine")), seen)


# Redirects


def test_redirect_is_not_followed(web: Server) -> None:
    """A redirect is the answer itself, and its target is named."""
    assert problems(web.url("/redirect?/ok"), status=(200,)) == [
        (f"status 302, redirects to {web.url('/ok')}", "status 200")
    ]
    assert web.requests[-1][1] == "/redirect?/ok"


def test_redirect_is_expected(web: Server) -> None:
    """Where a redirect should lead can be expected."""
    login = (Expectation("location", web.url("/login")),)
    assert problems(web.url("/redirect?/login"), status=(302,), expectations=login) == []
    assert problems(web.url("/redirect?/other"), status=(302,), expectations=login) == [
        (f"redirects to {web.url('/other')}", f"redirect to {web.url('/login')}")
    ]


def test_redirect_is_followed(web: Server) -> None:
    """With follow the last answer counts, with the headers still sent on the same origin."""
    asked = target(
        web.url("/redirect?/text/fine"), follow=True, headers={"X-Api-Key": "k3y-123"}, expectations=contains("fine")
    )
    seen = attempt(asked)
    assert judge_attempt(asked, seen) == []
    assert len(seen.hops) == 1
    assert web.requests[-1][2]["X-Api-Key"] == "k3y-123"


@pytest.mark.parametrize("place", ["http://[::1/", "ftp://shop.example.com/"])
def test_a_redirect_to_nowhere_is_the_servers_fault(web: Server, place: str) -> None:
    """What nobody can follow is a finding: it was asked, and answered this."""
    assert "redirects to" in only_problem(web.url(f"/redirect?{place}"), follow=True)


def test_redirect_loop(web: Server) -> None:
    """A redirect loop ends, and is called what it is."""
    assert "more than 10 redirects" in only_problem(web.url("/loop"), follow=True)


def test_no_credential_follows_to_another_host(web: Server) -> None:
    """Neither headers nor user and password go to another host than the entry's."""
    with serving() as stranger:
        url = web.url(f"/redirect?{stranger.url()}").replace("//", "//ops:pass-word@", 1)
        seen = attempt(target(url, follow=True, headers={"X-Api-Key": "k3y-123", "Cookie": "sid=c00kie"}))
    assert seen.status == 200
    assert web.requests[-1][2]["Authorization"].startswith("Basic ")
    assert {name.lower() for name in stranger.requests[0][2]} == {"host", "accept", "accept-encoding", "user-agent"}


def test_a_body_is_not_taken_to_another_host(web: Server) -> None:
    """A POST that is redirected elsewhere with 302 becomes a GET without the body."""
    with serving() as stranger:
        attempt(
            target(web.url(f"/redirect?{stranger.url()}"), method="POST", content=b"password=pass-word", follow=True)
        )
    assert stranger.requests[0][0] == "GET"
    assert "Content-Length" not in stranger.requests[0][2]


# Failures of the network and the server


def test_connection_refused() -> None:
    """Nobody listens there: the address and port are named."""
    port = free_port()
    assert problems(f"http://127.0.0.1:{port}/") == [(f"connection refused at 127.0.0.1:{port}", "status below 400")]


def test_connect_timeout() -> None:
    """Packets vanish: the attempt ends at its timeout and says that there was no connection."""
    with not_accepting() as port:
        began = time.monotonic()
        assert (
            only_problem(f"http://127.0.0.1:{port}/", timeout=0.4) == f"no connection to 127.0.0.1:{port} within 400ms"
        )
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("path", ["/slow/30", "/drip"])
def test_timeout_bounds_everything(web: Server, path: str) -> None:
    """A server that is slow, or that drips byte after byte, does not hold us beyond the timeout."""
    began = time.monotonic()
    assert only_problem(web.url(path), timeout=0.4).startswith(
        f"no complete answer from 127.0.0.1:{web.port} within 400ms"
    )
    assert time.monotonic() - began < 1.5


def test_name() -> None:
    """A name that does not exist is a failure that names it."""
    seen = attempt(target("http://shop.invalid/"))
    assert kind(seen) in ("name", "resolver")  # the second without any name server
    assert "shop.invalid does not resolve" in seen.failure.words


def test_dead_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not answer holds up neither this attempt nor the end of the run, and is our own trouble."""
    monkeypatch.setattr(names, "_resolve", lambda *_: time.sleep(2))
    began = time.monotonic()
    with pytest.raises(Inconclusive, match="name server did not answer"):
        problems("http://shop.invalid/", timeout=0.3)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (servers.reset, ("reset", "connection reset")),
        (servers.hang_up, ("reset", "before its answer was complete")),
        (servers.babble, ("protocol", "illegal status line")),
        (servers.hang, ("read-timeout", "connected, but no answer")),
    ],
)
def test_bad_servers(behaviour, expected: tuple[str, str]) -> None:
    """Resets, silent closes, other protocols and silence are told apart."""
    with accepting(behaviour) as port:
        seen = attempt(target(f"http://127.0.0.1:{port}/", timeout=0.5))
    assert kind(seen) == expected[0]
    assert expected[1] in seen.failure.words


@pytest.mark.parametrize(("path", "expected"), [("/short", "reset"), ("/badgzip", "protocol")])
def test_broken_bodies(web: Server, path: str, expected: str) -> None:
    """A body that ends too early, or is not what its encoding says, is no answer."""
    assert kind(attempt(target(web.url(path)))) == expected


# TLS


def shop_url(server: Server, **options: object) -> dict[str, object]:
    return {"url": server.url(host="shop.example.com"), "address": "127.0.0.1", **options}


def test_certificate_that_verifies(shop: Server, authority: Authority) -> None:
    """Under its own authority the certificate verifies, and its facts are kept."""
    asked = target(**shop_url(shop, ca=str(authority.file), tls_days=21))
    seen = attempt(asked)
    assert judge_attempt(asked, seen) == []
    assert (seen.certificate.names, seen.certificate.issuer) == (("shop.example.com", "127.0.0.1"), "Test CA")
    assert seen.certificate.days_left(seen.started) == 89
    assert seen.elapsed.tls > 0
    assert shop.requests[-1][2]["Host"] == f"shop.example.com:{shop.port}"


def test_address_as_name(shop: Server, authority: Authority) -> None:
    """A certificate for an address is accepted for that address."""
    assert problems(shop.url(), ca=str(authority.file)) == []


def test_certificate_with_few_days_left(authority: Authority) -> None:
    """Days left are judged against the profile's."""
    with serving(tls=tls_with(authority.issue("shop.example.com", days=5.5))) as server:
        ((observed, expected),) = problems(**shop_url(server, ca=str(authority.file), tls_days=21))
    assert observed.startswith("certificate has 5 days left (")
    assert expected == "more than 21 days left"


def test_expired_certificate(authority: Authority) -> None:
    """An expired certificate is one problem, with its date."""
    with serving(tls=tls_with(authority.issue("shop.example.com", days=-3.5))) as server:
        seen = attempt(asked := target(**shop_url(server, ca=str(authority.file), tls_days=21)))
    assert kind(seen) == "tls-expired"
    assert (
        judge_attempt(asked, seen)[0].observed
        == f"certificate expired 3 days ago ({seen.certificate.not_after:%Y-%m-%d})"
    )
    assert len(judge_attempt(asked, seen)) == 1


def test_certificate_of_another_name(authority: Authority) -> None:
    """A certificate for another name says for which."""
    with serving(tls=tls_with(authority.issue("example.com"))) as server:
        assert problems(**shop_url(server, ca=str(authority.file))) == [
            ("certificate is for example.com, not shop.example.com", "a certificate that verifies")
        ]
        assert server.requests == []


def test_a_name_in_the_subject_alone_is_none(authority: Authority) -> None:
    """Browsers refuse a certificate without alternative names: so do we, and say why."""
    with serving(tls=tls_with(authority.issue("shop.example.com", alternatives=False))) as server:
        assert only_problem(**shop_url(server, ca=str(authority.file))) == (
            "certificate is for no name (only its subject has shop.example.com), not shop.example.com"
        )


def test_self_signed_certificate(tmp_path: Path) -> None:
    """A self-signed certificate says so, and its few days left are a second problem."""
    with serving(tls=tls_with(servers.self_signed(tmp_path, "shop.example.com"))) as server:
        found = problems(**shop_url(server, tls_days=100))
    assert found[0][0].startswith("certificate was issued by itself, which is not trusted")
    assert found[1][1] == "more than 100 days left"


def test_unknown_issuer(shop: Server) -> None:
    """A certificate of an authority that we do not know names it."""
    assert "issued by Test CA, which is not trusted" in only_problem(**shop_url(shop))


def test_tls_with_a_plain_server(web: Server) -> None:
    """https at a port that speaks http is a failure of TLS, not a crash."""
    assert kind(attempt(target(web.url().replace("http:", "https:"), timeout=1))) in ("tls-other", "reset")


def test_a_handshake_that_hangs() -> None:
    """A server that accepts and then is silent during the handshake is a failure of TLS."""
    with accepting(servers.hang) as port:
        seen = attempt(target(f"https://127.0.0.1:{port}/", timeout=0.4))
    assert (kind(seen), seen.failure.words) == ("tls-other", "the handshake did not complete in time")


def test_tls_days_without_tls(web: Server) -> None:
    """Days are demanded of an answer that came without TLS: a problem, not a pass."""
    assert only_problem(web.url(), tls_days=21) == "no certificate: the answer came without TLS"


def test_client_certificate(authority: Authority) -> None:
    """A server that wants a client certificate gets the one that is given, and refuses others."""
    certificate, key = authority.issue("upgate")
    ours = {"client_certificate": str(certificate), "client_key": str(key)}
    with serving(tls=tls_with(authority.issue("shop.example.com"), clients=authority.file)) as server:
        assert problems(**shop_url(server, ca=str(authority.file), **ours)) == []
        assert kind(attempt(target(**shop_url(server, ca=str(authority.file))))) in ("tls-other", "reset")


# Our own side


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"ca": "missing.pem"}, "the CA file missing.pem"),
        ({"client_certificate": "no.pem"}, "client certificate no.pem"),
    ],
)
def test_missing_files_are_inconclusive(shop: Server, option: dict[str, str], words: str) -> None:
    """A file of ours that cannot be read says nothing about the server."""
    with pytest.raises(Inconclusive, match=words):
        problems(shop.url(), **option)


def test_a_file_without_certificates_is_inconclusive(shop: Server, tmp_path: Path) -> None:
    """Nor does a CA file that has no certificate."""
    (tmp_path / "ca.pem").write_text("nothing here")
    with pytest.raises(Inconclusive, match=r"ca\.pem"):
        problems(shop.url(), ca=str(tmp_path / "ca.pem"))


def test_unreachable_proxy_is_inconclusive(web: Server, shop: Server) -> None:
    """Behind a proxy that does not answer we cannot look."""
    proxy = f"http://ops:pass-word@127.0.0.1:{free_port()}"
    for url in (web.url(), shop.url()):
        with pytest.raises(Inconclusive, match=r"proxy 127\.0\.0\.1:.*refused") as caught:
            problems(url, proxy=proxy)
        assert "pass-word" not in str(caught.value)


def test_proxy(web: Server) -> None:
    """A proxy is asked for the whole URL."""
    with serving() as proxy:
        assert problems("http://shop.example.com/ok", proxy=proxy.url("")) == []
    assert proxy.requests[0][1] == "http://shop.example.com/ok"


def test_proxy_with_tls(shop: Server, authority: Authority) -> None:
    """Through a proxy the server's own certificate is judged, and the proxy sees none of the headers."""
    with serving() as proxy:
        asked = target(
            shop.url(), ca=str(authority.file), proxy=proxy.url(""), tls_days=100, headers={"X-Token": "t0ken"}
        )
        seen = attempt(asked)
        assert [problem.expected for problem in judge_attempt(asked, seen)] == ["more than 100 days left"]
        assert "X-Token" not in proxy.requests[0][2]
        assert kind(attempt(target(shop.url(), proxy=proxy.url("")))) == "tls-unknown-issuer"


def test_proxy_that_cannot_get_there() -> None:
    """A proxy's 502 is about the server behind it: users there cannot reach it either."""
    with serving() as proxy:
        observed = only_problem("https://shop.example.com:1/", proxy=proxy.url(""))
    assert (
        observed
        == f"https://shop.example.com:1/ is unreachable (the proxy 127.0.0.1:{proxy.port} answered 502 Bad Gateway)"
    )


@pytest.mark.parametrize(
    ("host", "environment", "proxy"),
    [
        ("shop.example.com", {}, None),
        ("shop.example.com", {"https_proxy": "http://p"}, "http://p"),
        ("shop.example.com", {"HTTPS_PROXY": "http://p", "NO_PROXY": "other.com, .example.com"}, None),
        ("shop.example.com", {"ALL_PROXY": "http://p", "NO_PROXY": "shop.example.co"}, "http://p"),
        ("notexample.com", {"ALL_PROXY": "http://p", "NO_PROXY": "example.com"}, "http://p"),
        ("10.1.2.3", {"ALL_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}, None),
        ("11.1.2.3", {"ALL_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}, "http://p"),
        ("127.0.0.9", {"ALL_PROXY": "http://p"}, None),
        ("localhost", {"ALL_PROXY": "http://p"}, None),
        ("shop.example.com", {"ALL_PROXY": "http://p", "no_proxy": "*"}, None),
    ],
)
def test_proxy_of_the_environment(host: str, environment: dict[str, str], proxy: str | None) -> None:
    """The environment's proxy is found as curl and Go find it."""
    assert proxy_for("https", host, environment=environment) == proxy
    assert proxy_for("https", host, "none", environment) is None
    assert proxy_for("https", host, "http://own", environment) == "http://own"


# Ports, names, WebSockets, and what must be closed


def test_tcp_port(web: Server) -> None:
    """A port that accepts is fine, one that refuses is named."""
    assert problems(f"tcp://127.0.0.1:{web.port}", within=1.0) == []
    port = free_port()
    assert problems(f"tcp://127.0.0.1:{port}") == [(f"connection refused at 127.0.0.1:{port}", "accepts connections")]


def test_tcp_port_with_tls(shop: Server, authority: Authority) -> None:
    """Where days are demanded the port's certificate is judged, and nothing is sent."""
    url, before = f"tcp://shop.example.com:{shop.port}", len(shop.requests)
    assert problems(url, address="127.0.0.1", ca=str(authority.file), tls_days=21) == []
    ((_, expected),) = problems(url, address="127.0.0.1", ca=str(authority.file), tls_days=100)
    assert expected == "more than 100 days left"
    assert "not trusted" in only_problem(url, address="127.0.0.1", tls_days=21)
    assert len(shop.requests) == before


def test_dns() -> None:
    """A name resolves, to exactly the addresses that are expected."""
    assert problems("dns://localhost") == []
    found = {info[4][0] for info in socket.getaddrinfo("localhost", None)}
    right = Expectation("resolves", ", ".join(sorted(found)))
    assert problems("dns://localhost", expectations=(right,)) == []
    wrong = Expectation("resolves", "10.0.0.1")
    assert problems("dns://localhost", expectations=(wrong,)) == [(str(right), "resolves to 10.0.0.1")]


def test_websocket(web: Server) -> None:
    """A WebSocket opens where the server answers its key, and nowhere else."""
    asked = {"status": (101,), "expectations": (asking.ACCEPTED,)}
    assert problems(web.url("/ws").replace("http:", "ws:"), **asked) == []
    found = problems(web.url("/ok").replace("http:", "ws:"), **asked)
    assert found[0] == ('status 200; the body begins "ok"', "a WebSocket")


def test_closed(web: Server) -> None:
    """What refuses, drops or resets is closed; what accepts or answers is a problem."""
    assert problems(f"tcp://127.0.0.1:{free_port()}", closed=True) == []
    with not_accepting() as port:
        assert problems(f"tcp://127.0.0.1:{port}", closed=True, timeout=0.3) == []
    with accepting(servers.hang_up) as port:
        assert problems(f"http://127.0.0.1:{port}/", closed=True) == []
    address = f"127.0.0.1:{web.port}"
    assert problems(f"tcp://{address}", closed=True) == [(f"{address} accepts connections", "closed")]
    assert problems(web.url("/status/403"), closed=True) == [(f"{address} answers with status 403", "closed")]


def test_a_port_that_accepts_and_says_nothing_is_not_closed() -> None:
    """Silence behind a connection is no closed port; behind a proxy it says nothing about the port."""
    with accepting(servers.hang) as port:
        found = problems(f"http://127.0.0.1:{port}/", closed=True, timeout=0.5)
        assert found == [(f"127.0.0.1:{port} accepts connections, and does not answer", "closed")]
        with pytest.raises(Inconclusive, match="cannot tell"):
            problems("http://shop.invalid/", closed=True, timeout=0.5, proxy=f"http://127.0.0.1:{port}")


def test_closed_and_in_tls(shop: Server) -> None:
    """A server that we do not trust has answered all the same."""
    assert problems(shop.url(), closed=True) == [(f"127.0.0.1:{shop.port} answers", "closed")]


def test_closed_without_having_got_near() -> None:
    """A name that does not resolve says nothing about the port."""
    with pytest.raises(Inconclusive):
        problems("tcp://shop.invalid:22", closed=True)


# All at once


def test_attempts_come_in_order_and_at_once(web: Server) -> None:
    """Forty slow ones take about as long as one, and come back in the order in which they were given."""
    targets = [target(web.url("/slow/0.5"), id=f"external.{number}") for number in range(40)]
    began = time.monotonic()
    seen = attempt_all(targets)
    assert time.monotonic() - began < 2
    assert [each.id for each in seen] == [each.id for each in targets]
    assert all(each.status == 200 for each in seen)


def test_the_limit_holds(web: Server) -> None:
    """With a limit of one they come one after the other."""
    began = time.monotonic()
    attempt_all([target(web.url("/slow/0.2"))] * 3, limit=1)
    assert time.monotonic() - began > 0.55


def test_nothing_to_probe() -> None:
    """No targets, no attempts."""
    assert attempt_all([]) == []


def test_retried_then_passed_is_flaky() -> None:
    """A later success says after how many attempts it came, and what was wrong before."""
    connections = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if len(connections) > 1 else b"")
        connection.close()

    with accepting(behave) as port:
        seen = attempt(target(f"http://127.0.0.1:{port}/", attempts=3))
    assert (seen.status, seen.flaky_after, len(connections)) == (200, 1, 2)
    assert "closed the connection" in seen.earlier[0]


def test_there_are_no_hidden_retries(web: Server) -> None:
    """One attempt is one request, also when it fails."""
    before = len(web.requests)
    attempt(target(web.url("/status/503")))
    assert len(web.requests) == before + 1


# Secrets and weight

SECRETS = ("pass-word", "q-s3cret", "h-s3cret", "c00kie-s3cret", "env-s3cret", "b3BzOnBhc3Mtd29yZA==")


@pytest.mark.parametrize("path", ["/echo", "/status/200", "/redirect"])
def test_no_secret_is_kept(web: Server, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the attempt, nor its problems, nor any log holds a credential, even if the server echoes it."""
    caplog.set_level(logging.DEBUG)
    url = web.url(f"{path}?token=q-s3cret&verbose").replace("//", "//ops:pass-word@")
    headers = (
        {"Authorization": "Bearer h-s3cret", "Cookie": "sid=c00kie-s3cret"}
        if path == "/redirect"
        else {"X-Token": "h-s3cret"}
    )
    asked = target(url, headers=headers, secrets=("env-s3cret",), expectations=contains("env-s3cret"))
    seen = attempt(asked)
    texts = msgspec.json.encode(seen).decode() + str(judge_attempt(asked, seen)) + repr(asked) + caplog.text
    assert [secret for secret in SECRETS if secret in texts] == []
    assert "verbose" in seen.target


LONG = "k3y-" + "0123456789" * 4


def told(asked: ProbeTarget) -> str:
    """All that is kept of an attempt, and said of it."""
    seen = attempt(asked)
    try:
        found = str(judge_attempt(asked, seen))
    except Inconclusive as reason:
        found = str(reason)
    return msgspec.json.encode(seen).decode() + found


@pytest.mark.parametrize("blanks", [90, 100, 110])
def test_half_of_a_secret_is_not_shown(web: Server, blanks: int) -> None:
    """A body that repeats a secret where its excerpt is cut shows no part of it."""
    text = told(target(web.url(f"/repeat/{'x' * blanks}"), headers={"X-Api-Key": LONG}))
    assert "status 500" in text
    assert "k3y-" not in text


@pytest.mark.parametrize("secret", ["a/b&c d", "<a&b>", 'quo"ted'])
def test_a_secret_that_comes_back_encoded_is_not_shown(web: Server, secret: str) -> None:
    """Servers repeat what they were sent as a part of a URL, of JSON or of HTML."""
    encoded = (quote(secret, safe=""), json.dumps(secret)[1:-1], escape(secret))
    asked = target(web.url(), secrets=(secret,))
    assert [asked.mask(f"no user {each}!") for each in encoded] == ["no user [hidden]!"] * 3


def test_credentials_that_a_server_sends_are_not_shown(web: Server) -> None:
    """A cookie without the wanted attribute, or a token of another kind, is named without its value."""
    secure = target(web.url("/cookie"), expectations=(Expectation("header", "Secure", "Set-Cookie"),))
    token = target(web.url("/cookie"), expectations=(Expectation("json", '"none"', "user.token"),))
    assert "header Set-Cookie is" in told(secure)
    assert "JSON user.token is" in told(token)
    assert not any(secret in told(each) for each in (secure, token) for secret in ("c00kie", "t0ken"))


def test_a_header_that_cannot_be_sent_is_not_shown(web: Server) -> None:
    """A token with a line break is refused by ourselves, without a word of it."""
    text = told(target(web.url(), headers={"X-Api-Key": "s3cr3t-value\n"}))
    assert "could not be asked" in text
    assert "s3cr3t" not in text


def test_a_proxy_that_wants_a_password_is_no_answer() -> None:
    """Status 407 is the proxy's own: nobody has asked the server."""
    with accepting(refuse_strangers) as port, pytest.raises(Inconclusive, match="the proxy refused: 407"):
        problems("http://shop.example.com/", proxy=f"http://127.0.0.1:{port}")


def refuse_strangers(connection: socket.socket) -> None:
    """As a proxy that wants to know who asks."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


def test_an_attempt_survives_the_snapshot(web: Server) -> None:
    """What was seen is data: written, read again and judged, it says the same."""
    asked = target(web.url("/status/500"), expectations=contains("ok"))
    seen = attempt(asked)
    again = msgspec.json.decode(msgspec.json.encode(seen), type=Attempt)
    assert judge_attempt(asked, again) == judge_attempt(asked, seen) != []


def test_judging_needs_no_httpx() -> None:
    """Importing the package loads neither httpx nor cryptography nor asyncio nor pydantic."""
    script = (
        "import sys, upgate.sources.probes; print({'httpx', 'cryptography', 'asyncio', 'pydantic'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
