"""Ingresses: which hosts and paths lead to which Services."""

from __future__ import annotations

from collections.abc import Iterator

from upgate.facts.meta import AnnotatedMeta, Fact, KubernetesObject
from upgate.facts.services import LoadBalanced

#: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary
CANARY = "nginx.ingress.kubernetes.io/canary"


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

    metadata: AnnotatedMeta
    spec: IngressSpec = IngressSpec()
    status: LoadBalanced = LoadBalanced()

    @property
    def canary(self) -> bool:
        """It belongs to another Ingress, of whose requests it takes a part, or none at the moment."""
        return CANARY in (self.metadata.annotations or {})

    @property
    def addresses(self) -> list[str]:
        """Where its controller takes traffic, as far as that says so."""
        return self.status.load_balancer.addresses

    def services(self) -> Iterator[tuple[str, str]]:
        """Namespace and name of each Service that requests are led to, whatever their host and path."""
        backends = [path.backend for rule in self.spec.rules or () for path in rule.paths]
        for backend in [*backends, self.spec.default_backend]:
            if backend and backend.service:
                yield self.namespace, backend.service.name

    def paths(self, host: str) -> Iterator[IngressPath]:
        """Each path of the rules for this host."""
        for rule in self.spec.rules or ():
            if rule.host and matches(rule.host, host):
                yield from rule.paths

    @property
    def serves_all(self) -> bool:
        """It takes requests for any host."""
        return self.spec.default_backend is not None or any(not rule.host for rule in self.spec.rules or ())

    def serves(self, host: str) -> bool:
        """One of its rules names this host."""
        return any(rule.host and matches(rule.host, host) for rule in self.spec.rules or ())


def matches(pattern: str, host: str) -> bool:
    """A rule's host is this one. A wildcard stands for one label; none at all for every host."""
    if pattern.startswith("*."):
        return host.partition(".")[2].lower() == pattern[2:].lower()
    return not pattern or pattern.lower() == host.lower()


class IngressClass(KubernetesObject):
    """https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class"""

    metadata: AnnotatedMeta
