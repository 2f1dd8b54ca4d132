"""Namespaces."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.facts.meta import AnnotatedMeta, Condition, Fact, KubernetesObject, condition

#: Conditions that keep a namespace whatever is in it: it is not known what else there is to delete.
#: https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/namespace/deletion/status_condition_utils.go
OWN_FAULTS = ("NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure")
#: What goes when the pods go: claims wait for the pods that use them.
WITH_PODS = {"pods.", "persistentvolumeclaims."}


class NamespaceStatus(Fact):
    """`status` of a namespace."""

    phase: str = ""
    conditions: list[Condition] | None = None


class Namespace(KubernetesObject):
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"""

    metadata: AnnotatedMeta
    status: NamespaceStatus = NamespaceStatus()

    def deleting_for(self, moment: datetime) -> timedelta:
        """Time since its deletion was asked for; none when it was not."""
        asked = self.metadata.deletion_timestamp
        return moment - asked if asked else timedelta(0)

    @property
    def own_fault(self) -> bool:
        """It cannot go even if all that is in it goes."""
        return any(each.type in OWN_FAULTS and each.is_true for each in self.status.conditions or ())

    @property
    def only_own_fault(self) -> bool:
        """That is all that holds it."""
        said = [each.type for each in self.status.conditions or () if each.is_true]
        return bool(said) and not self.metadata.finalizers and all(each in OWN_FAULTS for each in said)

    @property
    def held_otherwise(self) -> bool:
        """It would not go either if its pods went: it has a fault or a finalizer of its own, or holds something else."""
        return self.own_fault or bool(self.metadata.finalizers) or bool(self._left - WITH_PODS)

    @property
    def _left(self) -> set[str]:
        """What is in it: the condition says `foos.example.com has 2 resource instances, pods. has 1 resource instances`."""
        content = condition(self.status.conditions, "NamespaceContentRemaining")
        counted = content.message.split(" has ")[:-1] if content.is_true else []
        return {each.rpartition(" ")[2] for each in counted}

    @property
    def blockers(self) -> str:
        """The conditions that say why it cannot go."""
        blocking = [each.message or each.type for each in self.status.conditions or () if each.is_true]
        return "; ".join(blocking) or "no condition says why"
