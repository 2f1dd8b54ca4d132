"""What a profile says about the cluster as a whole, what is expected of it, and how patient to be."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from upgate.profile.ids import CheckId, CheckPattern
from upgate.profile.machines import Package
from upgate.profile.network import HostAndPort
from upgate.profile.quantities import (
    Day,
    Duration,
    FilePath,
    Glob,
    Globs,
    ObjectPattern,
    Text,
    Version,
    VersionPattern,
    set_only,
)
from upgate.profile.section import Section

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


def seconds(amount: int) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=amount)


def minutes(amount: int) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=amount)


def still_valid(until: date, info: ValidationInfo) -> date:
    """A waiver's last day must not be over. Raises ValueError."""
    if until < ((info.context or {}).get("today") or date.min):
        raise ValueError("this waiver has expired; renew it or remove it")
    return until


def written(value: str) -> str:
    """A reason must not be blank. Raises ValueError."""
    if not value.strip():
        raise ValueError("must not be empty: say why")
    return value


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
    api_servers: tuple[HostAndPort, ...] = ()
    """Addresses of single API servers, beside those of the EndpointSlice `kubernetes`: each must answer by itself."""
    deadline: Duration = minutes(2)
    """How long listing all objects of one kind may take, retries included."""


class NodeKind(Section):
    """What a node runs: patterns of versions and images."""

    kubelet: VersionPattern | None = None
    """The kubelet's version, its beginning, a range or a pattern, such as "1.36", ">=1.35" or "v1.36.*-eks-*". Quoted."""
    kernel: VersionPattern | None = None
    """The kernel's version, its beginning, a range or a pattern, such as ">=6.1" or "5.4.0-1043*"."""
    runtime: Glob | None = None
    """The container runtime by pattern, such as "containerd://2.*"."""
    image: Glob | None = None
    """The node's OS image by pattern, or its machine image, where a label holds that."""


class DeniedNodes(NodeKind):
    """Nodes that must not be: those that are as all of its patterns say."""

    reason: Annotated[str, AfterValidator(written)]
    """Why, and who knows about it."""


class ExpectedNodes(NodeKind):
    """What the nodes must be."""

    kubelet: Version | None = None
    """The kubelet's version, its beginning, or a range, such as "1.36" or ">=1.35". Quoted: YAML reads 1.30 as 1.3."""
    min: Count | None = None
    """At least so many."""
    pool_label: Text | None = None
    """The label that says which pool a node belongs to; default: those of EKS, GKE, AKS and others, where nodes have one."""
    image_label: Text | None = None
    """The label that holds a node's machine image; default: those of EKS and AKS."""
    deny: tuple[DeniedNodes, ...] = ()
    """Kernels, runtimes and images that are known to be bad."""
    taints: Globs | None = None
    """The taints that nodes may have, by pattern, such as "dedicated=*" or "spot=true:NoSchedule"."""


class Expected(Section):
    """What the cluster must be after the upgrade."""

    version: Version | None = None
    """The API server's version, its beginning, or a range. Quoted: YAML reads 1.30 as 1.3."""
    next_version: Version | None = None
    """What `-m preflight` judges removals and version skew against; default: the next minor."""
    nodes: ExpectedNodes = ExpectedNodes()
    hosts: Annotated[dict[Package, Version], BeforeValidator(set_only)] = Field(default_factory=dict)
    """Versions on the hosts: kubelet, containerd, docker, kernel, … or the name of a package."""
    tls_days: Count = 21
    """Certificates of the cluster, and our own, must be valid for so many days more; a tenth of a life that is shorter."""
    may_be_empty: tuple[CheckId, ...] = ()
    """Checks that may find nothing to look at in this cluster."""


class Scope(Section):
    """What is looked at."""

    namespaces: Globs = ("*",)
    """Namespaces by pattern; `!pattern` leaves out."""


class ConditionSweep(Section):
    """Look through custom resources for those that say themselves that they are not right. It lists every object of every kind
    in `groups`, so it is asked only where a profile says so: `conditions: {}` is enough."""

    groups: Globs = ("*",)
    """API groups by pattern, such as `*.crossplane.io`; `!pattern` leaves out. The role that `upgate profile rbac` prints
    has those without a pattern: RBAC knows none."""
    after: Duration = minutes(10)
    """How long something may be wrong."""
    kinds: Positive = 200
    """So many kinds are looked at."""
    objects: Positive = 50_000
    """So many objects are looked at; a kind that was begun is read to its end."""
    within: Duration = minutes(1)
    """How long it may take."""


class Waiver(Section):
    """Findings that are known and accepted for a while; they stay visible in every report."""

    check: CheckPattern
    """A check's id, or a pattern."""
    object: ObjectPattern = "*"
    """The objects, as reports name them: `Kind/name`, `Kind/namespace/name` or a URL, or a pattern: `*` stands for any text, `?`
    for any character, and `[` for itself, as in `https://[fd00::1]:8443/`."""
    reason: Annotated[str, AfterValidator(written)]
    """Why it is accepted, and who knows about it."""
    until: Annotated[Day, AfterValidator(still_valid)]
    """The last day on which it holds."""


class RestartLimit(Section):
    """When restarts of containers count."""

    allowed: Count | None = None
    """So many since the reference time are fine; default: none with a baseline, else 2."""


class Kured(Section):
    """What is expected of kured, which reboots nodes one after the other."""

    max_lock_age: Duration = timedelta(hours=2)
    """So long a node may hold its lock."""


class GateDefaults(Section):
    """Defaults of the options --settle, --clean and --every, and what stops the gate."""

    settle: Duration | None = None
    """Go on looking until all is clear, for at most so long; default: look once."""
    clean: Positive = 1
    """So many clean rounds in a row are clear."""
    every: Duration = seconds(30)
    """The time between two rounds."""
    only_new: bool = False
    """What the baseline already had wrong does not stop the gate; it is still shown."""


class Patience(Section):
    """How long what is normal may last before it is a finding."""

    start_up: Duration = minutes(1)
    """A running pod may be not ready yet."""
    pending: Duration = minutes(5)
    """A pod or a claim may be pending, a volume be attached or detached; a load balancer may take twice as long."""
    terminating: Duration = minutes(2)
    """A pod may outlive its deletion time, which includes its grace period."""
    scheduler_silent: Duration = minutes(2)
    """A pending pod may be without any word from the scheduler."""
    cordoned: Duration = minutes(15)
    """A node may be cordoned, be tainted until it is ready for pods, or be in deletion."""
    namespace_terminating: Duration = minutes(2)
    """The deletion of a namespace may take so long."""
    cronjob_late: Duration = minutes(5)
    """A CronJob may make its Job so late: a control plane that is replaced makes up for what it missed."""

    @property
    def provisioning(self) -> timedelta:
        """How long a controller and a cloud may take to make a load balancer, or the agents of a node to register."""
        return 2 * self.pending
