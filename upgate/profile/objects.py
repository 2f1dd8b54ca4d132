"""What a profile says about things inside the cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from upgate.profile.quantities import Glob, Globs, Name, Text, Version
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


class Probe(Section):
    """Pods of our own that look from inside: the only thing that creates objects."""

    image: Text
    """An image with sh, nslookup and nc."""
    namespace: Text = "upgate-probe"
    """A namespace for nothing else."""
