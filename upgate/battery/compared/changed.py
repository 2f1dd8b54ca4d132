"""What all compared objects have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

from upgate.facts.recorded.states import stem

S = TypeVar("S")

#: Namespaces of Kubernetes, of clouds and of installers: what runs there is upgraded with the cluster.
SYSTEM = (
    *("kube-system", "kube-public", "kube-node-lease", "gke-*", "gmp-system", "aks-*", "calico-*", "tigera-operator"),
    *("kube-flannel", "cilium*", "cattle-*", "fleet-*", "openshift*", "amazon-*", "eks-*", "kube-proxy"),
)
#: Kind, namespace and stem of the name.
Stem = tuple[str, str, str]


@dataclass(frozen=True)
class ChangedObject(Generic[S]):
    """An object as it was, and as it is; None where it was not, or is not."""

    ref: str
    before: S
    now: S | None = None

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"kind": kind_in(self.ref).lower(), "namespace": namespace_in(self.ref), "name": name_in(self.ref)}

    @property
    def of_system(self) -> bool:
        """It runs in a namespace that is upgraded with the cluster."""
        return any(fnmatchcase(namespace_in(self.ref), each) for each in SYSTEM)


def kind_in(ref: str) -> str:
    """`Service` of `Service/shop/web`."""
    return ref.partition("/")[0]


def namespace_in(ref: str) -> str:
    """The namespace of an object; a namespace is in itself. Empty for cluster-wide objects."""
    parts = ref.split("/")
    return parts[1] if len(parts) == 3 or parts[0] == "Namespace" else ""


def name_in(ref: str) -> str:
    """The last part of a reference."""
    return ref.rpartition("/")[2]


def stem_of(ref: str) -> Stem:
    """What stays the same of a reference when its name is generated again."""
    return kind_in(ref), "" if kind_in(ref) == "Namespace" else namespace_in(ref), stem(name_in(ref))


def stems_of_new(before: Iterable[str], now: Iterable[str]) -> set[Stem]:
    """Of what is new: a generated name that is gone is replaced by one that looks like it."""
    return {stem_of(ref) for ref in {*now} - {*before}}


def replaced(ref: str, new: Collection[Stem]) -> bool:
    """Its name was generated, and there is a new object whose name was generated alike."""
    return "#" in stem_of(ref)[2] and stem_of(ref) in new


def old_to_new(what: str, old: object, new: object) -> str:
    """`memory: 8 GiB → 4 GiB`."""
    return f"{what}: {old} → {new}"
