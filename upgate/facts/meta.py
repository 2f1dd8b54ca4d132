"""What all Kubernetes objects have in common: metadata, owners, conditions, label selectors.

Go writes empty lists and maps as null or leaves them out, so every list and map may be None here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, dataclass_transform

import msgspec

#: A moment with its offset. One that cannot be read is none (`facts/times.py`).
Time = Annotated[datetime, msgspec.Meta(tz=True)]
#: Stands for a time that is there and cannot be read, where its presence alone says something; and for an unknown beginning.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
#: The finalizers of Services and Ingresses that stand for a load balancer in the cloud, Kubernetes' own and those of vendors:
#: service.kubernetes.io/load-balancer-cleanup, networking.gke.io/ingress-finalizer-V2, ingress.k8s.aws/resources, …
BALANCER = re.compile(r"load-balancer|ingress|neg-finalizer|elbv2")


#: So far apart the clocks of a cluster may be. What is later than that is not taken for a time: anyone who may write an object
#: may have written it.
CLOCKS = timedelta(minutes=1)


def lately(since: datetime | None, moment: datetime, limit: timedelta) -> bool:
    """It was no longer ago than that, and is not in the future."""
    return since is not None and -CLOCKS <= moment - since <= limit


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Fact(msgspec.Struct, rename="camel", omit_defaults=True, gc=False, frozen=True):
    """The base of all facts. Not tracked by the garbage collector: facts form no cycles, and there are many."""


class OwnerReference(Fact):
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/"""

    kind: str
    name: str
    uid: str = ""
    controller: bool | None = None
    api_version: str = ""


class SpecFields(Fact):
    """The fields below `spec` that a manager owns, as far as checks ask for them."""

    unschedulable: dict[str, object] | None = msgspec.field(default=None, name="f:unschedulable")
    taints: dict[str, object] | None = msgspec.field(default=None, name="f:taints")
    renew_time: dict[str, object] | None = msgspec.field(default=None, name="f:renewTime")
    type: dict[str, object] | None = msgspec.field(default=None, name="f:type")


class FieldsV1(Fact):
    """https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management"""

    spec: SpecFields = msgspec.field(default=SpecFields(), name="f:spec")


class ManagedFields(Fact):
    """Who set which fields, and when."""

    manager: str = ""
    #: The version of the API that it wrote in.
    api_version: str = ""
    #: By the API server's clock; of the last write that changed one of these fields.
    time: Time | None = None
    #: `status`, `scale`, …; empty for the object itself.
    subresource: str = ""
    fields_v1: FieldsV1 = FieldsV1()


class ObjectMeta(Fact):
    """`metadata` of every object."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    #: When it is due to be gone: for pods this already includes the grace period.
    deletion_timestamp: Time | None = None
    labels: dict[str, str] | None = None
    finalizers: list[str] | None = None
    owner_references: list[OwnerReference] | None = None

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages it."""
        return next((owner for owner in self.owner_references or () if owner.controller), None)

    @property
    def changed(self) -> datetime | None:
        """When what is wanted of it was last written; None where that is not read or not known."""
        return None


class ManagedMeta(ObjectMeta):
    """Metadata that says who wrote the object, and when."""

    managed_fields: list[ManagedFields] | None = None

    @property
    def changed(self) -> datetime | None:
        """When what is wanted of it was last written, by the API server's clock."""
        writes = (each.time for each in self.managed_fields or () if each.subresource != "status")
        return max(filter(None, writes), default=None)


class AnnotatedMeta(ManagedMeta):
    """Metadata with the part that is large and seldom asked for."""

    annotations: dict[str, str] | None = None


class Condition(Fact):
    """One of `status.conditions`."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: Time | None = None

    @property
    def is_true(self) -> bool:
        """Its status is True: neither False nor Unknown."""
        return self.status == "True"

    def __str__(self) -> str:
        detail = ": ".join(filter(None, (self.reason, self.message)))
        return f"{self.type}={self.status}" + (f" ({detail})" if detail else "")


def condition(conditions: Sequence[Condition] | None, type: str) -> Condition:
    """The condition of that type; Unknown, with the reason that it is missing, where there is none."""
    found = next((each for each in conditions or () if each.type == type), None)
    return found or Condition(type=type, status="Unknown", reason="no such condition")


class KubernetesObject(Fact):
    """An object with metadata. Subclasses are named as their kind."""

    metadata: ObjectMeta

    #: What an object of this kind is called in reports; the class's own name.
    kind: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind = cls.__name__

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """`metadata.namespace`, empty for cluster-wide objects."""
        return self.metadata.namespace

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.metadata.namespace, self.metadata.name

    @property
    def balancer_goes(self) -> bool:
        """It is being deleted, and a controller of the cloud holds it until its load balancer is gone."""
        held = self.metadata.finalizers or ()
        return self.metadata.deletion_timestamp is not None and any(map(BALANCER.search, held))

    @property
    def labels(self) -> dict[str, str]:
        """`metadata.labels`, never None."""
        return self.metadata.labels or {}

    @property
    def ref(self) -> str:
        """`Kind/name` or `Kind/namespace/name`, as in every report."""
        return "/".join(filter(None, (self.kind, self.metadata.namespace, self.metadata.name)))

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.name, "namespace": self.namespace, "kind": self.kind.lower()}

    def age(self, moment: datetime) -> timedelta:
        """Time since its creation; where that is not known it is not new, so that nothing waits for it without end."""
        return moment - (self.metadata.creation_timestamp or LONG_AGO)
