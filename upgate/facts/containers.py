"""Containers of pods: what they should run, and how that goes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from upgate.base.text import counted, duration
from upgate.facts.amounts import Resources
from upgate.facts.meta import Fact, Time

#: Reasons of waiting that mean trouble: CrashLoopBackOff, ImagePullBackOff, ErrImagePull, ErrImageNeverPull, InvalidImageName,
#: CreateContainerConfigError, RunContainerError, StartError, ContainerCannotRun, … but not ContainerCreating or PodInitializing.
TROUBLE = re.compile("BackOff|Err|Invalid|CannotRun|Unavailable|Failed")
#: After a run this long the restart delay begins at its shortest again; after a shorter one the kubelet counts on.
#: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
BACKOFF_RESET = timedelta(minutes=10)


#: So often a container may fail while it starts, or restart where old restarts cannot be told from new ones.
STARTS = 2
#: So many restarts, and no further apart than this in all its life, are a habit.
HABIT, SELDOM = 10, timedelta(hours=1)
#: No promise of a probe counts for longer: whoever may write a pod writes it, in numbers up to 2³¹ that are multiplied.
LONGEST = timedelta(days=7)
#: Sidecars that have a readiness probe of their own, which says nothing of what they stand before.
PROXIES = ("istio-proxy", "linkerd-proxy", "envoy", "kuma-sidecar", "consul-dataplane")


def at_most(seconds: int) -> timedelta:
    """So many seconds, within the longest time that counts; none for a negative number."""
    return timedelta(seconds=max(0, min(seconds, int(LONGEST.total_seconds()))))


def beyond_longest(seconds: int) -> timedelta:
    """How much longer than the longest time that counts that is; no more than decades."""
    return timedelta(seconds=min(max(0, seconds), 10**9)) - at_most(min(seconds, 10**9))


class Probe(Fact):
    """https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes"""

    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3

    @property
    def budget(self) -> timedelta:
        """How long it may fail from the start of the container on."""
        return at_most(self.initial_delay_seconds + self.failure_threshold * self.period_seconds + self.timeout_seconds)

    @property
    def delay(self) -> timedelta:
        """How long it takes at least to succeed."""
        return at_most(self.initial_delay_seconds + (self.success_threshold - 1) * self.period_seconds)


class ResizePolicy(Fact):
    """https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#container-resize-policies"""

    restart_policy: str = ""


class Container(Fact):
    """One of `spec.containers` or `spec.initContainers`."""

    name: str
    image: str = ""
    #: Always on an init container makes it a sidecar (KEP-753); on any other it overrides that of the pod (KEP-5307).
    restart_policy: str | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    resources: Resources | None = None
    #: Hashable, as all of it: equal containers are kept once.
    resize_policy: tuple[ResizePolicy, ...] | None = None

    @property
    def restarts_to_resize(self) -> bool:
        """A change of its resources restarts it, while its pod stays."""
        return any(each.restart_policy == "RestartContainer" for each in self.resize_policy or ())

    @property
    def start_budget(self) -> timedelta:
        """How long its startupProbe lets it start; none where it has no such probe."""
        return self.startup_probe.budget if self.startup_probe else timedelta(0)

    @property
    def readiness_delay(self) -> timedelta:
        """How long its readinessProbe takes at least; none where it has no such probe."""
        return self.readiness_probe.delay if self.readiness_probe else timedelta(0)


class Waiting(Fact):
    """`state.waiting`."""

    reason: str = ""
    message: str = ""


class Running(Fact):
    """`state.running`."""

    started_at: Time | None = None


class Terminated(Fact):
    """`state.terminated`. Its message is the program's own output and stays out: it may hold secrets."""

    exit_code: int = 0
    reason: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None

    @property
    def duration(self) -> timedelta | None:
        """How long the run took; None where one of its times is not known."""
        if not (self.started_at and self.finished_at and self.started_at.year > 1970):
            return None
        return self.finished_at - self.started_at


