"""Services and the endpoints that stand behind them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from upgate.facts.meta import Fact, KubernetesObject, ManagedMeta

#: How long a cloud may take to remove a load balancer.
PROVISIONING = timedelta(minutes=10)

#: Who manages the slices with the addresses of this cluster's pods; others (Cilium's Cluster Mesh, Karmada) bring those of
#: other clusters. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#management
OWN = ("", "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
#: What the Service of the cluster's DNS is called: its label `k8s-app` or `kubernetes.io/name`, or its name, in these namespaces.
DNS_NAMES, DNS_NAMESPACES = ("kube-dns", "coredns", "dns-default"), ("kube-system", "openshift-dns")


def ip_family(ip: str) -> str:
    """The IP family of an address, as Services name it."""
    return "IPv6" if ":" in ip else "IPv4"


class ServicePort(Fact):
    """One of `spec.ports`."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    target_port: int | str | None = None
    node_port: int = 0

    def __str__(self) -> str:
        return f"{self.name or self.port}/{self.protocol}" + (
            f" (targetPort {self.target_port})" if self.target_port else ""
        )


class ServiceSpec(Fact):
    """`spec` of a Service."""

    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None
    publish_not_ready_addresses: bool = False
    ip_families: list[str] | None = None
    ip_family_policy: str = ""
    external_ips: list[str] | None = msgspec.field(default=None, name="externalIPs")
    load_balancer_class: str | None = None
    external_traffic_policy: str = ""


class LoadBalancerPort(Fact):
    """One port of a load balancer, and why it could not be opened."""

    port: int = 0
    protocol: str = "TCP"
    error: str | None = None


class LoadBalancerIngress(Fact):
    """One address of a load balancer: an IP address or a name."""

    ip: str = ""
    hostname: str = ""
    ports: list[LoadBalancerPort] | None = None


class LoadBalancer(Fact):
    """`status.loadBalancer` of Services and Ingresses."""

    ingress: list[LoadBalancerIngress] | None = None

    @property
    def addresses(self) -> list[str]:
        """Where it takes traffic: IP addresses and names."""
        return [each.ip or each.hostname for each in self.ingress or () if each.ip or each.hostname]

    @property
    def port_errors(self) -> list[str]:
        """The ports that it could not open, and why."""
        ports = [port for each in self.ingress or () for port in each.ports or ()]
        return [f"port {each.port}/{each.protocol}: {each.error}" for each in ports if each.error]


class LoadBalanced(Fact):
    """`status` of Services and Ingresses."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(KubernetesObject):
    """https://kubernetes.io/docs/concepts/services-networking/service/"""

    metadata: ManagedMeta
    spec: ServiceSpec = ServiceSpec()
    status: LoadBalanced = LoadBalanced()

    @property
    def addresses(self) -> list[str]:
        """Where it takes traffic from outside, node ports aside."""
        return [*self.status.load_balancer.addresses, *(self.spec.external_ips or ())]

    @property
    def is_load_balancer(self) -> bool:
        """It asks for a load balancer, and is not being deleted."""
        return self.spec.type == "LoadBalancer" and not self.metadata.deletion_timestamp

    @property
    def balancer_problem(self) -> str:
        """It has no address where it takes traffic, or not all of its ports are open there. Empty where all is well."""
        if not self.addresses:
            wanted = self.spec.load_balancer_class
            return f"no address from loadBalancerClass {wanted}" if wanted else "no address"
        return "; ".join(self.status.load_balancer.port_errors)

    def balancer_coming(self, moment: datetime, limit: timedelta) -> bool:
        """It has asked for its load balancer recently: since it was made, or its type was changed."""
        writes = (each.time for each in self.metadata.managed_fields or () if each.fields_v1.spec.type is not None)
        asked = max((moment - each for each in writes if each), default=self.age(moment))
        return min(self.age(moment), asked) < limit

    def offers(self, name: str, number: int, target_ports: bool = False) -> bool:
        """It has a port of that name or number. An alias for an external name need not name its ports."""
        ports = self.spec.ports or []
        if self.spec.type == "ExternalName" and not ports:
            return True
        wanted = name or str(number)
        found = any((each.name == name) if name else (each.port == number) for each in ports)
        return found or (target_ports and any(wanted == str(each.target_port) for each in ports))

    @property
    def selects_pods(self) -> bool:
        """Kubernetes keeps its endpoints: it has a selector, is not an alias for an external name, and is not being deleted."""
        return bool(self.spec.selector) and self.spec.type != "ExternalName" and not self.metadata.deletion_timestamp

    @property
    def resolves_names(self) -> bool:
        """It is the cluster's DNS: each pod asks it."""
        names = (self.name, self.labels.get("k8s-app"), self.labels.get("kubernetes.io/name", "").lower())
        return self.namespace in DNS_NAMESPACES and any(name in DNS_NAMES for name in names)

    @property
    def families(self) -> list[str]:
        """Its IP families, as far as it says so: two for one that is dual stack."""
        return self.spec.ip_families or []

    def needs_family(self, name: str, addresses: Iterable[str]) -> bool:
        """It promises to be reached by that IP family.

        A headless Service has no address of its own: with PreferDualStack its names lead to the families that its pods have.
        """
        prefers = self.spec.cluster_ip == "None" and self.spec.ip_family_policy == "PreferDualStack"
        return not prefers or name in map(ip_family, addresses)

    def absent(self, addresses: set[str], have: set[str]) -> set[str]:
        """Those of a pod's addresses that it should lead to, one for each of its IP families, and does not."""
        if families := self.spec.ip_families:
            return {ip for ip in addresses if ip_family(ip) in families} - have
        return set() if addresses & have else addresses


class TargetRef(Fact):
    """The object behind an endpoint."""

    kind: str = ""
    name: str = ""


class EndpointConditions(Fact):
    """https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions"""

    ready: bool | None = None


class Endpoint(Fact):
    """One of `endpoints`."""

    addresses: list[str] | None = None
    conditions: EndpointConditions = EndpointConditions()
    target_ref: TargetRef | None = None
    node_name: str | None = None

    @property
    def ready(self) -> bool:
        """Takes traffic; unknown is to be read as ready."""
        return self.conditions.ready is not False


class EndpointPort(Fact):
    """One of `ports`."""

    name: str | None = None
    port: int | None = None
    protocol: str = "TCP"


class EndpointSlice(KubernetesObject):
    """A part of the endpoints of one Service, all with the same ports."""

    endpoints: list[Endpoint] | None = None
    ports: list[EndpointPort] | None = None

    @property
    def service(self) -> tuple[str, str]:
        """Namespace and name of the Service that it belongs to."""
        return self.namespace, self.labels.get("kubernetes.io/service-name", "")

    @property
    def ready(self) -> list[Endpoint]:
        """The endpoints that take traffic."""
        return [endpoint for endpoint in self.endpoints or () if endpoint.ready]

    @property
    def local_addresses(self) -> list[tuple[Endpoint, str]]:
        """The addresses that take traffic and are those of this cluster's own pods."""
        if self.labels.get("endpointslice.kubernetes.io/managed-by", "") not in OWN:
            return []
        return [(endpoint, ip) for endpoint in self.ready for ip in endpoint.addresses or ()]

    def carries(self, port: ServicePort) -> bool:
        """It leads to that port of the Service: same name and protocol, and a number to go to."""
        return any(
            (each.name or "") == port.name and each.protocol == port.protocol and each.port for each in self.ports or ()
        )
