"""Gateway API, where it is installed: https://gateway-api.sigs.k8s.io/"""

from __future__ import annotations

from collections.abc import Iterator

from upgate.facts.meta import Condition, Fact, KubernetesObject


class GatewaySpec(Fact):
    """`spec` of a Gateway."""

    gateway_class_name: str = ""


class GatewayAddress(Fact):
    """One of `status.addresses`."""

    value: str = ""


class GatewayStatus(Fact):
    """`status` of a Gateway."""

    addresses: list[GatewayAddress] | None = None
    conditions: list[Condition] | None = None


class Gateway(KubernetesObject):
    """https://gateway-api.sigs.k8s.io/reference/spec/#gateway"""

    spec: GatewaySpec = GatewaySpec()
    status: GatewayStatus = GatewayStatus()


class RouteParentStatus(Fact):
    """What one Gateway says of a route."""

    conditions: list[Condition] | None = None


class RouteStatus(Fact):
    """`status` of an HTTPRoute."""

    parents: list[RouteParentStatus] | None = None


class RouteBackend(Fact):
    """One of `backendRefs` of a rule: a Service, unless it says otherwise."""

    group: str = ""
    kind: str = "Service"
    name: str = ""
    namespace: str = ""
    weight: int = 1


class RouteRule(Fact):
    """One of `spec.rules` of a route."""

    backend_refs: list[RouteBackend] | None = None


class RouteSpec(Fact):
    """`spec` of a route."""

    rules: list[RouteRule] | None = None


class HTTPRoute(KubernetesObject):
    """https://gateway-api.sigs.k8s.io/reference/spec/#httproute"""

    spec: RouteSpec = RouteSpec()
    status: RouteStatus = RouteStatus()

    def services(self) -> Iterator[tuple[str, str]]:
        """Namespace and name of each Service that it leads requests to."""
        for backend in (each for rule in self.spec.rules or () for each in rule.backend_refs or ()):
            if (backend.group, backend.kind) == ("", "Service") and backend.weight > 0:
                yield backend.namespace or self.namespace, backend.name
