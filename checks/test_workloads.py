"""Deployments, ReplicaSets, StatefulSets, DaemonSets, their autoscalers, and namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import duration
from upgate.battery import Subjects, check
from upgate.battery.churn import LEAST, PER_HOUR

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before
    from upgate.battery.churn import Churn
    from upgate.facts.autoscaling import HorizontalPodAutoscaler
    from upgate.facts.backends import KeptVersions
    from upgate.facts.daemonsets import DaemonSet
    from upgate.facts.deployments import Deployment
    from upgate.facts.namespaces import Namespace
    from upgate.facts.owned_pods import DeploymentPods, OwnedPods
    from upgate.facts.placement import DaemonSetPlacement
    from upgate.facts.relations import NamespaceContents
    from upgate.facts.statefulsets import StatefulSet
    from upgate.facts.workloads import ReplicaSet
    from upgate.profile.parts import Patience

#: Findings on pods and nodes that explain why a workload is not complete.
UNDERNEATH = (
    *("pods.crashing", "pods.scheduler-silent", "pods.pending", "pods.ready", "pods.terminating", "pods.failed"),
    *("nodes.ready", "nodes.heartbeat", "webhooks.alive", "control-plane.leases"),
)


@check("deployments.ready", severity="critical", after=UNDERNEATH, monitor=True, preflight="warning")
def test_every_deployment_is_complete(
    deployments: Subjects[Deployment], deployment_pods: DeploymentPods, patience: Patience, now: datetime
) -> None:
    """Every Deployment is complete: all replicas are of the latest version, ready and available.

    A pod that was never created shows in no list of pods; only its Deployment misses it. And a status is only a claim:
    when its controller is dead it counts pods that do not exist any more. Where scheduling gates hold all that is missing,
    it queues for quota, and that is a warning.
    Look first: kubectl -n {namespace} rollout status deployment {name}; kubectl -n {namespace} describe deployment {name}
    """
    deployments.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: deployment_pods.incomplete(each, each.unready()),
        expected=lambda each: f"{each.desired} updated, ready and available",
        severity=lambda each: "warning" if deployment_pods.is_queued(each) else None,
        transitional=lambda each: deployment_pods.under_way(each, now, patience),
    )


@check("replicasets.ready", severity="critical", after=UNDERNEATH, monitor=True, preflight="warning", none_is_fine=True)
def test_every_replicaset_of_its_own_is_complete(
    replicasets: Subjects[ReplicaSet],
    kept_versions: KeptVersions,
    owned_pods: OwnedPods,
    patience: Patience,
    now: datetime,
) -> None:
    """Every ReplicaSet that belongs to no Deployment is complete: all replicas are ready and available.

    Argo Rollouts and people make them. Those of Deployments are history but for one, and their Deployment answers for them;
    one whose Deployment is gone has been left behind, and answers for itself.
    Look first: kubectl -n {namespace} describe replicaset {name}
    """
    replicasets.where(lambda each: not (kept_versions.has(each) or each.metadata.deletion_timestamp)).none(
        lambda each: owned_pods.incomplete(each, each.unready()),
        expected=lambda each: f"{each.desired} ready and available",
        severity=lambda each: "warning" if owned_pods.is_queued(each) else None,
        transitional=lambda each: owned_pods.under_way(each, now, patience),
    )


@check(
    "statefulsets.ready", severity="critical", after=UNDERNEATH, monitor=True, preflight="warning", none_is_fine=True
)
def test_every_statefulset_is_complete(
    statefulsets: Subjects[StatefulSet], owned_pods: OwnedPods, patience: Patience, now: datetime
) -> None:
    """Every StatefulSet is complete: all replicas are ready and at the latest revision.

    Those with the update strategy OnDelete, and replicas below a partition, keep the old revision on purpose.
    Look first: kubectl -n {namespace} rollout status statefulset {name}; kubectl -n {namespace} describe statefulset {name}
    """
    statefulsets.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: owned_pods.incomplete(each, each.unready()),
        expected=lambda each: f"{each.desired} ready and updated",
        severity=lambda each: "warning" if owned_pods.is_queued(each) else None,
        transitional=lambda each: owned_pods.under_way(each, now, patience),
    )


@check("daemonsets.ready", severity="critical", after=UNDERNEATH, monitor=True, preflight="warning", none_is_fine=True)
def test_every_daemonset_is_complete(
    daemonsets: Subjects[DaemonSet],
    placement: DaemonSetPlacement,
    before: Before,
    owned_pods: OwnedPods,
    patience: Patience,
    now: datetime,
) -> None:
    """Every DaemonSet is complete: it is ready and updated on every node that it wants.

    It should want each Ready node that its node selector, affinity and tolerations match: what its status says is only a
    claim. One that matches no node is at rest, but not if it wanted nodes in the baseline. One that wants fewer than then,
    although the nodes are there, has lost its place; where it or its nodes were changed since, that is a warning.
    Look first: kubectl -n {namespace} rollout status daemonset {name}; kubectl -n {namespace} describe daemonset {name}
    """

    def missing(each: DaemonSet, before_too: bool = True) -> str:
        then = before.more_places(each, placement) if before_too else ""
        return owned_pods.incomplete(each, each.unready(wanted=then or placement.why_expected(each)))

    def excused(each: DaemonSet) -> bool:
        moved = before.may_have_moved(each, placement) and not missing(each, before_too=False)
        return moved or (placement.lacks_only_stopped(each) and not placement.why_expected(each))

    daemonsets.where(lambda each: not each.metadata.deletion_timestamp).none(
        missing,
        expected=lambda each: f"{each.desired} ready and updated" if each.desired else "a ready pod on its nodes",
        severity=lambda each: "warning" if excused(each) else None,
        transitional=lambda each: (
            owned_pods.under_way(each, now, patience)
            or (each.ready_as_desired and placement.settles(each, now, patience.start_up))
        ),
    )


@check(
    "hpas.active",
    severity="warning",
    none_is_fine=True,
    after=("deployments.ready", "replicasets.ready", "statefulsets.ready", "apiservices.available", "mesh.retired"),
)
def test_every_autoscaler_is_active(
    horizontalpodautoscalers: Subjects[HorizontalPodAutoscaler], patience: Patience, now: datetime
) -> None:
    """Every HorizontalPodAutoscaler can scale its target, and gets its metrics.

    Without metrics, or without its target, the number of replicas stays as it is, whatever the load. One whose target is
    scaled to zero is at rest.
    Look first: kubectl -n {namespace} describe hpa {name}; kubectl get apiservices | grep metrics
    """
    horizontalpodautoscalers.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: each.inactive(now, patience.start_up),
        expected="AbleToScale=True and ScalingActive=True",
        transitional=lambda each: each.recovering(now, patience.pending),
    )


@check("workloads.churn", severity="warning")
def test_no_workload_is_changed_without_end(
    deployments: Subjects[Deployment],
    statefulsets: Subjects[StatefulSet],
    daemonsets: Subjects[DaemonSet],
    churn: Churn,
) -> None:
    """No workload is changed again and again.

    Two controllers that disagree overwrite each other, and each change of the template restarts the pods. Its generation
    is compared with the baseline, or counted since its creation. Changes by an autoscaler do not count.
    Look first: kubectl -n {namespace} get {kind} {name} -o yaml --show-managed-fields
    """
    expected = f"changed less than {LEAST} times, or less than {PER_HOUR} times an hour"
    deployments.none(churn.of, expected=expected)
    statefulsets.none(churn.of, expected=expected)
    daemonsets.none(churn.of, expected=expected)


@check(
    "namespaces.terminating",
    severity="critical",
    after=("pods.terminating", "apiservices.available", "control-plane.leases"),
    monitor=True,
    preflight="warning",
)
def test_no_namespace_is_stuck_terminating(
    namespaces: Subjects[Namespace], namespace_contents: NamespaceContents, patience: Patience, now: datetime
) -> None:
    """No namespace is stuck while it is being deleted.

    Something in it cannot be deleted, or an aggregated API that should be asked does not answer.
    Look first: kubectl get namespace {name} -o yaml
    """
    namespaces.none(
        lambda namespace: namespace.deleting_for(now) > patience.namespace_terminating,
        observed=lambda namespace: f"Terminating for {duration(namespace.deleting_for(now))}: {namespace.blockers}",
        expected=f"gone within {duration(patience.namespace_terminating)}",
        transitional=lambda namespace: namespace_contents.going(namespace, now, patience.terminating),
    )
