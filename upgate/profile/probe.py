"""What a profile says about probing from inside: the only part of it that makes upgate create objects."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from upgate.profile.network import Credentials, Headers, HostName, Url, url_with
from upgate.profile.parts import Positive, minutes, seconds
from upgate.profile.quantities import FilePath, Span, Text, Words
from upgate.profile.section import Section

#: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: What a shell in the pod is given: an address or a name, a port, and a path.
PLAIN_URL = re.compile(r"http://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?(/[\w./?=&%~+,:-]*)?", re.ASCII)
IMAGE = re.compile(r"[A-Za-z0-9][\w./:@-]*", re.ASCII)
#: Namespaces that belong to the cluster.
TAKEN = ("default", "kube-system", "kube-public", "kube-node-lease")


def check_own_namespace(value: str) -> str:
    """The name of a namespace that nothing else is in. Raises ValueError."""
    if not LABEL.fullmatch(value):
        raise ValueError("not the name of a namespace: lower case letters, digits and hyphens, at most 63")
    if value in TAKEN:
        raise ValueError("must be a namespace of its own: what is in it is deleted")
    return value


def check_image(value: str) -> str:
    """The name of a container image. Raises ValueError."""
    if not IMAGE.fullmatch(value):
        raise ValueError("not the name of a container image such as busybox:1.36")
    return value


def check_plain_url(value: str) -> str:
    """A URL that can be asked without TLS. Raises ValueError."""
    if not PLAIN_URL.fullmatch(url_with("http")(value)):
        raise ValueError("not a URL such as http://169.254.169.254/latest/meta-data/")
    return value


def check_marked_url(value: str) -> str:
    """A URL in which the mark has its place. Raises ValueError."""
    if "{mark}" not in value:
        raise ValueError("needs {mark} where the text that is searched for belongs")
    return value


class ProbeToleration(Section):
    """A taint that the probe's pods tolerate. Nodes with any other that keeps pods away are left out, and named in the notes."""

    key: str = ""
    """The key of the taint; none: every key, with the operator Exists."""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The effect of the taint; none: every effect."""


class ProbeLogs(Section):
    """A log store in which a line that the pod on each node writes must arrive."""

    url: Annotated[Url, AfterValidator(check_marked_url)]
    """The query, with {mark} where the text that is searched for belongs: https://loki.example.com/…?query={mark}.
    Its answer must hold the lines."""
    bearer: Text | None = None
    """A token, best as `${TOKEN}`."""
    basic: Credentials | None = None
    """`user:password`, best as `${USER}:${PASSWORD}`."""
    headers: Headers = Field(default_factory=dict)
    """Headers to send, such as `X-Scope-OrgID: tenant`."""
    ca: FilePath | None = None
    """A PEM file of certificate authorities to trust instead of the system's."""
    within: Span = minutes(2)
    """So long a line may take to arrive."""


class InsideProbe(Section):
    """Ask from inside: short-lived pods on every node, and a Service, in a namespace of their own. The only thing that
    creates objects; all of them are removed afterwards. `probe: {}` is enough."""

    image: Annotated[str, AfterValidator(check_image)] = "busybox:1.36"
    """Anything with `sh`, `nc` and `nslookup`; it is not pulled where a node has it."""
    namespace: Annotated[str, AfterValidator(check_own_namespace)] = "upgate-probe"
    """The namespace. One that exists must have the label app.kubernetes.io/managed-by=upgate: else it is refused."""
    node_selector: Words = Field(default_factory=dict)
    """Labels that a node must have to be asked, such as `type: real`; default: every Linux node."""
    tolerations: tuple[ProbeToleration, ...] = ()
    resolve: tuple[HostName, ...] = ()
    """External names that must resolve from every node; default: kubernetes.io, if it resolves from any node at all."""
    metadata: Annotated[str, AfterValidator(check_plain_url)] | None = None
    """The metadata service of the cloud, or another URL with http:// that must answer on every node."""
    logs: ProbeLogs | None = None
    """The log store."""
    latency: Span = seconds(2)
    """An answer that takes longer is a warning."""
    start_up: Span = minutes(1)
    """So long a pod may take to start."""
    deadline: Span = minutes(4)
    """So long all of it may take; nodes that were not asked until then are inconclusive."""
    pending: Positive = 100
    """So many pods may be starting at once: of more nodes as many are asked, one group after the other."""
    every: Span | None = None
    """How often rounds of `--monitor` probe; default: never."""

    @property
    def said(self) -> str:
        """What is said aloud before anything is created."""
        return (
            f"probe: this run CREATES pods on the nodes and a Service, in the namespace {self.namespace}, and removes them; "
            "leave out `probe:` to create nothing"
        )
