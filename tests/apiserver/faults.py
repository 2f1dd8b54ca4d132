"""Faults to order: what an API server, or a proxy in front of it, can do to an answer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec

from upgate.sources.demo import statuses
from upgate.sources.demo.api import Request, ResourcePath
from upgate.sources.demo.listing import gone, parse_token
from upgate.sources.demo.statuses import Reply

Kind = Literal[
    "latency",  # answers after `seconds`
    "too-many-requests",  # 429 with Retry-After: `seconds`, rounded up
    "internal-error",  # 500
    "unavailable",  # 503
    "unauthorized",  # 401: the token expired in the meantime
    "not-ready",  # 500 of /readyz and /livez, with a sub-check that fails
    "reset",  # the connection is reset before a word is said
    "reset-in-body",  # … in the middle of the body
    "cut-body",  # the connection is closed in the middle of the body
    "cut-json",  # a whole answer over HTTP, with half of the JSON
    "expired",  # 410 Gone for a continue token
    "hang",  # never answers
    "drip",  # one byte of the body every `seconds`
    "html",  # a proxy's page, with 200
    "empty",  # 200 without a body
    "null-items",  # `"items": null`
    "malformed",  # the first object of the list does not fit its type
    "wrong-kind",  # a list of something else
]
FAULTS: tuple[Kind, ...] = get_args(Kind)
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to continue.</body></html>"


@dataclass(frozen=True)
class Fault:
    """One kind of fault for a resource (its plural: `pods`) or for every path that begins with `target` (`/readyz`).

    It happens on one page of a list only (counted from 1), or for the first `times` requests only, where that is said.
    """

    kind: Kind
    target: str
    page: int | None = None
    times: int | None = None
    seconds: float = 0.05

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"no fault is called {self.kind!r}; there are: {', '.join(FAULTS)}")

    def concerns(self, request: Request, target: ResourcePath | None) -> bool:
        """Whether the request is one of those that it was ordered for."""
        names = (target.resource.plural, target.resource.qualified) if target else ()
        if not (self.target in names or (self.target.startswith("/") and request.path.startswith(self.target))):
            return False
        if self.kind == "expired" and page_of(request) < 2:
            return False
        return self.page in (None, page_of(request))


class Plan:
    """The faults that were ordered, and how often each has happened."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._happened: Counter[int] = Counter()
        self._lock = threading.Lock()

    def due(self, request: Request, target: ResourcePath | None) -> list[Fault]:
        """The faults of this request, in the order in which they were given."""
        with self._lock:
            numbers = [number for number, fault in enumerate(self._faults) if fault.concerns(request, target)]
            due = [each for each in numbers if self._happened[each] < (self._faults[each].times or float("inf"))]
            self._happened.update(due)
            return [self._faults[each] for each in due]


def page_of(request: Request) -> int:
    """Which page of a list is asked for; 0 where the token is none."""
    text = request.query.get("continue", "")
    try:
        return parse_token(text).page if text else 1
    except statuses.Refusal:
        return 0


def spoil(fault: Fault, request: Request, reply: Reply) -> Reply:
    """The reply with the fault in it. Faults of the delivery leave it as it is."""
    change = CHANGES.get(fault.kind)
    return change(fault, request, reply) if change else reply


def too_many(fault: Fault, request: Request, reply: Reply) -> Reply:
    """Priority and fairness, or a proxy, asks to come back later."""
    after = str(max(round(fault.seconds + 0.499), 0))
    message = "The request has been rejected, please try again later"
    details = {"retryAfterSeconds": int(after)}
    return statuses.status(429, "TooManyRequests", message, details, headers={"Retry-After": after})


def not_ready(fault: Fault, request: Request, reply: Reply) -> Reply:
    """The API server has lost its etcd."""
    name = request.path.strip("/")
    text = reply.body.decode().replace("[+]etcd ok", "[-]etcd failed: reason withheld")
    return statuses.text_reply(text.replace(f"{name} check passed", f"{name} check failed"), 500)


def half(fault: Fault, request: Request, reply: Reply) -> Reply:
    """Only the first half."""
    return reply._replace(body=reply.body[: len(reply.body) // 2])


def edited(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Fault, Request, Reply], Reply]:
    """A fault that edits a JSON object; other answers stay as they are."""

    def change(fault: Fault, request: Request, reply: Reply) -> Reply:
        if reply.content_type != statuses.JSON or reply.status != 200:
            return reply
        return reply._replace(body=msgspec.json.encode(edit(msgspec.json.decode(reply.body))))

    return change


def first_malformed(document: dict[str, Any]) -> dict[str, Any]:
    """The first object keeps its name, but its metadata do not fit the type."""
    items = [dict(each) for each in document.get("items") or []]
    if items:
        items[0]["metadata"] = items[0]["metadata"] | {"creationTimestamp": 17, "labels": "none"}
    return document | {"items": items}


CHANGES: dict[str, Callable[[Fault, Request, Reply], Reply]] = {
    "too-many-requests": too_many,
    "internal-error": lambda *_: statuses.status(
        500, "InternalError", "Internal error occurred: etcdserver: no leader"
    ),
    "unavailable": lambda *_: statuses.status(503, "ServiceUnavailable", "apiserver is shutting down", {}),
    "unauthorized": lambda *_: statuses.unauthorized(),
    "not-ready": not_ready,
    "cut-json": half,
    "expired": lambda fault, request, reply: gone(parse_token(request.query["continue"])),
    "html": lambda *_: Reply(200, PAGE, "text/html; charset=utf-8"),
    "empty": lambda *_: Reply(200, b""),
    "null-items": edited(lambda document: document | {"items": None}),
    "malformed": edited(first_malformed),
    "wrong-kind": edited(lambda document: document | {"kind": "WidgetList", "apiVersion": "example.com/v1"}),
}
