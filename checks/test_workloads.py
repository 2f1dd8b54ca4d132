"""Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs and namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import duration
from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before
    from upgate.facts.daemonsets import DaemonSet
    from upgate.facts.deployments import Deployment
    from upgate.facts.jobs import Job, Retries, Schedules
    from upgate.facts.namespaces import Namespace
    from upgate.facts.owned_pods import DeploymentPods, OwnedPods
    from upgate.facts.relations import DaemonSetPlacement, NamespaceContents
    from upgate.facts.statefulsets import StatefulSet
    from upgate.facts.workloads import ReplicaSet
    from upgate.profile.parts import Patience

#: Findings on pods and nodes that explain why a workload is not complete.
UNDERNEATH = (
    *("pods.crashing", "pods.scheduler-silent", "pods.pending", "pods.ready", "pods.terminating", "pods.failed"),
    *("nodes.ready", "nodes.heartbeat"),
)


@check("deployments.ready", severity="critical", after=UNDERNEATH, monitor=True)
def test_every_deployment_is_complete(
    deployments: Subjects[Deployment], deployment_pods: DeploymentPods, patience: Patience, now: datetime
) -> None:
    """Every Deployment is complete: all replicas are of the latest version, ready and available.

    A pod that was never created shows in no list of pods; only its Deployment misses it. And a status is only a claim:
    when its controller is dead it counts pods that do not exist any more.
    Look first: kubectl -n {namespace} rollout status deployment {name}; kubectl -n {namespace} describe deployment {name}
    """
    deployments.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: deployment_pods.incomplete(each, each.unready()),
        expected=lambda each: f"{each.desired} updated, ready and available",
        transitional=lambda each: deployment_pods.under_way(each, now, patience),
    )


@check("replicasets.ready", severity="critical", after=UNDERNEATH, monitor=True, none_is_fine=True)
def test_every_replicaset_of_its_own_is_complete(
    replicasets: Subjects[ReplicaSet], owned_pods: OwnedPods, patience: Patience, now: datetime
) -> None:
    """Every ReplicaSet that belongs to no Deployment is complete: all replicas are ready and available.

    Argo Rollouts and people make them. Those of Deployments are history but for one, and their Deployment answers for them.
    Look first: kubectl -n {namespace} describe replicaset {name}
    """
    replicasets.where(lambda each: not (each.of_deployment or each.metadata.deletion_timestamp)).none(
        lambda each: owned_pods.incomplete(each, each.unready()),
        expected=lambda each: f"{each.desired} ready and available",
        transitional=lambda each: owned_pods.under_way(each, now, patience),
    )


@check("statefulsets.ready", severity="critical", after=UNDERNEATH, monitor=True, none_is_fine=True)
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
        transitional=lambda each: owned_pods.under_way(each, now, patience),
    )


@check("daemonsets.ready", severity="critical", after=UNDERNEATH, monitor=True, none_is_fine=True)
def test_every_daemonset_is_complete(
    daemonsets: Subjects[DaemonSet],
    placement: DaemonSetPlacement,
    before: Before,
    owned_pods: OwnedPods,
    patience: Patience,
    now: datetime,
) -> None:
    """Every DaemonSet is complete: it is ready and updated on every node that it wants.

    One that wants no node at all is all right only if its node selector matches none, and matched none in the baseline.
    Look first: kubectl -n {namespace} rollout status daemonset {name}; kubectl -n {namespace} describe daemonset {name}
    """
    daemonsets.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: owned_pods.incomplete(
            each, each.unready(wanted=before.place(each) or placement.why_expected(each))
        ),
        expected=lambda each: f"{each.desired} ready and updated" if each.desired else "a ready pod on its nodes",
        transitional=lambda each: owned_pods.under_way(each, now, patience),
    )


@check("jobs.failed", severity="critical", none_is_fine=True, monitor=True)
def test_no_job_has_failed(
    jobs: Subjects[Job], schedules: Schedules, retries: Retries, since: datetime, now: datetime
) -> None:
    """No Job has failed, and none keeps failing.

    Three failed pods or runs since the reference time without a success are a warning, and after ten minutes a failure,
    however many retries are left. One of which no pod is made or gets a node within an hour is a warning, and so is one
    whose pod runs on an hour after one of its containers has ended: a sidecar keeps it. Of a CronJob the latest Job
    counts; while it still runs, the one before is a warning.
    Look first: kubectl -n {namespace} describe job {name}; kubectl -n {namespace} logs job/{name} --all-containers
    """
    jobs.where(lambda job: not job.metadata.deletion_timestamp and schedules.count(job)).none(
        lambda job: (
            job.failure
            or retries.fail(job, since)
            or job.lost_indexes
            or retries.unbegun(job, now)
            or retries.held(job, now)
        ),
        observed=lambda job: job.failure or retries.words(job, since, now),
        expected="Complete",
        severity=lambda job: None if retries.grave(job, since, now) and not schedules.follow(job) else "warning",
    )


@check("namespaces.terminating", severity="critical", after=("pods.terminating",), monitor=True)
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
