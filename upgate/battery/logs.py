"""Logs of containers, as checks take them: what explains a crash, and what the control plane complains of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from upgate.base.text import counted
from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.events import Event
from upgate.facts.pod_logs import ComponentLog, ContainerLog
from upgate.facts.pods import Pod

if TYPE_CHECKING:
    from upgate.profile.hosts import Journal

#: Characters of what explains a crash.
ROOM = 900


@dataclass(frozen=True)
class LastWords:
    """What a pod that crashes wrote last, and what was last said of it; nothing where the profile does not allow to look."""

    logs: Iterable[ContainerLog] = ()
    warnings: Iterable[Event] = ()

    def of(self, pod: Pod) -> str:
        """Both in words, to stand behind what is wrong with the pod; else empty."""
        parts = [self._written(each) for each in self.logs if each.ref == pod.ref]
        return "".join(f"; {each}" for each in [*parts, *(self._said(pod) if parts else ())])[:ROOM]

    def _written(self, log: ContainerLog) -> str:
        if log.problem:
            return f"its log is not known: {log.problem}"
        return f"last lines of {log.container}: {' ⏎ '.join(log.lines) or 'none'}"

    def _said(self, pod: Pod) -> list[str]:
        about = [each for each in self.warnings if each.involved_object.uid == pod.metadata.uid and each.time]
        last = max(about, key=lambda each: each.time, default=None)  # type: ignore[arg-type,return-value]
        return [f"last event: {last.reason}: {' '.join(last.message.split())[:200]}"] if last else []


@dataclass(frozen=True)
class ControlLogs:
    """The logs of the control plane since the reference time."""

    logs: Iterable[ComponentLog]
    since: datetime
    journal: Journal | None
    judgement: Judgement

    @property
    def read(self) -> Subjects[ComponentLog]:
        """Those that could be read."""
        self.judgement.gaps += [each.problem for each in self.logs if each.problem]
        return Subjects("logs", [each for each in self.logs if not each.problem], self.judgement)

    def fatal(self, log: ComponentLog) -> str:
        """What should not be in a log. Empty where nothing is."""
        patterns, ignored = (self.journal.patterns, self.journal.ignore) if self.journal else ((), ())
        lines = log.fatal_lines(self.since, patterns, ignored)
        return f"{log.container}: {counted(len(lines), 'line')}, the last is: {lines[-1]}" if lines else ""
