"""What names resolve to, at a real name server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.name_servers import NameServer, resolving
from tests.servers import free_port
from upgate.base.errors import Inconclusive
from upgate.sources.probes import Attempt, Expectation, ProbeTarget, attempt, judge_attempt
from upgate.sources.probes.hints import hint_words

ZONE = {
    ("shop.example.com", "A"): ["192.0.2.7", "192.0.2.8"],
    ("shop.example.com", "AAAA"): ["2001:db8::7"],
    ("www.example.com", "CNAME"): ["shop.example.com."],
    ("example.com", "TXT"): ['"v=1 " "-all."'],
}


def asked(
    names: NameServer | None, name: str = "shop.example.com", *wanted: str, **options: Any
) -> tuple[ProbeTarget, Attempt]:
    expectations = (Expectation("resolves", ", ".join(sorted(wanted))),) if wanted else ()
    given = {"resolver": f"127.0.0.1:{names.port}", "timeout": 3.0} if names else {}
    target = ProbeTarget(id="external.dns.x", url=f"dns://{name}", expectations=expectations, **{**given, **options})
    return target, attempt(target)


def problem(*arguments: Any, **options: Any) -> str:
    return "; ".join(each.observed for each in judge_attempt(*asked(*arguments, **options)))


@pytest.mark.parametrize(
    ("name", "record", "records"),
    [
        ("shop.example.com", "", ["192.0.2.7", "192.0.2.8"]),
        ("shop.example.com", "A", ["192.0.2.8", "192.0.2.7"]),
        ("shop.example.com", "AAAA", ["2001:db8::7"]),
        ("www.example.com", "A", ["192.0.2.7", "192.0.2.8"]),
        ("www.example.com", "CNAME", ["shop.example.com"]),
        ("example.com", "TXT", ["v=1 -all"]),
    ],
)
def test_records(name: str, record: str, records: list[str]) -> None:
    """A name has exactly the expected records of the wanted type, behind aliases too, in whatever order they come."""
    with resolving(ZONE) as names:
        assert problem(names, name, *records, record=record) == ""
        assert names.asked == [f"{name} {record or 'A'} UDP"]


def test_other_records() -> None:
    """Another address is a problem that shows all that there are."""
    with resolving(ZONE) as names:
        assert problem(names, "shop.example.com", "192.0.2.7") == "resolves to 192.0.2.7, 192.0.2.8"


def test_a_name_that_does_not_exist() -> None:
    """The name server that says so is named."""
    with resolving(ZONE) as names:
        said = f"shpo.example.com does not resolve: 127.0.0.1:{names.port} answered NXDOMAIN"
        assert problem(names, "shpo.example.com") == said


def test_a_name_without_such_a_record() -> None:
    """A name that has records of other types only is told from one that does not exist."""
    with resolving(ZONE) as names:
        assert problem(names, "example.com") == f"example.com has no A record, says 127.0.0.1:{names.port}"


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_a_name_server_in_trouble(rcode: str) -> None:
    """What the name server answers instead is shown."""
    with resolving(ZONE, rcode=rcode) as names:
        assert problem(names).endswith(f"answered {rcode}")


def test_a_long_answer_comes_over_tcp() -> None:
    """An answer that is too long for a datagram is asked for again over TCP."""
    with resolving(ZONE, short=True) as names:
        assert problem(names, "shop.example.com", "192.0.2.7", "192.0.2.8") == ""
        assert names.asked == ["shop.example.com A UDP", "shop.example.com A TCP"]


def test_a_name_server_that_is_silent() -> None:
    """A name server that the profile names and that does not answer is a finding, after the timeout."""
    with resolving(ZONE, silent=True) as names:
        target, seen = asked(names, timeout=0.3)
    [found] = judge_attempt(target, seen)
    assert found.observed == f"no complete answer from 127.0.0.1:{names.port} within 300ms (no answer to the DNS query)"
    assert seen.elapsed.total < 2


def test_nobody_there() -> None:
    """Where no name server listens there is no answer: UDP knows no connection that could be refused."""
    with resolving(ZONE) as names:
        pass
    assert problem(names, timeout=0.3).startswith(f"no complete answer from 127.0.0.1:{names.port}")


def test_ipv6_name_server() -> None:
    """A name server is asked at its IPv6 address."""
    with resolving(ZONE, host="::1") as names:
        target = ProbeTarget(id="x", url="dns://shop.example.com", resolver=f"[::1]:{names.port}", timeout=3.0)
        assert judge_attempt(target, attempt(target)) == []


def test_garbage() -> None:
    """A name server that talks nonsense has not answered."""
    with resolving(ZONE, garbled=True) as names:
        assert problem(names).startswith(f"127.0.0.1:{names.port} answered something that is not valid DNS")


def test_a_name_server_without_an_address() -> None:
    """A name server that we cannot even find says nothing about the name."""
    with pytest.raises(Inconclusive, match=r"the name server dns\.invalid does not resolve"):
        problem(None, resolver="dns.invalid")


def test_what_dig_would_be_asked() -> None:
    """The hint is the same question for dig."""
    target = ProbeTarget(id="x", url="dns://shop.example.com", resolver=f"10.0.0.10:{free_port()}", record="AAAA")
    port = target.resolver.rpartition(":")[2]
    assert hint_words(target, attempt_nothing(target))["question"] == f"@10.0.0.10 -p {port} shop.example.com AAAA"


def attempt_nothing(target: ProbeTarget) -> Attempt:
    """An attempt of which nothing is known."""
    return asked(None, timeout=0.01)[1]
