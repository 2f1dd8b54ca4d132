"""`spec` and `status` of pods, as far as checks read them."""

from __future__ import annotations

import msgspec

from upgate.facts.amounts import Amounts, Resources
from upgate.facts.containers import Container, ContainerStatus
from upgate.facts.meta import Condition, Fact, ObjectMeta


class PodMarks(Fact):
    """The annotations of a pod that are read: those of the injection of sidecars.

    https://istio.io/latest/docs/reference/config/annotations/
    """

    inject: str = msgspec.field(default="", name="sidecar.istio.io/inject")
    #: What was injected, as JSON; of it the revision is kept.
    status: str = msgspec.field(default="", name="sidecar.istio.io/status")
    revision: str = msgspec.field(default="", name="istio.io/rev")


class PodMeta(ObjectMeta):
    """`metadata` of a pod."""

    marks: PodMarks | None = msgspec.field(default=None, name="annotations")
    #: How long it may take to go; its deletionTimestamp includes that.
    deletion_grace_period_seconds: int | None = None


class SchedulingGate(Fact):
    """https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/"""

    name: str


class ReadinessGate(Fact):
    """https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate"""

    condition_type: str


class NodeSelector(Fact):
    """`spec.nodeSelector`, as far as it binds a pod to one node."""

    hostname: str = msgspec.field(name="kubernetes.io/hostname", default="")


class ClaimSource(Fact):
    """The claim that a volume of a pod is for."""

    claim_name: str = ""


class EphemeralSource(Fact):
    """https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes"""


class PodVolume(Fact):
    """One of `spec.volumes`."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    ephemeral: EphemeralSource | None = None


class PodSpec(Fact):
    """`spec` of a pod."""

    node_name: str = ""
    restart_policy: str = "Always"
    scheduler_name: str = ""
    service_account_name: str = ""
    host_network: bool = False
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    scheduling_gates: list[SchedulingGate] | None = None
    readiness_gates: list[ReadinessGate] | None = None
    node_selector: NodeSelector | None = None
    priority: int = 0
    #: What its runtime takes beside its containers.
    overhead: Amounts | None = None
    #: What is requested for the pod as a whole.
    resources: Resources | None = None
    #: Those that are for a claim.
    volumes: list[PodVolume] | None = None


class PodIP(Fact):
    """One of `status.podIPs`."""

    ip: str = ""


class PodStatus(Fact):
    """`status` of a pod."""

    phase: str = "Unknown"
    reason: str = ""
    message: str = ""
    #: The node on which other pods are preempted to make room for it.
    nominated_node_name: str = ""
    pod_ips: list[PodIP] | None = msgspec.field(default=None, name="podIPs")
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
