"""PodDisruptionBudgets."""

from __future__ import annotations

from upgate.facts.meta import Condition, Fact, KubernetesObject, ManagedMeta


class BudgetSpec(Fact):
    """`spec` of a PodDisruptionBudget."""

    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    selector: dict[str, object] | None = None
    unhealthy_pod_eviction_policy: str = "IfHealthyBudget"


class BudgetStatus(Fact):
    """`status` of a PodDisruptionBudget."""

    observed_generation: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    disruptions_allowed: int = 0
    expected_pods: int = 0
    conditions: list[Condition] | None = None


class PodDisruptionBudget(KubernetesObject):
    """https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets"""

    metadata: ManagedMeta
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()
