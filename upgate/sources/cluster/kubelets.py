"""Asks every kubelet through the API server's proxy of nodes whether it is healthy, several times.

https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/#control-plane-to-node
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from upgate.base.errors import Inconclusive
from upgate.base.text import counted
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.kubelets import KubeletAnswer, KubeletAnswers
from upgate.facts.nodes import Node
from upgate.sources.cluster.bounded import SMALL_BYTES
from upgate.sources.cluster.connection import PLAIN, Connection, status_message
from upgate.sources.cluster.listing import Listing

#: How often each is asked, nodes that are asked at most, requests at once, and seconds for all of it.
TIMES, MOST, WORKERS, SECONDS = 5, 2000, 16, 60.0
#: Seconds for one request: a tunnel that hangs is as broken as one that refuses.
ONE = 10.0


def ask_kubelets(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> KubeletAnswers:
    """What the kubelets of all Ready nodes answer. Raises Inconclusive."""
    if "nodes" not in listed:
        raise Inconclusive("kubelets were not asked: nodes could not be listed")
    nodes = [each for each in listed["nodes"].items if each.ready.is_true and not each.virtual]
    until = Deadline(min(SECONDS, deadline.remaining))
    answers = concurrently({node.name: partial(ask_kubelet, connection, node, until) for node in nodes[:MOST]}, WORKERS)
    refused = [str(each) for each in answers.values() if isinstance(each, Inconclusive)]
    left = [f"{counted(len(nodes) - MOST, 'more kubelet')} were not asked"] if len(nodes) > MOST else []
    given = tuple(each for each in answers.values() if not isinstance(each, Inconclusive))
    if refused and not given:
        raise Inconclusive(refused[0])
    return KubeletAnswers(given, (*refused[:MOST], *left))


def ask_kubelet(connection: Connection, node: Node, until: Deadline) -> KubeletAnswer:
    """What one of them answers. Raises Inconclusive where we may not ask, or time has run out."""
    problems = [problem for _ in range(TIMES) if (problem := asked_once(connection, node, until)) is not None]
    failed = [each for each in problems if each]
    return KubeletAnswer(node.name, TIMES, len(failed), failed[-1] if failed else "")


def asked_once(connection: Connection, node: Node, until: Deadline) -> str:
    """Why it did not answer. Empty where it did. Raises Inconclusive."""
    path = f"/api/v1/nodes/{quote(node.name, safe='')}/proxy/healthz"
    if until.passed:
        raise Inconclusive(f"the kubelet of {node.ref} was not asked: {until.seconds:g} s were over")
    try:
        answer = connection.get(path, None, PLAIN, Deadline(min(ONE, until.remaining)), SMALL_BYTES)
    except Inconclusive as problem:
        return str(problem)
    said = status_message(answer)
    if answer.status in (401, 403) and f'"{node.name}"' in said and "cannot get resource" in said:
        raise Inconclusive(f"cannot read {path}: not permitted; needs `get` on `nodes/proxy` ({said})")
    return "" if answer.status == 200 else f"status {answer.status}, {said}"
