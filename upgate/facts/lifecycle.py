"""From which release on an API is removed: https://kubernetes.io/docs/reference/using-api/deprecation-guide/

The table is in data/api-lifecycle.json. Who uses an API is told by the API server's own gauge, and by the managers that the
objects themselves name; what `kubectl apply` noted in an annotation says only how an object was once written.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

import msgspec

from upgate.base.text import duration
from upgate.base.versions import minor_of
from upgate.facts.meta import KubernetesObject, ManagedFields, lately
from upgate.facts.metrics import DEPRECATED, Exposition, Sample

#: A manager that has written within this time is at work. Longer ago it may be uninstalled, or use another version by now:
#: what it wrote then stays in `managedFields` until it writes the same fields in another version.
LIVE = timedelta(days=7)


class ApiLifecycle(msgspec.Struct, frozen=True):
    """One kind in one version of an API."""

    gv: str
    kind: str
    removed: str
    introduced: str = ""
    deprecated: str = ""
    replacement: str = ""


@cache
def lifecycles() -> dict[tuple[str, str], ApiLifecycle]:
    """The table, by group and version, and kind."""
    data = files("upgate.facts").joinpath("data", "api-lifecycle.json").read_bytes()
    return {(each.gv, each.kind): each for each in msgspec.json.decode(data, type=list[ApiLifecycle])}


def gone_in(removed: str, version: str) -> bool:
    """What is removed in that release is gone in this version; True where one of them cannot be read."""
    release, asked = minor_of(removed), minor_of(version)
    return release is None or asked is None or release <= asked


class RequestedApi(msgspec.Struct, frozen=True):
    """A deprecated API that somebody has requested since the API server started."""

    group: str
    version: str
    resource: str
    #: The release without it, as the API server says; empty where none is planned.
    removed: str
    started: datetime | None

    @property
    def ref(self) -> str:
        """`API/policy/v1beta1/podsecuritypolicies`."""
        return "/".join(filter(None, ("API", self.group, self.version, self.resource)))

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.resource}

    @property
    def spoken_of(self) -> bool:
        """It says something: all clusters ask for Endpoints (core v1), which is deprecated and stays.

        Nobody removes an API of the core group, nor does Kubernetes remove what extensions call deprecated.
        """
        return bool(self.removed) or (not self.group and self.resource != "endpoints")

    def removal(self) -> str:
        """What was asked for, since when, and from which release on that fails."""
        began = f" ({self.started:%Y-%m-%d %H:%M} UTC)" if self.started else ""
        asked = f"requested at least once since this API server started{began}; it does not tell when or by whom"
        fate = f"removed in {self.removed}" if self.removed else "deprecated"
        return f"{fate}; {asked}"


def requested_apis(exposition: Exposition) -> list[RequestedApi]:
    """All deprecated APIs that were requested, each resource once: subresources say nothing more."""
    found = (requested_api(each, exposition.started) for each in exposition.of(DEPRECATED) if each.value)
    return list(dict.fromkeys(found))


def requested_api(sample: Sample, started: datetime | None) -> RequestedApi:
    """What a sample of the gauge stands for."""
    names = ("group", "version", "resource", "removed_release")
    group, version, resource, removed = (sample.labels.get(name, "") for name in names)
    return RequestedApi(group, version, resource, removed, started)


def written_with_removed(item: KubernetesObject, version: str, moment: datetime) -> str:
    """Which manager writes the object in an API that this version does not serve, in words. Empty where none does."""
    managed: list[ManagedFields] = getattr(item.metadata, "managed_fields", None) or []
    latest = {
        each.manager: each for each in sorted(managed, key=lambda each: each.time.timestamp() if each.time else 0)
    }
    told = (writer(item.kind, each, version, moment) for each in latest.values())
    return "; ".join(filter(None, told))


def writer(kind: str, write: ManagedFields, version: str, moment: datetime) -> str:
    """That it is a recent write in such an API. Else empty."""
    api = lifecycles().get((write.api_version, kind))
    if api is None or write.time is None or not gone_in(api.removed, version) or not lately(write.time, moment, LIVE):
        return ""
    use = f"; use {api.replacement}" if api.replacement else ""
    return f"manager {write.manager} wrote it as {api.gv} {duration(moment - write.time)} ago: removed in {api.removed}{use}"
