"""Ingresses: which hosts and paths lead to which Services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from upgate.facts.meta import Fact, KubernetesObject
from upgate.facts.services import LoadBalanced

T = TypeVar("T")


class IngressServiceBackend(Fact):
    """A Service that an Ingress leads to."""

    name: str = ""


class IngressBackend(Fact):
    """What stands behind a path: a Service, or a resource of another kind."""

    service: IngressServiceBackend | None = None


class IngressPath(Fact):
    """One of a rule's paths."""

    path: str = "/"
    path_type: str = ""
    backend: IngressBackend = IngressBackend()

    def fits(self, path: str) -> bool:
        """A request for this path is for it. What ImplementationSpecific means only the controller knows: as Prefix."""
        own = self.path or "/"
        if self.path_type == "Exact":
            return path == own
        return own == "/" or path == own.rstrip("/") or path.startswith(own.rstrip("/") + "/")

    @property
    def rank(self) -> tuple[int, bool]:
        """The higher, the sooner it is taken."""
        return len(self.path.rstrip("/")), self.path_type == "Exact"


class IngressHttp(Fact):
    """`http` of a rule."""

    paths: list[IngressPath] | None = None


class IngressRule(Fact):
    """One of `spec.rules`."""

    host: str = ""
    http: IngressHttp = IngressHttp()

    @property
    def paths(self) -> list[IngressPath]:
        """Its paths, never None."""
        return self.http.paths or []


class IngressTls(Fact):
    """One of `spec.tls`."""

    hosts: list[str] | None = None
    secret_name: str = ""


class IngressSpec(Fact):
    """`spec` of an Ingress."""

    ingress_class_name: str | None = None
    rules: list[IngressRule] | None = None
    tls: list[IngressTls] | None = None
    default_backend: IngressBackend | None = None


class Ingress(KubernetesObject):
    """https://kubernetes.io/docs/concepts/services-networking/ingress/"""

    spec: IngressSpec = IngressSpec()
    status: LoadBalanced = LoadBalanced()

    @property
    def addresses(self) -> list[str]:
        """Where its controller takes traffic, as far as that says so."""
        return self.status.load_balancer.addresses

    def services(self, host: str = "", path: str | None = None) -> list[tuple[str, str]]:
        """Namespace and name of each Service that requests for this host and path lead to; without one, for all of them."""
        found = best([*self.routes(host)], path) if path is not None else [each for _, each in self.routes(host)]
        if path is None or not found:
            found = [*found, self.spec.default_backend or IngressBackend()]
        return [(self.namespace, each.service.name) for each in found if each.service]

    def routes(self, host: str = "") -> Iterator[tuple[IngressPath, IngressBackend]]:
        """Each path of the rules for this host, and what stands behind it; without a host, of all rules."""
        for rule in self.spec.rules or ():
            if not host or matches(rule.host, host):
                yield from ((each, each.backend) for each in rule.paths)

    @property
    def serves_all(self) -> bool:
        """It takes requests for any host."""
        return self.spec.default_backend is not None or any(not rule.host for rule in self.spec.rules or ())

    def serves(self, host: str) -> bool:
        """One of its rules names this host."""
        return any(rule.host and matches(rule.host, host) for rule in self.spec.rules or ())


def best(routes: Sequence[tuple[IngressPath, T]], path: str) -> list[T]:
    """What the longest path leads to that this one matches; of equally long ones an exact match wins.

    https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches
    """
    fitting = [each for each in routes if each[0].fits(path)]
    longest = max((route.rank for route, _ in fitting), default=None)
    return [behind for route, behind in fitting if route.rank == longest]


def matches(pattern: str, host: str) -> bool:
    """A rule's host is this one. A wildcard stands for one label; none at all for every host."""
    if pattern.startswith("*."):
        return host.partition(".")[2].lower() == pattern[2:].lower()
    return not pattern or pattern.lower() == host.lower()
