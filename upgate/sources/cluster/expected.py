"""The objects that a profile names by kind: the kind's plural through discovery, one request for each group and version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.text import nearest
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.whole import FoundObjects, ObjectQuery
from upgate.sources.cluster.connection import NOT_JSON, ApiResponse, Connection, status_message
from upgate.sources.cluster.listing import NotServed, Progress, list_version

#: Asks a path; raises Inconclusive where there is no answer, or a refusal.
Ask = Callable[[str], ApiResponse]


class ServedResource(msgspec.Struct):
    """One of the resources of a group and version."""

    name: str
    kind: str
    namespaced: bool = True


class ServedResources(msgspec.Struct):
    """https://kubernetes.io/docs/reference/kubernetes-api/definitions/api-resource-list-v1-meta/"""

    resources: list[ServedResource] | None = None


def find_objects(
    connection: Connection, ask: Ask, queries: Iterable[ObjectQuery], progress: Progress, deadline: Deadline
) -> dict[str, FoundObjects]:
    """What is found of each query, by its key. What cannot be listed is a gap of its own."""
    queries = list(queries)
    versions = {each.api_version: partial(served_in, ask, each.api_version) for each in queries}
    served = concurrently(versions)
    tasks = {each.key: partial(objects_found, connection, each, served, progress, deadline) for each in queries}
    answers = concurrently(tasks)
    return {
        key: FoundObjects(problem=str(got)) if isinstance(got, Inconclusive) else got for key, got in answers.items()
    }


def served_in(ask: Ask, version: str) -> list[ServedResource] | None:
    """The resources of a group and version; None where it is not served. Raises Inconclusive."""
    path = f"/apis/{version}" if "/" in version else f"/api/{version}"
    answer = ask(path)
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise Inconclusive(f"cannot read {path}: status {answer.status}, {status_message(answer)}")
    try:
        listed = decoder(ServedResources).decode(answer.body)
    except NOT_JSON as problem:
        raise Inconclusive(f"cannot read {path}: the answer is not a list of resources ({problem})") from problem
    return [each for each in listed.resources or () if "/" not in each.name]


def objects_found(
    connection: Connection, query: ObjectQuery, served: Mapping[str, Any], progress: Progress, deadline: Deadline
) -> FoundObjects:
    """The objects of one query. Raises Inconclusive."""
    resources = served[query.api_version]
    if isinstance(resources, Inconclusive):
        raise resources
    resource = next((each for each in resources or () if each.kind == query.kind), None)
    if missing := why_missing(query, resources, resource):
        return FoundObjects(missing=missing)
    assert resource is not None  # noqa: S101 - else it is missing
    try:
        listing = list_version(connection, query.kind_served_as(resource.name), progress, deadline)
    except NotServed as problem:
        return FoundObjects(missing=str(problem))
    unreadable = [f"{each.object} could not be read: {each.problem}" for each in listing.malformed]
    type_meta = {"apiVersion": query.api_version, "kind": query.kind}  # lists of built-in kinds leave it out
    return FoundObjects([type_meta | each.raw for each in listing.items], unreadable=unreadable)


def why_missing(query: ObjectQuery, resources: list[ServedResource] | None, resource: ServedResource | None) -> str:
    """Why there can be no such objects; empty where there can be."""
    if resources is None:
        return f"the API server does not serve {query.api_version}"
    if resource is None:
        said = nearest(query.kind, [each.kind for each in resources[:1000]])
        return f"the API server does not serve the kind {query.kind} in {query.api_version}{said}"
    if query.namespace and not resource.namespaced:
        return f"{query.kind} is cluster-wide: it is in no namespace, and the profile names {query.namespace}"
    return ""
