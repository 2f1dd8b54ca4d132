"""What answers at the addresses that Ingresses and load balancers publish."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from upgate.facts.attempts import Attempt
from upgate.facts.recorded.answers import AnswerState, answer_state

#: The names of the entries by which all that is published is asked.
HTTP, HTTPS, PORTS = "published-http", "published-https", "published-port"
#: The end of such an attempt's id: the object, the address and what else tells it from others.
LOCATION = re.compile(r"\[([^/\s]{1,253})/([^\s]{1,253}) (\S{1,253})")


class FrontState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An Ingress or a load balancer."""

    #: URL or address and port, with the address that was asked → the answer; what gave none is kept as a failure.
    answers: dict[str, AnswerState] = {}
    failures: dict[str, str] = {}


def front_states(attempts: Iterable[Attempt]) -> dict[str, FrontState]:
    """What answered, by the object that publishes it."""
    states: dict[str, FrontState] = {}
    for each in attempts:
        if found := LOCATION.search(each.id):
            kind = "Service" if each.id.partition("[")[0].endswith(PORTS) else "Ingress"
            state = states.setdefault(f"{kind}/{found[1]}/{found[2]}", FrontState())
            place = each.target if kind == "Service" else f"{each.target} at {found[3]}"
            if each.failure is None:
                state.answers[place] = answer_state(each)
            elif not each.failure.is_ours:
                state.failures[place] = each.failure.kind
    return states
