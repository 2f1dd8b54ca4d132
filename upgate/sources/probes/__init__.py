"""One attempt from outside: what a user, a load balancer or a monitor would see at an address.

Looking and judging are separated. Only what looks needs httpx, and is imported when there is something to look at.

targets     the profile's entries and the snapshot → targets; and what was seen of each
places      what `each:` stands for: nodes, Ingresses, load balancers
asking      one entry at one location → a target
target      what to send, and what to expect: data
running     all targets at once, bounded, paced, retried visibly          (looks)
look        one target, under one clock; classifies what went wrong       (looks)
http        one HTTP answer, redirects included; journeys: several        (looks)
ports       a port, its certificate, its versions of TLS                  (looks)
resolving   a name: for this machine's programs; name_servers: at a DNS server (looks)
watch       when each phase began, which address, which certificate       (looks)
reach       which addresses a probe may connect to, and which never
searching   the profile's regular expressions in a body, bounded in time
bodies      a bounded part of an answer's body; cookies: they stay at their origin
attempt     what was seen: data; goes into the snapshot
judging     target + attempt → problems in words; pure
explaining  whose address it is, and how they are, by the snapshot; pure
hints       how to ask the same by hand; pure
"""

from __future__ import annotations

from collections.abc import Iterable

from upgate.facts.attempts import Attempt, Certificate, Failure
from upgate.sources.probes.judging import Mismatch, judge_attempt
from upgate.sources.probes.target import Expectation, ProbeTarget

__all__ = [
    "Attempt",
    "Certificate",
    "Expectation",
    "Failure",
    "Mismatch",
    "ProbeTarget",
    "attempt",
    "attempt_all",
    "judge_attempt",
]


def attempt_all(targets: Iterable[ProbeTarget], *, vantage: str = "", limit: int = 1024) -> list[Attempt]:
    """Look at all targets at once, at most `limit` at a time; the attempts come in the targets' order.

    Errors of the network or of a server are not raised: they are in the attempts.
    """
    from upgate.sources.probes.running import run_attempts

    return run_attempts(list(targets), vantage, limit)


def attempt(target: ProbeTarget, *, vantage: str = "") -> Attempt:
    """Look at one target."""
    return attempt_all([target], vantage=vantage)[0]
