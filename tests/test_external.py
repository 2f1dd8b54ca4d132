"""What stands in `external:`, asked by the real command of real servers: each fault is found, named and bounded in time."""

from __future__ import annotations

import socket
import ssl
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.h2_servers import alpn, serving_h2
from tests.name_servers import resolving
from tests.running import Run, run, runs
from tests.servers import Authority, accepting, free_port, hang, not_accepting, self_signed, serving, tls_with

SECRETS = {"SYNTH_USER": "ops", "SYNTH_PASSWORD": "pass-word", "SYNTH_TOKEN": "t0ken-of-the-environment"}
SHORT = {"timeout": "2s"}
#: Entry → how it is asked, and what is said of it. `{…}` are the servers of `places`.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "error-page-with-200": ({"url": "{http}/text/Sorry", "body": "welcome"}, 'body does not contain "welcome"'),
    "other-status": ({"url": "{http}/status/503"}, 'status 503; the body begins "down for maintenance"'),
    "other-redirect": ({"url": "{http}/redirect?/elsewhere", "location": "/login"}, "redirects to {http}/elsewhere"),
    "no-match": ({"url": "{http}/text/v1.2", "matches": "^v2"}, "body does not match /^v2/"),
    "other-value": ({"url": "{http}/json", "json": {"checks.0.up": False}}, "JSON checks.0.up is true"),
    "slow": ({"url": "{http}/slow/2", "within": "50ms"}, "took 2."),
    "refused": ({"url": "http://127.0.0.1:{free}/"}, "connection refused at 127.0.0.1:{free}"),
    "dropped": ({"url": "http://127.0.0.1:{full}/", **SHORT}, "no connection to 127.0.0.1:{full} within 2s"),
    "silent": (
        {"url": "http://127.0.0.1:{silent}/", **SHORT},
        "no complete answer from 127.0.0.1:{silent} within 2s",
    ),
    "dripping": ({"url": "{http}/drip", **SHORT}, "no complete answer from"),
    "reset-after-headers": ({"url": "http://127.0.0.1:{headers}/"}, "127.0.0.1:{headers} closed the connection"),
    "garbled-chunks": ({"url": "http://127.0.0.1:{chunks}/"}, "127.0.0.1:{chunks} "),
    "unknown-name": ({"url": "http://shop.invalid/"}, "shop.invalid does not resolve"),
    "expired": ({"url": "{expired}/ok", "ca": "{ca}"}, "certificate expired 3 days ago"),
    "soon-expired": ({"url": "{soon}/ok", "ca": "{ca}", "tls-days": 21}, "certificate has 5 days left"),
    "wrong-name": ({"url": "{other}/ok", "ca": "{ca}"}, "certificate is for elsewhere.example.com, not 127.0.0.1"),
    "self-signed": ({"url": "{own}/ok", "ca": "{ca}"}, "certificate was issued by itself, which is not trusted"),
    "old-tls": ({"url": "{old}/ok", "ca": "{ca}"}, "failed (it does not support TLS 1.2 or later)"),
    "silent-tls": ({"url": "https://127.0.0.1:{silent}/", **SHORT}, "TLS with 127.0.0.1:{silent} failed"),
    "no-h2": ({"url": "{tls}/ok", "ca": "{ca}", "http2": True}, "answered over HTTP/1.1"),
    "no-certificate": (  # TLS 1.3 tells after the handshake, unless its reset is faster
        {"url": "{wants}/ok", "ca": "{ca}"},
        "127.0.0.1:",
    ),
    "journey.lost": ({"journey": [{"get": "{http}/orders", "status": 200}]}, "step 1, GET {http}/orders: status 401"),
    "tcp.nobody": ({"tcp": "127.0.0.1:{free}"}, "connection refused at 127.0.0.1:{free}"),
    "tls.default": (
        {"tls": "127.0.0.1:{tls_port}", "server-name": "pay.example.com", "ca": "{ca}"},
        "certificate is for",
    ),
    "tls.versions": ({"tls": "127.0.0.1:{tls_port}", "versions": "TLSv1.3", "ca": "{ca}"}, "accepts TLSv1.2, TLSv1.3"),
    "dns.moved": (
        {"dns": "shop.example.com", "resolver": "{names}", "resolves-to": "192.0.2.9"},
        "resolves to 192.0.2.7",
    ),
    "dns.gone": ({"dns": "old.example.com", "resolver": "{names}"}, "old.example.com does not resolve"),
    "websocket.plain": ({"websocket": "{http}/status/200"}, "status 200"),
    "closed.admin": ({"closed": "127.0.0.1:{http_port}"}, "accepts connections"),
}
GOOD: dict[str, dict[str, Any]] = {
    "fine": {"url": "{tls}/ok", "body": "ok", "ca": "{ca}", "tls-days": 21, "within": "3s", "timeout": "5s"},
    "pinned": {"url": "https://shop.example.com:{tls_port}/ok", "address": "127.0.0.1", "ca": "{ca}"},
    "basic": {"url": "{http}/ok", "basic": "${SYNTH_USER}:${SYNTH_PASSWORD}"},
    "bearer": {"url": "{http}/ok", "bearer": "${SYNTH_TOKEN}"},
    "over-h2": {"url": "https://127.0.0.1:{h2}/", "http2": True, "ca": "{ca}"},
    "known-client": {"url": "{wants}/ok", "ca": "{ca}", "client-certificate": "{crt}", "client-key": "{key}"},
    "by-proxy": {"url": "http://shop.invalid/ok", "proxy": "{http}"},
    "ipv6": {"url": "{v6}/ok"},
    "journey.login": {
        "journey": [
            {
                "post": "{http}/login",
                "form": {"user": "${SYNTH_USER}", "password": "${SYNTH_PASSWORD}"},
                "capture": {"token": "json:token"},
            },
            {"get": "{http}/orders", "headers": {"Authorization": "Bearer {token}"}, "body": "3 orders"},
        ]
    },
    "tcp.open": {"tcp": "127.0.0.1:{http_port}"},
    "tls.shop": {"tls": "127.0.0.1:{tls_port}", "server-name": "shop.example.com", "ca": "{ca}"},
    "dns.www": {"dns": "www.example.com", "resolver": "{names}", "record": "A", "resolves-to": "192.0.2.7"},
    "websocket.live": {"websocket": "{http}/ws"},
    "closed.shut": {"closed": "127.0.0.1:{free}"},
}
#: What could not be looked at: neither a fault of theirs nor a pass.
BLIND = {
    "no-proxy": (
        {"url": "{http}/ok", "proxy": "http://127.0.0.1:{free}"},
        "proxy 127.0.0.1:{free}: connection refused",
    ),
    "no-ca": ({"url": "{tls}/ok", "ca": "missing.pem"}, "missing.pem cannot be read"),
    "tcp.balancers": ({"each": "load-balancer", "tcp": "{{address}}:443"}, "no load-balancer addresses to judge"),
}


