"""Which Ingresses serve a host and path, by the specification; each answer takes a few dictionary look-ups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from upgate.facts.backends import grouped
from upgate.facts.ingresses import Ingress, IngressPath

#: Namespace and name of a Service.
Key = tuple[str, str]


class Paths:
    """Where the paths of one host lead: https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches"""

    def __init__(self) -> None:
        self._exact: defaultdict[str, list[Key]] = defaultdict(list)
        self._prefixes: defaultdict[str, list[Key]] = defaultdict(list)
        #: All Services behind them.
        self.all: dict[Key, None] = {}

    def add(self, path: IngressPath, namespace: str) -> None:
        """Add a path. ImplementationSpecific depends on the controller and is treated as Prefix."""
        own = path.path or "/"
        keys = self._exact[own] if path.path_type == "Exact" else self._prefixes[own.rstrip("/")]
        if path.backend.service:
            keys.append((namespace, path.backend.service.name))
            self.all[keys[-1]] = None

    def best(self, path: str) -> list[Key] | None:
        """The Service of the longest path that matches, Exact before Prefix; None if no path matches."""
        if path in self._exact:
            return self._exact[path]
        while path and (path.rstrip("/") not in self._prefixes):
            path = path.rstrip("/").rpartition("/")[0]
        return self._prefixes.get(path.rstrip("/"))


class Claim(NamedTuple):
    """What the Ingresses of one namespace say about a host and path: a tenant writes only to its own namespaces."""

    #: The Services that serve it.
    serving: list[Key]
    #: All Services of that host, if none of its paths matches.
    others: list[Key]


class Routes:
    """The Ingresses of a snapshot, by host and by address."""

    def __init__(self, ingresses: Sequence[Ingress]) -> None:
        self._by_host: defaultdict[str, dict[str, Ingress]] = defaultdict(dict)
        self._by_address: defaultdict[str, list[Ingress]] = defaultdict(list)
        for each in ingresses:
            for rule in each.spec.rules or ():
                self._by_host[rule.host.lower()][each.ref] = each
            for address in each.addresses:
                self._by_address[address].append(each)
        self.of_host = cache(self._of_host)
        self.claims = cache(lambda host, path: list(self._claims(host, path)))
        self._paths_of = cache(self._paths)

    def at(self, address: str) -> list[Ingress]:
        """The Ingresses with this address."""
        return self._by_address.get(address, [])

    def services(self, ingress: Ingress, host: str, path: str) -> list[Key]:
        """The Services to which this Ingress routes a request; all Services of the host if it has no such path."""
        paths = self._paths_of(ingress.ref, host)
        found = paths.best(path)
        return found if found is not None else fallback(ingress) or list(paths.all)

    def _of_host(self, host: str) -> list[Ingress]:
        """The Ingresses with a rule for the host; a wildcard matches one label."""
        wildcard = f"*.{host.partition('.')[2]}".lower()
        found = self._by_host.get(host.lower(), {}) | self._by_host.get(wildcard, {})
        return list(found.values()) if host else []

    def _claims(self, host: str, path: str) -> Iterator[Claim]:
        """What each namespace says about the host and path."""
        for namespace, ingresses in grouped(self.of_host(host), lambda each: each.namespace).items():
            paths = self._paths_of(namespace, host)
            found = paths.best(path)
            defaults = [key for each in ingresses for key in fallback(each)]
            yield Claim(found, []) if found is not None else Claim(defaults, list(paths.all))

    def _paths(self, of: str, host: str) -> Paths:
        """The routes of one Ingress, by its ref, or of all Ingresses in a namespace."""
        found = Paths()
        for each in self.of_host(host):
            if of in (each.ref, each.namespace):
                for path in each.paths(host):
                    found.add(path, each.namespace)
        return found


def fallback(ingress: Ingress) -> list[Key]:
    """The Service for requests that no path matches."""
    default = ingress.spec.default_backend
    return [(ingress.namespace, default.service.name)] if default and default.service else []
