"""All facts of one moment: frozen, saved, loaded, shared with workers.

Whatever could not be looked at is a gap with its reason, so that nobody mistakes it for an empty list.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from upgate.errors import Inconclusive, UsageError
from upgate.facts.decoding import Malformed
from upgate.facts.health import HealthEndpoint
from upgate.facts.hosts import Host
from upgate.facts.kinds import KINDS
from upgate.probes.attempt import Attempt
from upgate.redaction import any_in, redacted

SCHEMA = 1
#: One field per kind: its facts, or None when it was not listed.
Lists = msgspec.defstruct(
    "Lists", [(noun, list[kind.type] | None, None) for noun, kind in KINDS.items()], omit_defaults=True
)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one cluster."""

    schema: int = SCHEMA
    #: The moment by the API server's own clock.
    taken: datetime
    server: str = ""
    #: The API server's gitVersion; None where it could not be asked.
    version: str | None = None
    #: Who the API server knows us as.
    identity: str = ""
    lists: Any = msgspec.field(default_factory=Lists)
    malformed: dict[str, list[Malformed]] = {}
    health: list[HealthEndpoint] = []
    attempts: list[Attempt] = []
    #: Noun → how many more objects there are, of which no more was read than that they look right.
    unread: dict[str, int] = {}
    #: The machines, each with what one pass over ssh saw; None: not looked at.
    hosts: list[Host] | None = None
    #: What could not be looked at (a noun of KINDS, `health`, `version`) → why.
    gaps: dict[str, str] = {}

    def facts(self, noun: str) -> list[Any]:
        """The facts of a kind. Raises Inconclusive where they could not be looked at."""
        items = getattr(self.lists, noun)
        if items is None or noun in self.gaps:
            raise Inconclusive(self.gaps.get(noun, f"{noun} were not looked at when this snapshot was taken"))
        return items

    def unreadable(self, noun: str) -> list[str]:
        """The objects of a kind that could not be understood, one sentence each."""
        return [f"{each.object} could not be read: {each.problem}" for each in self.malformed.get(noun, ())]

    def count(self, noun: str) -> int | None:
        """How many there are; None where they were not looked at."""
        items = getattr(self.lists, noun)
        return None if items is None else len(items) + self.unread.get(noun, 0)


class _File(Snapshot, frozen=True, kw_only=True):
    """The same, with its lists typed for reading."""

    lists: Lists  # type: ignore[valid-type]


class _Head(msgspec.Struct):
    """What tells whether the rest can be read at all."""

    schema: int = SCHEMA


def dump(snapshot: Snapshot, secrets: Sequence[str] = ()) -> bytes:
    """The bytes of `snapshot.json.gz`. Facts hold no secrets that can be told by their looks; of these texts, none either."""
    data = msgspec.json.encode(snapshot)
    if any_in(data, secrets):
        data = msgspec.json.encode(redacted(msgspec.to_builtins(snapshot), secrets))
    return gzip.compress(data, compresslevel=1, mtime=0)


def load(path: Path) -> Snapshot:
    """Read a saved snapshot. Raises UsageError where the file is missing, torn, or something else."""
    try:
        data = gzip.decompress(path.read_bytes())
        schema = msgspec.json.decode(data, type=_Head).schema
        if schema == SCHEMA:
            return msgspec.json.decode(data, type=_File)
    except (gzip.BadGzipFile, EOFError, zlib.error, msgspec.DecodeError, RecursionError) as problem:
        raise UsageError(
            f"cannot use snapshot {path}: it is torn, or no snapshot ({problem}). Take a new one."
        ) from problem
    except OSError as problem:
        raise UsageError(
            f"cannot read snapshot {path}: {problem.strerror}. A run of the battery writes one."
        ) from problem
    raise UsageError(
        f"cannot use snapshot {path}: it has schema {schema}, this version reads {SCHEMA}. Take a new one."
    )
