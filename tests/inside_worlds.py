"""Tiny builders of what nodes answer from inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from upgate.facts.inside import NodeAnswer, Probed, ProbedNode

THREE = ("node1", "node2", "node3")
TIMEOUT = "no answer in time"
#: What all nodes ask: subject, words, what it is about.
SHARED = (
    ("dns", "the name kubernetes.default.svc", "Service/kube-system/kube-dns"),
    ("service", "the Service of the probe", "Service/upgate-probe/upgate-probe"),
    ("api", "kubernetes.default", "Service/default/kubernetes"),
    ("metadata", "169.254.169.254", "http://169.254.169.254"),
    ("logs", "a line in the log store", "LogStore/loki.test"),
)


def asked(node: str, subject: str, what: str, problem: str = "", seconds: float = 0.01, **more: Any) -> NodeAnswer:
    """One question, answered within 10 ms unless there is a problem."""
    return NodeAnswer(node, subject, what, problem=problem, seconds=None if problem else seconds, **more)


def shared(nodes: Iterable[str], broken: Mapping[str, Iterable[str]] = {}) -> list[NodeAnswer]:
    """What all nodes ask; `broken`: the nodes that have no answer, by subject."""
    return [
        asked(node, subject, what, TIMEOUT if node in broken.get(subject, ()) else "", about=about, strict=True)
        for (subject, what, about), node in product(SHARED, nodes)
    ]


def mesh_of(nodes: Iterable[str], cut: Iterable[str] = (), oneway: Iterable[tuple[str, str]] = ()) -> list[NodeAnswer]:
    """Every node asks the pod of every other one; those that are cut neither reach nor are reached."""
    nodes, cut, oneway = list(nodes), set(cut), set(oneway)
    return [
        asked(
            a,
            "peers",
            f"the probe's pod on {b}",
            TIMEOUT if {a, b} & cut or (a, b) in oneway else "",
            on=b,
            strict=True,
        )
        for a, b in product(nodes, nodes)
        if a != b
    ]


def probed(
    nodes: Iterable[str] = THREE,
    broken: Mapping[str, Iterable[str]] = {},
    *more: NodeAnswer,
    cut: Iterable[str] = (),
    **rest: Any,
) -> Probed:
    """One pass over these nodes."""
    nodes = list(nodes)
    started = tuple(ProbedNode(name, 1.0) for name in nodes)
    return Probed(nodes=started, asked=(*shared(nodes, broken), *mesh_of(nodes, cut), *more), **rest)


#: A bad pass for each check.
BAD_INSIDE = {f"probe.{subject}": probed(THREE, {subject: ["node2"]}) for subject, *_ in SHARED} | {
    "probe.peers": probed(cut=["node2"]),
    "probe.starts": Probed(
        nodes=(ProbedNode("node1", 1.0), ProbedNode("node2", problem="ContainerCreating: no network"))
    ),
}
