"""Names that outlast what they name: pods and Jobs get new ones, what makes them keeps its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgate.facts.meta import KubernetesObject, OwnerReference

#: Controllers whose pods keep their names when they are made again.
KEEPING = ("StatefulSet", "Node")


class LastingNames:
    """What makes the pods, ReplicaSets and Jobs of a cluster: the Deployment behind a pod, the CronJob behind a Job."""

    needs: tuple[str, ...] = ("pods", "replicasets", "jobs")

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._makers = {
            (each.kind, each.namespace, each.name): owner
            for noun in ("replicasets", "jobs")
            for each in lists.get(noun, ())
            if (owner := each.metadata.controller)
        }
        made = (each for noun in self.needs for each in lists.get(noun, ()))
        self._by_ref = {each.ref: maker for each in made if (maker := self._maker_of(each))}

    def maker(self, ref: str) -> str:
        """The object that makes this one under a generated name, as `Kind/namespace/name`; empty where its name stays."""
        return self._by_ref.get(ref, "")

    def _maker_of(self, item: KubernetesObject) -> str:
        owner = item.metadata.controller
        if owner is None or owner.kind in KEEPING:
            return ""
        above: OwnerReference = self._makers.get((owner.kind, item.namespace, owner.name), owner)
        return f"{above.kind}/{item.namespace}/{above.name}"
