"""What a profile says about things inside the cluster."""

from __future__ import annotations

from upgate.profile.quantities import Glob, Globs, Name, Text
from upgate.profile.section import Section


class Sidecar(Section):
    """A container whose image must match in every pod that has it."""

    name: Name | None = None
    container: Text
    """The container's name."""
    namespaces: Globs = ("*",)
    """Namespaces by pattern; `!pattern` leaves out."""
    image: Glob
    """The image, or a pattern."""
