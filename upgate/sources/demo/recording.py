"""What the demo cluster knows: a recording of a real one."""

from __future__ import annotations

import functools
import gzip
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from upgate.base.errors import UsageError

DATA = Path(__file__).parent / "data"


class RecordedList(msgspec.Struct, rename="camel"):
    """All objects of one resource, as the API server gave them."""

    kind: str
    api_version: str
    resource_version: str = "1"
    items: list[msgspec.Raw] = []


class Recording(msgspec.Struct, forbid_unknown_fields=True):
    """One cluster at one moment."""

    #: The API server's own clock.
    recorded: datetime
    version: dict[str, Any]
    #: Plain-text answers and discovery documents by path, lists by their cluster-wide path.
    texts: dict[str, str]
    discovery: dict[str, msgspec.Raw]
    lists: dict[str, RecordedList]


class Resource(NamedTuple):
    """One line of discovery."""

    path: str
    group: str
    plural: str
    namespaced: bool

    @property
    def qualified(self) -> str:
        """The name as error messages have it: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class _Line(msgspec.Struct):
    name: str
    namespaced: bool


class _Group(msgspec.Struct, rename="camel"):
    group_version: str
    resources: list[_Line]


def load_recording(path: Path) -> Recording:
    """Read a recording. Raises UsageError for a file that is not one."""
    try:
        return msgspec.json.decode(gzip.decompress(path.read_bytes()), type=Recording)
    except (OSError, EOFError, zlib.error, msgspec.DecodeError) as problem:
        raise UsageError(f"{path} is not a recording of a cluster: {problem}") from problem


@functools.cache
def shipped(state: str) -> Recording:
    """The recording that comes with the package: `healthy` or `broken`."""
    return load_recording(DATA / f"{state}.json.gz")


def key_of(item: Mapping[str, Any]) -> str:
    """The key that lists are sorted and paged by, as in etcd: `namespace/name`."""
    metadata = item.get("metadata") or {}
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata.get("name", ""))


def resources(recording: Recording) -> dict[str, Resource]:
    """All that discovery names, by cluster-wide path."""
    found: dict[str, Resource] = {}
    for path, document in recording.discovery.items():
        if path in ("/api", "/apis"):
            continue
        version = msgspec.json.decode(document, type=_Group)
        group = version.group_version.rpartition("/")[0]
        lines = [Resource(f"{path}/{line.name}", group, line.name, line.namespaced) for line in version.resources]
        found |= {resource.path: resource for resource in lines if "/" not in resource.plural}
    return found


def api_groups(recording: Recording) -> dict[str, dict[str, Any]]:
    """The entry of each API group, by the path that it is served at."""
    document = msgspec.json.decode(recording.discovery["/apis"])
    return {f"/apis/{group['name']}": group for group in document["groups"]}
