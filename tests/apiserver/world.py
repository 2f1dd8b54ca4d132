"""Clusters made for a test: plain dicts in an otherwise empty cluster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from upgate.sources.demo.recording import RecordedList, Recording, key_of, shipped


def world(objects: Mapping[str, Any]) -> Recording:
    """An empty but ready cluster with these objects in it: `{"pods": [{…}], "nodes": [{…}]}`.

    A custom resource is named with its group and version: `{"example.com/v1/widgets": [{"kind": "Widget", …}]}`. `version`
    ("v1.30.2") and `recorded` (the cluster's clock, default now) may be given beside. Raises ValueError for a resource that
    clusters do not serve.
    """
    empty = shipped("healthy")
    lists = {path: RecordedList(each.kind, each.api_version) for path, each in empty.lists.items()}
    lists["/api/v1/secrets"] = RecordedList("SecretList", "v1")  # no recording holds any
    paths = {path.rpartition("/")[2]: path for path in reversed(lists)}
    custom = {name: items for name, items in objects.items() if "/" in name}
    for plural in objects.keys() - {"version", "recorded", *custom}:
        if plural not in paths:
            raise ValueError(f"no resource is called {plural!r}; there are: {', '.join(sorted(paths))}")
        lists[paths[plural]].items = encoded(objects[plural])
    return Recording(
        recorded=objects.get("recorded") or datetime.now(UTC),
        version=empty.version | ({"gitVersion": objects["version"]} if "version" in objects else {}),
        texts=empty.texts,
        discovery=empty.discovery | {path_of(name): discovery(name, custom) for name in custom},
        lists=lists | {f"/apis/{name}": custom_list(name, items) for name, items in custom.items()},
    )


def encoded(items: list[dict[str, Any]]) -> list[msgspec.Raw]:
    """The objects as the API server lists them, sorted by namespace and name."""
    return [msgspec.Raw(msgspec.json.encode(each)) for each in sorted(items, key=key_of)]


def path_of(name: str) -> str:
    """The discovery path of a custom resource's group and version."""
    return f"/apis/{name.rpartition('/')[0]}"


def discovery(name: str, custom: Mapping[str, Any]) -> msgspec.Raw:
    """The discovery document of a custom resource's group and version, with all that are in it."""
    version = name.rpartition("/")[0]
    kinds = {
        each.rpartition("/")[2]: items[0]["kind"] for each, items in custom.items() if path_of(each) == path_of(name)
    }
    resources = [
        {"name": plural, "kind": kind, "namespaced": True, "verbs": ["list"]} for plural, kind in kinds.items()
    ]
    return msgspec.Raw(msgspec.json.encode({"groupVersion": version, "resources": resources}))


def custom_list(name: str, items: list[dict[str, Any]]) -> RecordedList:
    """The list of a custom resource, of the kind that its first object has."""
    return RecordedList(f"{items[0]['kind']}List", name.rpartition("/")[0], items=encoded(items))
