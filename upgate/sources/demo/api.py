"""The API server without its sockets: a request becomes a reply."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import NamedTuple

from upgate.sources.demo import statuses
from upgate.sources.demo.listing import Objects, Query
from upgate.sources.demo.recording import RecordedList, Recording, Resource, api_groups, resources
from upgate.sources.demo.statuses import Refusal, Reply, json_reply, text_reply

USER = "upgate-demo"
ANONYMOUS = "system:anonymous"
REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
LEASES = "/apis/coordination.k8s.io/v1/leases"
#: What everybody may read (ClusterRole system:public-info-viewer).
PUBLIC = ("/version", "/healthz", "/readyz", "/livez")
#: In the Accept header of a client that asks for a table.
TABLE = "as=Table"
VERBS = {"GET": "get", "POST": "create"}


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    query: Query
    user: str = USER
    #: The media types that the client understands.
    accept: str = ""


class ResourcePath(NamedTuple):
    """The resource that a path means, and where in it."""

    resource: Resource
    namespace: str
    name: str


class Api:
    """Answers from one recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._resources = resources(recording)
        self._groups = api_groups(recording)
        self._objects: dict[str, Objects] = {}
        self._started = time.monotonic()

    @property
    def elapsed(self) -> timedelta:
        """How long it has been serving."""
        return timedelta(seconds=time.monotonic() - self._started)

    @property
    def now(self) -> datetime:
        """The recording's clock, gone on since."""
        return self._recording.recorded + self.elapsed

    def answer(self, request: Request) -> Reply:
        """The reply to any request."""
        try:
            return self._permitted(request)
        except Refusal as refusal:
            return refusal.reply

    def target(self, path: str) -> ResourcePath | None:
        """The resource that a path means; None for any other path."""
        prefix, steps = split(path)
        match steps:
            case ["namespaces", namespace, plural, *name] if len(name) < 2:
                return self._target(prefix, plural, namespace, name)
            case [plural, *name] if len(name) < 2:
                return self._target(prefix, plural, "", name)
        return None

    def _target(self, prefix: str, plural: str, namespace: str, name: list[str]) -> ResourcePath | None:
        resource = self._resources.get(f"{prefix}/{plural}")
        fits = resource and (resource.namespaced if namespace else not (resource.namespaced and name))
        return ResourcePath(resource, namespace, "".join(name)) if resource and fits else None

    def _permitted(self, request: Request) -> Reply:
        target = self.target(request.path)
        if not self.permits(request, target):
            raise Refusal(forbidden_reply(request, target))
        return self._resource(request, target) if target else self._path(request)

    def permits(self, request: Request, target: ResourcePath | None) -> bool:
        """Whether who asks may have it."""
        return request.user != ANONYMOUS or request.path.rstrip("/") in PUBLIC

    def listed(self, objects: Objects, namespace: str, request: Request) -> Reply:
        """The answer to LIST. Raises Refusal; the demo has no tables."""
        if TABLE in request.accept:
            raise Refusal(statuses.not_acceptable())
        return objects.reply(*objects.page(namespace, request.query))

    def _resource(self, request: Request, target: ResourcePath) -> Reply:
        if (request.method, target.resource.path) == ("POST", REVIEWS):
            return self._review(request)
        if request.method != "GET" or request.query.get("watch") in ("1", "true"):
            raise Refusal(statuses.not_allowed())
        objects = self._objects_of(target.resource.path)
        if objects is None:
            raise Refusal(forbidden_reply(request, target, "it is not in this recording"))
        if target.name:
            return objects.get(target.namespace, target.name)
        return self.listed(objects, target.namespace, request)

    def _objects_of(self, path: str) -> Objects | None:
        recorded: RecordedList | None = self._recording.lists.get(path)
        if path not in self._objects and recorded is not None:
            self._objects[path] = Objects(self._resources[path], recorded)
        objects = self._objects.get(path)
        living = path == LEASES and objects is not None
        return objects.renew_leases(self._recording.recorded, self.elapsed) if living and objects else objects

    def _review(self, request: Request) -> Reply:
        info = {"username": request.user, "groups": ["system:authenticated"]}
        review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
        created = {"creationTimestamp": f"{self.now:%Y-%m-%dT%H:%M:%SZ}"}
        return json_reply(review | {"metadata": created, "status": {"userInfo": info}}, 201)

    def _path(self, request: Request) -> Reply:
        path = request.path.rstrip("/")
        if request.method != "GET":
            return statuses.not_allowed()
        if path in self._recording.discovery:
            return Reply(200, bytes(self._recording.discovery[path]))
        if group := self._groups.get(path):
            return json_reply({"kind": "APIGroup", "apiVersion": "v1"} | group)
        if path == "/version":
            return json_reply(self._recording.version)
        if path in PUBLIC:
            verbose = self._recording.texts.get(f"{path}?verbose") if "verbose" in request.query else None
            return text_reply(verbose or "ok")
        if path in self._recording.texts:
            return text_reply(self._recording.texts[path])
        served = split(path)[0] in self._recording.discovery and split(path)[1]
        return statuses.no_such_resource() if served else statuses.no_such_page()


def forbidden_reply(request: Request, target: ResourcePath | None, why: str = "") -> Reply:
    """403, in the words of RBAC."""
    verb = VERBS.get(request.method, request.method.lower())
    if target is None:
        return statuses.forbidden_path(request.user, verb, request.path)
    verb = "list" if verb == "get" and not target.name else verb
    return statuses.forbidden(request.user, verb, *target, why)


def split(path: str) -> tuple[str, list[str]]:
    """The group version's path, and the steps behind it: `/apis/apps/v1`, [`deployments`]."""
    steps = path.strip("/").split("/")
    depth = 2 if steps[0] == "api" else 3
    return "/" + "/".join(steps[:depth]), steps[depth:]
