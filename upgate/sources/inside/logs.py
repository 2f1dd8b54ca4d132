"""Whether the line that each pod writes arrives in the log store: the profile's query is asked until it does."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from upgate.base.errors import Inconclusive
from upgate.base.text import duration
from upgate.base.waiting import Deadline
from upgate.facts.inside import NodeAnswer
from upgate.profile.prometheus import Prometheus

if TYPE_CHECKING:
    from upgate.profile.probe import ProbeLogs

#: Seconds between two questions, and for one of them.
EVERY = 2.0


def marked_line(run: str, node: str) -> str:
    """The line that the pod on a node writes."""
    return f"upgate-probe {run} {node};"


def arrived_lines(logs: ProbeLogs, secrets: Sequence[str], run: str, nodes: Collection[str]) -> Iterator[NodeAnswer]:
    """For each node whether its line arrived in time. Raises Inconclusive where the log store cannot be asked."""
    found = found_in_store(logs, secrets, run, nodes)
    place = urlsplit(logs.url).hostname or "the log store"
    missing = f"its line did not arrive within {duration(logs.within)}"
    for node in nodes:
        seconds, problem = (0.0, "") if node in found else (None, missing)
        yield NodeAnswer(
            node, "logs", "a line in the log store", f"LogStore/{place}", strict=True, seconds=seconds, problem=problem
        )


def found_in_store(logs: ProbeLogs, secrets: Sequence[str], run: str, nodes: Collection[str]) -> set[str]:
    """The nodes whose lines arrived. Raises Inconclusive where the last question had no answer."""
    from upgate.sources.prometheus.asking import Client

    parts = urlsplit(logs.url)
    words = {name: value.replace("{mark}", f"upgate-probe {run}") for name, value in parse_qsl(parts.query, True)}
    client = Client(as_server(logs), secrets)
    found: set[str] = set()
    deadline = Deadline(logs.within.total_seconds())
    while True:
        failure = None
        try:
            text = client.ask("", words).decode(errors="replace")
            found |= {node for node in nodes if marked_line(run, node) in text}
        except Inconclusive as problem:
            failure = problem
        if len(found) == len(nodes) or not deadline.pause(EVERY):
            break
    if failure:
        raise failure
    return found


def as_server(logs: ProbeLogs) -> Prometheus:
    """The log store as what is asked with the same bounds and credentials as a Prometheus."""
    return Prometheus.model_construct(
        url=logs.url.partition("?")[0], bearer=logs.bearer, basic=logs.basic, headers=logs.headers, ca=logs.ca
    )
