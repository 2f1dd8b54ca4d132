"""Whatever the cluster publishes, asked from here without an entry in the profile: to be compared with the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from upgate.facts.attempts import Attempt
from upgate.facts.recorded.fronts import HTTP, HTTPS, PORTS
from upgate.snapshot import Snapshot
from upgate.sources.probes import attempt_all
from upgate.sources.probes.targets import probe_targets

if TYPE_CHECKING:
    from upgate.profile.external import External

#: Each host of an Ingress at each of its addresses, and each TCP port of a load balancer. One failure may be chance, two are not.
ASKED: tuple[dict[str, object], ...] = (
    {"name": HTTP, "each": "ingress", "url": "http://{host}/", "address": "{address}", "attempts": 2},
    {"name": HTTPS, "each": "ingress", "url": "https://{host}/", "address": "{address}", "attempts": 2},
    {"name": PORTS, "each": "load-balancer", "tcp": "{address}:{port}", "attempts": 2},
)


def published_entries() -> list[External]:
    """The entries that a profile would have for all that is published."""
    from upgate.profile.external import External

    return [External.model_validate(each) for each in ASKED]


def ask_published(snapshot: Snapshot, scope: Sequence[str], vantage: str) -> list[Attempt]:
    """What answers at all that is published; nothing where that could not be listed."""
    return attempt_all(probe_targets(published_entries(), snapshot, (), scope), vantage=vantage)
