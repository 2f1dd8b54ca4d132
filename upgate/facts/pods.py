"""Pods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from upgate.facts.containers import Container, ContainerStatus
from upgate.facts.meta import Condition, Fact, KubernetesObject, condition
from upgate.facts.words import duration


class SchedulingGate(Fact):
    """https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/"""

    name: str


class PodSpec(Fact):
    """`spec` of a pod."""

    node_name: str = ""
    restart_policy: str = "Always"
    scheduler_name: str = ""
    host_network: bool = False
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    scheduling_gates: list[SchedulingGate] | None = None


class PodIP(Fact):
    """One of `status.podIPs`."""

    ip: str = ""


class PodStatus(Fact):
    """`status` of a pod."""

    phase: str = "Unknown"
    reason: str = ""
    message: str = ""
    pod_ips: list[PodIP] | None = msgspec.field(default=None, name="podIPs")
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(KubernetesObject):
    """A pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {**super().words, "node": self.spec.node_name or "(none)"}

    @property
    def done(self) -> bool:
        """It has ended for good, well or badly."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def leaving(self) -> bool:
        """It is being deleted."""
        return self.metadata.deletion_timestamp is not None

    @property
    def alive(self) -> bool:
        """It is there to stay: neither ended nor being deleted."""
        return not self.done and not self.leaving

    @property
    def of_job(self) -> bool:
        """It belongs to a Job, whose controller answers for its failures and retries."""
        owner = self.metadata.controller
        return owner is not None and owner.kind == "Job"

    @property
    def bare(self) -> bool:
        """No controller makes it anew. Mirror pods are controlled by their node.

        The rule of kubectl drain: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_drain/
        """
        return self.metadata.controller is None

    @property
    def ready(self) -> Condition:
        """The Ready condition."""
        return condition(self.status.conditions, "Ready")

    @property
    def scheduled(self) -> Condition | None:
        """The PodScheduled condition; None as long as no scheduler has said anything."""
        return next((each for each in self.status.conditions or () if each.type == "PodScheduled"), None)

    @property
    def addresses(self) -> set[str]:
        """All its IP addresses."""
        return {each.ip for each in self.status.pod_ips or ()}

    @property
    def containers(self) -> list[Container]:
        """Init containers, sidecars and containers, but not the ephemeral ones, which are people's tools."""
        return [*(self.spec.init_containers or ()), *(self.spec.containers or ())]

    @property
    def statuses(self) -> Iterator[ContainerStatus]:
        """The statuses of `containers`."""
        yield from self.status.init_container_statuses or ()
        yield from self.status.container_statuses or ()

    def crash(self, moment: datetime) -> str:
        """What is wrong with the containers of a pod that should run: they wait for a bad reason or crash. Else empty."""
        always = self.spec.restart_policy == "Always"
        return "; ".join(filter(None, (each.trouble(moment, self._restarts(each, always)) for each in self.statuses)))

    def why_pending(self) -> str:
        """What a pending pod waits for, in the words of the scheduler or the kubelet."""
        if self.spec.scheduling_gates:
            return f"held by scheduling gates {', '.join(gate.name for gate in self.spec.scheduling_gates)}"
        if self.scheduled and not self.scheduled.is_true:
            return str(self.scheduled)
        waiting = [f"container {each.name}: {each.now.waiting.reason}" for each in self.statuses if each.now.waiting]
        running = [f"init container {each.name} is running" for each in self.statuses if each.now.running]
        return "; ".join(running or waiting) or "no container has a status"

    def pending_for(self, moment: datetime) -> str:
        """`Pending for 7m`."""
        return f"Pending for {duration(self.age(moment))}"

    def _restarts(self, status: ContainerStatus, always: bool) -> bool:
        init = status in (self.status.init_container_statuses or ())
        return always and not init
