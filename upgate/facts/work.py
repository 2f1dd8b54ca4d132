"""What pods tell of their nodes: the same workload starts on one node, and on another it does not.

A pod that does not start is its own fault as long as nothing of its kind runs elsewhere. It is its node's, where the very same
version of its workload runs on other nodes, and more than one thing fails here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from upgate.base.text import counted, duration
from upgate.facts.backends import grouped
from upgate.facts.containers import STARTS
from upgate.facts.events import Event
from upgate.facts.hanging import (
    Stuck,
    Version,
    given,
    kind_of,
    lacks_its_own,
    waiting_reasons,
    waits_for,
    workload_version,
)
from upgate.facts.node_images import build_of
from upgate.facts.nodes import Node
from upgate.facts.pods import Pod

Lists = Mapping[str, list[Any]]


class NodeWork:
    """What does not start on Ready nodes, and what of it runs on others."""

    needs = ("nodes", "pods", "warnings")

    def __init__(self, lists: Lists) -> None:
        self._nodes = {each.name: each for each in lists["nodes"] if each.ready.is_true}
        self._pods: list[Pod] = [each for each in lists["pods"] if each.spec.node_name in self._nodes]
        self._warnings: list[Event] = lists["warnings"]
        self._faults: dict[tuple[datetime, timedelta, timedelta], dict[str, list[Stuck]]] = {}

    def fault(self, node: Node, moment: datetime, pending: timedelta, terminating: timedelta) -> str:
        """Why pods do not start on this node alone, or on its image alone. Empty where it works."""
        faults = self.faults(moment, pending, terminating)
        return self._said(node, faults, pending) if node.name in faults else ""

    def faults(self, moment: datetime, pending: timedelta, terminating: timedelta) -> dict[str, list[Stuck]]:
        """The nodes to blame, each with the pods that say so; none where that goes for most nodes, whatever their image."""
        key = (moment, pending, terminating)
        if key not in self._faults:
            stuck = grouped(self._stuck(*key), lambda each: each.pod.spec.node_name)
            blamed = {name: those for name, those in stuck.items() if self._blamed(name, those, stuck)}
            self._faults[key] = blamed if self._is_odd(blamed) else {}
        return self._faults[key]

    def suffers(self, pod: Pod) -> bool:
        """If its node does not work, that explains this pod: it does not even start, or the same runs elsewhere."""
        if pod.terminating:
            return not pod.metadata.finalizers
        elsewhere = self._homes.get(workload_version(pod), set()) - {pod.spec.node_name}
        fails = not pod.ready.is_true or any(each.restart_count > STARTS for each in pod.statuses)
        unstarted = waits_for(pod) == "creating" and not lacks_its_own(self._said_of(pod))
        return unstarted or (fails and bool(elsewhere))

    @cached_property
    def _homes(self) -> dict[Version, set[str]]:
        """The nodes on which pods of each version that does not run somewhere do run."""
        failing = {workload_version(pod) for pod in self._pods if not pod.ready.is_true or pod.terminating}
        homes: dict[Version, set[str]] = {}
        for pod in self._pods:
            if failing and pod.active and pod.ready.is_true and (version := workload_version(pod)) in failing:
                homes.setdefault(version, set()).add(pod.spec.node_name)
        return homes

    @cached_property
    def _events(self) -> dict[tuple[str, str], list[Event]]:
        """The warning events about pods, by namespace and name."""
        of_pods = (each for each in self._warnings if each.involved_object.kind == "Pod")
        return grouped(of_pods, lambda event: event.about[1:])

    def _said_of(self, pod: Pod) -> list[Event]:
        """Those about this very pod: an earlier one of the same name had another UID."""
        alike = self._events.get(pod.key, ())
        return [each for each in alike if each.involved_object.uid in ("", pod.metadata.uid)]

    def _stuck(self, moment: datetime, pending: timedelta, terminating: timedelta) -> Iterable[Stuck]:
        for pod in self._pods:
            if pod.terminating or not (pod.ready.is_true or pod.done):
                kind = kind_of(pod, moment, pending, terminating)
                if kind:
                    yield self._told(pod, kind)

    def _told(self, pod: Pod, kind: str) -> Stuck:
        version = workload_version(pod)
        homes = self._homes.get(version, set()) - {pod.spec.node_name}
        return Stuck(pod, version, kind, self._said_of(pod), frozenset(homes))

    def _blamed(self, name: str, stuck: list[Stuck], all: Mapping[str, list[Stuck]]) -> bool:
        """What is stuck here says that the node is to blame, and nothing says that it works."""
        said = [each for each in stuck if each.likely and not self._is_excused(each)]
        alone = [each for each in said if not self._is_stuck_elsewhere(each, name, all)]
        if any(each.certain for each in alone):
            return True
        # An image that cannot be pulled on several nodes is missing in its registry.
        several = [each for each in said if each.kind != "pulling" or each in alone]
        alike = [each for each in alone if each.kind == "creating" and each.homes and not each.of_volume]
        return len({each.version for each in several}) > 1 or len(alike) > 1

    def _is_excused(self, stuck: Stuck) -> bool:
        """It has not begun, and what came later has: the node is not to blame."""
        return stuck.kind == "creating" and not stuck.certain and self._has_started(stuck)

    def _has_started(self, stuck: Stuck) -> bool:
        """A pod that came later is ready here, in the network of pods."""
        since = given(stuck.pod)
        later = (each for each in self._by_node.get(stuck.pod.spec.node_name, ()) if each.ready.is_true)
        made = (each.metadata.creation_timestamp for each in later if not each.spec.host_network)
        return since is not None and any(each > since for each in made if each)

    @cached_property
    def _by_node(self) -> dict[str, list[Pod]]:
        return grouped(self._pods, lambda pod: pod.spec.node_name)

    def _is_stuck_elsewhere(self, stuck: Stuck, name: str, all: Mapping[str, list[Stuck]]) -> bool:
        """The same is stuck on a node of another image, or on one of the same image that has it running elsewhere."""
        others = {other for other, those in all.items() if any(each.version == stuck.version for each in those)} - {
            name
        }
        build = build_of(self._nodes[name])
        return any(build_of(self._nodes[each]) != build for each in others) or (
            bool(others) and any(build_of(self._nodes[each]) == build for each in stuck.homes)
        )

    def _is_odd(self, blamed: Mapping[str, list[Stuck]]) -> bool:
        """Others work: no more than half of the nodes are to blame, or all of those that have one image; and pods run there."""
        others = self._nodes.keys() - blamed.keys()
        works = any(
            each.ready.is_true and not each.spec.host_network for name in others for each in self._by_node.get(name, ())
        )
        return works and (2 * len(blamed) <= len(self._nodes) or self._is_image(blamed))

    def _is_image(self, blamed: Iterable[str]) -> bool:
        """They have one image, and no other node has it."""
        builds = {build_of(self._nodes[each]) for each in blamed}
        others = {build_of(node) for name, node in self._nodes.items() if name not in set(blamed)}
        return len(builds) == 1 and builds.isdisjoint(others)

    def _said(self, node: Node, faults: Mapping[str, list[Stuck]], pending: timedelta) -> str:
        stuck = faults[node.name]
        versions, run = {each.version for each in stuck}, {each.version for each in stuck if each.homes}
        why = sorted({reason for each in stuck for reason in (*each.reasons, *waiting_reasons(each.pod))})
        elsewhere = f", of which {len(run)} run on other nodes" if run else ""
        image = (
            f"; so do all {len(faults)} nodes of its image, and no others"
            if len(faults) > 1 and self._is_image(faults)
            else ""
        )
        return (
            f"{counted(len(stuck), 'pod')} of {counted(len(versions), 'workload')}{elsewhere}, "
            f"hang here for more than {duration(pending)}: {', '.join(why) or 'no reason given'}{image}"
        )
