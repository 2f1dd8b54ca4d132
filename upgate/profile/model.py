"""A profile as a whole: what it may say, what it means, every default, and where it comes from.

In this module and those that it is made of, the docstrings below fields become the descriptions of the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, PlainValidator, PrivateAttr, ValidationInfo, WithJsonSchema

from upgate.profile.changes import Changes
from upgate.profile.external import External
from upgate.profile.hosts import Hosts, Journal
from upgate.profile.ids import CheckId
from upgate.profile.monitoring import Monitor
from upgate.profile.objects import ExpectedMesh, Sidecar
from upgate.profile.parts import (
    Cluster,
    ConditionSweep,
    Expected,
    GateDefaults,
    Kured,
    Patience,
    RestartLimit,
    Scope,
    Waiver,
)
from upgate.profile.probe import InsideProbe
from upgate.profile.problems import Position
from upgate.profile.prometheus import Prometheus
from upgate.profile.quantities import Duration, Moment, Text, find_path, set_only
from upgate.profile.resources import ExpectedResource
from upgate.profile.section import Section
from upgate.profile.tree import YamlNode
from upgate.profile.watching import BudgetedEntry, WatchSettings, budgeted


def level(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


Level = Annotated[Literal["critical", "warning", "off"], BeforeValidator(level)]


#: Read TLS certificates out of Secrets; ask istiod through the API server's proxy of pods; ask kubelets
#: through its proxy of nodes; read the logs of pods.
Allowed = Literal["secrets", "pods-proxy", "nodes-proxy", "logs"]


def parse_baseline(value: object, info: ValidationInfo) -> str | bool | None:
    """A path as the process sees it, or true; false is as good as nothing. Raises ValueError."""
    if isinstance(value, str) and value:
        return find_path(value, info)
    if value is None or isinstance(value, bool):
        return value or None
    raise ValueError("must be the path of a baseline, or true for the gate's own")


MonitorBaseline = Annotated[
    str | bool | None, PlainValidator(parse_baseline), WithJsonSchema({"type": ["string", "boolean"]})
]


class Origin(NamedTuple):
    """Where a profile comes from."""

    name: str = ""
    source: Path | None = None
    secrets: tuple[str, ...] = ()
    #: The files' values, merged, not expanded.
    tree: YamlNode | None = None


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
    mesh: ExpectedMesh | None = None
    prometheus: Prometheus | None = None
    resources: tuple[ExpectedResource, ...] = ()
    conditions: ConditionSweep | None = None
    sidecars: tuple[Sidecar, ...] = ()
    hosts: Hosts | None = None
    logs: Journal | None = None
    """What no log of the control plane may hold, beside the usual; read with `allow: [logs]`."""
    probe: InsideProbe | None = None
    allow: tuple[Allowed, ...] = ()
    """What checks may do beyond listing. Each word is off by default, and `upgate profile rbac` follows."""
    gate: GateDefaults = GateDefaults()
    patience: Patience = Patience()
    monitor: Monitor = Monitor()
    baseline: MonitorBaseline = None
    """The baseline that `--monitor` compares with: a path, or true for the gate's own. Default: none."""
    since: Moment | None = None
    """When the upgrade began: a time with its zone, or how long ago."""
    window: Duration = timedelta(hours=1)
    """How long ago "since" begins where nothing says when the upgrade began."""
    changes: Changes = Changes()
    restarts: RestartLimit = RestartLimit()
    kured: Kured = Kured()
    watch: WatchSettings = WatchSettings()

    @property
    def budgets(self) -> list[BudgetedEntry]:
        """The entries of `external:` that say how long users may be cut off."""
        return budgeted(self.external)

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
    def tree(self) -> YamlNode:
        """The same with the place of every value."""
        return self._origin.tree or YamlNode({}, Position(self.name))

    def come_from(self, origin: Origin) -> Profile:
        """Say where it comes from."""
        self._origin = origin
        return self
