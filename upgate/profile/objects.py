"""What a profile says about things inside the cluster."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from upgate.profile.quantities import Glob, Globs, Name, Text, check_glob, check_version, set_only
from upgate.profile.section import Section

#: What may be the value of the label `istio.io/rev`, and a part of names.
REVISION = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)


def check_revision(value: str) -> str:
    """The name of a revision, or of a tag. Raises ValueError."""
    if not REVISION.fullmatch(value):
        raise ValueError("not the name of a revision, such as asm-1140-0: small letters, digits and - between them")
    return value


def check_proxy_version(value: str) -> str:
    """A version, or the pattern of an image. Raises ValueError."""
    return check_glob(value) if "/" in value or "@" in value else check_version(value)


Revision = Annotated[str, AfterValidator(check_revision)]
Proxy = Annotated[str, AfterValidator(check_proxy_version)]


class Sidecar(Section):
    """A container whose image must match in every pod that has it."""

    name: Name | None = None
    container: Text
    """The container's name."""
    namespaces: Globs = ("*",)
    """Namespaces by pattern; `!pattern` leaves out."""
    image: Glob
    """The image, or a pattern."""


class ExpectedMesh(Section):
    """Istio, or Anthos Service Mesh: what its revisions and its sidecars must be after the upgrade."""

    expect: Proxy | None = None
    """The version of every istio-proxy, its beginning or a range; with a `/` or an `@` a pattern of its image, such as
    `*@sha256:0a1b…`. Default: the version of the istiod of its revision."""
    revision: Revision | None = None
    """The revision that namespaces, tags and sidecars must be of; `default` for a control plane without a name."""
    tags: Annotated[dict[Revision, Revision], BeforeValidator(set_only)] = Field(default_factory=dict)
    """Revision tags, and the revision that each must point at."""
    retired: tuple[Revision, ...] = ()
    """Revisions of which nothing must be left."""
