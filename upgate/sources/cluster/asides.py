"""What the API server is asked beside its lists, where a check takes it: each is a field of the snapshot, or a gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from upgate.base.waiting import Deadline
from upgate.sources.cluster.connection import Connection
from upgate.sources.cluster.istiod import ask_istiods
from upgate.sources.cluster.listing import Listing

#: Asked at once with the lists.
Aside = Callable[[Connection, Deadline], Any]
BESIDE: dict[str, Aside] = {}
#: Asked afterwards: what to ask follows from what was listed. The lists that could not be read are not in the mapping.
AFTERWARDS: dict[str, Callable[[Connection, Mapping[str, Listing], Deadline], Any]] = {"proxies": ask_istiods}
