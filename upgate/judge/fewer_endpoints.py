"""A Service that has fewer endpoints than before depends on the workloads behind it that lack ready pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgate.facts.backends import Backends
from upgate.facts.recorded.services import ready_behind
from upgate.results import finding_key

#: The check that compares the number of endpoints.
FEWER = "changes.endpoints"


def add_fewer_endpoints(depends: dict[str, list[str]], lists: Mapping[str, list[Any]], backends: Backends) -> None:
    """What such a check finds follows from those workloads, if all their ready pods are endpoints."""
    if not any(each.missing > 0 for noun in ("deployments", "statefulsets", "daemonsets") for each in lists[noun]):
        return
    for service in (each for each in lists["services"] if each.selects_pods):
        behind = backends.workloads(service)
        if short := [each.ref for each in behind if each.missing > 0]:
            ready = sum(each.claimed for each in behind)
            depends[finding_key(FEWER, service.ref)] += short if ready_behind(backends.slices(service)) >= ready else []
