"""Deployments, ReplicaSets, StatefulSets, DaemonSets and namespaces."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from upgate.facts.meta import AnnotatedMeta, Condition, Fact, KubernetesObject, condition


class TemplateMeta(Fact):
    """`spec.template.metadata`."""

    labels: dict[str, str] | None = None


class TemplateSpec(Fact):
    """`spec.template.spec`."""

    node_selector: dict[str, str] | None = None
    affinity: dict[str, object] | None = None


class PodTemplate(Fact):
    """`spec.template`."""

    metadata: TemplateMeta = TemplateMeta()
    spec: TemplateSpec = TemplateSpec()


#: Labels that a StatefulSet gives each of its pods.
POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
Rounding = Callable[[float], int]


def share_of(desired: int, bound: int | str, rounded: Rounding) -> int:
    """A number, or a percentage of the desired replicas."""
    return rounded(desired * int(bound.rstrip("%")) / 100) if isinstance(bound, str) else bound


class RollingUpdate(Fact):
    """The bounds of a rolling update."""

    max_unavailable: int | str | None = None
    max_surge: int | str | None = None
    partition: int | None = None

    def unavailable(self, desired: int, default: int | str, rounded: Rounding = math.floor) -> int:
        """How many of the desired replicas it may take away."""
        return share_of(desired, default if self.max_unavailable is None else self.max_unavailable, rounded)

    def surge(self, desired: int, default: int | str) -> int:
        """How many replicas it may have beyond the desired ones."""
        return share_of(desired, default if self.max_surge is None else self.max_surge, math.ceil)


class Strategy(Fact):
    """`spec.strategy` or `spec.updateStrategy`."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate | None = None

    @property
    def bounds(self) -> RollingUpdate:
        """`rollingUpdate`, never None."""
        return self.rolling_update or RollingUpdate()


class WorkloadSpec(Fact):
    """`spec` of all of them."""

    replicas: int | None = None
    paused: bool = False
    pod_management_policy: str = "OrderedReady"
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
    def lacking(self) -> int:
        """How many of the pods that it wants are not ready."""
        raise NotImplementedError

    @property
    def whole(self) -> bool:
        """All the pods that it wants are ready."""
        return self.lacking <= 0

    @property
    def unmade(self) -> int:
        """How many pods that are not ready it must have made already: all that it lacks."""
        return self.lacking

    @property
    def within_bounds(self) -> bool:
        """It lacks no more than a rolling update takes away at a time."""
        return self.whole

    @property
    def unseen(self) -> str:
        """Its controller has not seen its present generation. Else empty."""
        seen, now = self.status.observed_generation, self.metadata.generation
        return f"its controller saw generation {seen} of {now}" if seen < now else ""

    @property
    def own_fault(self) -> bool:
        """Something is wrong with it that none of its pods can explain."""
        return bool(self.unseen)

    @property
    def stuck(self) -> bool:
        """It will not become complete by itself."""
        return self.own_fault


class ReplicaStatus(WorkloadStatus):
    """`status` of a Deployment, ReplicaSet or StatefulSet."""

    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    conditions: list[Condition] | None = None


class Replicated(Workload):
    """A workload with a number of replicas."""

    status: ReplicaStatus = ReplicaStatus()

    @property
    def lacking(self) -> int:
        """How many of the replicas that it wants are not ready."""
        return self.desired - self.status.ready_replicas

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
    """What a Deployment makes for each of its versions."""


class Deployment(Replicated):
    """https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status"""

    def unready(self) -> str:
        """What is missing until it is complete. Empty when nothing is."""
        have, want = self.status, self.desired
        counts = {"updated": have.updated_replicas, "ready": have.ready_replicas, "available": have.available_replicas}
        short = [f"{number} {name}" for name, number in counts.items() if number != want]
        old = have.replicas - have.updated_replicas
        short_of = f"{', '.join(short)} of {want} desired" if short else ""
        left = f"{old} still of an old version" if old > 0 else ""
        paused = "paused" if self.spec.paused and (short or left) else ""
        return "; ".join(filter(None, [self.unseen, short_of, left, paused, self.failure, self._overdue]))

    def rolling_out(self) -> bool:
        """Kubernetes says that it progresses, and what is available stays within the strategy's bound.

        One that has never been available is being rolled out for the first time, and has no bound to keep.
        """
        progressing = condition(self.status.conditions, "Progressing")
        if not progressing.is_true or progressing.reason == "NewReplicaSetAvailable" or self.failure:
            return False
        return self._never_available or self.status.available_replicas >= self.desired - self._bound

    @property
    def stuck(self) -> bool:
        """It will not become complete by itself: its pods cannot be made, or did not start in time."""
        return bool(self.own_fault or self._overdue)

    @property
    def _bound(self) -> int:
        """How many replicas a rollout may take away. Where both bounds come to 0 the controller takes 1.

        https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment/util/deployment_util.go ResolveFenceposts
        """
        if self.spec.strategy.type == "Recreate":
            return self.desired
        bounds = self.spec.strategy.bounds
        surge = bounds.surge(self.desired, "25%")
        return bounds.unavailable(self.desired, "25%") or (0 if surge else 1)

    @property
    def _never_available(self) -> bool:
        available, created = condition(self.status.conditions, "Available"), self.metadata.creation_timestamp
        since = available.last_transition_time
        return not available.is_true and bool(since and created) and since - created < timedelta(seconds=5)

    @property
    def _overdue(self) -> str:
        progressing = condition(self.status.conditions, "Progressing")
        return str(progressing) if progressing.status == "False" else ""


