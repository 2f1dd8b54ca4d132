"""Ingresses: which hosts and paths lead to which Services."""

from __future__ import annotations

from collections.abc import Iterator

from upgate.facts.meta import AnnotatedMeta, Fact, KubernetesObject
from upgate.facts.services import LoadBalanced

#: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary
CANARY = "nginx.ingress.kubernetes.io/canary"
#: The annotation that named the class of an Ingress before `spec.ingressClassName`.
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
#: The annotation of the class of Ingresses that name none.
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
#: The controller that also takes the targetPort of a Service for its port.
INGRESS_NGINX = "k8s.io/ingress-nginx"


class IngressServicePort(Fact):
    """The port of a Service that an Ingress leads to: its name or its number."""

    name: str = ""
    number: int = 0

    @property
    def by_annotation(self) -> bool:
        """An annotation for the AWS Load Balancer Controller says what to do, and the Service is only a name."""
        return self.name == "use-annotation"

    def __str__(self) -> str:
        return self.name or str(self.number)


class IngressServiceBackend(Fact):
    """A Service that an Ingress leads to."""

    name: str = ""
    port: IngressServicePort = IngressServicePort()


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

    @property
    def class_annotation(self) -> str:
        """The class that the annotation of earlier versions names; empty where there is none."""
        return (self.metadata.annotations or {}).get(CLASS_ANNOTATION, "")

    @property
    def class_name(self) -> str:
        """The class that it names itself; empty where it names none."""
        return self.spec.ingress_class_name or self.class_annotation

    @property
    def secrets(self) -> list[str]:
        """The names of the Secrets that hold its certificates."""
        return [each.secret_name for each in self.spec.tls or () if each.secret_name]

    @property
    def backends(self) -> list[IngressServiceBackend]:
        """The Services that requests are led to, whatever their host and path; those of other kinds are not among them."""
        backends = [path.backend for rule in self.spec.rules or () for path in rule.paths]
        return [each.service for each in [*backends, self.spec.default_backend] if each and each.service]

    def services(self) -> Iterator[tuple[str, str]]:
        """Namespace and name of each Service that requests are led to, whatever their host and path."""
        yield from ((self.namespace, each.name) for each in self.backends)

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


class IngressClassSpec(Fact):
    """`spec` of an IngressClass."""

    controller: str = ""


class IngressClass(KubernetesObject):
    """https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class"""

    metadata: AnnotatedMeta
    spec: IngressClassSpec = IngressClassSpec()

    @property
    def is_default(self) -> bool:
        """Ingresses that name no class get this one."""
        return (self.metadata.annotations or {}).get(DEFAULT_CLASS) == "true"

    @property
    def takes_target_ports(self) -> bool:
        """Its controller finds a backend's port by the Service's targetPort, too."""
        return self.spec.controller == INGRESS_NGINX
