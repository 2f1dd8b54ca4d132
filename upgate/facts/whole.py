"""Objects of any kind, whole: the kinds that a profile names when it is run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import msgspec

from upgate.base.redaction import HIDDEN
from upgate.facts.kinds import KINDS, Kind
from upgate.facts.meta import KubernetesObject

if TYPE_CHECKING:
    from upgate.profile.resources import ExpectedResource

#: The annotation in which kubectl keeps the object once more.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class WholeObject(KubernetesObject):
    """An object with all that it says, but for who wrote what, and what a Secret holds."""

    raw: dict[str, Any] = msgspec.field(default_factory=dict)

    @classmethod
    def kept(cls, document: dict[str, Any]) -> dict[str, Any]:
        """The part of an object that is kept."""
        meta = document.get("metadata")
        if isinstance(meta, dict):
            meta.pop("managedFields", None)
            if isinstance(said := meta.get("annotations"), dict):
                said.pop(LAST_APPLIED, None)
        if cls.__name__ == "Secret":
            for name in ("data", "stringData"):
                if isinstance(values := document.get(name), dict):
                    document[name] = dict.fromkeys(values, HIDDEN)
        return document


class ObjectQuery(msgspec.Struct, frozen=True):
    """Some objects of one kind."""

    api_version: str
    kind: str
    namespace: str = ""
    #: Only the one of this name.
    object: str = ""
    #: Only those with these labels.
    selector: str = ""

    def __str__(self) -> str:
        parts = [f"{self.kind} of {self.api_version}"]
        parts += [f"named {self.object}"] if self.object else []
        parts += [f"with the labels {self.selector}"] if self.selector else []
        parts += [f"in namespace {self.namespace}"] if self.namespace else []
        return " ".join(parts)

    @property
    def key(self) -> str:
        """What tells it from others."""
        return msgspec.json.encode(self).decode()

    def kind_served_as(self, plural: str) -> Kind:
        """Where they are listed."""
        names = f"metadata.name={self.object}" if self.object else ""
        found = whole_type(self.kind)
        return Kind(self.kind, found, self.api_version, plural, self.namespace, names, self.selector)

    @property
    def usual_kind(self) -> Kind:
        """The same with the plural that is usual for such a name: what it really is the API server knows."""
        known = (each for each in KINDS.values() if (each.version, each.type.__name__) == (self.api_version, self.kind))
        found = next(known, None)
        return self.kind_served_as(found.resource if found else usual_plural(self.kind))


def query_of(entry: ExpectedResource) -> ObjectQuery:
    """What an entry of `resources:` asks for."""
    return ObjectQuery(entry.api_version, entry.kind, entry.namespace or "", entry.object or "", entry.selector or "")


class FoundObjects(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found of one query."""

    items: list[dict[str, Any]] = []
    #: Why there can be no such objects; empty where there can be.
    missing: str = ""
    #: Why they could not be listed; empty where they could.
    problem: str = ""
    #: Objects that could not be read, one sentence each.
    unreadable: list[str] = []


@cache
def whole_type(kind: str) -> type[WholeObject]:
    """The type of this kind: what is listed is named as its kind."""
    made = msgspec.defstruct(kind, [], bases=(WholeObject,), module=__name__, frozen=True, gc=False)
    return cast(Any, made)


def usual_plural(kind: str) -> str:
    """https://github.com/kubernetes/apimachinery/blob/master/pkg/api/meta/restmapper.go: UnsafeGuessKindToResource"""
    name = kind.lower()
    if name.endswith("endpoints"):
        return name
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def ref_of(kind: str, document: Mapping[str, Any]) -> str:
    """`Kind/name` or `Kind/namespace/name` of an object."""
    meta = document.get("metadata") or {}
    return "/".join(filter(None, (kind, str(meta.get("namespace") or ""), str(meta.get("name") or ""))))
