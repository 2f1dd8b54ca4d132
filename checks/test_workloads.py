"""Deployments, StatefulSets, DaemonSets, Jobs and namespaces."""

from upgate.battery import check
from upgate.facts.words import duration

#: Findings on pods and nodes that explain why a workload is not complete.
UNDERNEATH = (
    *("pods.crashing", "pods.scheduler-silent", "pods.pending", "pods.ready", "pods.terminating", "pods.failed"),
    *("nodes.ready", "nodes.heartbeat"),
)


@check("deployments.ready", severity="critical", after=UNDERNEATH, monitor=True)
def test_every_deployment_is_complete(deployments, deployment_crew, patience, now):
    """Every Deployment is complete: all replicas are of the latest version, ready and available.

    A pod that was never created shows in no list of pods; only its Deployment misses it.
    Look first: kubectl -n {namespace} rollout status deployment {name}; kubectl -n {namespace} describe deployment {name}
    """
    deployments.where(lambda deployment: not deployment.metadata.deletion_timestamp).none(
        lambda deployment: deployment.unready(),
        expected=lambda deployment: f"{deployment.desired} updated, ready and available",
        transitional=lambda each: (
            each.rolling_out()
            or deployment_crew.starting(each, now, patience)
            or deployment_crew.giving_way(each, now, patience.terminating)
        ),
    )


@check("statefulsets.ready", severity="critical", after=UNDERNEATH, monitor=True)
def test_every_statefulset_is_complete(statefulsets, crew, patience, now):
    """Every StatefulSet is complete: all replicas are ready and at the latest revision.

    Those with the update strategy OnDelete, and replicas below a partition, keep the old revision on purpose.
    Look first: kubectl -n {namespace} rollout status statefulset {name}; kubectl -n {namespace} describe statefulset {name}
    """
    statefulsets.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: each.unready(),
        expected=lambda each: f"{each.desired} ready and updated",
        transitional=lambda each: crew.advances(each, now) or crew.starting(each, now, patience),
    )


@check("daemonsets.ready", severity="critical", after=UNDERNEATH, monitor=True)
def test_every_daemonset_is_complete(daemonsets, ground, crew, patience, now):
    """Every DaemonSet is complete: it is ready and updated on every node that it wants, and on no other.

    One that wants no node at all is all right only if its node selector matches none.
    Look first: kubectl -n {namespace} rollout status daemonset {name}; kubectl -n {namespace} describe daemonset {name}
    """
    daemonsets.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: each.unready(wanted=ground.for_(each)),
        expected=lambda each: f"{each.desired} ready and updated",
        transitional=lambda each: (
            crew.advances(each, now) or crew.starting(each, now, patience) or ground.shrinks(each, crew.of(each), now)
        ),
    )


@check("jobs.failed", severity="critical", none_is_fine=True, monitor=True)
def test_no_job_has_failed(jobs, schedules, retries, since, now):
    """No Job has failed, and none fails again and again.

    Three failed pods or runs since the reference time without a success are a warning, and after ten minutes a failure,
    however many retries are left. Of a CronJob the latest Job counts; while it still runs, the one before is a warning.
    Look first: kubectl -n {namespace} describe job {name}; kubectl -n {namespace} logs job/{name} --all-containers
    """
    jobs.where(lambda job: not job.metadata.deletion_timestamp and schedules.count(job)).none(
        lambda job: job.failure or retries.fail(job, since) or job.lost_indexes,
        observed=lambda job: job.failure or retries.words(job, since, now),
        expected="Complete",
        severity=lambda job: None if retries.grave(job, since, now) and not schedules.follow(job) else "warning",
    )


@check("namespaces.terminating", severity="critical", after=("pods.terminating",), monitor=True)
def test_no_namespace_is_stuck_terminating(namespaces, tenants, patience, now):
    """No namespace is stuck while it is being deleted.

    Something in it cannot be deleted, or an aggregated API that should be asked does not answer.
    Look first: kubectl get namespace {name} -o yaml
    """
    namespaces.none(
        lambda namespace: namespace.deleting_for(now) > patience.namespace_terminating,
        observed=lambda namespace: f"Terminating for {duration(namespace.deleting_for(now))}: {namespace.blockers}",
        expected=f"gone within {duration(patience.namespace_terminating)}",
        transitional=lambda namespace: tenants.going(namespace, now, patience.terminating),
    )
