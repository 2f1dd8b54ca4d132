"""Workloads that are changed again and again: two controllers fight over them, or one fights itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from upgate.base.text import duration
from upgate.battery.before import Before
from upgate.facts.meta import LONG_AGO, ManagedFields, ManagedMeta, lately
from upgate.facts.workloads import Workload

#: An upgrade changes a workload a few times; so often, and more often than every five minutes, is a fight.
LEAST, PER_HOUR = 10, 12
#: Who wrote it within that time is still at it.
LATELY = timedelta(minutes=10)
#: What else is written: a status changes no generation, and an autoscaler changes the number of replicas through `scale`.
BESIDE = ("status", "scale")


@dataclass(frozen=True)
class Churn:
    """How often workloads are changed, since the baseline or since they were made."""

    before: Before
    now: datetime

    def of(self, workload: Workload) -> str:
        """How often it was changed, and by whom. Empty where that is not often, or has come to an end."""
        earlier, since = self.before.generation(workload)
        times, spent = workload.metadata.generation - earlier, self.now - (since or LONG_AGO)
        often = times >= max(LEAST, PER_HOUR * spent / timedelta(hours=1))
        if not often or not self._goes_on(workload):
            return ""
        return f"changed {times} times in {duration(spent)}, most recently by {', '.join(self._writers(workload)) or 'unknown'}"

    def _goes_on(self, workload: Workload) -> bool:
        """Somebody still writes it, and it is not an autoscaler. Where nothing tells who wrote it, its pace alone does."""
        return bool(self._writers(workload)) or not managed(workload)

    def _writers(self, workload: Workload) -> list[str]:
        """Who has written it lately."""
        late = (each for each in managed(workload) if lately(each.time, self.now, LATELY))
        return sorted({each.manager or "unknown" for each in late if each.subresource not in BESIDE})


def managed(workload: Workload) -> list[ManagedFields]:
    """Who wrote which of its fields."""
    meta = workload.metadata
    return (meta.managed_fields or []) if isinstance(meta, ManagedMeta) else []
