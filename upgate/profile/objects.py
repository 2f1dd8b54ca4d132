"""What a profile says about things inside the cluster and on its machines."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from upgate.profile.quantities import Glob, Globs, Name, Text, Texts, Version, set_only
from upgate.profile.section import Section


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
