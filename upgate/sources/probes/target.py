"""What to send and what to expect, with all variables, relative paths and defaults resolved."""

from __future__ import annotations

from typing import Literal

import msgspec

from upgate.base.redaction import redact
from upgate.sources.probes.masking import forms, is_credential, secrets_of, shown_url

#: How a WebSocket begins: https://www.rfc-editor.org/rfc/rfc6455#section-4.1, with the key of its section 1.3.
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
#: What is expected if there is no HTTP status.
OTHER_ANSWERS = {
    "tcp": "accepts connections",
    "tls": "a certificate that verifies",
    "dns": "resolves",
    "ws": "a WebSocket",
    "wss": "a WebSocket",
}


class Expectation(msgspec.Struct, frozen=True):
    """One thing that an answer must hold."""

    about: Literal["contains", "matches", "json", "header", "location", "resolves", "versions"]
    #: The text, the regular expression, the JSON value as JSON, the sorted addresses, or the sorted TLS versions.
    wanted: str
    #: The header's name, or the dotted path of the JSON value: `checks.0.status`.
    of: str = ""

    def __str__(self) -> str:
        return {
            "contains": f'body contains "{self.wanted}"',
            "matches": f"body matches /{self.wanted}/",
            "json": f"JSON {self.of} is {self.wanted}",
            "header": f'header {self.of} contains "{self.wanted}"',
            "location": f"redirect to {self.wanted}",
            "resolves": f"resolves to {self.wanted}",
            "versions": f"accepts {self.wanted} and no other TLS version",
        }[self.about]


class ProbeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a journey. `{word}` in its URL, headers, form and JSON stands for a captured value."""

    method: str
    url: str
    headers: dict[str, str] = {}
    form: dict[str, str] = {}
    #: A JSON body as text; empty for none.
    json: str = ""
    status: tuple[int, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    #: Word → the source of its value in the answer: `json:path`, `header:Name`, `cookie:name` or `regex:pattern`.
    capture: dict[str, str] = {}

    @property
    def patterns(self) -> tuple[str, ...]:
        """The regular expressions whose matches are captured."""
        return tuple(source.partition(":")[2] for source in self.capture.values() if source.startswith("regex:"))


class ProbeTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask and what the answer must be. Times are seconds.

    The URL's scheme says how: http and https; ws and wss ask for a WebSocket; `tcp://host:port` only connects, with TLS if
    its certificate is of interest; `tls://host:port` also shakes hands; `dns://name` only resolves.
    """

    id: str
    url: str
    method: str = "GET"
    headers: dict[str, str] = {}
    content: bytes = b""
    #: The accepted status codes; empty accepts all below 400.
    status: tuple[int, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    within: float | None = None
    timeout: float = 10.0
    #: The certificate must have more days left than this.
    tls_days: int | None = None
    #: PEM files. Without `ca` the system's certificate authorities are trusted.
    ca: str = ""
    client_certificate: str = ""
    client_key: str = ""
    #: Overrides HTTP_PROXY and so on of the environment; `none` connects directly.
    proxy: str = ""
    #: Connect to this address instead of what the name resolves to.
    address: str = ""
    #: Networks to which the probe may connect even if the profile does not name the address: see reach.py.
    allow_addresses: tuple[str, ...] = ()
    #: An object of the cluster names its host or address, not the profile.
    named_by_cluster: bool = False
    follow: bool = False
    #: The answer must use HTTP/2.
    http2: bool = False
    #: The name to request and to find in the certificate, if not the URL's host. Only for tls.
    server_name: str = ""
    #: The DNS server to ask, and the type of record. Only for dns.
    resolver: str = ""
    record: str = ""
    #: A journey: its steps share cookies and captured values; `url` is the first one's.
    steps: tuple[ProbeStep, ...] = ()
    #: It must not answer.
    closed: bool = False
    #: Attempts before a problem counts; a later success is reported as flaky.
    attempts: int = 1
    #: Secrets that no output may contain, besides the credentials in the URL and the headers.
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Target({self.id!r}, {self.shown!r})"

    @property
    def shown(self) -> str:
        """The URL, `host:port` or name for people: without user, password and the values of its query."""
        return self.mask(shown_url(self.url)).removeprefix("tcp://").removeprefix("tls://").removeprefix("dns://")

    @property
    def stages(self) -> tuple[str, ...]:
        """The steps of a journey in words."""
        shown = (f"{step.method} {self.mask(shown_url(step.url))}" for step in self.steps)
        return tuple(f"step {number}, {words}" for number, words in enumerate(shown, 1))

    @property
    def patterns(self) -> tuple[str, ...]:
        """The regular expressions that the body must match."""
        return tuple(each.wanted for each in self.expectations if each.about == "matches")

    def mask(self, text: str) -> str:
        """The text without this target's credentials."""
        own = [
            *secrets_of(self.url, self.headers),
            *(each for step in self.steps for each in secrets_of(step.url, step.headers)),
        ]
        typed = (value for step in self.steps for name, value in step.form.items() if is_credential(name))
        return redact(text, {form for secret in (*self.secrets, *own, *typed) for form in forms(secret)})

    @property
    def scheme(self) -> str:
        """How it is asked."""
        return self.url.partition(":")[0].lower()

    @property
    def expected(self) -> str:
        """The expected answer, in words."""
        if self.steps:
            return "each step answers as expected"
        if self.scheme in OTHER_ANSWERS:
            return OTHER_ANSWERS[self.scheme]
        version = "HTTP/2, " if self.http2 else ""
        return f"{version}status " + (" or ".join(map(str, self.status)) or "below 400")

    def accepts(self, status: int) -> bool:
        """The status is one of the expected ones."""
        return status in self.status if self.status else status < 400
