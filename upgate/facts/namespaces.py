"""Namespaces."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.facts.meta import Condition, Fact, KubernetesObject


class NamespaceStatus(Fact):
    """`status` of a namespace."""

    phase: str = ""
    conditions: list[Condition] | None = None


class Namespace(KubernetesObject):
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"""

    status: NamespaceStatus = NamespaceStatus()

    def deleting_for(self, moment: datetime) -> timedelta:
        """Time since its deletion was asked for; none when it was not."""
        asked = self.metadata.deletion_timestamp
        return moment - asked if asked else timedelta(0)

    @property
    def blockers(self) -> str:
        """The conditions that say why it cannot go."""
        blocking = [each.message or each.type for each in self.status.conditions or () if each.is_true]
        return "; ".join(blocking) or "no condition says why"
