"""Changes that the profile announces: their findings are waived, as long as the profile says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Protocol

from upgate.judge.outcome import WaiverLike, is_unused
from upgate.results import CheckResult


class Announcing(Protocol):
    """An entry of the profile's `changes.allow`."""

    check: str
    object: str
    reason: str


@dataclass
class AnnouncedChange:
    """The same as a waiver without an end."""

    check: str
    object: str
    reason: str
    until: date = date.max


def announced_changes(entries: Iterable[Announcing]) -> list[WaiverLike]:
    """The entries as waivers."""
    return [AnnouncedChange(each.check, each.object, each.reason) for each in entries]


def overdue_announcements(entries: Iterable[Announcing], results: Sequence[CheckResult]) -> list[str]:
    """Those that match no change, one sentence each; those of checks that were not asked or could not be judged aside."""
    ran = [each for each in results if each.outcome != "skipped"]
    return [
        f"announced change matches nothing: {each.check} for {each.object}; remove it from changes.allow in the profile"
        for each in announced_changes(entries)
        if is_unused(each, [one for one in ran if fnmatchcase(one.id, each.check)])
    ]