class ContainerState(Fact):
    """One of three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Fact):
    """One of `status.containerStatuses` or `status.initContainerStatuses`."""

    name: str
    ready: bool = False
    #: Its startupProbe, if it has one, has succeeded.
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState | None = None
    last_state: ContainerState | None = None

    @property
    def now(self) -> ContainerState:
        """`state`, never None."""
        return self.state or ContainerState()

    @property
    def last_end(self) -> Terminated | None:
        """How its previous run ended."""
        return self.last_state.terminated if self.last_state else None

    @property
    def ends(self) -> list[Terminated]:
        """How its present and its previous run ended, as far as they did."""
        return [end for end in (self.now.terminated, self.last_end) if end]

    @property
    def succeeded(self) -> bool:
        """It has ended with exit code 0."""
        return self.now.terminated is not None and self.now.terminated.exit_code == 0

    @property
    def retried(self) -> bool:
        """It ends and is started again: what it waits for, if it does, is its next run."""
        return self.now.waiting is None or self.now.waiting.reason == "CrashLoopBackOff"

    def trouble(self, moment: datetime, restarts_after: bool) -> str:
        """Why it cannot be said to run: it waits for a bad reason, or is between two crashes. Else empty."""
        waiting = self.now.waiting
        if waiting and TROUBLE.search(waiting.reason):
            return self._said(f"{waiting.reason}{self._why(waiting)}")
        if self._between_crashes(moment, restarts_after):
            return self._said("crashing again and again" + self._exit())
        return ""

    @property
    def short_lived(self) -> bool:
        """Its previous run was so short that the kubelet takes its end and the next for the same loop."""
        end = self.last_end
        return end is not None and (end.duration is None or end.duration < BACKOFF_RESET)

    def restarted_since(self, moment: datetime) -> int:
        """How many restarts since then are certain: the present run, and the one before, began after it.

        A container that runs has a start: one that cannot be read is taken for a late one.
        """
        if not self.restart_count:
            return 0
        runs = [self.now.running and (self.now.running.started_at or moment), *(end.started_at for end in self.ends)]
        began = sum(1 for start in runs if start and start >= moment)
        ended = sum(1 for end in self.ends if end.finished_at and end.finished_at >= moment)
        return min(self.restart_count, max(began, ended))

    def restarted_only_since(self, moment: datetime) -> bool:
        """All its restarts, or the end of a run that had lasted, were later."""
        certain = self.restarted_since(moment)
        return certain >= self.restart_count or (certain == 1 and self.has_lasted)

    @property
    def cycle(self) -> timedelta | None:
        """The time from the start of its previous run to that of the present one; None where one of them is not known."""
        run, end = self.now.running, self.last_end
        if not (run and run.started_at and end and end.started_at and end.started_at.year > 1970):
            return None
        return run.started_at - end.started_at

    def paced_since(self, moment: datetime) -> int:
        """How many restarts since then there were, if all were as far apart as the last two; 0 where that is not known."""
        run, cycle = self.now.running, self.cycle
        if not run or not run.started_at or not cycle or cycle <= timedelta(0) or run.started_at < moment:
            return 0
        return min(self.restart_count, (run.started_at - moment) // cycle + 1)

    def steady(self, age: timedelta, since: datetime, moment: datetime) -> bool:
        """It has restarted every hour or more often all its life, since that moment too, and still does at its usual pace."""
        mean, run, cycle = age / max(1, self.restart_count), self.now.running, self.cycle
        if not (run and run.started_at and cycle) or self.restart_count < HABIT or mean > SELDOM:
            return False
        return run.started_at >= since and cycle <= mean * 4 / 3 and moment - run.started_at <= 2 * mean

    @property
    def has_lasted(self) -> bool:
        """Its previous run is known to have been no start that failed."""
        return self.last_end is not None and not self.short_lived

    @property
    def relapsing(self) -> bool:
        """It has restarted more often than a start may need."""
        return self.restart_count > STARTS

    def killed_for_memory_since(self, moment: datetime) -> bool:
        """One of its last two runs ended as OOMKilled after that moment."""
        return any(end.reason == "OOMKilled" and end.finished_at and end.finished_at >= moment for end in self.ends)

    def _between_crashes(self, moment: datetime, restarts_after: bool) -> bool:
        if self.now.terminated:
            return bool(self.restart_count) and (restarts_after or self.now.terminated.exit_code != 0)
        end = self.last_end
        recent = end is not None and end.finished_at is not None and moment - end.finished_at < BACKOFF_RESET
        return bool(self.now.running) and not self.ready and self.restart_count > 1 and recent and self.short_lived

    def _said(self, words: str) -> str:
        restarts = f", {counted(self.restart_count, 'restart')}" if self.restart_count else ""
        return f"container {self.name}: {words}{restarts}"

    def _why(self, waiting: Waiting) -> str:
        message = f": {' '.join(waiting.message.split())}" if waiting.message else ""
        # Of a crash the kubelet's message only says how long it waits; of an image or a start that failed it says why.
        return self._exit() or message if waiting.reason == "CrashLoopBackOff" else message or self._exit()

    def _exit(self) -> str:
        end = self.now.terminated or self.last_end
        if not end:
            return ""
        ran = "" if end.duration is None else f" after {duration(end.duration)}"
        return f" (last ended with exit code {end.exit_code}, {end.reason or 'no reason given'}{ran})"
