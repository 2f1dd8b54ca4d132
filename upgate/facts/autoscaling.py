"""HorizontalPodAutoscalers."""

from __future__ import annotations

from upgate.facts.meta import Condition, Fact, KubernetesObject, ManagedMeta


class ScaleTarget(Fact):
    """`spec.scaleTargetRef`: the workload that is scaled."""

    kind: str = ""
    name: str = ""


class AutoscalerSpec(Fact):
    """`spec` of a HorizontalPodAutoscaler."""

    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int | None = None
    max_replicas: int = 0


class AutoscalerStatus(Fact):
    """`status` of a HorizontalPodAutoscaler."""

    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: list[Condition] | None = None


class HorizontalPodAutoscaler(KubernetesObject):
    """https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"""

    metadata: ManagedMeta
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()
