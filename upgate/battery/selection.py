"""Which checks a profile asks for."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from upgate.battery.check import Check

if TYPE_CHECKING:
    from upgate.profile.model import Profile


NO_BASELINE = "there is no baseline: `--save-baseline` saves one before the upgrade"


def why_unselected(check: Check, profile: Profile) -> str:
    """Why the profile does not ask for this check. Empty where it does."""
    if profile.checks.get(check.id) == "off":
        return "switched off by the profile's checks:"
    if check.only_preflight:
        return "it is asked before an upgrade: -m preflight"
    if check.allow and check.allow not in profile.allow:
        return f"the profile's allow: does not name {check.allow}"
    return "" if says(profile, check.expects) else f"the profile says nothing under {check.expects}:"


def why_not_compared(check: Check, baseline: object) -> str:
    """Why there is nothing that it could compare with. Empty where there is a baseline, or where it needs none."""
    return NO_BASELINE if check.compares and baseline is None else ""


def says(profile: Profile, path: str) -> bool:
    """The profile says something under this path, or one of those with `or` between them; what groups say counts."""
    return any(map(bool, chain.from_iterable(profile_values(profile, each) for each in path.split(" or "))))


def profile_values(profile: Profile, path: str) -> list[Any]:
    """What stands under this path: of the profile, and of each group that a part of it has."""
    parts: list[Any] = [profile]
    for key in filter(None, path.split(".")):
        owners = [owner for part in parts for owner in (part, *getattr(part, "groups", ()))]
        parts = [getattr(owner, key.replace("-", "_"), None) for owner in owners]
    return parts
