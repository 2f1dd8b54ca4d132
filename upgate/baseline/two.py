"""`upgate diff A B`: two baselines or snapshots, read and compared."""

from __future__ import annotations

import zlib
from datetime import datetime
from pathlib import Path

import msgspec

from upgate.base.errors import UsageError
from upgate.baseline.file import CORRUPT, load_baseline, plain_bytes
from upgate.baseline.taking import cluster_uid, taken_inventory
from upgate.facts.recorded.differences import Difference, differences, not_compared
from upgate.facts.recorded.inventory import Inventory
from upgate.snapshot import load_snapshot


class RecordedCluster(msgspec.Struct, frozen=True):
    """A cluster as a file knows it."""

    file: str
    taken: datetime
    server: str
    version: str | None
    #: The UID of kube-system; empty where it is not known.
    cluster: str
    inventory: Inventory

    @property
    def words(self) -> str:
        """What it is, in one line."""
        server, version = self.server or "server unknown", self.version or "version unknown"
        return f"{self.file}: {server}, {version}, {self.taken:%Y-%m-%d %H:%M} UTC"


class TwoClusters(msgspec.Struct, frozen=True):
    """What differs between two files."""

    a: RecordedCluster
    b: RecordedCluster
    differences: list[Difference]
    #: Part → why it could not be compared.
    not_compared: dict[str, str]


class _Kind(msgspec.Struct):
    """What tells a snapshot from a baseline."""

    lists: msgspec.Raw = msgspec.Raw(b"")


def compare_files(a: Path, b: Path, pool_label: str | None = None) -> TwoClusters:
    """Read both and compare them. Raises UsageError where one of them cannot be read."""
    one, two = recorded_in(a, pool_label), recorded_in(b, pool_label)
    same = one.cluster == two.cluster or not (one.cluster and two.cluster)
    found = differences(one.inventory, two.inventory, one_cluster=same)
    return TwoClusters(one, two, found, not_compared(one.inventory, two.inventory, one_cluster=same))


def recorded_in(path: Path, pool_label: str | None) -> RecordedCluster:
    """The cluster in a baseline or a snapshot. Raises UsageError."""
    if is_snapshot(path):
        seen = load_snapshot(path)
        inventory = taken_inventory(seen, pool_label)
        return RecordedCluster(str(path), seen.taken, seen.server, seen.version, cluster_uid(seen), inventory)
    saved = load_baseline(path)
    if saved.inventory is None:
        raise UsageError(f"cannot compare {path}: an earlier version of upgate saved it. Save a new one.")
    return RecordedCluster(str(path), saved.taken, saved.server, saved.version, saved.cluster, saved.inventory)


def is_snapshot(path: Path) -> bool:
    """The file holds lists of objects. Whatever else is wrong with it is said by those that read it."""
    try:
        return msgspec.json.decode(plain_bytes(path.read_bytes()), type=_Kind).lists != msgspec.Raw(b"")
    except (OSError, zlib.error, *CORRUPT):
        return False
