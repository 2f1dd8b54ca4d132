"""The nodes that DaemonSets are meant for, whatever their status counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.base.text import counted
from upgate.facts.backends import grouped
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.meta import lately
from upgate.facts.nodes import Node

#: OpenShift's controller also asks for the nodes that its namespace, or the cluster, chooses for projects; its own have none.
#: https://docs.redhat.com/en/documentation/openshift_container_platform/ "Creating project-wide node selectors"
OPENSHIFT, ITS_OWN = "node.openshift.io/os_id", "openshift-"


class DaemonSetPlacement:
    """The nodes that a DaemonSet is meant for."""

    needs = ("nodes",)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._nodes: list[Node] = lists["nodes"]
        self._owned: dict[str, list[Node]] = {}
        staying = (each for each in self._nodes if each.ready.is_true and not each.metadata.deletion_timestamp)
        #: There are far fewer sets of taints than nodes.
        self._by_taints: dict[tuple[str, ...], list[Node]] = grouped(staying, spellings)

    def why_expected(self, daemonset: DaemonSet) -> str:
        """Why it should be on more nodes than its status wants. Empty where it wants as many as match.

        A status stays as it was when no controller writes it any more.
        """
        if not daemonset.desired:
            return "its node selector matches some" if any(map(daemonset.may_run_on, self._nodes)) else ""
        own = len(self._own(daemonset))
        return f"{counted(own, 'node')} match it" if own > daemonset.desired else ""

    def lacks_only_stopped(self, daemonset: DaemonSet) -> bool:
        """What it lacks is no more than it has nodes whose machines their cloud has stopped on purpose."""
        off = sum(each.switched_off and daemonset.fits(each) for each in self._nodes)
        return 0 < max(daemonset.missing, daemonset.outdated) <= off and not daemonset.own_fault

    def settles(self, daemonset: DaemonSet, moment: datetime, lag: timedelta) -> bool:
        """It, or each node that it lacks, was changed or became Ready a moment ago: its controller follows.

        One that wants no node yet may wait until the first one has joined, or has just lost the last.
        """
        meant = [] if daemonset.desired else [each for each in self._nodes if daemonset.may_run_on(each)]
        if meant and all(each.joining(moment) or each.going(moment) for each in meant):
            return True
        own = self._own(daemonset)
        new = sum(any(lately(at, moment, lag) for at in when_changed(each)) for each in own)
        return lately(daemonset.metadata.changed, moment, lag) or 0 < len(own) - daemonset.desired <= new

    @property
    def working(self) -> int:
        """How many nodes are Ready, and have no taint that is to pass."""
        return sum(is_working(each) for each in self._nodes)

    @property
    def names(self) -> set[str]:
        """The names of all nodes."""
        return {each.name for each in self._nodes}

    def _own(self, daemonset: DaemonSet) -> list[Node]:
        """The nodes that belong to it; those that are going or not Ready aside: other checks speak of them."""
        if daemonset.ref not in self._owned:
            alike = (
                nodes for nodes in self._by_taints.values() if not daemonset.kept_away_by(nodes[0].spec.taints or ())
            )
            fitting = (each for nodes in alike for each in nodes if daemonset.fits(each))
            self._owned[daemonset.ref] = [each for each in fitting if not may_be_left_out(each, daemonset)]
        return self._owned[daemonset.ref]


def spellings(node: Node) -> tuple[str, ...]:
    """Its taints, as kubectl takes them."""
    return tuple(each.spelling for each in node.spec.taints or ())


def when_changed(node: Node) -> tuple[datetime | None, ...]:
    """When it joined, was last written, and became Ready."""
    return node.metadata.creation_timestamp, node.metadata.changed, node.ready.last_transition_time


def is_working(node: Node) -> bool:
    """It is Ready, and nothing keeps pods away for a while."""
    return node.ready.is_true and not any(each.passing for each in node.spec.taints or ())


def may_be_left_out(node: Node, daemonset: DaemonSet) -> bool:
    """A rule that is not seen here may keep the DaemonSet of a project off the node."""
    return OPENSHIFT in node.labels and not daemonset.namespace.startswith(ITS_OWN)
