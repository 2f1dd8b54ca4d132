"""Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import counted, duration
from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.logs import LastWords
    from upgate.battery.restarts import RecentRestarts
    from upgate.facts.owned_pods import OwnedPods
    from upgate.facts.pods import Pod
    from upgate.facts.promises import Autoscalers, Deadlines, Preemptions
    from upgate.facts.relations import Controllers, PodNodes, WarningEvents
    from upgate.facts.successors import Successors
    from upgate.profile.parts import Patience

DEAD_NODE = ("nodes.ready", "nodes.heartbeat")
#: It explains the pods that hang on it while the same run elsewhere.
IDLE_NODE = "nodes.work"
UNSTARTED = ("pods.crashing", "pods.scheduler-silent")
#: Findings that explain why a pod does not start: its claim is not bound, or its volume not attached.
VOLUMES = ("storage.bound", "storage.attachments")


@check("pods.crashing", severity="critical", after=(IDLE_NODE, "rbac.addons"), monitor=True, preflight="warning")
def test_no_container_crashes_or_fails_to_start(pods: Subjects[Pod], crash_logs: LastWords, now: datetime) -> None:
    """No container crashes or fails to start.

    Init containers and sidecars count; ephemeral ones are people's tools. A pod between two crashes is Running: a
    container that is not ready and ended moments ago counts too. What a Job retries is judged by the Job. With
    `allow: [logs]` it shows what the container wrote last.
    Look first: kubectl -n {namespace} describe pod {name}; {logs}
    """
    pods.where(lambda pod: pod.active).none(
        lambda pod: pod.crash_for_good(now),
        observed=lambda pod: f"{pod.crash_for_good(now)}{crash_logs.of(pod)}",
        expected="its containers run",
    )


@check("pods.failed", severity="critical", after=DEAD_NODE, monitor=True)
def test_no_pod_has_failed(
    pods: Subjects[Pod],
    controllers: Controllers,
    replacements: Successors,
    owned_pods: OwnedPods,
    patience: Patience,
    since: datetime,
    now: datetime,
) -> None:
    """No pod has failed since the reference time.

    Pods of Jobs are retried and judged by their Job. One that failed earlier, whose controller has all its pods again, or
    whose operator has made the next one, is litter, and a warning; but not where one after the other fails.
    Look first: kubectl -n {namespace} describe pod {name}
    """
    pods.where(lambda pod: not pod.of_job and not pod.terminating).none(
        lambda pod: pod.status.phase in ("Failed", "Unknown"),
        observed=lambda pod: pod.end,
        expected="phase Running or Succeeded",
        severity=lambda pod: "warning" if litter(pod, controllers, replacements, since, now) else None,
        transitional=lambda pod: (
            (owner := controllers.of(pod))
            and not owned_pods.fails_again_and_again(owner, now, patience.terminating)
            and (pod.failed_within(patience.start_up, now) or owned_pods.replacing(owner, now, patience))
        ),
    )


def litter(pod: Pod, controllers: Controllers, replacements: Successors, since: datetime, now: datetime) -> object:
    """It is of the past, or was replaced, and its successors do not fail as it did."""
    owner = controllers.of(pod)
    if pod.failed_before(since, owned=owner is not None):
        return True
    replaced = controllers.restored(pod) or replacements.of(pod)
    return replaced and not replacements.keep_failing(pod, now, owner.desired if owner else 1)


@check("pods.terminating", severity="critical", after=(*DEAD_NODE, IDLE_NODE), preflight="critical")
def test_no_pod_is_stuck_terminating(
    pods: Subjects[Pod], pod_nodes: PodNodes, patience: Patience, now: datetime
) -> None:
    """No pod is stuck while it is being deleted.

    Its deletionTimestamp already includes the grace period, so it should be gone soon after. A finalizer that no controller
    removes, or a node that no longer answers, keeps it.
    Look first: kubectl -n {namespace} get pod {name} -o yaml
    """
    pods.all(
        lambda pod: pod.overdue(now) < patience.terminating,
        observed=lambda pod: f"due to be gone {duration(pod.overdue(now))} ago; {pod.finalizers}; {pod_nodes.of(pod)}",
        expected=f"gone within {duration(patience.terminating)} of its deletionTimestamp",
        severity=lambda pod: "warning" if pod_nodes.switched_off(pod) else None,
    )


@check(
    "pods.pending",
    severity="critical",
    after=(*UNSTARTED, *VOLUMES, *DEAD_NODE, IDLE_NODE, "nodes.schedulable"),
    monitor=True,
    preflight="warning",
)
def test_no_pod_is_pending_for_long(
    pods: Subjects[Pod],
    warning_events: WarningEvents,
    autoscalers: Autoscalers,
    deadlines: Deadlines,
    preemptions: Preemptions,
    pod_nodes: PodNodes,
    patience: Patience,
    now: datetime,
) -> None:
    """No pod is pending for long.

    It cannot be scheduled, or its volumes, image or init containers keep it from starting. Pods that a scheduling gate
    holds back on purpose, and those that run to their end and queue for a node, are a warning; a Job's are judged by the Job.
    While an autoscaler makes the node, preempted pods make room, an init container is at work or a rollout is within its
    deadline, the start is under way.
    Look first: kubectl -n {namespace} describe pod {name}
    """
    pods.where(lambda pod: not pod.terminating and not pod.queued).none(
        lambda pod: pod.pending_for(now) > (patience.start_up if autoscalers.refuse(pod) else patience.pending),
        observed=lambda pod: (
            f"Pending for {duration(pod.age(now))}: {pod.why_pending(warning_events.latest(pod), autoscalers.refuse(pod))}"
        ),
        expected=f"started within {duration(patience.pending)}",
        severity=lambda pod: "warning" if pod.waits_in_queue or pod_nodes.switched_off(pod) else None,
        transitional=lambda pod: (
            pod.just_scheduled(now, patience.pending)
            or autoscalers.make_a_node_for(pod, now)
            or preemptions.make_room_for(pod, now, patience.terminating)
            or deadlines.let_start(pod, now)
            or pod.initializing(now, patience.pending, deadlines.of(pod))
        ),
    )


@check(
    "pods.scheduler-silent", severity="critical", after=("control-plane.leases",), monitor=True, preflight="critical"
)
def test_no_pod_waits_for_a_word_of_the_scheduler(
    pods: Subjects[Pod], warning_events: WarningEvents, patience: Patience, now: datetime
) -> None:
    """No pod waits without a scheduler's verdict.

    Every scheduler says soon why it cannot place a pod. Silence means that it is not running, does not see the pod, or
    has another name than the pod asks for.
    Look first: kubectl -n kube-system get lease kube-scheduler -o yaml
    """
    pods.where(lambda pod: not pod.terminating).none(
        lambda pod: (
            pod.unseen_by_scheduler
            and not warning_events.of_scheduler(pod)
            and pod.age(now) > patience.scheduler_silent
        ),
        observed=lambda pod: f"no word of {pod.spec.scheduler_name or 'the scheduler'} for {duration(pod.age(now))}",
        expected=f"a PodScheduled condition or an event within {duration(patience.scheduler_silent)}",
    )


@check("pods.ready", severity="critical", after=("pods.crashing", *DEAD_NODE, IDLE_NODE, "rbac.addons"), monitor=True)
def test_every_running_pod_is_ready(
    pods: Subjects[Pod], deadlines: Deadlines, pod_nodes: PodNodes, patience: Patience, now: datetime
) -> None:
    """Every running pod is Ready.

    Running means only that its containers were started. Pods that have just started may take their time, those of Jobs
    are not asked, and a container that was to end, and ended well, need not be ready. Within the time of its probes and
    readiness gates, and in a rollout within its deadline, a pod is on its way, and one that was ready until a moment ago is
    not yet an outage. A pod whose node does not exist is not ready, whatever its status says: nothing there writes it.
    Look first: kubectl -n {namespace} describe pod {name}
    """
    running = pods.where(lambda pod: pod.status.phase == "Running" and not pod.terminating and not pod.of_job)
    running.all(
        lambda pod: (
            not pod_nodes.lost(pod, now)
            and (pod.ready.is_true or pod.at_work or pod.started_for(now) <= patience.start_up)
        ),
        observed=lambda pod: pod_nodes.of(pod) if pod_nodes.lost(pod, now) else pod.ready,
        expected=f"Ready=True within {duration(patience.start_up)} of its start",
        severity=lambda pod: "warning" if pod_nodes.switched_off(pod) else None,
        transitional=lambda pod: (
            pod_nodes.just_removed(pod, now)
            if pod_nodes.lost(pod, now)
            else pod.becoming_ready(now, patience.pending, patience.start_up) or deadlines.let_start(pod, now)
        ),
    )


@check("pods.restarts", severity="critical", after=("pods.crashing", *DEAD_NODE, IDLE_NODE))
def test_no_container_has_restarted(pods: Subjects[Pod], restarts: RecentRestarts, pod_nodes: PodNodes) -> None:
    """No container has restarted more often since the reference time than the profile allows.

    With a baseline the restarts of the very same pod are compared; a new pod may restart twice while it starts. A reboot of
    its node is one restart, and so is a lease that is lost while the API server is away or, by a static pod, at any time.
    Without a baseline the pace of the last runs tells. Restarts are how a Job retries, so its pods are not asked.
    Look first: {logs}
    """
    pods.where(lambda pod: pod.active and not pod.of_job).none(
        lambda pod: restarts.beyond_allowance(pod, pod_nodes.node(pod)),
        expected=lambda pod: (
            f"at most {counted(restarts.allowance(pod, pod_nodes.node(pod)), 'restart')} "
            f"since {restarts.since:%Y-%m-%dT%H:%M:%SZ}"
        ),
    )


@check("pods.oom", severity="warning")
def test_no_container_was_killed_for_memory(pods: Subjects[Pod], since: datetime) -> None:
    """No container was OOMKilled since the reference time.

    A new version, kernel or runtime may need more memory than the limit that fitted before.
    Look first: kubectl -n {namespace} describe pod {name}
    """
    pods.none(lambda pod: pod.killed_for_memory_since(since), expected="not OOMKilled")


@check("pods.bare", severity="warning", preflight="warning")
def test_every_pod_has_a_controller(pods: Subjects[Pod]) -> None:
    """Every pod has a controller.

    Draining a node deletes a bare pod for good: nothing recreates it. Mirror pods belong to their node, and a pod that
    has ended needs no controller.
    Look first: kubectl -n {namespace} get pod {name} -o yaml
    """
    pods.where(lambda pod: pod.active).none(
        lambda pod: pod.bare, observed="no ownerReference is its controller", expected="a controller"
    )
