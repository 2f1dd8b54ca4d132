"""The lines of `disruption.jsonl`. Times are seconds since the start of their watch, by its clock.

A watch begins with `begin`. Every second a `beat` says how many samples were good since the beat before, and how far each
run that is not over has come; a run that is over has a line of its own. So a killed watch loses a second at most.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

SCHEMA = 1
#: Reasons that one run keeps, and the characters of each.
MOST_REASONS, LONGEST_REASON = 4, 300
#: The API server's own target.
API_SERVER_NAME = "kube-apiserver"
RunState = Literal["down", "unmeasured"]
ConnectionUse = Literal["new", "kept"]


class SampledSeries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One target over one kind of connection."""

    name: str
    #: The URL or `host:port`, without credentials.
    target: str
    connection: ConnectionUse = "new"
    #: It is not part of the upgrade: when it fails, our own network does.
    control: bool = False
    #: The Service that it leads to, as `namespace/name`; empty where that is not known.
    service: str = ""
    #: The seconds that the profile allows: all outages together, and each of them.
    total: float | None = None
    longest: float | None = None


class WatchBegin(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a watch, and of each further file of it."""

    schema: int = SCHEMA
    #: Second 0 by the clock of this machine, in UTC.
    started: datetime
    interval: float
    profile: str = ""
    #: The API server's URL, and the UID of the namespace kube-system; empty where they are not known.
    server: str = ""
    cluster: str = ""
    series: list[SampledSeries] = []


class BadRun(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Consecutive samples of one series that were not good."""

    series: int
    state: RunState
    #: The start of its first sample, and of its last one so far.
    start: float
    last: float
    #: The start of the first sample after it; None as long as there is none.
    end: float | None = None
    #: Its samples; slots without a sample do not count.
    count: int = 0
    #: What was wrong first, and what else was wrong later.
    why: str = ""
    also: list[str] = []


class Beat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was measured since the beat before."""

    at: float
    #: Good samples of each series; one number where all have the same.
    good: list[int] | int = 0
    #: Runs that are not over.
    open: list[BadRun] = []


class Happening(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened to one object of the cluster, or to the watch itself (`Watch`)."""

    at: float
    object: str
    what: str
    #: What a program needs to tell more of it, such as the node of a pod.
    details: dict[str, str] = {}


class RecordLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: exactly one of these."""

    begin: WatchBegin | None = None
    beat: Beat | None = None
    run: BadRun | None = None
    event: Happening | None = None
    #: The watch ended in an orderly way, at this second.
    end: float | None = None
