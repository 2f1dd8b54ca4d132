"""What is asked from outside, beside a healthy cluster: each fault of an address is found, and nothing else."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.battery import HEALTHY, Battery, Run
from tests.servers import Authority, Server, accepting, free_port, hang, reset, self_signed, serving, tls_with

#: Entry → what is said of it. {http} is a plain server, the others serve the certificate that they are named after.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "answers-500": ({"url": "{http}/status/500"}, "500"),
    "answers-404": ({"url": "{http}/status/404"}, "404"),
    "redirects": ({"url": "{http}/redirect?/elsewhere"}, "302"),
    "hangs": ({"url": "{hanging}/", "timeout": "1s"}, "within 1s"),
    "resets": ({"url": "{resetting}/"}, ""),
    "refuses": ({"url": "{nobody}/"}, "refused"),
    "too-slow": ({"url": "{http}/slow/0.5", "within": "200ms"}, "took 0."),
    "lacks-the-text": ({"url": "{http}/text/closed", "body": "open"}, "open"),
    "other-value": ({"url": "{http}/json", "json": {"status": "DOWN"}}, "UP"),
    "expired": ({"url": "{expired}/ok"}, "expired"),
    "wrong-name": ({"url": "{other}/ok"}, "is for elsewhere.example.com"),
    "self-signed": ({"url": "{own}/ok"}, ""),
    "soon-expired": ({"url": "{good}/ok", "tls-days": 100}, "day"),
    "name-unknown": ({"url": "http://shop.invalid/"}, "shop.invalid"),
    "closed-port": ({"tcp": "127.0.0.1:{port}"}, ""),
}
GOOD = {
    "fine": {"url": "{good}/ok", "body": "ok", "tls-days": 21},
    "expects-503": {"url": "{http}/status/503", "status": 503},
    "expects-redirect": {"url": "{http}/redirect?/elsewhere", "location": "/elsewhere"},
    "node": {"url": "http://10.199.0.12:10256/healthz"},
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of real servers, by what is wrong with them; and the authority that they are to be trusted by."""
    folder = tmp_path_factory.mktemp("pki")
    authority = Authority(folder)
    certificates = {
        "good": authority.issue("127.0.0.1", days=90),
        "expired": authority.issue("127.0.0.1", days=-1),
        "other": authority.issue("elsewhere.example.com"),
        "own": self_signed(tmp_path_factory.mktemp("own"), "127.0.0.1"),
    }
    with ExitStack() as stack:
        contexts: dict[str, ssl.SSLContext | None] = {name: tls_with(pair) for name, pair in certificates.items()}
        servers = {
            name: stack.enter_context(serving(tls=context)) for name, context in {"http": None, **contexts}.items()
        }
        ports = {
            name: stack.enter_context(accepting(behave)) for name, behave in (("hanging", hang), ("resetting", reset))
        }
        nobody = free_port()
        yield {
            **{name: base(server) for name, server in servers.items()},
            **{name: f"http://127.0.0.1:{port}" for name, port in ports.items()},
            "nobody": f"http://127.0.0.1:{nobody}",
            "port": str(nobody),
            "ca": str(authority.file),
        }


def base(server: Server) -> str:
    """The server's address without a path."""
    return server.url("")


def entry(name: str, wanted: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    """An entry of `external:` with the servers' addresses filled in."""
    filled = {key: value.format(**places) if isinstance(value, str) else value for key, value in wanted.items()}
    trusting = {"ca": places["ca"]} if filled.get("url", "").startswith("https") else {}
    return {"name": name, **filled, **trusting}


@pytest.fixture(scope="module")
def run(cluster: Any, places: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run that asks all of them."""
    wanted = {name: entry for name, (entry, _) in BAD.items()} | GOOD
    entries = [entry(name, each, places) for name, each in wanted.items()]
    battery = Battery(tmp_path_factory.mktemp("external"), cluster.kubeconfig)
    return battery.run(external=[*HEALTHY["external"], *entries])


def id_of(name: str) -> str:
    """The id of an entry's check."""
    return f"external.tcp.{name}" if name == "closed-port" else f"external.{name}"


def test_exactly_the_bad_addresses_are_found(run: Run) -> None:
    """Every address that is not as expected is a finding of its own check, and there is no other."""
    run.must_find(*(f"{id_of(name)}: *" for name in BAD))
    assert run.code == 1


@pytest.mark.parametrize("name", BAD)
def test_a_finding_says_what_was_seen(run: Run, name: str) -> None:
    """What is said of an address holds the word by which one knows the fault."""
    [finding] = [each for each in run.findings if each["check"] == id_of(name)]
    assert BAD[name][1].lower() in finding["observed"].lower()


@pytest.mark.parametrize("name", GOOD)
def test_what_is_as_expected_passes(run: Run, name: str) -> None:
    """Unusual answers that the profile asks for are no faults."""
    assert run.outcomes[f"external.{name}"] == "passed"
