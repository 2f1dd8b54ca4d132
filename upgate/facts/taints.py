"""Taints of nodes: whose they are, and whether they should pass."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from upgate.facts.meta import Fact, Time

#: What the control plane puts on a cordoned node.
CORDON_TAINT = "node.kubernetes.io/unschedulable"
#: What the control plane puts on a node whose machine its cloud has stopped.
SHUTDOWN_TAINT = "node.cloudprovider.kubernetes.io/shutdown"
#: The taint of a node that the cluster-autoscaler drains and removes; its value is the second of the Unix clock when it began.
#: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/utils/taints/taints.go
REMOVAL_TAINT = "ToBeDeletedByClusterAutoscaler"
#: Its taint of a node that it may remove, PreferNoSchedule.
CANDIDATE_TAINT = "DeletionCandidateOfClusterAutoscaler"
#: Taints of autoscalers on a node that they drain, to remove or replace it. (DeletionCandidate… is only PreferNoSchedule.)
REMOVING = (REMOVAL_TAINT, "karpenter.sh/disrupted", "karpenter.sh/disruption")
#: Taints that the control plane, clouds and agents put on a node until it is ready for pods, as patterns.
#: https://kubernetes.io/docs/reference/labels-annotations-taints/, and the start-up taints of Cilium, Istio, CSI drivers,
#: Karpenter, Cluster API and the cluster-autoscaler.
PASSING = (
    *(
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/out-of-service",
        "node.kubernetes.io/network-unavailable",
    ),
    *("node.kubernetes.io/*-pressure", SHUTDOWN_TAINT),
    *("*not-ready", "*/uninitialized", "*/unregistered", "*/unreachable", "*/initializing"),
    "startup-taint.cluster-autoscaler.kubernetes.io/*",
    "ignore-taint.cluster-autoscaler.kubernetes.io/*",
)
#: Taints that repeat a condition: while it holds, `nodes.ready` and `nodes.pressure` speak of it.
REPEATING = {
    "node.kubernetes.io/not-ready": "Ready",
    "node.kubernetes.io/unreachable": "Ready",
    "node.kubernetes.io/network-unavailable": "NetworkUnavailable",
    "node.kubernetes.io/memory-pressure": "MemoryPressure",
    "node.kubernetes.io/disk-pressure": "DiskPressure",
    "node.kubernetes.io/pid-pressure": "PIDPressure",
}


#: Taints that say what a node is for, or that nodes.schedulable judges, as patterns: those of the control plane, also in
#: the words of earlier versions and of RKE; what Kubernetes, its clouds and its autoscalers put on a node for a while.
WELL_KNOWN = (
    *(f"node-role.kubernetes.io/{role}" for role in ("control-plane", "master", "controlplane", "etcd")),
    *("CriticalAddonsOnly", "node.kubernetes.io/*", "node.cloudprovider.kubernetes.io/*", "virtual-kubelet.io/*"),
    *("cloud.google.com/impending-node-termination", "aws-node-termination-handler/*", CANDIDATE_TAINT, "*kured*"),
)


class Toleration(Fact):
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""

    def covers(self, taint: Taint) -> bool:
        """Pods with it may start on nodes with that taint. Without a key it is for all of them, without an effect for each."""
        if self.effect not in ("", taint.effect):
            return False
        if self.operator == "Exists":
            return self.key in ("", taint.key)
        return self.operator in ("", "Equal") and (self.key, self.value) == (taint.key, taint.value)


class Taint(Fact):
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""

    key: str
    effect: str = ""
    value: str = ""
    time_added: Time | None = None

    @property
    def words(self) -> str:
        """The taint as kubectl writes it, and since when, as far as anything tells."""
        since = f" since {self.time_added:%Y-%m-%dT%H:%M:%SZ}" if self.time_added else ", since when is not known"
        return f"taint {self.key}:{self.effect}{since}"

    @property
    def spelling(self) -> str:
        """Key, value and effect, as kubectl takes them."""
        return f"{self.key}={self.value}:{self.effect}"

    def is_among(self, patterns: Iterable[str]) -> bool:
        """A pattern matches its key, also with its value, its effect, or both."""
        forms = (self.key, f"{self.key}={self.value}", f"{self.key}:{self.effect}", self.spelling)
        return any(fnmatchcase(form, pattern) for pattern in patterns for form in forms)

    @property
    def well_known(self) -> bool:
        """It says what its node is for, or passes."""
        return self.passing or any(fnmatchcase(self.key, pattern) for pattern in (*WELL_KNOWN, *PASSING, *REMOVING))

    @property
    def blocks(self) -> bool:
        """No pod, or none without a toleration for it, may start there."""
        return self.effect in ("NoSchedule", "NoExecute")

    @property
    def removes(self) -> bool:
        """An autoscaler has put it there, to replace or remove the node."""
        return self.key in REMOVING

    @property
    def of_autoscaler(self) -> bool:
        """The cluster-autoscaler has put it there."""
        return self.key in (REMOVAL_TAINT, CANDIDATE_TAINT)

    @property
    def passing(self) -> bool:
        """The control plane, a cloud or an agent has put it there for a while; pools and people have taints of their own."""
        return self.blocks and any(fnmatchcase(self.key, pattern) for pattern in (*PASSING, *REMOVING))

    @property
    def removal(self) -> datetime | None:
        """When the cluster-autoscaler began to remove the node; None where it did not."""
        marks = self.key == REMOVAL_TAINT and self.value.isdecimal() and len(self.value) < 12
        return datetime.fromtimestamp(int(self.value), UTC) if marks else None
