"""What all workloads have in common, and ReplicaSets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from upgate.facts.affinity import EVERY_NODE, Affinity
from upgate.facts.containers import at_most
from upgate.facts.meta import Condition, Fact, KubernetesObject, Time, condition
from upgate.facts.removed_drivers import Present, VolumeSources
from upgate.facts.strategies import Strategy
from upgate.facts.taints import Toleration


class TemplateMarks(Fact):
    """The annotations of a pod template that are read."""

    seccomp: str = msgspec.field(default="", name="seccomp.security.alpha.kubernetes.io/pod")


class TemplateMeta(Fact):
    """`spec.template.metadata`."""

    labels: dict[str, str] | None = None
    marks: TemplateMarks | None = msgspec.field(default=None, name="annotations")


class TemplateSecurity(Fact):
    """`securityContext` of a pod template."""

    seccomp_profile: Present | None = None


class TemplateContainer(Fact):
    """One of `spec.template.spec.containers`."""

    name: str = ""
    image: str = ""


class TopologySpread(Fact):
    """One of `spec.template.spec.topologySpreadConstraints`."""

    topology_key: str = ""


class TemplateSpec(Fact):
    """`spec.template.spec`."""

    containers: list[TemplateContainer] | None = None
    init_containers: list[TemplateContainer] | None = None
    topology_spread_constraints: list[TopologySpread] | None = None
    node_selector: dict[str, str] | None = None
    node_name: str = ""
    host_network: bool = False
    affinity: Affinity | None = None
    termination_grace_period_seconds: int = 30
    tolerations: list[Toleration] | None = None
    security_context: TemplateSecurity | None = None
    volumes: list[VolumeSources] | None = None

    def names_label(self, key: str) -> bool:
        """It chooses nodes by this label."""
        return key in (self.node_selector or {}) or key in str(self.affinity or "")

    def fits(self, name: str, labels: Mapping[str, str]) -> bool:
        """A node of this name with these labels is one of those that it asks for. Taints are not asked."""
        selected = (self.node_selector or {}).items() <= labels.items() and self.node_name in ("", name)
        return selected and (self.affinity is None or self.affinity.allows(name, labels))

    @property
    def chooses_nodes(self) -> bool:
        """It asks for nodes by a label that not every node has: these nodes are meant."""
        asked = [*(self.node_selector or ()), *(self.affinity.asked_labels if self.affinity else ())]
        return any(key not in EVERY_NODE for key in asked)

    def tolerates(self, key: str) -> bool:
        """It tolerates a taint with this key; one that tolerates all has no key."""
        return any(each.key == key or (not each.key and each.operator == "Exists") for each in self.tolerations or ())

    @property
    def volume_types(self) -> set[str]:
        """The types of its volumes, as far as a release has removed them."""
        return {each for volume in self.volumes or () for each in volume.source_types}


class PodTemplate(Fact):
    """`spec.template`."""

    metadata: TemplateMeta = TemplateMeta()
    spec: TemplateSpec = TemplateSpec()


#: A step of progress: progressDeadlineSeconds of a Deployment that does not set it; the others have no such field.
PROGRESS = timedelta(minutes=10)


class Ordinals(Fact):
    """https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#start-ordinal"""

    start: int = 0


class WorkloadSpec(Fact):
    """`spec` of all of them."""

    replicas: int | None = None
    min_ready_seconds: int = 0
    #: Of a Deployment; the API's default.
    progress_deadline_seconds: int = 600
    paused: bool = False
    pod_management_policy: str = "OrderedReady"
    #: Of a Deployment: whether it waits for pods that are going, before it makes others (KEP-3973).
    pod_replacement_policy: str = ""
    #: Of a StatefulSet: the numbers of its pods.
    ordinals: Ordinals | None = None
    template: PodTemplate = PodTemplate()
    strategy: Strategy = Strategy()
    update_strategy: Strategy = Strategy()


class WorkloadStatus(Fact):
    """`status` of all of them. What is absent is 0."""

    observed_generation: int = 0


