"""The roles that `upgate watch` needs beside those of the gate: it also watches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from upgate.sources.cluster.watching import WatchedKind
from upgate.watch.seen import watched_kinds

HEADER = """\
---
# What `upgate watch` needs beside it while an upgrade runs: `watch` on what it tells. Bind them as the roles above.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: upgate-watch
rules:
"""
LOCAL = """\
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: upgate-watch
  namespace: {namespace}
rules:
"""


class WatchedPlace(NamedTuple):
    """What a path of the API leads to."""

    group: str
    namespace: str
    resource: str

    @property
    def rule(self) -> str:
        """The rule that lets it be listed and watched."""
        group = self.group or '""'
        return f"- apiGroups: [{group}]\n  resources: [{self.resource}]\n  verbs: [list, watch]\n"


def watched_place(kind: WatchedKind) -> WatchedPlace:
    """`/apis/apps/v1/deployments`, `/apis/GROUP/v1/namespaces/NAMESPACE/RESOURCE` and the like, taken apart."""
    parts = kind.path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = rest[1] if len(rest) == 3 else ""
    return WatchedPlace("" if parts[0] == "api" else parts[1], namespace, rest[-1])


def watch_roles_as_yaml(kinds: Iterable[WatchedKind] = ()) -> str:
    """The roles as YAML: what is watched in one namespace alone is granted there."""
    places = [watched_place(kind) for kind in kinds or watched_kinds()]
    everywhere = HEADER + "".join(place.rule for place in places if not place.namespace)
    local = [LOCAL.format(namespace=place.namespace) + place.rule for place in places if place.namespace]
    return everywhere + "".join(local)