class StatefulSet(Replicated):
    """https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies"""

    def unready(self) -> str:
        """What is missing until it is complete. Empty when nothing is."""
        have, want = self.status, self.desired
        ready = f"{have.ready_replicas} of {want} ready" if have.ready_replicas != want else ""
        due = want - have.updated_replicas - (self.spec.update_strategy.bounds.partition or 0)
        updating = self.spec.update_strategy.type != "OnDelete" and have.current_revision != have.update_revision
        old = f"{due} of {want} still at revision {have.current_revision}" if updating and due > 0 else ""
        return "; ".join(filter(None, [self.unseen, ready, old]))

    @property
    def within_bounds(self) -> bool:
        """No more replicas are missing than a rolling update takes away at a time."""
        return self.lacking <= max(1, self.spec.update_strategy.bounds.unavailable(self.desired, 1))

    def makes(self, selector: dict[str, str]) -> bool:
        """The selector matches its pods; that of a Service for one of them asks for its name or number too."""
        name = selector.get(POD_NAME, f"{self.name}-0").rpartition("-")[0]
        labels = {**self.template_labels, **{key: selector[key] for key in (POD_NAME, POD_INDEX) if key in selector}}
        return bool(selector) and name == self.name and selector.items() <= labels.items()

    @property
    def unmade(self) -> int:
        """How many pods that are not ready it must have made already: one after the other unless it makes them in parallel."""
        return self.lacking if self.spec.pod_management_policy == "Parallel" else min(self.lacking, 1)


class DaemonSetStatus(WorkloadStatus):
    """`status` of a DaemonSet."""

    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_ready: int = 0
    number_misscheduled: int = 0


class DaemonSet(Workload):
    """https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/"""

    metadata: AnnotatedMeta
    status: DaemonSetStatus = DaemonSetStatus()

    @property
    def desired(self) -> int:
        """The nodes that should run its pod."""
        return self.status.desired_number_scheduled

    @property
    def lacking(self) -> int:
        """On how many of the nodes that it wants it is not ready."""
        return self.desired - self.status.number_ready

    @property
    def own_fault(self) -> bool:
        """Its controller does not see it, or has it on the wrong nodes, or on none."""
        return bool(self.unseen or self.status.number_misscheduled or not self.desired)

    def unready(self, wanted: bool) -> str:
        """What is missing until it is complete; `wanted`: some node is there for it. Empty when nothing is."""
        have, want = self.status, self.desired
        old = want - have.updated_number_scheduled if self.spec.update_strategy.type != "OnDelete" else 0
        said = {
            self.unseen: self.unseen,
            f"{have.number_ready} of {want} ready": have.number_ready != want,
            f"{old} of {want} not updated": old > 0,
            f"{have.number_misscheduled} on nodes where it should not run": have.number_misscheduled,
            "wants no node, although its node selector matches some": wanted and not want,
        }
        return "; ".join(text for text, holds in said.items() if holds)

    @property
    def within_bounds(self) -> bool:
        """No more nodes are missing than a rolling update takes away at a time; of a DaemonSet percentages round up."""
        return self.lacking <= max(1, self.spec.update_strategy.bounds.unavailable(self.desired, 1, math.ceil))


class NamespaceStatus(Fact):
    """`status` of a namespace."""

    phase: str = ""
    conditions: list[Condition] | None = None


class Namespace(KubernetesObject):
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"""

    status: NamespaceStatus = NamespaceStatus()

    def deleting_for(self, moment: datetime) -> timedelta:
        """Time since its deletion was asked for; none when it was not."""
        asked = self.metadata.deletion_timestamp
        return moment - asked if asked else timedelta(0)

    @property
    def blockers(self) -> str:
        """The conditions that say why it cannot go."""
        blocking = [each.message or each.type for each in self.status.conditions or () if each.is_true]
        return "; ".join(blocking) or "no condition says why"
