"""Gateway API, where it is installed: https://gateway-api.sigs.k8s.io/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from upgate.facts.meta import Condition, Fact, KubernetesObject, condition

#: What a Gateway, a listener and a route are told to be. https://gateway-api.sigs.k8s.io/concepts/api-overview/
WANTED = ("Accepted", "Programmed")
#: Conditions that say that a part does not work when they are True.
BAD = ("Conflicted", "PartiallyInvalid")


class SecretReference(Fact):
    """The certificate of a listener: a Secret, in the Gateway's namespace unless another is named."""

    name: str = ""
    namespace: str = ""
    kind: str = "Secret"


class ListenerTls(Fact):
    """`tls` of a listener."""

    certificate_refs: list[SecretReference] | None = None


class Listener(Fact):
    """One of `spec.listeners`."""

    name: str = ""
    tls: ListenerTls | None = None


class GatewaySpec(Fact):
    """`spec` of a Gateway."""

    gateway_class_name: str = ""
    listeners: list[Listener] | None = None


class GatewayAddress(Fact):
    """One of `status.addresses`."""

    value: str = ""


class ListenerStatus(Fact):
    """What is said of one listener."""

    name: str = ""
    conditions: list[Condition] | None = None


class GatewayStatus(Fact):
    """`status` of a Gateway."""

    addresses: list[GatewayAddress] | None = None
    conditions: list[Condition] | None = None
    listeners: list[ListenerStatus] | None = None


class Gateway(KubernetesObject):
    """https://gateway-api.sigs.k8s.io/reference/spec/#gateway"""

    spec: GatewaySpec = GatewaySpec()
    status: GatewayStatus = GatewayStatus()

    @property
    def trouble(self) -> str:
        """What its controller says against it, or has not said. Empty where it is accepted and programmed, with each listener."""
        said = [not_true(self.status.conditions, each) for each in WANTED]
        for listener in self.status.listeners or ():
            said += [f"listener {listener.name}: {each}" for each in denied(listener.conditions)]
        return "; ".join(filter(None, said))

    @property
    def only_unprogrammed(self) -> bool:
        """It is accepted, with each listener, and only not yet, or no longer, there: it may lack its load balancer."""
        listeners = [each for listener in self.status.listeners or () for each in denied(listener.conditions)]
        accepted = not not_true(self.status.conditions, "Accepted")
        return accepted and all(each.startswith("Programmed=") for each in listeners)

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """Namespace and name of the Secrets that hold its certificates."""
        refs = [
            each
            for listener in self.spec.listeners or ()
            if listener.tls
            for each in listener.tls.certificate_refs or ()
        ]
        return [(each.namespace or self.namespace, each.name) for each in refs if each.kind == "Secret"]

    def young(self, moment: datetime, limit: timedelta) -> bool:
        """It is new: its controller, or a cloud, is at work."""
        return self.age(moment) < limit


class ParentReference(Fact):
    """What a route belongs to: a Gateway, in the route's namespace unless another is named."""

    kind: str = "Gateway"
    namespace: str = ""
    name: str = ""
    section_name: str = ""


class RouteParentStatus(Fact):
    """What one controller says of a route, for one parent."""

    parent_ref: ParentReference = ParentReference()
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
    """`spec` of an HTTPRoute."""

    parent_refs: list[ParentReference] | None = None
    rules: list[RouteRule] | None = None


class HTTPRoute(KubernetesObject):
    """https://gateway-api.sigs.k8s.io/reference/spec/#httproute"""

    spec: RouteSpec = RouteSpec()
    status: RouteStatus = RouteStatus()

    def trouble(self, gateways: Mapping[tuple[str, str], Gateway]) -> str:
        """Which of its Gateways have not taken it, and what is said against it. Empty where nothing is.

        What a Gateway that has trouble of its own says nothing of is not told again.
        """
        told = {self._place(each.parent_ref) for each in self.status.parents or ()}
        said = []
        for parent in self.spec.parent_refs or ():
            gateway = gateways.get((parent.namespace or self.namespace, parent.name))
            if parent.kind == "Gateway" and self._place(parent) not in told and not (gateway and gateway.trouble):
                why = "no controller has said anything of this route" if gateway else "it does not exist"
                said.append(f"Gateway {self._name(parent)}: {why}")
        for told_by in self.status.parents or ():
            wrong = [not_true(told_by.conditions, "Accepted"), *denied(told_by.conditions)]
            said += [
                f"{told_by.parent_ref.kind} {self._name(told_by.parent_ref)}: {each}"
                for each in dict.fromkeys(wrong)
                if each
            ]
        return "; ".join(said)

    def services(self) -> Iterator[tuple[str, str]]:
        """Namespace and name of each Service that it leads requests to."""
        for backend in (each for rule in self.spec.rules or () for each in rule.backend_refs or ()):
            if (backend.group, backend.kind) == ("", "Service") and backend.weight > 0:
                yield backend.namespace or self.namespace, backend.name

    def young(self, moment: datetime, limit: timedelta) -> bool:
        """It is new: controllers have not yet said all of it."""
        return self.age(moment) < limit

    def _place(self, parent: ParentReference) -> tuple[str, ...]:
        return (parent.kind, parent.namespace or self.namespace, parent.name, parent.section_name)

    def _name(self, parent: ParentReference) -> str:
        return f"{parent.namespace or self.namespace}/{parent.name}"


def not_true(conditions: list[Condition] | None, type: str) -> str:
    """The condition that must be True and is not, in words; empty where it is."""
    said = condition(conditions, type)
    return "" if said.is_true else str(said)


def denied(conditions: list[Condition] | None) -> list[str]:
    """The conditions that say that something is wrong, in words."""
    wrong = (each for each in conditions or () if each.is_true == (each.type in BAD) and each.status != "Unknown")
    return [str(each) for each in wrong if each.type in (*WANTED, *BAD, "ResolvedRefs")]
