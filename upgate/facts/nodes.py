"""Nodes and their leases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from upgate.facts.amounts import Quantity
from upgate.facts.containers import ContainerStatus
from upgate.facts.meta import (
    AnnotatedMeta,
    Condition,
    Fact,
    KubernetesObject,
    ManagedFields,
    ManagedMeta,
    Time,
    condition,
)
from upgate.facts.removed_drivers import Present
from upgate.facts.taints import CORDON_TAINT, REMOVAL_TAINT, REPEATING, SHUTDOWN_TAINT, Taint

#: Conditions that are bad when True. https://kubernetes.io/docs/reference/node/node-status/#condition
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
#: Marks that tools leave on a node that they cordon: annotation or taint key → the tool.
CORDON_MARKS = {
    "weave.works/kured-reboot-in-progress": "kured (reboot in progress)",
    "kured.dev/kured-reboot-in-progress": "kured (reboot in progress)",
    REMOVAL_TAINT: "cluster-autoscaler (scaling down)",
    "karpenter.sh/disrupted": "Karpenter (replacing the node)",
}
#: Labels of nodes that come and go by themselves: those of Karpenter (also in EKS Auto Mode and AKS Node Auto Provisioning);
#: and with which values, that of EKS. That a node belongs to a group of its cloud does not say that the group is scaled.
AUTOSCALED, COMPUTE = ("karpenter.sh/nodepool", "karpenter.sh/provisioner-name"), "eks.amazonaws.com/compute-type"
VIRTUAL = {("type", "virtual-kubelet"), ("kwok.x-k8s.io/node", "fake")}
#: Seconds: a kubelet's default is 40.
LONGEST_TERM = 300
#: What the nodes of AKS have labels of.
AKS = "kubernetes.azure.com/"
#: A node that joins is not Ready until its network is there; one that goes is drained first: the autoscaler gives its pods
#: ten minutes (--max-graceful-termination-sec).
JOINING, GOING = timedelta(minutes=5), timedelta(minutes=10)


class NodeSpec(Fact):
    """`spec` of a node."""

    unschedulable: bool = False
    #: Where its kubelet takes its configuration from, in releases that still could.
    config_source: Present | None = None
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

    last_heartbeat_time: Time | None = None


class NodeStatus(Fact):
    """`status` of a node."""

    conditions: list[NodeCondition] | None = None
    addresses: list[NodeAddress] | None = None
    node_info: NodeInfo | None = None
    #: Of every resource, also those that device plugins add to a node.
    capacity: dict[str, Quantity] | None = None
    allocatable: dict[str, Quantity] | None = None


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
    def kubelet_version(self) -> str:
        """`status.nodeInfo.kubeletVersion`; empty where it is not known."""
        return self.status.node_info.kubelet_version if self.status.node_info else ""

    @property
    def virtual(self) -> bool:
        """No kubelet runs there, and the version is that of something else: Virtual Kubelet (AKS virtual nodes), kwok."""
        marks = {*self.labels.items(), *(self.metadata.annotations or {}).items()}
        return bool(marks & VIRTUAL) or "-vk-" in self.kubelet_version

    @property
    def switched_off(self) -> bool:
        """Its cloud has stopped its machine, and keeps it until it is needed: AKS with the scale-down mode Deallocate.

        https://learn.microsoft.com/azure/aks/scale-down-mode
        """
        stopped = any(each.key == SHUTDOWN_TAINT for each in self.spec.taints or ())
        return stopped and not self.ready.is_true and any(key.startswith(AKS) for key in self.labels)

    @property
    def reports(self) -> bool:
        """Its kubelet reports: Ready is True or False. Unknown means that the control plane no longer hears it."""
        return self.ready.status != "Unknown"

    def explains_restarts(self, statuses: Iterable[ContainerStatus]) -> bool:
        """Each of these containers that restarted did so while the node was not Ready and its kubelet still reported."""
        since = self.ready.last_transition_time if self.ready.status == "False" else None
        again = [each for each in statuses if each.restart_count]
        return since is not None and all(each.restarted_only_since(since) for each in again)

    def joining(self, moment: datetime) -> bool:
        """It has joined just now, and its kubelet reports."""
        return self.reports and self.age(moment) < JOINING

    def going(self, moment: datetime) -> bool:
        """It is being removed: recently Karpenter or a person deleted it, or the cluster-autoscaler marked it.

        The mark is set when its drain begins, which may take long; its machine goes when that is over.
        """
        down = None if self.ready.is_true else self.ready.last_transition_time
        return any(moment - max(mark, down or mark) < GOING for mark in self._removals)

    @property
    def drained_since(self) -> datetime | None:
        """When it was cordoned, or else marked to be removed; None where nothing tells."""
        return self.cordoned_since or min(self._removals, default=None)

    @property
    def _removals(self) -> list[datetime]:
        marks = (self.metadata.deletion_timestamp, *(taint.removal for taint in self.spec.taints or ()))
        return [mark for mark in marks if mark]

    def waits_for_network(self, moment: datetime) -> bool:
        """It has joined just now, and nothing presses it but that its cloud has made no route to it yet."""
        bad = [each.type for each in self.status.conditions or () if each.type in PRESSURES and each.is_true]
        return bad == ["NetworkUnavailable"] and self.joining(moment)

    @property
    def autoscaled(self) -> bool:
        """Karpenter or the cloud adds and removes nodes of its kind as they are needed."""
        return any(key in self.labels for key in AUTOSCALED) or self.labels.get(COMPUTE) in ("auto", "fargate")

    def deleting_for(self, moment: datetime) -> timedelta:
        """Time since its deletion was asked for; none when it was not."""
        asked = self.metadata.deletion_timestamp
        return moment - asked if asked else timedelta(0)

    def lasting_taints(self, moment: datetime, patience: timedelta) -> Iterator[Taint]:
        """The taints that should have passed, each with the time since when it is there, as far as that is known."""
        for taint in self.spec.taints or ():
            since = taint.time_added or taint.removal or self._tainted
            passing = taint.passing and not self._repeats(taint) and not self._of_cordon(taint)
            if passing and (since is None or moment - since > patience):
                yield replace(taint, time_added=since)

    def _repeats(self, taint: Taint) -> bool:
        kind = REPEATING.get(taint.key)
        said = condition(self.status.conditions, kind) if kind else None
        return said is not None and said.is_true is not (kind == "Ready")

    def _of_cordon(self, taint: Taint) -> bool:
        """The node is cordoned, and that says the same already."""
        return self.spec.unschedulable and (taint.key == CORDON_TAINT or taint.removes)

    @property
    def _tainted(self) -> datetime | None:
        """When one who set taints last wrote to the node; else when it joined: no taint is older."""
        writes = (each.time for each in self.metadata.managed_fields or () if each.fields_v1.spec.taints is not None)
        return max(filter(None, writes), default=self.metadata.creation_timestamp)

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
    renew_time: Time | None = None
    holder_identity: str = ""


class Lease(KubernetesObject):
    """A node's heartbeat in the namespace kube-node-lease.

    https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
    """

    metadata: ManagedMeta
    spec: LeaseSpec = LeaseSpec()

    @property
    def clock(self) -> timedelta:
        """How far the clock of its kubelet is ahead of the API server's; none where that cannot be told."""
        renewed, written = self.spec.renew_time, self._written
        return renewed - written if renewed and written else timedelta(0)

    @property
    def _written(self) -> datetime | None:
        """When its renewal was written, by the API server's clock; None where that is not known."""
        writes = (
            each.time for each in self.metadata.managed_fields or () if each.fields_v1.spec.renew_time is not None
        )
        return max(filter(None, writes), default=None)

    @property
    def term(self) -> timedelta:
        """How long one renewal holds; what is longer than a node may be silent says nothing."""
        return timedelta(seconds=max(1, min(self.spec.lease_duration_seconds, LONGEST_TERM)))

    def silence(self, moment: datetime) -> timedelta:
        """Time since it was renewed, or since it was made if it never was.

        `renewTime` is by the kubelet's clock; when it was written is by the API server's, which is that of the moment.
        """
        last = (self._written if self.spec.renew_time else None) or self.spec.renew_time
        return moment - last if last else self.age(moment)
