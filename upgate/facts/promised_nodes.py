"""Nodes that somebody has asked for: whether they have come, and are Ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from upgate.base.harmless import Typed, shell_word
from upgate.base.text import duration
from upgate.facts.autoscaler_status import NodeGroupStatus, groups_in
from upgate.facts.joining import Machine, NodeClaim
from upgate.facts.meta import Condition, condition
from upgate.facts.nodes import Node

Lists = Mapping[str, list[Any]]
#: So long a node may take from the moment when it was asked for until it is Ready: --max-node-provision-time.
PROVISION = timedelta(minutes=15)
#: What a Machine says of its node, in the words of v1beta2 and of v1beta1; and of what comes before it.
OF_NODE = ("NodeReady", "NodeHealthy")
BEFORE_NODE = ("InfrastructureReady", "BootstrapConfigReady", "BootstrapReady", "Ready")
#: The steps of a NodeClaim: https://karpenter.sh/docs/concepts/nodeclaims/
STEPS = ("Launched", "Registered", "Initialized")


@dataclass(frozen=True)
class PromisedNode:
    """A Machine, a NodeClaim, or a node group of the cluster-autoscaler."""

    ref: str
    look: str
    #: What is missing, at a moment. Empty where nothing is, or may still come.
    lacks: Callable[[datetime], str]
    #: What is not as it should be, but holds no node back that was asked for.
    doubt: str = ""

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"look": Typed(self.look)}

    def late(self, moment: datetime) -> str:
        """What did not come in time. Empty where all is well."""
        return self.lacks(moment) or self.doubt


class PromisedNodes:
    """All nodes that were asked for. What is being deleted promises nothing more."""

    needs = ("nodes", "machines", "nodeclaims", "autoscaler_statuses")

    def __init__(self, lists: Lists) -> None:
        self._nodes: dict[str, Node] = {each.name: each for each in lists["nodes"]}
        self._lists = lists
        #: The clusters whose Machines are here and whose nodes are, too: a management cluster has those of others.
        self._own = {each.spec.cluster_name for each in lists["machines"] if each.node in self._nodes}

    def all(self, moment: datetime) -> list[PromisedNode]:
        """Each Machine, NodeClaim and node group."""
        return [*self._machines(), *self._claims(), *self._groups(moment)]

    def _machines(self) -> Iterator[PromisedNode]:
        for each in self._lists["machines"]:
            if not each.metadata.deletion_timestamp:
                place, name = shell_word(each.namespace), shell_word(each.name)
                look = f"kubectl -n {place} describe machines.cluster.x-k8s.io {name}"
                yield PromisedNode(each.ref, look, partial(self._machine_lacks, each))

    def _claims(self) -> Iterator[PromisedNode]:
        for each in self._lists["nodeclaims"]:
            if not each.metadata.deletion_timestamp:
                look = f"kubectl describe nodeclaims.karpenter.sh {shell_word(each.name)}"
                yield PromisedNode(each.ref, look, partial(self._claim_lacks, each))

    def _groups(self, moment: datetime) -> Iterator[PromisedNode]:
        for each in self._lists["autoscaler_statuses"]:
            place, name = shell_word(each.namespace), shell_word(each.name)
            look = f"kubectl -n {place} get configmap {name} -o yaml"
            for group in groups_in((each.data or {}).get("status", ""), moment):
                yield PromisedNode(f"NodeGroup/{group.name}", look, partial(group_lacks, group), group.backs_off)

    def _machine_lacks(self, machine: Machine, moment: datetime) -> str:
        conditions = machine.status.conditions or ()
        if machine.status.phase == "Failed":
            return "phase Failed" + behind(unmet(conditions, (*BEFORE_NODE, *OF_NODE)))
        if not machine.node:
            return no_node(machine, moment, unmet(conditions, BEFORE_NODE))
        if machine.node in self._nodes or machine.spec.cluster_name in self._own:
            return self._node_lacks(machine, machine.node, moment)
        bad = next((each for each in conditions if each.type in OF_NODE and not each.is_true), None)
        return f"node {machine.node}: {bad}" if bad and is_old(bad.last_transition_time, moment) else ""

    def _claim_lacks(self, claim: NodeClaim, moment: datetime) -> str:
        bad = unmet(claim.status.conditions or (), STEPS)
        if not claim.node or bad:
            return no_node(claim, moment, bad)
        return self._node_lacks(claim, claim.node, moment)

    def _node_lacks(self, asked: Machine | NodeClaim, name: str, moment: datetime) -> str:
        """Its node is gone, or has not been Ready for too long."""
        node = self._nodes.get(name)
        if asked.age(moment) <= PROVISION:
            return ""
        if node is None:
            return f"its node {name} does not exist"
        late = not node.ready.is_true and is_old(node.ready.last_transition_time, moment)
        return f"its node {name} has {node.ready}" if late else ""


def no_node(asked: Machine | NodeClaim, moment: datetime, why: Condition | None) -> str:
    """It has had no node for too long, and how far it has come."""
    age = asked.age(moment)
    return f"no node that works after {duration(age)}{behind(why)}" if age > PROVISION else ""


def behind(why: Condition | None) -> str:
    """A condition behind other words."""
    return f": {why}" if why else ""


def unmet(conditions: Any, types: tuple[str, ...]) -> Condition | None:
    """The first of these conditions that is there and not True."""
    given = {each.type for each in conditions}
    return next((bad for type in types if type in given and not (bad := condition(conditions, type)).is_true), None)


def is_old(since: datetime | None, moment: datetime) -> bool:
    """It has been so for longer than a node may take; or since when is not known."""
    return since is None or moment - since > PROVISION


def group_lacks(group: NodeGroupStatus, moment: datetime) -> str:
    """The nodes of a group that did not come in time."""
    return group.missing(moment, PROVISION)