def reset_after_headers(connection: socket.socket) -> None:
    """Promise a body, and go."""
    with suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nand")
    connection.close()


def garbled_chunks(connection: socket.socket) -> None:
    """A length that is no number."""
    with suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok\r\n0\r\n\r\n")
    connection.close()


def old(context: ssl.SSLContext) -> ssl.SSLContext:
    """A server that stayed with TLS 1.0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


@pytest.fixture(scope="module")
def web(places: dict[str, str]) -> Any:
    """The plain server, for what it was asked."""
    return places["server"]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The addresses of real servers, by what they are like."""
    folder = tmp_path_factory.mktemp("pki")
    authority = Authority(folder)
    client = authority.issue("ops.example.com")
    right = authority.issue("shop.example.com", "127.0.0.1")
    contexts = {
        "tls": tls_with(right),
        "expired": tls_with(authority.issue("127.0.0.1", days=-3.5)),
        "soon": tls_with(authority.issue("127.0.0.1", days=5.5)),
        "other": tls_with(authority.issue("elsewhere.example.com")),
        "own": tls_with(self_signed(folder, "127.0.0.1")),
        "old": old(tls_with(right)),
        "wants": tls_with(right, clients=authority.file),
    }
    behaviours: dict[str, Callable[[socket.socket], None]] = {
        "silent": hang,
        "headers": reset_after_headers,
        "chunks": garbled_chunks,
    }
    with ExitStack() as stack:
        http = stack.enter_context(serving())
        tls = {name: stack.enter_context(serving(tls=context)) for name, context in contexts.items()}
        names = stack.enter_context(
            resolving({("shop.example.com", "A"): ["192.0.2.7"], ("www.example.com", "CNAME"): ["shop.example.com."]})
        )
        yield {
            "server": http,
            "http": http.url(""),
            "http_port": http.port,
            "tls_port": tls["tls"].port,
            "v6": stack.enter_context(serving(socket.AF_INET6)).url(""),
            **{name: server.url("") for name, server in tls.items()},
            **{name: stack.enter_context(accepting(behave)) for name, behave in behaviours.items()},
            "full": stack.enter_context(not_accepting()),
            "h2": stack.enter_context(serving_h2(alpn(tls_with(right)))),
            "names": f"127.0.0.1:{names.port}",
            "free": free_port(),
            "ca": str(authority.file),
            "crt": str(client[0]),
            "key": str(client[1]),
        }


