"""What the checks of the mesh judge: revisions, tags and proxies, those that are missing included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from upgate.base.scope import matches_scope
from upgate.facts.admission import MutatingWebhookConfiguration
from upgate.facts.deployments import Deployment
from upgate.facts.proxies import ProxyStatus, ProxySync


@dataclass(frozen=True)
class MeshPart:
    """A part of the control plane: what there is of it, or of what there should be."""

    #: The revision, or the tag.
    name: str
    ref: str

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a hint."""
        _, *namespace, name = self.ref.split("/")
        return {"name": name, "namespace": "".join(namespace)}


@dataclass(frozen=True)
class ActiveRevision(MeshPart):
    """A revision that must run, and its istiod."""

    istiods: Sequence[Deployment] = ()


@dataclass(frozen=True)
class RevisionTag(MeshPart):
    """A tag, and its webhook; None where there is none."""

    webhook: MutatingWebhookConfiguration | None = None


@dataclass(frozen=True)
class ConnectedProxy:
    """A proxy, and all istiods that it is connected to."""

    sync: ProxySync
    also: list[ProxySync] = field(default_factory=list)

    @property
    def ref(self) -> str:
        """The pod that it runs in, or what istiod calls it."""
        return f"Pod/{self.sync.namespace}/{self.sync.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a hint."""
        return {"name": self.sync.name, "namespace": self.sync.namespace}

    @property
    def stale(self) -> str:
        """What it has not acknowledged, of any of them. Empty where nothing is."""
        late = [each for each in (self.sync, *self.also) if each.stale]
        return "; ".join(f"has not acknowledged {', '.join(each.stale)} of {each.istiod}" for each in late)


def connected_proxies(status: ProxyStatus, namespaces: Sequence[str]) -> list[ConnectedProxy]:
    """The proxies in these namespaces, each once."""
    found: dict[str, ConnectedProxy] = {}
    for each in status.proxies:
        if not matches_scope(each.namespace, namespaces):
            continue
        if each.proxy in found:
            found[each.proxy].also.append(each)
        else:
            found[each.proxy] = ConnectedProxy(each)
    return list(found.values())
