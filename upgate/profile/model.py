"""What a profile may say, what it means, and every default. Field docstrings become the descriptions of the JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo

from upgate.profile.external import External
from upgate.profile.ids import CheckId, CheckPattern
from upgate.profile.problems import Place
from upgate.profile.quantities import (
    Day,
    Duration,
    FilePath,
    Glob,
    Globs,
    Moment,
    Name,
    Rate,
    Text,
    Texts,
    Url,
    Version,
    set_only,
)
from upgate.profile.section import Section
from upgate.profile.tree import Node

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


def seconds(amount: int) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=amount)


def minutes(amount: int) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=amount)


def level(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


def still_valid(until: date, info: ValidationInfo) -> date:
    """A waiver's last day must not be over. Raises ValueError."""
    if until < (info.context or {}).get("today", date.min):
        raise ValueError("this waiver has expired; renew it or remove it")
    return until


def written(value: str) -> str:
    """Blanks are no reason. Raises ValueError."""
    if not value.strip():
        raise ValueError("must not be empty: say why")
    return value


Level = Annotated[Literal["critical", "warning", "off"], BeforeValidator(level)]


class Cluster(Section):
    """Which cluster: a kubeconfig's context, or a recorded snapshot, or the embedded demo."""

    kubeconfig: FilePath | None = None
    """Default: $KUBECONFIG, then ~/.kube/config, then the pod's own service account."""
    context: Text | None = None
    """The context of the kubeconfig; default: its current one."""
    snapshot: FilePath | None = None
    """Judge this recorded snapshot instead of a live cluster."""
    embedded: Literal["healthy", "broken"] | None = None
    """Judge the demo cluster."""
    connect_timeout: Duration = seconds(5)
    """How long connecting to the API server may take."""
    read_timeout: Duration = seconds(30)
    """How long the API server may be silent."""
    deadline: Duration = minutes(2)
    """How long listing all objects of one kind may take, retries included."""


class ExpectedNodes(Section):
    """What the nodes must be."""

    min: Count | None = None
    """At least so many."""
    kubelet: Version | None = None
    """The kubelet's version, its beginning, or a range; default: the API server's minor."""
    pool_label: Text | None = None
    """The label that says which pool a node belongs to."""


class Expected(Section):
    """What the cluster must be after the upgrade."""

    version: Version | None = None
    """The API server's version, its beginning, or a range. Quoted: YAML reads 1.30 as 1.3."""
    next_version: Version | None = None
    """The version of the upgrade after this one; default: the next minor."""
    nodes: ExpectedNodes = ExpectedNodes()
    may_be_empty: tuple[CheckId, ...] = ()
    """Checks that may find nothing to look at in this cluster."""


class Scope(Section):
    """What is looked at."""

    namespaces: Globs = ("*",)
    """Namespaces by pattern; `!pattern` leaves out."""


class Waiver(Section):
    """Findings that are known and accepted for a while; they stay visible in every report."""

    check: CheckPattern
    """A check's id, or a pattern."""
    object: Glob = "*"
    """The objects, as reports name them: `Kind/name` or `Kind/namespace/name`, or a pattern."""
    reason: Annotated[str, AfterValidator(written)]
    """Why it is accepted, and who knows about it."""
    until: Annotated[Day, AfterValidator(still_valid)]
    """The last day on which it holds."""


class Restarts(Section):
    """When restarts of containers count."""

    allowed: Count | None = None
    """So many since the reference time are fine; default: none with a baseline, else 2."""


class Mesh(Section):
    """The service mesh: Istio or Anthos Service Mesh."""

    expect: Version | None = None
    """The version of every sidecar."""
    revision: Text | None = None
    """The active revision."""
    retired: tuple[Text, ...] = ()
    """Revisions of which nothing may be left."""


class Sidecar(Section):
    """A container whose image must match in every pod that has it."""

    name: Name | None = None
    container: Text
    """The container's name."""
    namespaces: Globs = ("*",)
    """Namespaces by pattern; `!pattern` leaves out."""
    image: Glob
    """The image, or a pattern."""


