"""Journeys: several requests that share cookies and captured values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.servers import Server, free_port, serving
from upgate.profile.external import External
from upgate.snapshot import Snapshot
from upgate.sources.probes import Expectation, ProbeTarget, attempt, judge_attempt
from upgate.sources.probes.journeys import _request
from upgate.sources.probes.target import ProbeStep
from upgate.sources.probes.targets import probe_targets

SECRETS = ("pass-word", "t0ken-1234", "c00kie-1234")


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    with serving() as server:
        yield server


def journey(shop: Server, *, password: str = "pass-word", capture: str = "json:token", **last: Any) -> ProbeTarget:
    """Log in, then list the orders."""
    login = {"post": shop.url("/login"), "form": {"user": "ops", "password": password}, "capture": {"token": capture}}
    orders = {"get": shop.url("/orders"), "headers": {"Authorization": "Bearer {token}"}, "status": 200, **last}
    entry = External.model_validate({"name": "x", "journey": (login, orders), "timeout": "3s"})
    (target,) = probe_targets([entry], msgspec.convert({"taken": "2026-11-21T00:00:00Z"}, Snapshot))
    return target


def problems(target: ProbeTarget) -> list[str]:
    seen = attempt(target)
    found = judge_attempt(target, seen)
    texts = msgspec.json.encode(seen).decode() + str(found)
    assert [secret for secret in SECRETS if secret in texts] == []
    return [problem.observed for problem in found]


def test_a_journey_arrives(shop: Server) -> None:
    """The second step has the cookie and the token of the first, and neither is kept."""
    assert problems(journey(shop, body="3 orders")) == []
    assert [path for _, path, _ in shop.requests[-2:]] == ["/login", "/orders"]


def test_a_step_that_fails_ends_the_journey(shop: Server) -> None:
    """The first wrong step is named, no later one is tried, and what was typed does not show."""
    before = len(shop.requests)
    (problem,) = problems(journey(shop, password="wr0ng-pass"))
    assert problem.startswith(f"step 1, POST {shop.url('/login')}: status 403")
    assert "wr0ng-pass" not in problem
    assert len(shop.requests) == before + 1


def test_a_token_of_a_wrong_answer_does_not_show(shop: Server) -> None:
    """An answer that is wrong holds the token all the same: what would be captured is masked."""
    login = journey(shop).steps[0]
    wrong = msgspec.structs.replace(login, expectations=(Expectation("contains", "welcome"),))
    (problem,) = problems(msgspec.structs.replace(journey(shop), steps=(wrong,)))
    assert 'does not contain "welcome"' in problem


def test_a_page_that_redirects_is_not_shown(shop: Server) -> None:
    """Whoever is not logged in is sent to the login: that is no success, unless the profile says so."""
    (problem,) = problems(journey(shop, get=shop.url("/redirect?/login"), status=None))
    assert problem.startswith(f"step 2, GET {shop.url('/redirect')}")
    assert "status 302, redirects to" in problem
    assert problems(journey(shop, get=shop.url("/redirect?/login"), status=302)) == []


def test_a_body_that_is_wrong(shop: Server) -> None:
    """A step's body is judged, with the captured values masked where the server repeats them."""
    (problem,) = problems(journey(shop, body="4 orders"))
    assert problem.startswith(f'step 2, GET {shop.url("/orders")}: body does not contain "4 orders"; begins "3 orders')


@pytest.mark.parametrize(
    ("capture", "fine"),
    [
        ('regex:"token": "([^"]+)"', True),
        ("json:user", False),
        ("header:X-Token", False),
        ("cookie:other", False),
        ("regex:x+", False),
    ],
)
def test_captures(shop: Server, capture: str, fine: bool) -> None:
    """Values come from JSON, headers, cookies and texts; one that is missing is the step's problem."""
    found = problems(journey(shop, capture=capture))
    assert found == [] if fine else "nothing to capture for token" in found[0]


@pytest.mark.parametrize("capture", ["xpath://token", "json", "json:", "token", "regex:(["])
def test_a_capture_that_cannot_be_understood(shop: Server, capture: str) -> None:
    """Where a value is to be found is checked with the profile, before anything is asked."""
    with pytest.raises(ValueError, match=r"such as json:token|not a regular expression"):
        journey(shop, capture=capture)


def test_a_server_that_refuses_in_the_middle(shop: Server) -> None:
    """A failure of the network says in which step it was."""
    port = free_port()
    (problem,) = problems(journey(shop, get=f"http://127.0.0.1:{port}/orders"))
    assert problem == f"step 2, GET http://127.0.0.1:{port}/orders: connection refused at 127.0.0.1:{port}"


def test_a_slow_journey(shop: Server) -> None:
    """The timeout is for all steps together."""
    (problem,) = problems(msgspec.structs.replace(journey(shop, get=shop.url("/slow/9")), timeout=2.0))
    assert problem.startswith(f"step 2, GET {shop.url('/slow/9')}: no complete answer from")


@pytest.mark.parametrize("token", ["a\nb", "a\r\nHost: x", "\u20ac", "\0"])
def test_what_an_answer_makes_unsendable_is_its_own_fault(shop: Server, token: str) -> None:
    """A captured value that no request can hold fails the step, and does not show."""
    (problem,) = problems(unsendable(shop, token))
    assert problem == f"step 2, GET {shop.url('/orders')}: cannot be sent with what was captured as token"


def unsendable(shop: Server, token: str) -> ProbeTarget:
    """A journey whose first answer gives that token: what a regex finds may be anything."""
    target = journey(shop)
    login, orders = target.steps
    return msgspec.structs.replace(
        target, steps=(login, msgspec.structs.replace(orders, headers={"X-Token": "{token}" + token}))
    )


def test_strangers_get_nothing_that_proves_who_we_are(shop: Server) -> None:
    """To a place that an answer named goes no header that is not known to be harmless, no body and no password."""
    step = ProbeStep(
        method="GET", url="https://ops:pw@{t}/", headers={"X-Api-Key": "k", "Accept": "a", "X-Token": "{t}"}, json="{}"
    )
    request = _request(journey(shop), step, {"t": "b.example.com"})
    assert request.headers == {"Accept": "a", "X-Token": "b.example.com"}
    assert (request.url, request.content, request.client_key) == ("https://b.example.com/", b"", "")
