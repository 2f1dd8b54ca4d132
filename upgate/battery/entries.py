"""The lists of a profile for whose entries checks are made, by the input that such a check takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from upgate.profile.model import Profile


class Entries(NamedTuple):
    """One list of the profile."""

    #: Where it is in the profile.
    key: str

    def of(self, profile: Profile) -> Sequence[Any]:
        """The entries that the profile has."""
        part: Any = profile
        for name in self.key.split("."):
            part = getattr(part, name, None)
        return part or ()


ENTRIES = {
    "external": Entries("external"),
    "query": Entries("prometheus.queries"),
    "expected": Entries("resources"),
    "disruption": Entries("budgets"),
}


def all_entries(profile: Profile) -> list[Any]:
    """All entries of the profile that have checks of their own."""
    return [entry for entries in ENTRIES.values() for entry in entries.of(profile)]