class Resource(Section):
    """Any object of the cluster, and what must be true of it."""

    name: Name
    """Its word in the check id `expect.<name>`."""
    api_version: Text = Field(alias="apiVersion")
    kind: Text
    namespace: Text | None = None
    object: Text | None = None
    """The object's name; without it, all that `selector` and `namespace` leave."""
    selector: Text | None = None
    """A label selector."""
    that: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Conditions in CEL, such as `status.health.status == "Healthy"`."""


class Hosts(Section):
    """The machines themselves, looked at over ssh."""

    each: Texts = ("node",)
    """`node` for every node of the cluster, or a list of testinfra's host specs."""
    connection: Text = "ssh://{address}"
    """How to get there; `{address}` stands for the host's address."""
    services: tuple[Text, ...] = ()
    """Services that must run and be enabled."""
    listening: tuple[Text, ...] = ()
    """Sockets that must be listened on, such as 0.0.0.0:10256."""
    not_listening: tuple[Text, ...] = ()
    """Sockets that must not be listened on."""
    arguments: Annotated[dict[Text, tuple[Text, ...]], BeforeValidator(set_only)] = Field(default_factory=dict)
    """Arguments that a component's command line must hold, by component."""


class Probe(Section):
    """Pods of our own that look from inside: the only thing that creates objects."""

    image: Text
    """An image with sh, nslookup and nc."""
    namespace: Text = "upgate-probe"
    """A namespace for nothing else."""


class Gate(Section):
    """Defaults of the options --settle, --clean and --every."""

    settle: Duration | None = None
    """Go on looking until all is clear, for at most so long; default: look once."""
    clean: Positive = 1
    """So many clean rounds in a row are clear."""
    every: Duration = seconds(30)
    """The time between two rounds."""


class Patience(Section):
    """How long what is normal may last before it is a finding."""

    start_up: Duration = minutes(1)
    """A running pod may be not ready yet."""
    pending: Duration = minutes(5)
    """A pod may be pending."""
    terminating: Duration = minutes(2)
    """A pod may outlive its deletion time, which includes its grace period."""
    scheduler_silent: Duration = minutes(2)
    """A pending pod may be without any word from the scheduler."""
    namespace_terminating: Duration = minutes(2)
    """The deletion of a namespace may take so long."""


class Monitor(Section):
    """Continuous monitoring: `--monitor`."""

    fail_after: Rate = Field(default="2 of 3", validate_default=True)
    """Alert when so many of the last rounds failed."""
    remind: Duration = timedelta(hours=4)
    """Repeat an alert that still holds after so long."""
    notify: tuple[Url, ...] = ()
    """Webhooks that alerts are sent to."""
    heartbeat: Url | None = None
    """A URL to call after each round, so that silence is noticed."""
    textfile: FilePath | None = None
    """Metrics for node_exporter's textfile collector."""
    pushgateway: Url | None = None
    """Metrics for a Prometheus Pushgateway."""


class Origin(NamedTuple):
    """Where a profile comes from."""

    name: str = ""
    source: Path | None = None
    secrets: tuple[str, ...] = ()
    #: The files' values, merged, not expanded.
    tree: Node | None = None


class Profile(Section):
    """An environment: which cluster, what is expected of it, what is waived, and how patient to be."""

    _origin: Origin = PrivateAttr(default=Origin())

    description: str = ""
    """For people."""
    extends: Text | None = None
    """The profile that this one is laid over: a name, or a path from this file."""
    cluster: Cluster = Cluster()
    expect: Expected = Expected()
    scope: Scope = Scope()
    checks: Annotated[dict[CheckId, Level], BeforeValidator(set_only)] = Field(default_factory=dict)
    """A severity, or off, by check id."""
    waivers: tuple[Waiver, ...] = ()
    external: tuple[External, ...] = ()
    mesh: Mesh | None = None
    sidecars: tuple[Sidecar, ...] = ()
    resources: tuple[Resource, ...] = ()
    hosts: Hosts | None = None
    probe: Probe | None = None
    allow: tuple[Literal["exec", "secrets", "nodes-proxy", "access-reviews"], ...] = ()
    """More than reading, which must be asked for."""
    gate: Gate = Gate()
    patience: Patience = Patience()
    monitor: Monitor = Monitor()
    since: Moment | None = None
    """When the upgrade began: a time with its zone, or how long ago."""
    window: Duration = timedelta(hours=1)
    """How long ago "since" begins where nothing says when the upgrade began."""
    restarts: Restarts = Restarts()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._origin.name

    @property
    def source(self) -> Path | None:
        """The file; None for the built-in default."""
        return self._origin.source

    @property
    def secrets(self) -> tuple[str, ...]:
        """What `${VAR}`s stand for; no output may hold any of them."""
        return self._origin.secrets

    @property
    def raw(self) -> Mapping[str, Any]:
        """What the files say, merged, with `${VAR}` as written."""
        return self.tree.plain()

    @property
    def tree(self) -> Node:
        """The same with the place of every value."""
        return self._origin.tree or Node({}, Place(self.name))

    def come_from(self, origin: Origin) -> Profile:
        """Say where it comes from."""
        self._origin = origin
        return self
