"""Workloads, Services, Ingresses and what belongs to them: that they are there, how many replicas, which images."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from upgate.facts.backends import WORKLOADS
from upgate.facts.meta import KubernetesObject
from upgate.facts.recorded.states import Lists
from upgate.facts.workloads import ReplicaSet, Workload

#: What is there or is not.
PRESENT = (
    *("namespaces", "cronjobs", "services", "ingresses", "networkpolicies"),
    *("horizontalpodautoscalers", "poddisruptionbudgets"),
)
#: The same of kinds that a cluster may lack.
ROUTES = ("gateways", "httproutes")


class WorkloadState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A workload; of other objects only that they are there."""

    wanted: int | None = None
    ready: int = 0
    #: An autoscaler changes the number.
    scaled: bool = False
    #: Container → image, init containers too.
    images: dict[str, str] = {}


class WorkloadStates:
    """All that may be gone."""

    needs = (*PRESENT, *WORKLOADS)
    helped_by = ROUTES

    def __init__(self, lists: Lists) -> None:
        scaled = {each.target for each in lists["horizontalpodautoscalers"]}
        there = (each for noun in (*PRESENT, *ROUTES) for each in lists.get(noun, ()))
        self.states: dict[str, WorkloadState] = {each.ref: WorkloadState() for each in there if not_deleted(each)}
        self.states |= {
            each.ref: workload_state(each, each.ref in scaled) for each in own_workloads(lists) if not_deleted(each)
        }


def not_deleted(item: KubernetesObject) -> bool:
    """It is not being deleted."""
    return item.metadata.deletion_timestamp is None


def own_workloads(lists: Lists) -> Iterator[Workload]:
    """The workloads, without the ReplicaSets that something else controls: their names are generated."""
    for each in (each for noun in WORKLOADS for each in lists[noun]):
        if not (isinstance(each, ReplicaSet) and each.metadata.controller):
            yield each


def workload_state(workload: Workload, scaled: bool) -> WorkloadState:
    """What is kept of a workload."""
    template = workload.spec.template.spec
    containers = [*(template.init_containers or ()), *(template.containers or ())]
    images = {each.name: each.image for each in containers}
    return WorkloadState(wanted=workload.desired, ready=workload.claimed, scaled=scaled, images=images)
