"""What a drain takes away, and what stands against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.facts.daemonsets import DaemonSet
    from upgate.facts.deployments import Deployment
    from upgate.facts.disruption import Budgets, PodDisruptionBudget
    from upgate.facts.exposure import Exposure
    from upgate.facts.statefulsets import StatefulSet
    from upgate.facts.workloads import ReplicaSet
    from upgate.profile.parts import Patience


@check("pdbs.allow-drain", severity="warning", none_is_fine=True, preflight="critical", after=("mesh.retired",))
def test_every_budget_lets_a_drain_go_on(
    poddisruptionbudgets: Subjects[PodDisruptionBudget],
    budgets: Budgets,
    preflight: bool,
    patience: Patience,
    now: datetime,
) -> None:
    """Every PodDisruptionBudget lets a drain evict one of its pods.

    A budget that allows no disruption although all its pods are healthy stops every drain, and with it the upgrade of the
    node. Before an upgrade it does not matter whether its pods are ready: the drain waits for them just the same. A pod
    that two budgets select cannot be evicted at all. A budget that selects nothing protects nothing: a warning.
    Look first: kubectl -n {namespace} describe poddisruptionbudget {name}
    """
    poddisruptionbudgets.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: budgets.wrong(each, strict=preflight),
        expected="at least 1 disruption is allowed",
        severity=lambda each: None if budgets.hinders(each) else "warning",
        transitional=lambda each: budgets.under_way(each, now, patience),
    )


@check("workloads.single-replica", severity="warning", preflight="warning", only_preflight=True)
def test_no_service_depends_on_a_single_replica(
    deployments: Subjects[Deployment],
    replicasets: Subjects[ReplicaSet],
    statefulsets: Subjects[StatefulSet],
    exposure: Exposure,
) -> None:
    """No Service depends on a workload with a single replica.

    The Service has no endpoint while the node of that replica is drained. Services with only metrics ports are ignored.
    Look first: kubectl -n {namespace} get {kind} {name} -o wide
    """
    deployments.none(exposure.alone, expected="2 replicas or more")
    replicasets.where(lambda each: not each.of_deployment).none(exposure.alone, expected="2 replicas or more")
    statefulsets.none(exposure.alone, expected="2 replicas or more")


@check("workloads.readiness-probe", severity="warning", preflight="warning", only_preflight=True)
def test_every_workload_behind_a_service_says_when_it_is_ready(
    deployments: Subjects[Deployment],
    replicasets: Subjects[ReplicaSet],
    statefulsets: Subjects[StatefulSet],
    daemonsets: Subjects[DaemonSet],
    exposure: Exposure,
) -> None:
    """The pods of every workload behind a Service have a readiness probe.

    Without one a pod gets traffic as soon as its containers start: after a drain its users see errors until it works, and
    a rollout of a broken version does not stop.
    Look first: kubectl -n {namespace} get {kind} {name} -o yaml
    """
    deployments.none(exposure.unprobed, expected="a readiness probe")
    replicasets.where(lambda each: not each.of_deployment).none(exposure.unprobed, expected="a readiness probe")
    statefulsets.none(exposure.unprobed, expected="a readiness probe")
    daemonsets.none(exposure.unprobed, expected="a readiness probe")
