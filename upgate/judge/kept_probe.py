"""What the nodes last answered from inside, kept between rounds of `--monitor`: they probe as often as `probe.every` says."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from upgate.base.files import write_whole
from upgate.facts.inside import Probed
from upgate.facts.relations import PROBED
from upgate.judge.options import Options
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.model import Profile

FILE = "probed.json"


class KeptProbe(msgspec.Struct, frozen=True):
    """One pass, and when it was made."""

    at: datetime
    probed: Probed


def profile_for(options: Options, profile: Profile) -> Profile:
    """The profile of this run: a round of monitoring does not probe unless it says how often."""
    if options.monitor and profile.probe and not profile.probe.every:
        return profile.model_copy(update={"probe": None})
    return profile


def kept_probe(options: Options, profile: Profile, wanted: Collection[str]) -> KeptProbe | None:
    """What was answered less than `probe.every` ago; None where it is time to ask again."""
    every = profile.probe.every if profile.probe else None
    if not options.monitor or every is None or PROBED not in wanted:
        return None
    kept = read_kept(options.home / FILE)
    return kept if kept and timedelta() <= datetime.now(UTC) - kept.at < every else None


def already_kept(kept: KeptProbe | None) -> set[str]:
    """What need not be asked for again."""
    return {PROBED} if kept else set()


def read_kept(path: Path) -> KeptProbe | None:
    """What is in the file; None where there is none that can be read: then it is asked again."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=KeptProbe)
    return None


def with_probe(options: Options, snapshot: Snapshot, kept: KeptProbe | None) -> Snapshot:
    """The snapshot with what is kept; what a round of monitoring has just asked is kept for the next ones. Raises UsageError."""
    if kept:
        said = (
            f"what nodes answer from inside is of {kept.at:%H:%M} UTC: rounds probe only as often as probe.every says"
        )
        return replace(snapshot, probed=replace(kept.probed, made=(said,)))
    if options.monitor and snapshot.probed is not None:
        write_whole(options.home / FILE, msgspec.json.encode(KeptProbe(datetime.now(UTC), snapshot.probed)))
    return snapshot
