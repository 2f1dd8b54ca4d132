"""The noun `conditions`: custom resources that say themselves that they are not right. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive
from upgate.base.scope import matches_scope
from upgate.base.text import duration
from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.conditioned import Complaint
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.model import Profile


@dataclass(frozen=True)
class Complaining:
    """One object, and what it says is wrong."""

    ref: str
    complaints: tuple[Complaint, ...]
    now: datetime

    @property
    def words(self) -> dict[str, str]:
        """What may stand in the check's hint."""
        kind, *home, name = self.ref.split("/")
        return {"kind": kind.lower(), "name": name, "namespace": "".join(home) or "default"}

    @property
    def observed(self) -> str:
        """What it says, and for how long."""
        return "; ".join(f"{each.words}{self._time(each)}" for each in self.complaints)

    def _time(self, complaint: Complaint) -> str:
        return f" for {duration(self.now - complaint.since)}" if complaint.since else ""


def complaining(profile: Profile, seen: Snapshot, judgement: Judgement) -> Subjects[Complaining]:
    """The objects that say so for longer than they may. Raises Inconclusive where they were not looked at."""
    said = seen.conditions
    if said is None or profile.conditions is None:
        raise Inconclusive("custom resources were not looked through when this snapshot was taken")
    judgement.gaps += said.gaps
    by_object: dict[str, list[Complaint]] = {}
    for each in said.complaints:
        if lasts(each, seen.taken, profile.conditions.after) and in_scope_of(each, profile.scope.namespaces):
            by_object.setdefault(each.object, []).append(each)
    items = [Complaining(ref, tuple(each), seen.taken) for ref, each in by_object.items()]
    return Subjects("custom resources", items, judgement, right=max(0, said.objects - len(items)))


def lasts(complaint: Complaint, now: datetime, limit: timedelta) -> bool:
    """It has been so for longer than it may, or does not say since when."""
    return complaint.since is None or now - complaint.since > limit


def in_scope_of(complaint: Complaint, scope: tuple[str, ...]) -> bool:
    """The object is in a namespace of the profile's scope, or in none."""
    parts = complaint.object.split("/")
    return len(parts) < 3 or matches_scope(parts[1], scope)
