"""Gateway API, where it is installed: https://gateway-api.sigs.k8s.io/"""

from __future__ import annotations

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


class HTTPRoute(KubernetesObject):
    """https://gateway-api.sigs.k8s.io/reference/spec/#httproute"""

    status: RouteStatus = RouteStatus()
