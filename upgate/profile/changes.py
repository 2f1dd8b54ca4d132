"""What a profile says of changes since the baseline: which are announced, and how far numbers may fall."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from upgate.profile.ids import CheckPattern
from upgate.profile.quantities import ObjectPattern
from upgate.profile.section import Section

#: How the ids of the checks begin that compare with the baseline.
COMPARING = ("changes.", "config.")
Share = Annotated[float, Field(gt=0, le=1)]


def only_comparing(pattern: str) -> str:
    """A pattern of checks that compare with the baseline. Raises ValueError."""
    if not pattern.startswith(COMPARING):
        raise ValueError("must be a check of changes. or config.; what others find is accepted under waivers:")
    return pattern


class AllowedChange(Section):
    """A change that is announced: its findings stay visible, and stop nothing."""

    check: Annotated[CheckPattern, AfterValidator(only_comparing)]
    """A check of `changes.` or `config.`, or a pattern."""
    object: ObjectPattern = "*"
    """The objects, as reports name them, or a pattern."""
    reason: str = "announced under changes: in the profile"
    """Why it changes, and who knows about it."""


class Changes(Section):
    """What may change between the baseline and now."""

    allow: tuple[AllowedChange, ...] = ()
    """Announced changes."""
    endpoints: Share = 1.0
    """This share of the ready endpoints that a Service had is enough."""
