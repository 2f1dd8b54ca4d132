"""Where users come in: Services that something outside the cluster, or all of it, leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgate.facts.services import Service


class Entrances:
    """The Services that traffic from outside the cluster comes in by, and its DNS."""

    needs = ("ingresses",)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._behind = {key for each in lists["ingresses"] for key in each.services()}

    def lead_to(self, service: Service) -> bool:
        """It takes traffic from outside, or every pod asks it: it is never at rest."""
        return service.spec.type == "LoadBalancer" or service.key in self._behind or service.resolves_names
