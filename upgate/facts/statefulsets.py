"""StatefulSets."""

from __future__ import annotations

from upgate.facts.meta import ManagedMeta
from upgate.facts.workloads import Replicated

#: Labels that a StatefulSet gives each of its pods.
POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


class StatefulSet(Replicated):
    """https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies"""

    metadata: ManagedMeta

    def unready(self) -> str:
        """What is missing until it is complete. Empty when nothing is."""
        have, want = self.status, self.desired
        ready = f"{have.ready_replicas} of {want} ready" if have.ready_replicas != want else ""
        old = f"{self._due} of {want} still at revision {have.current_revision}" if self.updating else ""
        return "; ".join(filter(None, [self.unseen, ready, old]))

    @property
    def updating(self) -> bool:
        """Its controller has pods to replace by those of the latest revision."""
        differ = self.status.current_revision != self.status.update_revision
        return self.spec.update_strategy.type != "OnDelete" and differ and self._due > 0

    @property
    def _due(self) -> int:
        """How many replicas are not of the latest revision, and should be: those from the ordinal `partition` on."""
        start = self.spec.ordinals.start if self.spec.ordinals else 0
        kept = (self.spec.update_strategy.bounds.partition or 0) - start
        return self.desired - self.status.updated_replicas - max(0, kept)

    @property
    def within_bounds(self) -> bool:
        """No more replicas are missing than a rolling update takes away at a time."""
        return self.missing <= max(1, self.spec.update_strategy.bounds.unavailable(self.desired, 1))

    def makes(self, selector: dict[str, str]) -> bool:
        """The selector matches its pods; that of a Service for one of them asks for its name or number too."""
        name = selector.get(POD_NAME, f"{self.name}-0").rpartition("-")[0]
        labels = {**self.template_labels, **{key: selector[key] for key in (POD_NAME, POD_INDEX) if key in selector}}
        return bool(selector) and name == self.name and selector.items() <= labels.items()

    @property
    def unready_created(self) -> int:
        """How many pods that are not ready it must have made already: one after the other unless it makes them in parallel."""
        return (
            super().unready_created
            if self.spec.pod_management_policy == "Parallel"
            else min(super().unready_created, 1)
        )
