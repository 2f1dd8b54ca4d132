"""The answers of the API server that are not objects, worded as the real one words them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from upgate.sources.demo.recording import Resource

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
    "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing "
    "with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the "
    "time the first chunk was returned and now may show up in the list."
)


class Reply(NamedTuple):
    """One answer, before it is sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}


class Refusal(Exception):
    """The request ends here, with this answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(value: Any, status: int = HTTPStatus.OK) -> Reply:
    """Any value as JSON."""
    return Reply(status, msgspec.json.encode(value))


def text_reply(text: str, status: int = HTTPStatus.OK) -> Reply:
    """A plain-text answer."""
    return Reply(status, text.encode(), TEXT)


def status(
    code: int,
    reason: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """A Status of kind Failure."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": dict(metadata or {}),
        "status": "Failure",
        "message": message,
        "reason": reason,
        **({} if details is None else {"details": details}),
        "code": code,
    }
    return Reply(code, msgspec.json.encode(body), JSON, headers or {})


def unauthorized() -> Reply:
    """A token that was never issued."""
    return status(401, "Unauthorized", "Unauthorized")


def forbidden(user: str, verb: str, resource: Resource, namespace: str, name: str, why: str = "") -> Reply:
    """RBAC says no."""
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{user}" cannot {verb} resource "{resource.plural}" '
        f'in API group "{resource.group}" {where}{why and ": " + why}'
    )
    return status(403, "Forbidden", message, details_of(resource, name))


def forbidden_path(user: str, verb: str, path: str) -> Reply:
    """RBAC says no to a path that is not a resource."""
    return status(403, "Forbidden", f'forbidden: User "{user}" cannot {verb} path "{path}"', {})


def not_found(resource: Resource, name: str) -> Reply:
    """There is no object of that name."""
    return status(404, "NotFound", f'{resource.qualified} "{name}" not found', details_of(resource, name))


def no_such_resource() -> Reply:
    """The group and version are served, the resource is not."""
    return status(404, "NotFound", "the server could not find the requested resource", {})


def no_such_page() -> Reply:
    """Nothing is served there at all."""
    return text_reply("404 page not found\n", HTTPStatus.NOT_FOUND)


def bad_request(message: str) -> Reply:
    """A query that makes no sense."""
    return status(400, "BadRequest", message)


def not_acceptable() -> Reply:
    """A media type that this server does not have for the resource."""
    return status(406, "NotAcceptable", "only the following media types are accepted: application/json")


def not_allowed() -> Reply:
    """A method that this server does not have: it only reads."""
    return status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def details_of(resource: Resource, name: str) -> dict[str, str]:
    """What a refusal is about."""
    named = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in named.items() if value}
