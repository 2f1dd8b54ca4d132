"""All facts of one moment: frozen, saved, loaded, shared with workers.

Whatever could not be looked at is a gap with its reason, so that it is not mistaken for an empty list.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from upgate.base.errors import Inconclusive, UsageError
from upgate.base.redaction import any_in, redacted
from upgate.facts.api_servers import ApiServers
from upgate.facts.attempts import Attempt
from upgate.facts.conditioned import Swept
from upgate.facts.credentials import Credential, ServingCertificate
from upgate.facts.custom_reads import CustomReads
from upgate.facts.decoding import Malformed
from upgate.facts.health import HealthEndpoint
from upgate.facts.host_settings import hosts_configuration
from upgate.facts.hosts import Host
from upgate.facts.inside import Probed
from upgate.facts.kinds import KINDS
from upgate.facts.kubelets import KubeletAnswers
from upgate.facts.metrics import ServerMetrics
from upgate.facts.monitored import MonitorAnswers
from upgate.facts.pod_logs import ComponentLog, ContainerLog
from upgate.facts.proxies import ProxyStatus
from upgate.facts.relations import RELATIONS
from upgate.facts.settings import Configuration, joined_configurations, with_version
from upgate.facts.whole import FoundObjects

SCHEMA = 1
#: What reading a compressed file that is something else raises.
CORRUPT = (gzip.BadGzipFile, EOFError, zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
#: Malformed objects that a report names; of the others it says how many.
FEW = 20


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one cluster."""

    schema: int = SCHEMA
    #: The moment by the API server's own clock.
    taken: datetime
    server: str = ""
    #: Why what was seen may have been changed on the way, a sentence each.
    forgeable: list[str] = []
    #: The API server's gitVersion; None where it could not be asked.
    version: str | None = None
    #: Who the API server knows us as.
    identity: str = ""
    #: Noun → the facts of its kind, for each kind that was listed.
    lists: dict[str, Any] = {}
    malformed: dict[str, list[Malformed]] = {}
    health: list[HealthEndpoint] = []
    #: The certificates that the API server serves with; none where it is asked through plain http. None: not looked at.
    api_certificates: list[ServingCertificate] | None = None
    #: What we logged in with, as far as nothing renews it by itself. None: not looked at.
    credentials: list[Credential] | None = None
    attempts: list[Attempt] = []
    #: What answered at the addresses that the cluster publishes; None: they were not asked.
    published: list[Attempt] | None = None
    #: Noun → how many more objects there are, of which no more was read than that they look right.
    unread: dict[str, int] = {}
    #: In a brief look: the workloads of which every pod was read, by reference. None: those of all were.
    read: list[str] | None = None
    #: The machines, each with what one pass over ssh saw; None: not looked at.
    hosts: list[Host] | None = None
    #: What one process of the API server has counted; None: not looked at.
    metrics: ServerMetrics | None = None
    #: Whether custom resources can be listed; None: not looked at.
    custom_reads: CustomReads | None = None
    #: The proxies that the istiods of a mesh know; None: not looked at.
    proxies: ProxyStatus | None = None
    #: The effective settings of the cluster's components, and of the kubelets; None: not looked at.
    configuration: Configuration | None = None
    kubelet_settings: Configuration | None = None
    #: The API servers one by one; None: not looked at.
    api_servers: ApiServers | None = None
    #: Whether the API server reaches the kubelets; None: not looked at.
    kubelet_answers: KubeletAnswers | None = None
    #: What containers that crash wrote last; None: not looked at.
    crash_logs: list[ContainerLog] | None = None
    #: The errors of the control plane; None: not looked at.
    control_logs: list[ComponentLog] | None = None
    #: What custom resources say is wrong with them; None: they were not asked.
    conditions: Swept | None = None
    #: What was found of the objects that the profile names, by query.
    expected: dict[str, FoundObjects] = {}
    #: What another monitor said; None: it was not asked.
    monitored: MonitorAnswers | None = None
    #: What the nodes answer from inside; None: they were not asked.
    probed: Probed | None = None
    #: What could not be looked at (a noun of KINDS, `health`, `version`) → why.
    gaps: dict[str, str] = {}

    def facts(self, noun: str) -> list[Any]:
        """The facts of a kind. Raises Inconclusive where they could not be looked at."""
        items = self.lists.get(noun)
        if items is None or noun in self.gaps:
            raise Inconclusive(self.gaps.get(noun, f"{noun} were not looked at when this snapshot was taken"))
        return items

    @property
    def settings(self) -> Configuration | None:
        """All effective settings that were looked at, those of hosts too; None where none were."""
        hosts = None if self.hosts is None else hosts_configuration(self.hosts, self.lists.get("nodes", ()))
        return joined_configurations(with_version(self.configuration, self.version), self.kubelet_settings, hosts)

    def unreadable(self, noun: str, counts: Callable[[Malformed], object] = lambda each: True) -> list[str]:
        """The objects of a kind that could not be understood, as far as they count: a sentence each, of no more than a few."""
        bad = [each for each in self.malformed.get(noun, ()) if counts(each)]
        more = [f"{len(bad) - FEW} more {noun} could not be read"] if len(bad) > FEW else []
        return [*(f"{each.object} could not be read: {each.problem}" for each in bad[:FEW]), *more]

    def relation(self, name: str, unreadable: Callable[[str], list[str]]) -> Any:
        """A relation between the lists; `unreadable`: what of a list could not be understood. Raises Inconclusive."""
        kind = RELATIONS[name]
        lists = {noun: self.facts(noun) for noun in kind.needs}
        if said := [words for noun in kind.needs for words in unreadable(noun)]:
            raise Inconclusive("; ".join(said))
        # What a relation reads where it was looked at, and can do without.
        lists |= {noun: self.lists[noun] for noun in getattr(kind, "helped_by", ()) if noun in self.lists}
        return kind(lists if self.read is None else {**lists, "read": self.read})

    def count(self, noun: str) -> int | None:
        """How many there are; None where they were not looked at."""
        items = self.lists.get(noun)
        return None if items is None else len(items) + self.unread.get(noun, 0)


