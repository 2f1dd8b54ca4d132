"""Entries of `external:`, what must answer from outside the cluster, and how."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from upgate.profile.network import (
    Capture,
    Closed,
    Credentials,
    Headers,
    HostAndPort,
    HostName,
    LabelSelector,
    Networks,
    Proxy,
    Resolver,
    SocketUrl,
    Url,
)
from upgate.profile.quantities import FilePath, Globs, Name, Regex, Span, Text, Texts, Words, set_only, some
from upgate.profile.section import Section
from upgate.profile.watching import Budget

Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[
    tuple[Status, ...], Field(min_length=1), BeforeValidator(some, json_schema_input_type=Status | tuple[Status, ...])
]
#: The keys of which an entry has exactly one, and the id's word for each: `external.tcp.database`.
KINDS = {
    "url": "",
    "journey": "journey",
    "tcp": "tcp",
    "tls": "tls",
    "dns": "dns",
    "websocket": "websocket",
    "closed": "closed",
}
#: Keys that only a `url` entry can have.
HTTP_KEYS = ("method", "status", "body", "matches", "json", "header", "location", "follow", "http2")
#: Keys that only entries of some kinds can have, and those kinds.
ONLY_WITH = {
    **dict.fromkeys(HTTP_KEYS, ("url",)),
    **dict.fromkeys(("headers", "basic", "bearer"), ("url", "websocket")),
    **dict.fromkeys(("resolves-to", "resolver", "record"), ("dns",)),
    **dict.fromkeys(("server-name", "versions"), ("tls",)),
    "address": ("url", "journey", "tcp", "tls", "websocket", "closed"),
    "proxy": ("url", "journey", "websocket", "closed"),
    "within": ("url", "journey", "tcp", "tls", "dns", "websocket"),
    **dict.fromkeys(("tls-days", "ca"), ("url", "journey", "tcp", "tls", "websocket")),
    **dict.fromkeys(("client-certificate", "client-key"), ("url", "journey", "tcp", "tls", "websocket", "closed")),
}
#: What an answer to HEAD does not have, in an entry and in the step of a journey.
BODY_KEYS = ("body", "matches", "json")
#: The keys that say which of the objects of `each` are asked, and the one kind that has them.
OF_NODES = ("address-type", "pool", "trust-nodes")
#: The keys that mean something with some kinds of `each` only.
OF_EACH = {
    **dict.fromkeys(OF_NODES, ("node",)),
    "namespaces": ("ingress", "load-balancer"),
    "at-most": ("node", "ingress", "load-balancer"),
}
#: What `{…}` may stand for, by `each`.
PLACES = {
    "node": ("address", "name"),
    "ingress": ("address", "host", "path", "name", "namespace"),
    "load-balancer": ("address", "port", "name", "namespace"),
}
Captures = Annotated[dict[Text, Capture], BeforeValidator(set_only)]
TlsVersion = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
TlsVersions = Annotated[
    tuple[TlsVersion, ...],
    Field(min_length=1),
    BeforeValidator(some, json_schema_input_type=TlsVersion | tuple[TlsVersion, ...]),
]
#: The keys of which a step of a journey has exactly one.
METHODS = ("get", "post", "put", "patch", "delete", "head")


def external_id(name: str, kind: str) -> str:
    """The check id of an entry."""
    return ".".join(filter(None, ("external", KINDS[kind], name)))


class JourneyStep(Section):
    """One request of a journey; exactly one of get, post, put, patch, delete and head."""

    get: Url | None = None
    """The URL to GET; `{word}` stands for a captured value."""
    post: Url | None = None
    put: Url | None = None
    patch: Url | None = None
    delete: Url | None = None
    head: Url | None = None
    headers: Headers = Field(default_factory=dict)
    form: Words = Field(default_factory=dict)
    """Fields of a form, as the request's body."""
    json_body: Any = Field(default=None, alias="json")
    """A JSON value, as the request's body."""
    status: Statuses | None = None
    """Accepted status codes; without it, 200 to 299 for get and head, and all below 400 for what sends something."""
    body: Text | None = None
    """Text that the answer's body must contain."""
    capture: Captures = Field(default_factory=dict)
    """Values to keep for later steps, by word: `json:path`, `header:Name`, `cookie:name` or `regex:pattern`."""


