"""Workloads and what belongs to them, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from upgate.base.text import counted
from upgate.battery.compared.changed import (
    ChangedObject,
    kind_in,
    namespace_in,
    old_to_new,
    replaced,
    stems_of_new,
)
from upgate.facts.recorded.workloads import WorkloadState
from upgate.results import Severity

#: Without these everything runs as before, until it is moved or under load.
SAFEGUARDS = ("HorizontalPodAutoscaler", "PodDisruptionBudget")


@dataclass(frozen=True)
class ChangedWorkload(ChangedObject[WorkloadState]):
    """A workload, Service, Ingress or CronJob of the baseline; or a namespace with all that was in it."""

    #: What was in a namespace.
    contents: int = 0
    #: How many nodes fewer there are: a DaemonSet runs on as many fewer.
    nodes_lost: int = 0

    @property
    def lost(self) -> str:
        """It is gone, or down to fewer replicas. Empty where it is as before."""
        if self.now is None:
            return f"gone, with {counted(self.contents, 'object')} in it" if self.contents else "gone"
        return self._fewer(self.before, self.now)

    @property
    def severity(self) -> Severity | None:
        """What guards workloads is missed later."""
        return "warning" if kind_in(self.ref) in SAFEGUARDS else None

    def _fewer(self, before: WorkloadState, now: WorkloadState) -> str:
        if before.wanted is None or now.wanted is None or now.scaled:
            return ""
        spared = self.nodes_lost if kind_in(self.ref) == "DaemonSet" else 0
        if now.wanted + spared < before.wanted:
            return old_to_new("replicas", before.wanted, now.wanted)
        ready = min(before.ready, now.wanted)
        return f"{now.ready} ready, in the baseline {before.ready}" if now.ready + spared < ready else ""


def changed_workloads(
    before: Mapping[str, WorkloadState], now: Mapping[str, WorkloadState], nodes_lost: int
) -> Iterator[ChangedWorkload]:
    """All of the baseline. What was in a namespace that is gone is told with it."""
    gone = {namespace_in(ref) for ref in before.keys() - now.keys() if kind_in(ref) == "Namespace"}
    new, contents = stems_of_new(before, now), Counter(map(namespace_in, before))
    for ref, state in before.items():
        wide = kind_in(ref) == "Namespace"
        missing = ref not in now
        if missing and (replaced(ref, new) or (namespace_in(ref) in gone and not wide)):
            continue
        yield ChangedWorkload(ref, state, now.get(ref), contents[namespace_in(ref)] - 1 if wide else 0, nodes_lost)


@dataclass(frozen=True)
class ChangedImages(ChangedObject[WorkloadState]):
    """The images of a workload that is still there."""

    #: The API server's version is another one.
    upgraded: bool = False

    @property
    def changes(self) -> str:
        """Which containers have another image, are new, or gone. Empty where none is, or where the upgrade did that."""
        if self.now is None or (self.upgraded and self.of_system):
            return ""
        old, new = self.before.images, self.now.images
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return "; ".join(
            old_to_new(f"container {name}", old.get(name, "(none)"), new.get(name, "(none)")) for name in names
        )


def changed_images(
    before: Mapping[str, WorkloadState], now: Mapping[str, WorkloadState], *, upgraded: bool
) -> Iterator[ChangedImages]:
    """The workloads of the baseline that are still there."""
    for ref, state in before.items():
        if state.images and ref in now:
            yield ChangedImages(ref, state, now[ref], upgraded)
