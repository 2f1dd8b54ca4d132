"""Pods that no node takes: which nodes that is due to, in the words of the scheduler."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from upgate.facts.nodes import Node
from upgate.facts.pods import Pod
from upgate.facts.taints import Taint

#: What a scheduler says of nodes: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …`
AVAILABLE = " nodes are available: "
#: So much of it is read; a scheduler's is shorter.
LONGEST_MESSAGE = 2000
#: A taint that the pod does not tolerate, and its key.
UNTOLERATED = re.compile(r"untolerated taint\(?s?\)? \{([^:}]{1,320})")
CORDONED = "node(s) were unschedulable"
#: Reasons that stay as they are: the pod is not meant for these nodes, or for no second of its kind there.
NOT_MEANT = (
    *("didn't match Pod's node affinity/selector", "didn't match node selector", "had volume node affinity conflict"),
    *("didn't match pod anti-affinity rules", "didn't match pod topology spread constraints"),
)


class PlacementComplaint(NamedTuple):
    """What a scheduler says of some nodes."""

    text: str

    @property
    def taint(self) -> Taint | None:
        """The taint that keeps the pod away from them."""
        match = UNTOLERATED.search(self.text)
        return Taint(match[1], "NoSchedule") if match else None

    @property
    def stays(self) -> bool:
        """The pod is not meant for these nodes: neither a cordon nor anything else that passes keeps it away."""
        taint = self.taint
        return any(each in self.text for each in NOT_MEANT) or (taint is not None and not taint.passing)

    @property
    def of_nodes(self) -> Callable[[Node], bool] | None:
        """Which nodes it is about, where they take no pods for a while; None where it says something else."""
        if CORDONED in self.text:
            return lambda node: node.spec.unschedulable
        taint = self.taint
        if taint is None or not taint.passing:
            return None
        return lambda node: any(each.key == taint.key and each.blocks for each in node.spec.taints or ())


def add_unplaced(depends: dict[str, list[str]], lists: Mapping[str, list[Any]]) -> None:
    """A pod without a node depends on the nodes that take no pods, if nothing else keeps it from starting."""
    for pod in lists["pods"]:
        if not pod.spec.node_name and pod.scheduled and not pod.scheduled.is_true:
            depends[pod.ref] += [each.ref for each in closed_nodes(pod, lists["nodes"])]


def closed_nodes(pod: Pod, nodes: Iterable[Node]) -> list[Node]:
    """The nodes that the pod waits for: cordoned or tainted for a while. None where it lacks something else, such as CPU."""
    said = complaints(pod.scheduled.message if pod.scheduled else "")
    rules = [each.of_nodes for each in said if not each.stays]
    known = [rule for rule in rules if rule]
    return [node for node in nodes if any(rule(node) for rule in known)] if len(known) == len(rules) else []


def complaints(message: str) -> list[PlacementComplaint]:
    """What a scheduler says of all nodes, in its groups."""
    reasons = message[:LONGEST_MESSAGE].partition(AVAILABLE)[2].partition(". ")[0].rstrip(".")
    return [PlacementComplaint(each) for each in reasons.split(", ")] if reasons else []
