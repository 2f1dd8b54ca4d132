"""Where traffic comes in: the Services of Ingress controllers and Gateways, and whether Ingresses are served by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.facts.backends import grouped
from upgate.facts.gateways import Gateway
from upgate.facts.ingresses import Ingress, IngressClass
from upgate.facts.meta import KubernetesObject
from upgate.facts.services import Service
from upgate.facts.workloads import Workload

Lists = Mapping[str, list[Any]]
#: Labels that charts give to all objects of one release of a controller, its IngressClass too.
#: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
RELEASE = ("app.kubernetes.io/name", "app.kubernetes.io/instance")
COMPONENT = "app.kubernetes.io/component"
#: What a Service that a Gateway's controller makes for it is labelled with (GEP-1762).
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
#: The types of Services that take traffic from outside.
OUTSIDE = ("LoadBalancer", "NodePort")


class Controlled:
    """Which Services bring the traffic of Ingresses and Gateways into the cluster."""

    needs = ("services", "ingresses", "ingressclasses")

    def __init__(self, lists: Lists) -> None:
        services: list[Service] = lists["services"]
        self._released = grouped((each for each in services if each.spec.type in OUTSIDE), release_of)
        self._of_gateways = grouped(services, lambda each: (each.namespace, each.labels.get(GATEWAY_NAME)))
        self._classes: dict[str, IngressClass] = {each.name: each for each in lists["ingressclasses"]}
        self._default = next((each.name for each in self._classes.values() if each.is_default), "")
        ingresses: list[Ingress] = lists["ingresses"]
        self._published = {address for each in ingresses for address in each.addresses}
        releases = {release_of(each) for each in self._classes.values()}
        self._entries = {each.key for release in releases for each in self._services_of_release(release)}

    def class_name(self, ingress: Ingress) -> str:
        """The class that it names, or the default one; empty where there is neither."""
        return ingress.class_name or self._default

    def class_of(self, ingress: Ingress) -> IngressClass | None:
        """Its IngressClass, as far as that exists."""
        return self._classes.get(self.class_name(ingress))

    def services_of(self, ingress: Ingress) -> list[Service]:
        """The Services of the controller of its class, as far as labels tell."""
        kind = self.class_of(ingress)
        return self._services_of_release(release_of(kind)) if kind else []

    def services_of_gateway(self, gateway: Gateway) -> list[Service]:
        """The Services that were made for it."""
        return self._of_gateways.get(gateway.key, [])

    def is_entry(self, service: Service) -> bool:
        """It is a load balancer, or Ingresses, Gateways or all pods' name resolution are served through it."""
        spec, own = service.spec, {*service.addresses, service.spec.cluster_ip}
        named = service.key in self._entries or GATEWAY_NAME in service.labels
        return spec.type == "LoadBalancer" or service.resolves_names or named or bool(own & self._published)

    def _services_of_release(self, release: tuple[str, ...]) -> list[Service]:
        return self._released.get(release, []) if all(release) else []


class IngressFronts:
    """Ingresses with their classes, controllers and backends."""

    needs = (*Controlled.needs, "gateways", "deployments", "daemonsets", "statefulsets")

    def __init__(self, lists: Lists) -> None:
        #: The Gateways, by namespace and name.
        self.gateways: dict[tuple[str, str], Gateway] = {each.key: each for each in lists["gateways"]}
        self._controlled = Controlled(lists)
        self._classes = {each.name for each in lists["ingressclasses"]}
        self._services: dict[tuple[str, str], Service] = {each.key: each for each in lists["services"]}
        addressed = (each for each in lists["ingresses"] if each.addresses)
        self._addressed = {self._controlled.class_name(each) for each in addressed}
        workloads = [each for noun in ("deployments", "daemonsets", "statefulsets") for each in lists[noun]]
        self._workloads: dict[tuple[str, ...], list[Workload]] = grouped(workloads, release_of)

    def trouble(self, ingress: Ingress, served: bool) -> str:
        """Why it serves nothing, or not all of it; `served`: it had an address. Empty where all is well."""
        said = [self._class_problem(ingress), *self._backend_problems(ingress), self._unaddressed(ingress, served)]
        return "; ".join(filter(None, said))

    def coming(self, ingress: Ingress, moment: datetime, limit: timedelta) -> bool:
        """It is new, and lacks nothing but an address: its controller, or a cloud, is making it."""
        return ingress.age(moment) < limit and self.only_unaddressed(ingress)

    def only_unaddressed(self, ingress: Ingress) -> bool:
        """It lacks an address, and nothing else."""
        lacks = self._class_problem(ingress) or self._backend_problems(ingress)
        return not ingress.addresses and not lacks

    def _class_problem(self, ingress: Ingress) -> str:
        """What is wrong with its class. One with an address is served, also by a controller that needs no IngressClass."""
        named, written = ingress.spec.ingress_class_name, ingress.class_annotation
        if named and named not in self._classes:
            return f"its IngressClass {named} does not exist"
        if kind := self._controlled.class_of(ingress):
            gone = self._scaled_to_zero(kind)
            return f"the controller of its IngressClass {kind.name}, {gone}, is scaled to zero" if gone else ""
        if ingress.addresses:
            return ""
        if written:
            known = written in self._addressed or not self._classes
            return "" if known else f"its IngressClass {written} (annotation) does not exist"
        return "" if "" in self._addressed else "it names no IngressClass, and there is no default one"

    def _scaled_to_zero(self, kind: IngressClass) -> str:
        """The workload that serves the class, where none of it is wanted. Empty where one runs, or nothing tells which it is."""
        release, component = release_of(kind), kind.labels.get(COMPONENT)
        alike = self._workloads.get(release, []) if all(release) else []
        own = [each for each in alike if component is None or each.labels.get(COMPONENT, component) == component]
        return own[0].ref if own and all(each.desired == 0 for each in own) else ""

    def _unaddressed(self, ingress: Ingress, served: bool) -> str:
        """It has no address, and something tells that it should. Controllers behind node ports never say where they are."""
        if ingress.addresses or self._class_problem(ingress):
            return ""
        name = self._controlled.class_name(ingress)
        kind = f"IngressClass {name}" if name else "no IngressClass"
        if name in self._addressed:
            return f"no address, while other Ingresses of {kind} have one"
        if served:
            return "no address; in the baseline it had one"
        fronts = [each.ref for each in self._controlled.services_of(ingress) if each.addresses]
        return f"no address, while {fronts[0]} of its controller has one" if fronts else ""

    def _backend_problems(self, ingress: Ingress) -> list[str]:
        return list(dict.fromkeys(filter(None, self._problems(ingress))))

    def _problems(self, ingress: Ingress) -> Iterator[str]:
        """Its backends that do not exist; what another kind of resource is, is not looked at."""
        kind = self._controlled.class_of(ingress)
        for backend in ingress.backends:
            service = self._services.get((ingress.namespace, backend.name))
            if service is None:
                yield "" if backend.port.by_annotation else f"its backend Service {backend.name} does not exist"
            elif not service.offers(
                backend.port.name, backend.port.number, kind is not None and kind.takes_target_ports
            ):
                yield f"its backend Service {backend.name} has no port {backend.port}"


def release_of(item: KubernetesObject) -> tuple[str, ...]:
    """The release of a chart that an object belongs to; empty parts where its labels do not say."""
    return tuple(item.labels.get(key, "") for key in RELEASE)
