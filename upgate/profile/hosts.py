"""What a profile says about the machines themselves, looked at over ssh."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from upgate.profile.machines import Component, Connection, Host, HostPath, Percent, Socket, Specs, Unit
from upgate.profile.quantities import Duration, FilePath, Globs, Name, Span, Text, Words, set_only, some
from upgate.profile.section import Section

Preset = Literal["kubeadm", "rke", "k3s", "rke2", "containerd", "docker"]
Presets = Annotated[tuple[Preset, ...], BeforeValidator(some, json_schema_input_type=Preset | tuple[Preset, ...])]


class Demands(Section):
    """What is demanded of some hosts."""

    services: tuple[Unit, ...] = ()
    """Units or containers that must run and be enabled, beside those of the preset; `a|b` is satisfied by one of them."""
    listening: tuple[Socket, ...] = ()
    """Sockets that must be listened on, such as 0.0.0.0:10256; a port alone stands for any address, `/udp` for UDP."""
    not_listening: tuple[Socket, ...] = ()
    """Sockets that must not be listened on."""
    arguments: Annotated[dict[Component, tuple[Text, ...]], BeforeValidator(set_only)] = Field(default_factory=dict)
    """Arguments that a component's command line must hold, by component."""


class Group(Demands):
    """Some of the hosts, of which more is demanded. A host may be in several."""

    name: Name
    names: Globs = ("*",)
    """The hosts by pattern; `!pattern` leaves out."""
    labels: Words = Field(default_factory=dict)
    """Labels that the node must have; values may be patterns, such as `node-role.kubernetes.io/control-plane: "*"`."""
    preset: Presets | None = None
    """Instead of the preset that is given for all."""


class RebootDeadline(Section):
    """When a reboot is overdue."""

    max_age: Duration = timedelta(days=7)
    """A host that has needed a reboot for longer than this fails the gate; until then it is a warning."""


class Disk(Section):
    """How much of each file system must be free. The kubelet evicts pods below 10% of space and 5% of inodes."""

    free: Percent = 10
    inodes: Percent = 5


class Journal(Section):
    """What no log of the kubelet and the runtime may hold, beside panics, fatal errors and rejected certificates."""

    patterns: tuple[Text, ...] = ()
    """Further texts, taken literally."""
    ignore: tuple[Text, ...] = ()
    """Lines with one of these texts are fine."""


class Hosts(Demands):
    """The machines themselves, looked at over ssh, in one pass each."""

    each: Specs = ("node",)
    """`node` for every node of the cluster, or a list of testinfra's host specs."""
    connection: Connection = "ssh://{address}"
    """How to get there; `{address}` stands for the host's address, `{name}` for its name."""
    address: Literal["internal", "external", "hostname"] = "internal"
    """Which of a node's addresses."""
    jump: Host | None = None
    """A host to go through, as `user@host:port`."""
    key: FilePath | None = None
    """The private key to log in with; default: those of ssh itself."""
    ssh_config: FilePath | None = None
    """Instead of ~/.ssh/config."""
    known_hosts: FilePath | None = None
    """The hosts' keys, instead of ~/.ssh/known_hosts. A host whose key is not there is not looked at."""
    sudo: bool = False
    """Look as root, through a sudo that asks for no password."""
    timeout: Span = timedelta(seconds=30)
    """How long one host may take, in all."""
    deadline: Span = timedelta(minutes=2)
    """How long all of them may take."""
    preset: Presets = ("kubeadm",)
    """Where certificates, static pods, services and logs are: one or a list."""
    groups: tuple[Group, ...] = ()
    """Groups of hosts with demands of their own."""
    reboot: RebootDeadline = RebootDeadline()
    disk: Disk = Disk()
    journal: Journal = Journal()
    tls_days: Annotated[int, Field(ge=0)] = 21
    """Certificates must be valid for more days than this; those that live for less than ten times as long, for a tenth."""
    certificates: tuple[HostPath, ...] = ()
    """Further certificates by path or pattern, beside those of the preset."""
