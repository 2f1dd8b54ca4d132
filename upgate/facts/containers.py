"""Containers of pods: what they should run, and how that goes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from upgate.base.text import counted, duration
from upgate.facts.meta import Fact, Time

#: Reasons of waiting that mean trouble: CrashLoopBackOff, ImagePullBackOff, ErrImagePull, ErrImageNeverPull, InvalidImageName,
#: CreateContainerConfigError, RunContainerError, StartError, ContainerCannotRun, … but not ContainerCreating or PodInitializing.
TROUBLE = re.compile("BackOff|Err|Invalid|CannotRun|Unavailable|Failed")
#: A container that has run this long starts anew with its restart delay; before that the kubelet counts on in the same loop.
#: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
BACKOFF_RESET = timedelta(minutes=10)


class Container(Fact):
    """One of `spec.containers` or `spec.initContainers`."""

    name: str
    image: str = ""
    #: Always on an init container makes it a sidecar (KEP-753); on any other it overrides that of the pod (KEP-5307).
    restart_policy: str | None = None


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


class ContainerState(Fact):
    """One of three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Fact):
    """One of `status.containerStatuses` or `status.initContainerStatuses`."""

    name: str
    ready: bool = False
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
    def done_well(self) -> bool:
        """It has ended with exit code 0."""
        return self.now.terminated is not None and self.now.terminated.exit_code == 0

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
        return end is not None and not (_ran(end) and end.finished_at - end.started_at >= BACKOFF_RESET)

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
        ran = f" after {duration(end.finished_at - end.started_at)}" if _ran(end) else ""
        return f" (last ended with exit code {end.exit_code}, {end.reason or 'no reason given'}{ran})"


def _ran(end: Terminated) -> bool:
    return bool(end.started_at and end.finished_at and end.started_at.year > 1970)
