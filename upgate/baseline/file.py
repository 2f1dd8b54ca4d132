"""The file of a baseline: compressed, read by later versions, refused where it is something else."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from upgate.base.errors import UsageError
from upgate.base.text import counted
from upgate.baseline.taking import SCHEMA, Baseline, cluster_uid
from upgate.snapshot import CORRUPT, Snapshot, json_without

#: The first bytes of a compressed file; those of earlier versions are not compressed.
GZIP = b"\x1f\x8b"
#: What is older than this says little about the cluster before an upgrade.
OLD = timedelta(days=30)


class _Head(msgspec.Struct):
    """What tells whether the rest can be read at all."""

    schema: int = SCHEMA


def dump_baseline(baseline: Baseline, secrets: Sequence[str] = ()) -> bytes:
    """The bytes of `baseline.json`: JSON, compressed, without any of these texts."""
    return gzip.compress(json_without(baseline, secrets), compresslevel=6, mtime=0)


def load_baseline(path: Path) -> Baseline:
    """Read a baseline. Raises UsageError where the file is missing, corrupt, of a later version, or something else."""
    try:
        data = plain_bytes(path.read_bytes())
        schema = msgspec.json.decode(data, type=_Head).schema
        if schema <= SCHEMA:
            return msgspec.json.decode(data, type=Baseline)
    except OSError as problem:
        if isinstance(problem, gzip.BadGzipFile):
            raise corrupt(path, problem) from problem
        raise UsageError(f"cannot read baseline {path}: {problem.strerror}. `--save-baseline` writes one.") from problem
    except CORRUPT as problem:
        raise corrupt(path, problem) from problem
    raise UsageError(
        f"cannot use baseline {path}: a later version of upgate wrote it (schema {schema}, this version reads up to "
        f"{SCHEMA}). Use that version, or save a new one."
    )


def plain_bytes(data: bytes) -> bytes:
    """The JSON in a file. Raises gzip.BadGzipFile, EOFError or zlib.error."""
    return gzip.decompress(data) if data.startswith(GZIP) else data


def corrupt(path: Path, problem: Exception) -> UsageError:
    """What to say of a file that cannot be read as a baseline."""
    return UsageError(f"cannot use baseline {path}: corrupt, or not a baseline file ({problem}). Save a new one.")


def refuse_foreign(baseline: Baseline, seen: Snapshot) -> None:
    """The baseline must belong to the cluster that was seen, as far as both are known. Raises UsageError."""
    uid = cluster_uid(seen)
    if uid and baseline.cluster and uid != baseline.cluster:
        raise UsageError(
            f"the baseline belongs to another cluster: the UID of its namespace kube-system is {baseline.cluster}, that of "
            f"{seen.server or 'this cluster'} is {uid}. Save a new one, or compare with --foreign-baseline."
        )


def limits_of(baseline: Baseline, seen: Snapshot) -> list[str]:
    """What a reader should know of a comparison with this baseline, one sentence each."""
    age, notes = seen.taken - baseline.taken, []
    if age > OLD:
        notes.append(f"the baseline is {counted(age.days, 'day')} old: much may have changed before the upgrade")
    if not (baseline.cluster and cluster_uid(seen)):
        notes.append(
            "it is not known whether the baseline belongs to this cluster: the UID of kube-system was not seen"
        )
    return notes