def filled(value: Any, places: dict[str, Any]) -> Any:
    """The value with the servers' addresses in it; words that a journey captures stay."""
    if isinstance(value, dict):
        return {key: filled(each, places) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, places) for each in value]
    if not isinstance(value, str):
        return value
    for name, place in places.items():
        value = value.replace(f"{{{name}}}", str(place))
    return value.replace("{{", "{").replace("}}", "}")


def entry(name: str, asked: dict[str, Any], places: dict[str, Any]) -> dict[str, Any]:
    """An entry of `external:`; its kind is no part of its name."""
    return {"name": name.rpartition(".")[2], "timeout": "10s", **filled(asked, places)}


def profile(folder: Path, entries: list[dict[str, Any]], **more: Any) -> Path:
    """A profile with these entries, on the embedded cluster."""
    path = folder / "outside.yaml"
    path.write_text(yaml.safe_dump({"cluster": {"embedded": "healthy"}, "external": entries, **more}))
    return path


@pytest.fixture(scope="module")
def outside(places: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run that asks all of them."""
    wanted = {name: asked for name, (asked, _) in (BAD | BLIND).items()} | GOOD
    path = profile(tmp_path_factory.mktemp("outside"), [entry(name, each, places) for name, each in wanted.items()])
    return run(path, "--vantage=the  Tokyo office", "-k", "external", **SECRETS).whole()


def test_exactly_the_faults_are_found(outside: Run) -> None:
    """Each kind of entry that is not as expected fails its own check, all others pass, and what we could not see is neither."""
    assert outside.ids("failed") == {f"external.{name}" for name in BAD}, outside.out
    assert outside.ids("passed") == {f"external.{name}" for name in GOOD}, outside.out
    assert outside.ids("inconclusive") == {f"external.{name}" for name in BLIND}, outside.out
    assert outside.code == 1


@pytest.mark.parametrize("name", BAD)
def test_a_finding_says_what_it_was(outside: Run, places: dict[str, Any], name: str) -> None:
    """What is said of a fault classifies it, and the hint is a command that asks the same."""
    [finding] = outside.check(f"external.{name}")["findings"]
    assert filled(BAD[name][1], places) in finding["observed"]
    tool = {"tcp": "nc ", "closed": "nc ", "tls": "openssl s_client ", "dns": "dig "}.get(
        name.partition(".")[0], "curl "
    )
    assert finding["hint"].startswith(tool)
    assert "{" not in finding["hint"]


@pytest.mark.parametrize("name", BLIND)
def test_what_could_not_be_seen_has_its_reason(outside: Run, places: dict[str, Any], name: str) -> None:
    """A fault on our own side is said to be one."""
    assert filled(BLIND[name][1], places) in outside.check(f"external.{name}")["reason"]


def test_each_kind_has_a_title_of_its_own(outside: Run) -> None:
    """A journey, a port, a name … each reads as its own sentence."""
    ids = ("fine", "journey.login", "tcp.open", "tls.shop", "dns.www", "websocket.live", "closed.shut")
    titles = {outside.check(f"external.{id}")["title"] for id in ids}
    assert len(titles) == len(ids)
    assert all(title.endswith(".") for title in titles)


def test_all_of_it_at_once_and_bounded(outside: Run) -> None:
    """Servers that hang, drip or drop take no longer together than alone: all of them are asked at once."""
    began, ended = outside.results["started"], outside.results["finished"]
    assert seconds(ended) - seconds(began) < 20


def seconds(moment: str) -> float:
    """A moment as seconds."""
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def test_credentials_of_the_environment_arrive_and_do_not_show(outside: Run, web: Any) -> None:
    """Basic and bearer credentials reach their server, and are in no output, not even encoded."""
    basic = b64encode(b"ops:pass-word").decode()
    sent = {headers.get("Authorization") for _, _, headers in web.requests}
    assert {f"Basic {basic}", f"Bearer {SECRETS['SYNTH_TOKEN']}"} <= sent
    texts = outside.texts()
    assert [secret for secret in (basic, SECRETS["SYNTH_PASSWORD"], SECRETS["SYNTH_TOKEN"]) if secret in texts] == []


def test_the_vantage_is_named_in_every_report(outside: Run) -> None:
    """`--vantage` names the place in results.json, junit.xml, the page, the terminal and the snapshot."""
    name = "the Tokyo office"
    assert outside.results["vantage"] == name
    properties = {each.get("name"): each.get("value") for each in outside.cases["external.fine"].iter("property")}
    assert properties["vantage"] == name
    assert f"probed from {name}" in outside.out
    assert f"probed from {name}" in (outside.reports / "report.html").read_text()


def test_a_snapshot_is_judged_as_it_was_seen(outside: Run, places: dict[str, Any], tmp_path: Path) -> None:
    """Offline, the saved attempts give the same findings, and the place that they were made from."""
    wanted = {name: asked for name, (asked, _) in (BAD | BLIND).items()} | GOOD
    entries = [entry(name, each, places) for name, each in wanted.items()]
    path = profile(tmp_path, entries, cluster={"snapshot": str(outside.reports / "snapshot.json.gz")})
    again = run(path, "-k", "external", **SECRETS)
    assert again.outcomes == outside.outcomes
    assert again.results["vantage"] == outside.results["vantage"]
    assert [each["findings"] for each in again.results["checks"]] == [
        each["findings"] for each in outside.results["checks"]
    ]


@pytest.mark.parametrize(("attempts", "outcome", "code"), [(1, "failed", 1), (3, "warned", 0)])
def test_what_passes_later_is_flaky(tmp_path: Path, attempts: int, outcome: str, code: int) -> None:
    """An answer that is right at the second attempt is a warning that says so; without further attempts it fails."""
    told: list[bytes] = [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(told.pop() if told else b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

    with accepting(behave) as port:
        entries = [{"name": "lb", "url": f"http://127.0.0.1:{port}/", "attempts": attempts}]
        done = run(profile(tmp_path, entries), "-k", "external").whole()
    assert (done.outcomes["external.lb"], done.code) == (outcome, code)
    [finding] = done.check("external.lb")["findings"]
    assert ("flaky: passed at attempt 2, after: status 503" in finding["observed"]) == (outcome == "warned")


def test_workers_ask_once(places: dict[str, Any], web: Any, tmp_path: Path) -> None:
    """With pytest-xdist the controller asks, once; its workers judge what it saw, each entry in its own check."""
    entries = [entry(name, GOOD[name], places) for name in ("tcp.open", "fine")]
    entries.append({"name": "counted", "url": web.url("/text/counted")})
    done = run(profile(tmp_path, entries), "-n", "2", "-k", "external", "--vantage=ci").whole()
    assert done.ids("passed") == {"external.tcp.open", "external.fine", "external.counted"}, done.out
    assert [path for _, path, _ in web.requests].count("/text/counted") == 1
    assert done.results["vantage"] == "ci"


def test_no_vantage(tmp_path: Path, places: dict[str, Any]) -> None:
    """A place that nobody named is not named, and an address family that is not there is no crash."""
    done = runs(it=lambda: run(profile(tmp_path, [entry("fine", GOOD["fine"], places)]), "-k", "external"))[
        "it"
    ].whole()
    assert done.results["vantage"] == ""
    assert "probed from" not in done.out
