"""What a watch reads of the objects of the cluster: little, because there may be 50,000 of them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from upgate.facts.events import EventSource
from upgate.facts.meta import Condition, Fact, OwnerReference, condition
from upgate.facts.selectors import LabelSelector
from upgate.facts.services import Endpoint
from upgate.sources.cluster.watching import WatchedKind

#: Pods that a drain leaves where they are.
STAYING = ("DaemonSet", "Node")


class SeenMeta(Fact):
    """`metadata`."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] | None = None
    deletion_timestamp: str | None = None
    owner_references: list[OwnerReference] | None = None


class SeenObject(Fact):
    """Anything that is watched."""

    metadata: SeenMeta

    @property
    def key(self) -> str:
        """`namespace/name`, or the name of what is in no namespace."""
        return "/".join(filter(None, (self.metadata.namespace, self.metadata.name)))


class SeenNodeInfo(Fact):
    """`status.nodeInfo`."""

    kubelet_version: str = ""
    os_image: str = ""
    kernel_version: str = ""
    container_runtime_version: str = ""
    boot_id: str = msgspec.field(default="", name="bootID")


class SeenNodeSpec(Fact):
    """`spec` of a node."""

    unschedulable: bool = False


class SeenConditions(Fact):
    """`status` of what has conditions."""

    conditions: list[Condition] | None = None
    node_info: SeenNodeInfo = SeenNodeInfo()
    phase: str = ""


class SeenNode(SeenObject):
    """A node."""

    spec: SeenNodeSpec = SeenNodeSpec()
    status: SeenConditions = SeenConditions()

    @property
    def ready(self) -> str:
        """Its Ready condition: True, False or Unknown."""
        return condition(self.status.conditions, "Ready").status


class SeenPodSpec(Fact):
    """`spec` of a pod."""

    node_name: str = ""


class SeenPod(SeenObject):
    """A pod."""

    spec: SeenPodSpec = SeenPodSpec()
    status: SeenConditions = SeenConditions()

    @property
    def owner(self) -> OwnerReference | None:
        """Its controller."""
        return next((each for each in self.metadata.owner_references or () if each.controller), None)

    @property
    def at_work(self) -> bool:
        """It is bound to a node, neither over nor being deleted, and a drain would move it."""
        over = self.status.phase in ("Succeeded", "Failed") or self.metadata.deletion_timestamp is not None
        return bool(self.spec.node_name) and not over and not (self.owner and self.owner.kind in STAYING)

    @property
    def ready(self) -> bool:
        """Its Ready condition is True."""
        return condition(self.status.conditions, "Ready").status == "True"


class SeenSlice(SeenObject):
    """An EndpointSlice."""

    endpoints: list[Endpoint] | None = None

    @property
    def service(self) -> str:
        """The Service that it belongs to, as `namespace/name`; empty where it belongs to none."""
        name = (self.metadata.labels or {}).get("kubernetes.io/service-name", "")
        return f"{self.metadata.namespace}/{name}" if name else ""


class SeenReplicas(Fact):
    """`spec` of a workload."""

    replicas: int | None = None


class SeenProgress(Fact):
    """`status` of a workload: of Deployments and StatefulSets, and of DaemonSets."""

    observed_generation: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    replicas: int = 0
    updated_number_scheduled: int = 0
    desired_number_scheduled: int = 0
    number_available: int = 0


class SeenWorkload(SeenObject):
    """A Deployment, StatefulSet or DaemonSet."""

    spec: SeenReplicas = SeenReplicas()
    status: SeenProgress = SeenProgress()

    @property
    def moving(self) -> bool:
        """A rollout or a scaling is under way."""
        now = self.status
        if now.observed_generation < self.metadata.generation:
            return True
        if self.spec.replicas is None:
            return min(now.updated_number_scheduled, now.number_available) < now.desired_number_scheduled
        return (
            min(now.updated_replicas, now.available_replicas) < self.spec.replicas or now.replicas > self.spec.replicas
        )


class SeenLeaseSpec(Fact):
    """`spec` of a lease."""

    holder_identity: str = ""
    lease_duration_seconds: int = 15
    renew_time: str = ""


class SeenLease(SeenObject):
    """A lease of kube-system: of the leaders of the control plane."""

    spec: SeenLeaseSpec = SeenLeaseSpec()


class SeenReference(Fact):
    """What an event is about."""

    kind: str = ""
    name: str = ""


class SeenEvent(SeenObject):
    """An event about a node."""

    involved_object: SeenReference = SeenReference()
    reason: str = ""
    message: str = ""
    source: EventSource = EventSource()
    reporting_component: str = ""
    last_timestamp: datetime | None = None


class SeenBudgetSpec(Fact):
    """`spec` of a PodDisruptionBudget."""

    selector: LabelSelector | None = None


class SeenBudgetStatus(Fact):
    """`status` of a PodDisruptionBudget."""

    disruptions_allowed: int = 0


class SeenBudget(SeenObject):
    """A PodDisruptionBudget."""

    spec: SeenBudgetSpec = SeenBudgetSpec()
    status: SeenBudgetStatus = SeenBudgetStatus()

    def refuses(self, pod: SeenPod) -> bool:
        """It allows no eviction of this pod now."""
        selector = self.spec.selector
        if self.status.disruptions_allowed or selector is None or pod.metadata.namespace != self.metadata.namespace:
            return False
        return selector.matches(pod.metadata.labels or {})


def watched_kinds() -> list[WatchedKind]:
    """Everything that is watched."""
    return [
        WatchedKind("nodes", "/api/v1/nodes", SeenNode),
        WatchedKind("pods", "/api/v1/pods", SeenPod),
        WatchedKind("endpointslices", "/apis/discovery.k8s.io/v1/endpointslices", SeenSlice),
        WatchedKind("deployments", "/apis/apps/v1/deployments", SeenWorkload),
        WatchedKind("statefulsets", "/apis/apps/v1/statefulsets", SeenWorkload),
        WatchedKind("daemonsets", "/apis/apps/v1/daemonsets", SeenWorkload),
        WatchedKind("budgets", "/apis/policy/v1/poddisruptionbudgets", SeenBudget),
        WatchedKind("leases", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases", SeenLease),
        WatchedKind("events", "/api/v1/events", SeenEvent, {"fieldSelector": "involvedObject.kind=Node"}),
    ]
