"""Entries of `external:`, what must answer from outside the cluster, and how."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from upgate.profile.quantities import (
    Closed,
    Duration,
    FilePath,
    HostAndPort,
    Name,
    Proxy,
    Regex,
    SocketUrl,
    Text,
    Texts,
    Url,
    Words,
    set_only,
    some,
)
from upgate.profile.section import Section

Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[
    tuple[Status, ...], Field(min_length=1), BeforeValidator(some, json_schema_input_type=Status | tuple[Status, ...])
]
#: The keys of which an entry has exactly one, and the id's word for each: `external.tcp.database`.
KINDS = {"url": "", "journey": "journey", "tcp": "tcp", "dns": "dns", "websocket": "websocket", "closed": "closed"}
#: Keys that only a `url` entry can have.
HTTP_KEYS = ("method", "headers", "status", "body", "matches", "json", "header", "location", "follow", "http2")
#: The keys of which a step of a journey has exactly one.
METHODS = ("get", "post", "put", "patch", "delete", "head")


def external_id(name: str, kind: str) -> str:
    """The check id of an entry."""
    return ".".join(filter(None, ("external", KINDS[kind], name)))


class Step(Section):
    """One request of a journey; exactly one of get, post, put, patch, delete and head."""

    get: Url | None = None
    """The URL to GET; `{word}` stands for a captured value."""
    post: Url | None = None
    put: Url | None = None
    patch: Url | None = None
    delete: Url | None = None
    head: Url | None = None
    headers: Words = Field(default_factory=dict)
    form: Words = Field(default_factory=dict)
    """Fields of a form, as the request's body."""
    json_body: Any = Field(default=None, alias="json")
    """A JSON value, as the request's body."""
    status: Statuses | None = None
    """Accepted status codes; without it, all below 400."""
    body: Text | None = None
    """Text that the answer's body must contain."""
    capture: Words = Field(default_factory=dict)
    """Values to keep for later steps, such as `token: "json:token"`."""


class External(Section):
    """One thing that must answer from outside; exactly one of url, journey, tcp, dns, websocket and closed."""

    name: Name
    """Its word in the check id `external.<name>`."""
    each: Literal["node", "ingress", "load-balancer"] | None = None
    """Ask once for each of these; `{address}` in the URL stands for its address."""
    url: Url | None = None
    """The URL to ask."""
    method: Literal["GET", "HEAD"] = "GET"
    headers: Words = Field(default_factory=dict)
    """Headers to send."""
    status: Statuses | None = None
    """Accepted status codes, one or a list. 200 unless `header` or `location` says what to expect instead."""
    body: Text | None = None
    """Text that the body must contain."""
    matches: Regex | None = None
    """A regular expression that must match somewhere in the body."""
    json_values: Annotated[dict[Text, Any], BeforeValidator(set_only)] = Field(default_factory=dict, alias="json")
    """Values by their dotted path in a JSON body, such as `checks.0.status: up`."""
    header: Words = Field(default_factory=dict)
    """Headers that the answer must have, and what they must contain."""
    location: Text | None = None
    """Where the answer must redirect to."""
    within: Duration | None = None
    """The answer must come within this time."""
    timeout: Duration = timedelta(seconds=5)
    """When to give up."""
    tls_days: Annotated[int, Field(ge=0)] | None = None
    """The certificate must be valid for more days than this."""
    ca: FilePath | None = None
    """A PEM file of certificate authorities to trust instead of the system's."""
    client_certificate: FilePath | None = None
    client_key: FilePath | None = None
    proxy: Proxy | None = None
    """An HTTP proxy instead of the environment's; `none` goes there directly."""
    address: Text | None = None
    """Connect to this address, whatever the name resolves to."""
    follow: bool = False
    """Follow redirects."""
    http2: bool = False
    budget: Duration | None = None
    """How long it may be out during an upgrade, in all."""
    journey: Annotated[tuple[Step, ...], Field(min_length=1)] | None = None
    """Requests one after the other, which share cookies and captured values."""
    tcp: HostAndPort | None = None
    """A port that must accept connections."""
    dns: Text | None = None
    """A name that must resolve."""
    resolves_to: Texts | None = None
    """The addresses that `dns` must resolve to, one or a list."""
    websocket: SocketUrl | None = None
    """A URL that must accept a WebSocket."""
    closed: Closed | None = None
    """A port or URL that must not answer."""

    @property
    def kind(self) -> str:
        """Which of the keys in KINDS says what to ask."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def id(self) -> str:
        """Its check's id."""
        return external_id(self.name, self.kind)

    @model_validator(mode="before")
    @classmethod
    def _expect_something(cls, data: Any) -> Any:
        """A URL of which no answer is expected in particular must answer 200: a monitor without a condition sees nothing."""
        if not isinstance(data, dict) or data.get("url") is None:
            return data
        says = any(data.get(key) is not None for key in ("status", "header", "location"))
        return data if says else data | {"status": 200}

    @model_serializer(mode="wrap")
    def _what_counts(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without a URL, what is said about its answer means nothing, defaults included."""
        values = dump(self)
        return values if self.url else {key: value for key, value in values.items() if key not in HTTP_KEYS}
