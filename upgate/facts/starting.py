"""Starting takes time: which pods are within what their own spec promises. Our own patience comes after that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from upgate.facts.containers import Container, ContainerStatus
from upgate.facts.meta import condition, lately

if TYPE_CHECKING:
    from upgate.facts.pods import Pod

#: How long an init container may run where nothing promises a time: models and databases are downloaded by them.
#: The pods of a Deployment have its progressDeadlineSeconds.
INIT = timedelta(minutes=30)
#: So long a kubelet may take to say of a pod that it got that it is not ready.
ADMISSION = timedelta(minutes=1)


def starts_first(pod: Pod, moment: datetime) -> bool:
    """It has its node, has never been ready, and nothing is wrong with its containers."""
    given = pod.scheduled.last_transition_time if pod.scheduled else pod.metadata.creation_timestamp
    since = pod.ready.last_transition_time
    waited = since is None or given is None or since - given <= ADMISSION
    relapsing = any(each.relapsing for each in pod.statuses)
    return bool(pod.spec.node_name) and waited and not relapsing and not pod.crash(moment)


def promised(pod: Pod) -> timedelta:
    """How long its start may take by its own spec: its slowest probes, and its init containers."""
    probes = (each.start_budget + each.readiness_delay for each in pod.containers)
    works = any(each.restart_policy != "Always" for each in pod.spec.init_containers or ())
    return max(probes, default=timedelta(0)) + (INIT if works else timedelta(0))


def moves(pod: Pod, moment: datetime, lag: timedelta) -> bool:
    """It was made, was due to be gone, or has ended a moment ago."""
    if pod.done:
        return pod.failed_within(lag, moment)
    return (pod.overdue(moment) if pod.terminating else pod.age(moment)) < lag


def initializing(pod: Pod, moment: datetime, pending: timedelta, deadline: timedelta) -> bool:
    """An init container has run no longer than it may, or ended well a moment ago: its pod does not wait, it works."""
    running = [each for each in pod.status.init_container_statuses or () if each.now.running and _holds_up(pod, each)]
    if running:
        return all(_init_in_time(pod, each, moment, deadline) for each in running)
    return any(_ended_within(each, moment, pending) for each in pod.status.init_container_statuses or ())


def becoming_ready(pod: Pod, moment: datetime, pending: timedelta, start_up: timedelta) -> bool:
    """Each container that is not ready is within the time of its probes; or only a readiness gate is still missing."""
    late = [each for each in pod.statuses if not each.ready and not pod.over(each)]
    if late:
        return all(_in_time(pod.container(each), each, moment, pending, start_up) for each in late)
    return _waits_for_gate(pod, moment, pending)


def wavering(pod: Pod, moment: datetime, patience: timedelta) -> bool:
    """It was ready until a moment ago: a probe that failed for a moment is not an outage."""
    since = pod.ready.last_transition_time
    calm = not any(each.relapsing for each in pod.statuses if not each.ready)
    return pod.ready.status == "False" and lately(since, moment, patience) and calm


def _in_time(
    container: Container, status: ContainerStatus, moment: datetime, pending: timedelta, start_up: timedelta
) -> bool:
    run, budget = status.now.running, container.start_budget
    if not run or not run.started_at or _relapsing(status, budget):
        return False
    # When its startupProbe succeeded is not known: from then on no more than our own patience counts.
    starting = min(budget, pending) if status.started else budget
    return lately(run.started_at, moment, max(starting, container.readiness_delay) + start_up)


def _init_in_time(pod: Pod, status: ContainerStatus, moment: datetime, deadline: timedelta) -> bool:
    run, container = status.now.running, pod.container(status)
    limit = container.start_budget if container.restart_policy == "Always" else deadline
    return bool(run and lately(run.started_at, moment, limit)) and not _relapsing(status, limit)


def _holds_up(pod: Pod, status: ContainerStatus) -> bool:
    """What comes after it waits for it: for a sidecar only until it has started, ready or not."""
    container = pod.container(status)
    begins = container.startup_probe is not None and not status.started
    return not status.ready and (container.restart_policy != "Always" or begins)


def _relapsing(status: ContainerStatus, budget: timedelta) -> bool:
    """It has used up its starts, and its previous run was no longer than a start that failed."""
    end = status.last_end
    long_run = end and end.finished_at and end.started_at and end.finished_at - end.started_at > 2 * budget
    return status.relapsing and not long_run


def _ended_within(status: ContainerStatus, moment: datetime, pending: timedelta) -> bool:
    end = status.now.terminated
    return bool(status.succeeded and end and lately(end.finished_at, moment, pending))


def _waits_for_gate(pod: Pod, moment: datetime, pending: timedelta) -> bool:
    """All its containers are ready, and a load balancer or an operator has not yet said that it is."""
    containers = condition(pod.status.conditions, "ContainersReady")
    gated = bool(pod.spec.readiness_gates) and all(each.ready or pod.over(each) for each in pod.statuses)
    since = containers.last_transition_time if containers.is_true else None
    began = since or moment - pod.started_for(moment)
    return gated and lately(began, moment, pending)
