"""Pods that do not end although their work is over: a plain sidecar keeps them, and their Job waits for ever.

https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#jobs-with-sidecar-containers
"""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.base.text import duration
from upgate.facts.containers import ContainerStatus
from upgate.facts.pods import Pod

#: So long containers of one pod may go on after the first of them has ended.
HELD = timedelta(hours=1)


def kept_running(pod: Pod, moment: datetime) -> str:
    """Which of its containers has ended, longer ago than an hour, and which others run on: a proxy ends with nothing."""
    statuses = pod.status.container_statuses or ()
    ended = [(each, each.now.terminated) for each in statuses if each.now.terminated and not is_restarted(pod, each)]
    times = [end.finished_at for _, end in ended if end]
    runs = [each.name for each in statuses if each.now.running]
    if not runs or not times or any(at is None or moment - at < HELD for at in times):
        return ""
    codes = ", ".join(f"container {each.name} ended with exit code {end.exit_code}" for each, end in ended if end)
    since = moment - max(filter(None, times))
    return f"{codes} {duration(since)} ago, and {', '.join(runs)} keeps pod {pod.name} running"


def is_restarted(pod: Pod, status: ContainerStatus) -> bool:
    """It runs again after this end."""
    policy = pod.policy_of(status)
    return policy == "Always" or (policy == "OnFailure" and not status.succeeded)
