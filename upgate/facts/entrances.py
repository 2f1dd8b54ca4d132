"""Where users come in: Services that something outside the cluster, or all of it, leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upgate.facts.ingresses import Ingress
from upgate.facts.services import Service

#: Namespace, host and path of requests.
Requests = tuple[str, str, str]


class Entrances:
    """The Services that traffic from outside the cluster comes in by, and its DNS."""

    needs = ("ingresses",)
    #: Not every cluster has Gateway API.
    helped_by = ("httproutes",)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        ingresses = [*independent(lists["ingresses"])]
        self._behind = {key for each in [*ingresses, *lists.get("httproutes", ())] for key in each.services()}

    def lead_to(self, service: Service) -> bool:
        """It takes traffic from outside, or every pod asks it: it is never at rest."""
        return service.spec.type == "LoadBalancer" or service.key in self._behind or service.resolves_names


def independent(ingresses: list[Ingress]) -> Iterator[Ingress]:
    """The Ingresses that users come in by: not a canary, where another takes the same requests."""
    taken = {key for each in ingresses if not each.canary for key in hosts_and_paths(each)}
    return (each for each in ingresses if not (each.canary and taken >= hosts_and_paths(each)))


def hosts_and_paths(ingress: Ingress) -> set[Requests]:
    """Which requests it takes."""
    rules = ingress.spec.rules or ()
    return {(ingress.namespace, rule.host.lower(), path.path) for rule in rules for path in rule.paths}
