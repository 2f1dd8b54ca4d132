"""Nodes and their leases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from upgate.facts.meta import AnnotatedMeta, Condition, Fact, KubernetesObject, ManagedFields, condition

#: Conditions that are bad when True. https://kubernetes.io/docs/reference/node/node-status/#condition
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
#: What the control plane puts on a cordoned node.
CORDON_TAINT = "node.kubernetes.io/unschedulable"
#: The taint of a node that the cluster-autoscaler drains and removes; its value is the second of the Unix clock when it began.
#: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/utils/taints/taints.go
REMOVAL_TAINT = "ToBeDeletedByClusterAutoscaler"
#: Marks that tools leave on a node that they cordon: annotation or taint key → the tool.
CORDON_MARKS = {
    "weave.works/kured-reboot-in-progress": "kured (reboot in progress)",
    "kured.dev/kured-reboot-in-progress": "kured (reboot in progress)",
    REMOVAL_TAINT: "cluster-autoscaler (scaling down)",
    "karpenter.sh/disrupted": "Karpenter (replacing the node)",
}
#: A node that joins is not Ready until its network is there; one that goes is drained first: the autoscaler gives its pods
#: ten minutes (--max-graceful-termination-sec).
JOINING, GOING = timedelta(minutes=5), timedelta(minutes=10)


class Taint(Fact):
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""

    key: str
    effect: str = ""
    value: str = ""
    time_added: datetime | None = None

    @property
    def removal(self) -> datetime | None:
        """When the cluster-autoscaler began to remove the node; None where it did not."""
        marks = self.key == REMOVAL_TAINT and self.value.isdecimal() and len(self.value) < 12
        return datetime.fromtimestamp(int(self.value), UTC) if marks else None


class NodeSpec(Fact):
    """`spec` of a node."""

    unschedulable: bool = False
    taints: list[Taint] | None = None


class NodeAddress(Fact):
    """One of `status.addresses`: InternalIP, ExternalIP, Hostname, …"""

    type: str
    address: str


class NodeInfo(Fact):
    """`status.nodeInfo`."""

    kubelet_version: str = ""
    os_image: str = ""
    kernel_version: str = ""
    container_runtime_version: str = ""
    #: Another one after each boot.
    boot_id: str = msgspec.field(default="", name="bootID")


class NodeCondition(Condition):
    """One of a node's conditions."""

    last_heartbeat_time: datetime | None = None


class NodeStatus(Fact):
    """`status` of a node."""

    conditions: list[NodeCondition] | None = None
    addresses: list[NodeAddress] | None = None
    node_info: NodeInfo | None = None


class Node(KubernetesObject):
    """A node."""

    metadata: AnnotatedMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def ready(self) -> Condition:
        """The Ready condition."""
        return condition(self.status.conditions, "Ready")

    @property
    def boot_id(self) -> str:
        """`status.nodeInfo.bootID`; empty where it is not known."""
        return self.status.node_info.boot_id if self.status.node_info else ""

    @property
    def reports(self) -> bool:
        """Its kubelet reports: Ready is True or False. Unknown means that the control plane no longer hears it."""
        return self.ready.status != "Unknown"

    def joining(self, moment: datetime) -> bool:
        """It has joined just now, and its kubelet reports."""
        return self.reports and self.age(moment) < JOINING

    def going(self, moment: datetime) -> bool:
        """It is being removed: lately somebody (Karpenter) deleted it, or the cluster-autoscaler marked it."""
        marks = (self.metadata.deletion_timestamp, *(taint.removal for taint in self.spec.taints or ()))
        return any(mark and moment - mark < GOING for mark in marks)

    @property
    def pressures(self) -> str:
        """The conditions that are bad and True; empty when there are none."""
        bad = (each for each in self.status.conditions or () if each.type in PRESSURES and each.is_true)
        return ", ".join(map(str, bad))

    def silence(self, moment: datetime) -> timedelta:
        """Time since it last reported that it is ready; since it joined if it never did."""
        beats = (each.last_heartbeat_time for each in self.status.conditions or () if each.type == "Ready")
        return min([self.age(moment), *(moment - beat for beat in beats if beat)])

    def address(self, *types: str) -> str | None:
        """Its first address of the first of these types that it has."""
        have = {each.type: each.address for each in reversed(self.status.addresses or ())}
        return next((have[type] for type in types if type in have), None)

    @property
    def cordon_marks(self) -> list[str]:
        """The tools that say on the node itself that they cordoned it, and the field managers that did."""
        keys = [*(self.metadata.annotations or {}), *(taint.key for taint in self.spec.taints or ())]
        tools = dict.fromkeys(CORDON_MARKS[key] for key in keys if key in CORDON_MARKS)
        return [*tools, *(f"field manager {each.manager}" for each in self._cordoners)]

    @property
    def cordoned_since(self) -> datetime | None:
        """When the control plane put the cordon's taint on it; else when the one who did it last wrote to the node."""
        taints = (each.time_added for each in self.spec.taints or () if each.key == CORDON_TAINT)
        return next(filter(None, (*taints, *(each.time for each in self._cordoners))), None)

    @property
    def _cordoners(self) -> list[ManagedFields]:
        fields = self.metadata.managed_fields or ()
        return [each for each in fields if each.fields_v1.spec.unschedulable is not None]


class LeaseSpec(Fact):
    """`spec` of a lease."""

    lease_duration_seconds: int = 40
    renew_time: datetime | None = None
    holder_identity: str = ""


class Lease(KubernetesObject):
    """A node's heartbeat in the namespace kube-node-lease.

    https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
    """

    spec: LeaseSpec = LeaseSpec()

    @property
    def term(self) -> timedelta:
        """How long one renewal holds."""
        return timedelta(seconds=self.spec.lease_duration_seconds)

    def silence(self, moment: datetime) -> timedelta:
        """Time since it was renewed, or since it was made if it never was."""
        return moment - self.spec.renew_time if self.spec.renew_time else self.age(moment)