class External(Section):
    """One thing that must answer from outside; exactly one of url, journey, tcp, tls, dns, websocket and closed."""

    name: Name
    """Its word in the check id `external.<name>`."""
    each: Literal["node", "ingress", "load-balancer"] | None = None
    """Ask once for each of these; in the entry's texts `{address}` and `{name}` stand for its own, with ingress also `{host}`,
    `{path}` and `{namespace}`, with load-balancer also `{port}` and `{namespace}`. Ingress rules without a host of
    their own are left out where the host is asked for."""
    address_type: Literal["internal", "external", "hostname"] | None = None
    """Which address of a node; without it the internal one, else the external one, else its host name."""
    pool: LabelSelector | None = None
    """Only nodes with these labels, such as `node-role.kubernetes.io/edge,zone=a`."""
    namespaces: Globs | None = None
    """Only Ingresses or load balancers of these namespaces, by pattern; `!pattern` leaves out. Anyone who can write an Ingress
    or a Service there is trusted with the credentials of the entry, which needs it for that."""
    trust_nodes: bool | None = None
    """The credentials of an entry with `each: node` may go to whatever address a node says to have: its kubelet writes it."""
    at_most: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """So many are asked of `each`, default 500; where there are more, the check cannot be clear, and says so."""
    allow_addresses: Networks = ()
    """Loopback, link-local, multicast and metadata addresses that may be connected to all the same, one or a list of addresses
    or networks, such as 127.0.0.0/8. Without this they are refused to redirects and to what the objects of `each` name."""
    url: Url | None = None
    """The URL to ask."""
    method: Literal["GET", "HEAD"] = "GET"
    headers: Headers = Field(default_factory=dict)
    """Headers to send."""
    basic: Credentials | None = None
    """`user:password`, best as `${USER}:${PASSWORD}`."""
    bearer: Text | None = None
    """A token, best as `${TOKEN}`."""
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
    within: Span | None = None
    """The answer must come within this time."""
    timeout: Span = timedelta(seconds=5)
    """When to give up."""
    tls_days: Annotated[int, Field(ge=0)] | None = None
    """The certificate must be valid for more days than this."""
    ca: FilePath | None = None
    """A PEM file of certificate authorities to trust instead of the system's."""
    client_certificate: FilePath | None = None
    """A PEM file with the certificate that we show, if the server asks for one."""
    client_key: FilePath | None = None
    """Its key, where that is in a file of its own; without a passphrase."""
    proxy: Proxy | None = None
    """An HTTP proxy instead of the environment's; `none` goes there directly."""
    address: HostName | None = None
    """Connect to this address, whatever the name resolves to."""
    follow: bool = False
    """Follow redirects."""
    http2: bool = False
    """The answer must come over HTTP/2."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 1
    """How often it is tried before it counts as wrong; what passes later than at first is a warning: flaky."""
    journey: Annotated[tuple[JourneyStep, ...], Field(min_length=1)] | None = None
    """Requests one after the other, which share cookies and captured values."""
    tcp: HostAndPort | None = None
    """A port that must accept connections."""
    tls: HostAndPort | None = None
    """A port that must present a certificate for `server-name`, of an issuer that is trusted."""
    server_name: HostName | None = None
    """The name that is asked for (SNI) and that the certificate must be for; without it the host of `tls`."""
    versions: TlsVersions | None = None
    """The TLS versions that are accepted, and no others, such as [TLSv1.2, TLSv1.3]."""
    dns: HostName | None = None
    """A name that must resolve."""
    resolves_to: Texts | None = None
    """What `dns` must resolve to, one or a list: exactly these."""
    resolver: Resolver | None = None
    """The DNS server to ask, `address` or `address:port`; without it the one of this machine, as its programs do."""
    record: Literal["A", "AAAA", "CNAME", "MX", "NS", "SRV", "TXT"] | None = None
    """The type of DNS record; without it A where `resolver` is given, else whatever address there is."""
    websocket: SocketUrl | None = None
    """A URL that must accept a WebSocket."""
    closed: Closed | None = None
    """A port or URL that must not answer."""
    budget: Budget | None = None
    """How long users may be cut off during an upgrade, as `upgate watch` measures it: all outages together, such as 30s, or
    `{total: 30s, longest: 10s}`."""
    control: bool = False
    """It is not part of the upgrade: when it fails, our own network does, and nothing is measured."""

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
        """What only entries of another kind can have means nothing, defaults included."""
        return {key: value for key, value in dump(self).items() if self.kind in ONLY_WITH.get(key, (self.kind,))}
