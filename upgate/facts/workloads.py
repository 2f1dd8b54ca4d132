"""Deployments, ReplicaSets, StatefulSets, DaemonSets and namespaces."""

from __future__ import annotations

import math
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


class RollingUpdate(Fact):
    """The bounds of a rolling update."""

    max_unavailable: int | str | None = None
    partition: int | None = None

    def unavailable(self, desired: int, default: int | str) -> int:
        """How many of the desired replicas it may take away; percentages round down, as the controller does."""
        bound = default if self.max_unavailable is None else self.max_unavailable
        return math.floor(desired * int(bound.rstrip("%")) / 100) if isinstance(bound, str) else bound


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
    progress_deadline_seconds: int | None = None
    template: PodTemplate = PodTemplate()
    strategy: Strategy = Strategy()
    update_strategy: Strategy = Strategy()


class Workload(KubernetesObject):
    """What makes pods from a template."""

    spec: WorkloadSpec = WorkloadSpec()

    @property
    def desired(self) -> int:
        """The replicas asked for; the API's default is 1."""
        return 1 if self.spec.replicas is None else self.spec.replicas

    @property
    def template_labels(self) -> dict[str, str]:
        """The labels of the pods that it makes."""
        return self.spec.template.metadata.labels or {}

    @property
    def whole(self) -> bool:
        """All the pods that it wants are ready."""
        raise NotImplementedError


class ReplicaStatus(Fact):
    """`status` of a Deployment, ReplicaSet or StatefulSet. What is absent is 0."""

    observed_generation: int = 0
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
    def whole(self) -> bool:
        """All the replicas that it wants are ready."""
        return self.status.ready_replicas >= self.desired

    @property
    def unseen(self) -> str:
        """Its controller has not seen its present generation. Else empty."""
        behind = self.status.observed_generation < self.metadata.generation
        return (
            f"its controller saw generation {self.status.observed_generation} of {self.metadata.generation}"
            if behind
            else ""
        )


class ReplicaSet(Replicated):
    """What a Deployment makes for each of its versions."""


class Deployment(Replicated):
    """https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status"""

    def unready(self) -> str:
        """What is missing until it is complete. Empty when nothing is."""
        have, want = self.status, self.desired
        failed = [each for each in (self._failure, self._overdue) if each]
        counts = {"updated": have.updated_replicas, "ready": have.ready_replicas, "available": have.available_replicas}
        short = [f"{number} {name}" for name, number in counts.items() if number != want]
        old = have.replicas - have.updated_replicas
        left = [f"{old} of an old version left"] if old > 0 else []
        replicas = [f"{', '.join(short + left)} of {want} desired"] if short or left else []
        paused = ["paused"] if self.spec.paused and replicas else []
        return "; ".join([*filter(None, [self.unseen]), *replicas, *paused, *failed])

    def rolling_out(self) -> bool:
        """Kubernetes says that it progresses, and what is available stays within the strategy's bound.

        One that has never been available is being rolled out for the first time, and has no bound to keep.
        """
        progressing = condition(self.status.conditions, "Progressing")
        if not progressing.is_true or progressing.reason == "NewReplicaSetAvailable" or self._failure:
            return False
        recreate = self.spec.strategy.type == "Recreate"
        bound = self.desired if recreate else self.spec.strategy.bounds.unavailable(self.desired, "25%")
        return self._never_available or self.status.available_replicas >= self.desired - bound

    @property
    def _never_available(self) -> bool:
        available, created = condition(self.status.conditions, "Available"), self.metadata.creation_timestamp
        since = available.last_transition_time
        return not available.is_true and bool(since and created) and since - created < timedelta(seconds=5)

    @property
    def _failure(self) -> str:
        failure = condition(self.status.conditions, "ReplicaFailure")
        return str(failure) if failure.is_true else ""

    @property
    def _overdue(self) -> str:
        progressing = condition(self.status.conditions, "Progressing")
        return str(progressing) if progressing.reason == "ProgressDeadlineExceeded" else ""


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
        bound = self.spec.update_strategy.bounds.unavailable(self.desired, 1)
        return self.status.ready_replicas >= self.desired - max(1, bound)

    @property
    def updating(self) -> bool:
        """Its pods are being replaced by those of another revision."""
        return self.status.current_revision != self.status.update_revision


class DaemonSetStatus(Fact):
    """`status` of a DaemonSet."""

    observed_generation: int = 0
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
    def whole(self) -> bool:
        """It is ready on all the nodes that it wants."""
        return self.status.number_ready >= self.desired

    def unready(self, wanted: bool) -> str:
        """What is missing until it is complete; `wanted`: some node is there for it. Empty when nothing is."""
        have, want = self.status, self.desired
        unseen = f"its controller saw generation {have.observed_generation} of {self.metadata.generation}"
        old = want - have.updated_number_scheduled if self.spec.update_strategy.type != "OnDelete" else 0
        said = {
            unseen: have.observed_generation < self.metadata.generation,
            f"{have.number_ready} of {want} ready": have.number_ready != want,
            f"{old} of {want} not updated": old > 0,
            f"{have.number_misscheduled} on nodes where it should not run": have.number_misscheduled,
            "wants no node, although its node selector matches some": wanted and not want,
        }
        return "; ".join(text for text, holds in said.items() if holds)

    @property
    def within_bounds(self) -> bool:
        """No more nodes are missing than a rolling update takes away at a time."""
        bound = self.spec.update_strategy.bounds.unavailable(self.desired, 1)
        return self.status.number_ready >= self.desired - max(1, bound)

    @property
    def updating(self) -> bool:
        """Its pods are being replaced by those of another generation."""
        return self.status.updated_number_scheduled < self.desired


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
