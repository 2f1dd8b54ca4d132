"""`prometheus:`, what another monitor knows: which alerts fire, and what queries answer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from upgate.profile.network import Credentials, Headers, Proxy, Url
from upgate.profile.quantities import FilePath, Name, Span, Text, check_glob, check_regex
from upgate.profile.section import Section

#: What a value is compared with.
COMPARED = re.compile(r"(?P<sign><=|>=|==|!=|<|>) *(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)")
#: `name="value"` as in PromQL: https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors
MATCHER = re.compile(
    r'(?<!\w)(?P<label>[A-Za-z_]\w{0,99}+)\s{0,9}+(?P<sign>=~|!~|!=|=)\s{0,9}+"(?P<value>(?:[^"\\]|\\.){0,999}+)"\s{0,9}+(?:,|\Z)'
)
ESCAPED = re.compile(r"\\(.)")


def check_comparison(value: str) -> str:
    """A comparison and a number. Raises ValueError."""
    if not COMPARED.fullmatch(value.strip()):
        raise ValueError('not a comparison with a number such as "< 0.01", ">= 3" or "== 0"')
    return value.strip()


def matchers(text: str) -> list[tuple[str, str, str]]:
    """Label, sign and value of each matcher between braces. Raises ValueError."""
    found, rest = [], text.strip()
    while rest:
        match = MATCHER.match(rest)
        if not match:
            raise ValueError('not label matchers such as {severity="info", namespace=~"test-.*"}')
        found.append((match["label"], match["sign"], ESCAPED.sub(r"\1", match["value"])))
        rest = rest[match.end() :].lstrip()
    return found


def parts_of_ignored(value: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The pattern for names and the matchers of an entry of `ignore:`. Raises ValueError."""
    name, brace, rest = value.strip().partition("{")
    if "}" in name or (brace and not rest.endswith("}")):
        raise ValueError('not a name, a pattern or label matchers: Watchdog, "Kube*Quota*" or \'{severity="info"}\'')
    return name.strip(), matchers(rest[:-1])


def check_ignored(value: str) -> str:
    """A pattern for names, label matchers in braces, or both. Raises ValueError."""
    name, labels = parts_of_ignored(value)
    if name or not labels:
        check_glob(name)
    for _, sign, wanted in labels:
        if "~" in sign:
            check_regex(wanted)
    return value


Comparison = Annotated[str, AfterValidator(check_comparison)]
Ignored = Annotated[str, AfterValidator(check_ignored)]


class Query(Section):
    """A query whose every value must satisfy a comparison."""

    name: Name
    """Its word in the check id `alerts.query.<name>`."""
    query: Text
    """PromQL, evaluated once, now. Without an answer the check is inconclusive: `… or vector(0)` where nothing is fine."""
    that: Comparison
    """A comparison and a number, such as "< 0.01"; every value of the answer must satisfy it."""

    @property
    def id(self) -> str:
        """Its check's id."""
        return f"alerts.query.{self.name}"


class Prometheus(Section):
    """A Prometheus, or what speaks its HTTP API: Thanos, Mimir, and the managed ones of clouds."""

    url: Url
    """Its address, with the path before `/api/v1`: https://thanos.example.com, https://mimir.example.com/prometheus,
    https://monitoring.googleapis.com/v1/projects/PROJECT/location/global/prometheus, …"""
    bearer: Text | None = None
    """A token, best as `${TOKEN}`."""
    basic: Credentials | None = None
    """`user:password`, best as `${USER}:${PASSWORD}`."""
    headers: Headers = Field(default_factory=dict)
    """Headers to send, such as `X-Scope-OrgID: tenant`."""
    ca: FilePath | None = None
    """A PEM file of certificate authorities to trust instead of the system's."""
    client_certificate: FilePath | None = None
    """A PEM file with the certificate that we show, if the server asks for one."""
    client_key: FilePath | None = None
    """Its key, where that is in a file of its own; without a passphrase."""
    proxy: Proxy | None = None
    """An HTTP proxy instead of the environment's; `none` goes there directly."""
    timeout: Span = timedelta(seconds=30)
    """How long each question may take."""
    ignore: tuple[Ignored, ...] = ()
    """Alerts that may fire: names, patterns (`Kube*Quota*`), or label matchers as in PromQL: `{severity="info"}`,
    `KubePod*{namespace=~"test-.*"}`, or `{cluster!="prod"}` where it knows several clusters. Alerts with severity="none", such as
    Watchdog, say nothing and are ignored always."""
    queries: tuple[Query, ...] = ()