class _File(Snapshot, frozen=True, kw_only=True):
    """The same, with its lists still bytes."""

    lists: dict[str, msgspec.Raw] = {}


class _Head(msgspec.Struct):
    """What tells whether the rest can be read at all."""

    schema: int = SCHEMA


def dump_snapshot(snapshot: Snapshot, secrets: Sequence[str] = ()) -> bytes:
    """The bytes of `snapshot.json.gz`. Facts hold no secrets that can be told by their looks; of these texts, none either."""
    return gzip.compress(json_without(snapshot, secrets), compresslevel=1, mtime=0)


def json_without(value: msgspec.Struct, secrets: Sequence[str]) -> bytes:
    """The JSON of a struct, without any of these texts."""
    data = msgspec.json.encode(value)
    return msgspec.json.encode(redacted(msgspec.to_builtins(value), secrets)) if any_in(data, secrets) else data


def listed_in(data: msgspec.Raw, of: type) -> list[Any]:
    """The facts of one kind in a file. Raises msgspec.DecodeError."""
    return msgspec.json.decode(data, type=list[of])  # type: ignore[valid-type]


def with_facts(file: _File) -> Snapshot:
    """The snapshot in a file, with the facts of all kinds that are known here. Raises msgspec.DecodeError."""
    lists = {noun: listed_in(file.lists[noun], kind.type) for noun, kind in KINDS.items() if noun in file.lists}
    fields = {name: getattr(file, name) for name in Snapshot.__struct_fields__}
    return Snapshot(**fields | {"lists": lists})


def load_snapshot(path: Path) -> Snapshot:
    """Read a saved snapshot. Raises UsageError where the file is missing, corrupt, or something else."""
    try:
        data = gzip.decompress(path.read_bytes())
        schema = msgspec.json.decode(data, type=_Head).schema
        if schema == SCHEMA:
            return with_facts(msgspec.json.decode(data, type=_File))
    except CORRUPT as problem:
        raise UsageError(
            f"cannot use snapshot {path}: it is corrupt, or not a snapshot ({problem}). Take a new one."
        ) from problem
    except OSError as problem:
        raise UsageError(
            f"cannot read snapshot {path}: {problem.strerror}. A run of the battery writes one."
        ) from problem
    raise UsageError(
        f"cannot use snapshot {path}: it has schema {schema}, this version reads {SCHEMA}. Take a new one."
    )
