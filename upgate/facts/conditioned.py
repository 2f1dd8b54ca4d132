"""Custom resources as far as they say themselves that something is wrong with them.

Most have conditions as Kubernetes has them; what some projects say in their own way is here, from their documentation:

Argo CD       an Application has `status.health`, and conditions without a status that are errors by being there
              https://argo-cd.readthedocs.io/en/stable/operator-manual/health/
Flux          Ready and Stalled; `spec.suspend` stops it on purpose  https://fluxcd.io/flux/components/kustomize/kustomizations/
cert-manager  Ready of a Certificate; its requests and orders stay as history, and it speaks for them
              https://cert-manager.io/docs/reference/api-docs/
Crossplane    Ready, Synced, Healthy; an annotation pauses it  https://docs.crossplane.io/latest/managed-resources/managed-resources/
Cluster API   Ready, Available; `spec.paused`, or an annotation, pauses it  https://cluster-api.sigs.k8s.io/reference/api/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, cast

import msgspec

from upgate.facts.extensions import CustomResourceDefinition
from upgate.facts.kinds import Kind
from upgate.facts.meta import AnnotatedMeta, Fact, KubernetesObject

#: Conditions that should be True, and those that should not be.
GOOD, BAD = ("Ready", "Available", "Healthy", "Synced"), ("Stalled",)
#: What Argo CD says of an Application that does not work.
UNHEALTHY = ("Degraded", "Missing")
#: Annotations that stop a controller on purpose.
PAUSED = ("crossplane.io/paused", "cluster.x-k8s.io/paused")
#: Characters of what an object says.
LONGEST = 1000
#: Kinds that stay as history: another object speaks for them.
HISTORY = {
    ("cert-manager.io", "CertificateRequest"),
    ("acme.cert-manager.io", "Order"),
    ("acme.cert-manager.io", "Challenge"),
}


class ConditionedSpec(Fact):
    """What stops a controller on purpose. Strangers define these kinds: any field may be of any type."""

    suspend: Any = None
    paused: Any = None


class ConditionedStatus(Fact):
    """`status`, as far as it says that something is wrong."""

    conditions: Any = None
    health: Any = None


class ConditionedObject(KubernetesObject):
    """A custom resource of any kind."""

    metadata: AnnotatedMeta
    spec: ConditionedSpec | None = None
    status: ConditionedStatus | None = None

    @property
    def is_paused(self) -> bool:
        """Somebody stopped its controller on purpose."""
        said = self.metadata.annotations or {}
        spec = self.spec or ConditionedSpec()
        return spec.suspend is True or spec.paused is True or any(said.get(each) in ("true", "") for each in PAUSED)

    def complaints(self, group: str) -> Iterator[Complaint]:
        """What it says is wrong with it."""
        if self.is_paused or self.status is None:
            return
        of_argo, conditions = group == "argoproj.io", self.status.conditions
        for said in conditions if isinstance(conditions, list) else ():
            if isinstance(said, dict) and is_wrong(said, of_argo=of_argo):
                yield self._complaint(in_words(said), said)
        health = self.status.health
        if of_argo and isinstance(health, dict) and health.get("status") in UNHEALTHY:
            yield self._complaint(f"health {health['status']}: {text_at(health, 'message')}", health)

    def _complaint(self, words: str, said: dict[str, Any]) -> Complaint:
        since = time_in(said) or self.metadata.creation_timestamp
        return Complaint(self.ref, " ".join(words.split())[:LONGEST].rstrip(": "), since)


def is_wrong(said: dict[str, Any], *, of_argo: bool) -> bool:
    """The condition says that something is wrong. Status is a text by convention, and true or false in some kinds."""
    type, status = text_at(said, "type"), text_at(said, "status")
    if type in GOOD:
        return status == "False"
    return (type in BAD and status == "True") or (of_argo and not status and type.endswith("Error"))


def in_words(said: dict[str, Any]) -> str:
    """A condition for people: `Ready=False (reason: message)`."""
    state = "=".join(filter(None, (text_at(said, "type"), text_at(said, "status"))))
    detail = ": ".join(filter(None, (text_at(said, "reason"), text_at(said, "message"))))
    return f"{state} ({detail})" if detail else state


def text_at(said: dict[str, Any], key: str) -> str:
    """What is under a key, as a text; empty where that is not a simple value."""
    value = said.get(key)
    return str(value) if isinstance(value, str | bool | int) else ""


class Complaint(msgspec.Struct, frozen=True):
    """What one object says is wrong with it."""

    object: str
    words: str
    #: Since when; where it does not say, since the object was made.
    since: datetime | None = None


class Swept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What custom resources say."""

    objects: int = 0
    complaints: list[Complaint] = []
    #: What was not looked at, one sentence each.
    gaps: list[str] = []


def time_in(said: dict[str, Any]) -> datetime | None:
    """Since when it is so; None where that is not said."""
    try:
        moment = msgspec.convert(said.get("lastTransitionTime"), datetime)
    except (msgspec.ValidationError, ValueError):
        return None
    return moment if moment.tzinfo else None


def kind_defined_by(definition: CustomResourceDefinition) -> Kind | None:
    """Where the objects of a definition are listed; None where no version is served, or they stay as history."""
    spec = definition.spec
    served = [each for each in spec.versions or () if each.served]
    version = next((each for each in served if each.storage), served[0] if served else None)
    if version is None or (spec.group, spec.names.kind) in HISTORY or not spec.names.kind.isidentifier():
        return None
    return Kind(definition.name, conditioned_type(spec.names.kind), f"{spec.group}/{version.name}", spec.names.plural)


@cache
def conditioned_type(kind: str) -> type[ConditionedObject]:
    """The type of this kind: what is listed is named as its kind."""
    made = msgspec.defstruct(kind, [], bases=(ConditionedObject,), module=__name__, frozen=True, gc=False)
    return cast(Any, made)