class Workload(KubernetesObject):
    """What makes pods from a template."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()

    @property
    def desired(self) -> int:
        """The replicas asked for; the API's default is 1."""
        return 1 if self.spec.replicas is None else self.spec.replicas

    @property
    def template_labels(self) -> dict[str, str]:
        """The labels of the pods that it makes."""
        return self.spec.template.metadata.labels or {}

    def makes(self, selector: dict[str, str]) -> bool:
        """A Service's selector matches the pods that it makes."""
        return bool(selector) and selector.items() <= self.template_labels.items()

    @property
    def claimed(self) -> int:
        """How many ready pods its status counts."""
        raise NotImplementedError

    @property
    def missing(self) -> int:
        """How many of the pods that it wants are not ready."""
        return self.desired - self.claimed

    @property
    def ready_as_desired(self) -> bool:
        """All the pods that it wants are ready."""
        return self.missing <= 0

    @property
    def unready_created(self) -> int:
        """How many pods that are not ready it must have made already: all that are missing."""
        return self.missing

    @property
    def min_ready(self) -> timedelta:
        """`minReadySeconds`: how long a pod must have been ready before it counts as available."""
        return at_most(self.spec.min_ready_seconds)

    @property
    def updating(self) -> bool:
        """Its controller has pods to replace by those of the latest version; a Deployment says itself how that goes."""
        return False

    @property
    def steps(self) -> int:
        """How many steps an update takes, one after the other."""
        bounds = self.spec.update_strategy.bounds
        return max(1, math.ceil(self.desired / max(1, bounds.unavailable(self.desired, 1))))

    @property
    def step(self) -> timedelta:
        """How long a step may take, beside what its pods promise: the old one goes, the next one starts and is on probation."""
        return PROGRESS + self.min_ready + at_most(self.spec.template.spec.termination_grace_period_seconds)

    @property
    def init_deadline(self) -> timedelta | None:
        """How long an init container of its pods may run by its own promise; None where it promises nothing."""
        return None

    @property
    def unavailable_since(self) -> datetime | None:
        """Since when too few of its pods are available; None where they are not too few, or where it does not say so."""
        return None

    @property
    def within_bounds(self) -> bool:
        """No more is missing than a rolling update takes away at a time."""
        return self.ready_as_desired

    @property
    def unseen(self) -> str:
        """Its controller has not seen its present generation. Else empty."""
        seen, now = self.status.observed_generation, self.metadata.generation
        return f"its controller saw generation {seen} of {now}" if seen < now else ""

    def just_changed(self, moment: datetime, lag: timedelta) -> bool:
        """It was written moments ago, and its controller has not seen that, or its status still counts what has to go."""
        changed = self.metadata.changed
        behind = bool(self.unseen) or self.claimed > self.desired
        return behind and changed is not None and moment - changed < lag

    @property
    def own_fault(self) -> bool:
        """Something is wrong with it that none of its pods can explain."""
        return bool(self.unseen)

    def own_fault_beside(self, stranded: int) -> bool:
        """The same, when so many of its pods are on nodes that are not ready."""
        return self.own_fault

    @property
    def stuck(self) -> bool:
        """It will not become complete without a change."""
        return self.own_fault


class ReplicaCondition(Condition):
    """One of the conditions of a Deployment; the other kinds give no `lastUpdateTime`."""

    last_update_time: Time | None = None


class ReplicaStatus(WorkloadStatus):
    """`status` of a Deployment, ReplicaSet or StatefulSet."""

    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    conditions: list[ReplicaCondition] | None = None


class Replicated(Workload):
    """A workload with a number of replicas."""

    status: ReplicaStatus = ReplicaStatus()

    @property
    def claimed(self) -> int:
        """How many ready pods its status counts."""
        return self.status.ready_replicas

    @property
    def unready_created(self) -> int:
        """How many pods that do not count yet it must have made already."""
        return self.desired - min(self.status.ready_replicas, self.status.available_replicas)

    @property
    def unavailable_since(self) -> datetime | None:
        """Since when its condition Available is False. Only Deployments have one."""
        available = condition(self.status.conditions, "Available")
        return available.last_transition_time if available.status == "False" else None

    @property
    def failure(self) -> str:
        """Why its pods cannot be made. Empty while they can."""
        failure = condition(self.status.conditions, "ReplicaFailure")
        return str(failure) if failure.is_true else ""

    @property
    def own_fault(self) -> bool:
        """Its controller does not see it, or cannot make its pods."""
        return bool(self.unseen or self.failure)


class ReplicaSet(Replicated):
    """What a Deployment makes for each of its versions; others (Argo Rollouts, people) make them as well."""

    @property
    def of_deployment(self) -> bool:
        """It is one of the versions that a Deployment keeps, and answers for."""
        owner = self.metadata.controller
        return owner is not None and owner.kind == "Deployment"

    def unready(self) -> str:
        """What is missing until it is complete. Empty when nothing is."""
        counts = {"ready": self.status.ready_replicas, "available": self.status.available_replicas}
        short = [f"{number} {name}" for name, number in counts.items() if number < self.desired]
        said = f"{', '.join(short)} of {self.desired} desired" if short else ""
        return "; ".join(filter(None, [self.unseen, said, self.failure]))
