"""Entries of `resources:`, what any object of the cluster must be like."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from upgate.base.conditions import cel_condition
from upgate.profile.network import LabelSelector
from upgate.profile.quantities import Name, some
from upgate.profile.section import Section

#: `v1` or `apps/v1`.
API_VERSION = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?v[0-9][a-z0-9]{0,61}", re.ASCII)
KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}", re.ASCII)
#: Names of objects go into paths. Those of RBAC may have colons.
OBJECT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._:-]{1,253}", re.ASCII)


def check_api_version(value: str) -> str:
    """A group and version. Raises ValueError."""
    if not API_VERSION.fullmatch(value):
        raise ValueError("not an apiVersion such as v1, apps/v1 or cert-manager.io/v1")
    return value


def check_kind(value: str) -> str:
    """A kind. Raises ValueError."""
    if not KIND.fullmatch(value):
        raise ValueError("not a kind such as Cluster or Certificate: it begins with a capital letter")
    return value


def check_object_name(value: str) -> str:
    """The name of an object or a namespace. Raises ValueError."""
    if not OBJECT.fullmatch(value):
        raise ValueError("not the name of an object such as web or istio-system")
    return value


def check_condition(value: str) -> str:
    """An expression in CEL. Raises ValueError, which says where it is wrong."""
    cel_condition(value)
    return value


ApiVersion = Annotated[str, AfterValidator(check_api_version)]
KindName = Annotated[str, AfterValidator(check_kind)]
ObjectName = Annotated[str, AfterValidator(check_object_name)]
Condition = Annotated[str, Field(min_length=1), AfterValidator(check_condition)]
Conditions = Annotated[
    tuple[Condition, ...],
    Field(min_length=1),
    BeforeValidator(some, json_schema_input_type=Condition | tuple[Condition, ...]),
]


class ExpectedResource(Section):
    """Some objects of one kind, and what must be true of each; that there is at least one is a part of it."""

    name: Name
    """Its word in the check id `expect.<name>`."""
    api_version: ApiVersion = Field(alias="apiVersion")
    """Group and version: v1, apps/v1, cert-manager.io/v1."""
    kind: KindName
    namespace: ObjectName | None = None
    """Only objects in this namespace; default: those in `scope`, and cluster-wide ones."""
    object: ObjectName | None = None
    """Only the object of this name."""
    selector: LabelSelector | None = None
    """Only objects with these labels, such as `app=web,tier!=test`."""
    that: Conditions
    """Conditions in CEL, one or a list: `status.health.status == "Healthy"`. The object's fields are its variables, `object` is
    all of it, and `now` is the time of the look. A field that is missing fails; `has(status.x)` asks whether it is there."""

    @property
    def id(self) -> str:
        """Its check's id."""
        return f"expect.{self.name}"
