"""Incidents for people: what was wrong at the same time is one, with its begin, end and causes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from upgate.monitor.records import Incident


class Episode(NamedTuple):
    """Incidents that overlap in time, or follow each other without a pause."""

    parts: tuple[Incident, ...]

    @property
    def since(self) -> datetime:
        """When the first of them began."""
        return min(each.since for each in self.parts)

    @property
    def until(self) -> datetime | None:
        """When the last of them ended; None while one goes on."""
        ends = [each.until for each in self.parts if each.until]
        return max(ends) if len(ends) == len(self.parts) else None

    @property
    def told(self) -> bool:
        """A message was sent about one of them."""
        return any(each.told for each in self.parts)

    @property
    def failing(self) -> bool:
        """Something was wrong, and not only not judged."""
        return any(each.kind == "failing" for each in self.parts)


def episodes(incidents: Iterable[Incident]) -> list[Episode]:
    """The incidents, those that overlap as one; the oldest first."""
    found: list[list[Incident]] = []
    for each in sorted(incidents, key=lambda it: it.since):
        if found and go_together(found[-1], each):
            found[-1].append(each)
        else:
            found.append([each])
    return [Episode(tuple(parts)) for parts in found]


def go_together(earlier: Sequence[Incident], incident: Incident) -> bool:
    """It began before all of the earlier ones had ended."""
    return any(each.until is None or incident.since <= each.until for each in earlier)
