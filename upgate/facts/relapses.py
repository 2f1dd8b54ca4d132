"""Restarts that one node, or one node image, has and others do not have: compared for each version of each workload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from upgate.base.text import counted
from upgate.facts.containers import STARTS
from upgate.facts.hanging import Version, workload_version
from upgate.facts.node_images import build_of
from upgate.facts.nodes import Node
from upgate.facts.pods import Pod

Lists = Mapping[str, list[Any]]
#: So many times as many of its pods must restart here as elsewhere.
SEVERAL = 3
#: So many workloads must do so: one alone has a fault of its own.
WORKLOADS = 2


@dataclass(frozen=True)
class RelapseRate:
    """How many of some pods restart again and again."""

    restart: int
    pods: int

    def exceeds(self, other: RelapseRate) -> bool:
        """At least half of them do, and several times the share of the others, of which there are some."""
        return other.pods > 0 and 2 * self.restart >= self.pods > 0 and self._beyond(other)

    def _beyond(self, other: RelapseRate) -> bool:
        return self.restart * other.pods >= SEVERAL * other.restart * self.pods and self.restart > 0

    def plus(self, other: RelapseRate) -> RelapseRate:
        """Both together."""
        return RelapseRate(self.restart + other.restart, self.pods + other.pods)

    def minus(self, other: RelapseRate) -> RelapseRate:
        """What is left without those."""
        return RelapseRate(self.restart - other.restart, self.pods - other.pods)

    def __str__(self) -> str:
        return f"{self.restart} of {counted(self.pods, 'pod')}"


class NodeRelapses:
    """Containers that restart again and again, by node and by node image."""

    needs = ("nodes", "pods")

    def __init__(self, lists: Lists) -> None:
        self._nodes: dict[str, Node] = {each.name: each for each in lists["nodes"] if each.ready.is_true}
        self._pods: list[Pod] = [each for each in lists["pods"] if each.spec.node_name in self._nodes]
        self._rates: dict[datetime, RelapseRates] = {}

    def fault(self, node: Node, since: datetime) -> str:
        """What restarts on this node, or on its image, and does not elsewhere. Empty where nothing does."""
        rates = self._known(since)
        if not any(rate.restart for rate in rates.here.get(node.name, {}).values()):
            return ""
        return rates.said(build_of(node), "nodes of its image") or rates.said(node.name, "this node")

    def _known(self, since: datetime) -> RelapseRates:
        if since not in self._rates:
            self._rates[since] = self._compared(since)
        return self._rates[since]

    def _compared(self, since: datetime) -> RelapseRates:
        """Of each version of which some pod restarts again and again: how many do, by node and by node image."""
        often = {id(pod) for pod in self._pods if relapses(pod, since)}
        versions = {workload_version(pod) for pod in self._pods if often and id(pod) in often}
        rates = RelapseRates()
        for pod in self._pods if versions else ():
            if pod.active and (version := workload_version(pod)) in versions:
                name = pod.spec.node_name
                rates.count(version, RelapseRate(int(id(pod) in often), 1), name, build_of(self._nodes[name]))
        return rates


class RelapseRates:
    """How many pods of each version restart again and again: on each node, on each node image, and in all."""

    def __init__(self) -> None:
        self.here: defaultdict[Hashable, dict[Version, RelapseRate]] = defaultdict(dict)
        self._all: dict[Version, RelapseRate] = {}

    def count(self, version: Version, rate: RelapseRate, *places: Hashable) -> None:
        """Count a pod where it is."""
        for rates in (self._all, *(self.here[place] for place in places)):
            rates[version] = rates.get(version, RelapseRate(0, 0)).plus(rate)

    def said(self, place: Hashable, here: str) -> str:
        """Which workloads restart much more here than elsewhere; empty where fewer than two do."""
        pairs = [(rate, self._all[version].minus(rate)) for version, rate in self.here[place].items()]
        pairs = [(own, others) for own, others in pairs if own.exceeds(others)]
        if len(pairs) < WORKLOADS:
            return ""
        own, others = (sum_of(each) for each in zip(*pairs, strict=True))
        return f"{own} of {len(pairs)} workloads restart again and again on {here}, {others} on others"


def sum_of(rates: Iterable[RelapseRate]) -> RelapseRate:
    """All of them together."""
    whole = RelapseRate(0, 0)
    for each in rates:
        whole = whole.plus(each)
    return whole


def relapses(pod: Pod, since: datetime) -> bool:
    """A container of it has restarted more often than a start may need, the last time since then. Jobs retry."""
    often = any(each.restart_count > STARTS and each.restarted_since(since) for each in pod.statuses)
    return often and pod.active and not pod.of_job
