"""What the cluster knows about an address that does not answer, and which finding explains it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import NOW, World, endpointslice, good, ingress, node, pod, profile, run, service, snapshot
from upgate.facts.attempts import Attempt, Failure
from upgate.facts.health import HealthEndpoint
from upgate.monitor.signals import signals
from upgate.profile.external import External
from upgate.results import CheckResult
from upgate.sources.probes.targets import probe_targets

NODE_PORT = service("web", spec={"type": "NodePort", "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]})
BALANCER = service("web", spec={"type": "LoadBalancer"}, status={"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}})
API_SERVER = endpointslice(
    "kubernetes", "10.0.0.1", metadata={"namespace": "default"}, ports=[{"name": "https", "port": 6443}]
)
HOST = "shop.example.com"
DOWN = {"nodes": [node(ready="Unknown")]}


def external(
    url: str,
    world: World,
    *,
    status: int | None = None,
    address: str = "",
    failure: Failure | None = None,
    asked: str = "",
    **more: Any,
) -> list[CheckResult]:
    """What the checks say when one URL was refused, or answered with a status."""
    entry = External.model_validate({"name": "x", "url": url, "status": (200,)})
    looked = snapshot(world, **more)
    [target] = probe_targets([entry], looked)
    failure = failure or (None if status else Failure("connect-refused"))
    last = {"asked": asked} if asked else {}
    seen = Attempt(
        id=target.id, target=target.shown, started=NOW, address=address, failure=failure, status=status, **last
    )
    looked = snapshot(world, attempts=[seen], **more)
    ids = ["nodes.ready", "services.endpoints", "api.ready", "external.{name}"]
    return run(ids, looked, profile(), entry=entry)


def said(url: str, world: World, **seen: Any) -> str:
    """The finding behind its first words."""
    [finding] = external(url, world, **seen)[-1].findings
    return finding.observed.partition("; ")[2]


def because(url: str, world: World, **seen: Any) -> str | None:
    """The root cause of the finding."""
    [finding] = external(url, world, **seen)[-1].findings
    return finding.because


def test_kube_proxy_on_localhost() -> None:
    """The health port that refuses everybody on a Ready node is named with the setting that binds it, and its pod."""
    proxy = pod("kube-proxy-7xk2l", "kube-system", spec={"hostNetwork": True})
    text = said("http://10.0.0.1:10256/healthz", good(pods=[pod(), proxy]))
    assert text == (
        "worker-1 is Ready; port 10256 is kube-proxy's health port (--healthz-bind-address, healthzBindAddress), which"
        " refuses all but the node itself when bound to 127.0.0.1; its pod kube-proxy-7xk2l is Running"
    )


def test_an_api_server_that_wants_a_login() -> None:
    """401 from the API server's health check is explained, on a node and elsewhere."""
    flag = "--anonymous-auth=false"
    assert flag in said("https://10.0.0.1:6443/healthz", good(), status=401)
    text = said("https://192.0.2.1:6443/healthz", good(), status=401, server="https://192.0.2.1:6443")
    assert text.startswith("this is the API server, which answers 401 to requests without credentials")
    assert flag not in said("https://192.0.2.1:6443/healthz", good(), status=500, server="https://192.0.2.1:6443")


def test_the_api_server_by_its_endpoints() -> None:
    """An address of the Service kubernetes is the API server's, whatever name leads to it."""
    world = good(nodes=[], endpointslices=[endpointslice("web", "10.1.0.1"), API_SERVER])
    assert said("https://api.example.com:6443/", world, address="10.0.0.1:6443") == "this is the API server"


def test_an_api_server_that_is_not_ready() -> None:
    """What is wrong at the API server's address follows from its own health, where that is not all right."""
    health = [HealthEndpoint("readyz", 500, "[-]etcd failed: reason withheld\n"), HealthEndpoint("livez", 200, "ok\n")]
    cause = because("https://192.0.2.1:6443/", good(), status=500, server="https://192.0.2.1:6443", health=health)
    assert cause == "api.ready: APIServer/readyz"


def test_a_node_port_without_endpoints() -> None:
    """The Service behind a node port is named with its endpoints, and its own finding is the cause."""
    world = good(services=[NODE_PORT], endpointslices=[])
    assert said("http://10.0.0.1:30080/", world).endswith("node port of Service/shop/web, which has no ready endpoint")
    assert because("http://10.0.0.1:30080/", world) == "services.endpoints: Service/shop/web"


def test_a_node_that_is_down() -> None:
    """What does not answer at the address of a node that is not Ready follows from that."""
    assert because("http://10.0.0.1:10256/healthz", good(**DOWN)) == "nodes.ready: Node/worker-1"


def test_another_address_does_not_follow() -> None:
    """An address that is not the node's is a fault of its own."""
    assert because("http://192.0.2.77/", good(**DOWN)) is None
    assert said("http://192.0.2.77/", good(**DOWN)) == ""


def test_a_ready_node_explains_nothing() -> None:
    """A component that is out of reach on a Ready node is its own root."""
    assert because("http://10.0.0.1:10256/healthz", good()) is None


@pytest.mark.parametrize("address", ["192.0.2.9:80", ""])
def test_a_load_balancer(address: str) -> None:
    """The Service of a load balancer's address is named."""
    text = said("http://192.0.2.9/", good(services=[BALANCER]), address=address)
    assert text == "address of Service/shop/web, which has 1 ready endpoint"


def test_an_ingress() -> None:
    """The Ingress for a host is named, the Services behind it, and how they are."""
    assert said("https://shop.example.com/", good()) == (
        "Ingress/shop/front leads to Service/shop/web, which has 1 ready endpoint"
    )
    world = good(endpointslices=[])
    assert because("https://shop.example.com/", world, status=503) == "services.endpoints: Service/shop/web"


def test_an_ingress_to_nowhere() -> None:
    """A Service that does not exist is said to be missing."""
    world = good(services=[])
    assert said("https://shop.example.com/", world) == (
        "Ingress/shop/front leads to Service/shop/web, which does not exist"
    )


def test_a_host_of_no_ingress() -> None:
    """At an Ingress's address, a host that no Ingress is for explains a 404."""
    text = said("https://shpo.example.com/", good(), status=404, address="192.0.2.10:443")
    assert text == "no Ingress at 192.0.2.10 is for the host shpo.example.com"


def test_wildcard_hosts() -> None:
    """A wildcard stands for one label."""
    world = good(ingresses=[ingress("any", "*.example.com")])
    assert said("https://a.example.com/", world).startswith("Ingress/shop/any leads to")
    assert "Ingress" not in said("https://a.b.example.com/", world)


def test_without_permission_less_is_explained() -> None:
    """Lists that could not be read explain nothing, and hide nothing."""
    looked = snapshot(good(), gaps={"nodes": "403"})
    assert looked.gaps
    assert said("http://10.0.0.1:10256/healthz", good(), gaps={"nodes": "403"}) == ""


# What a tenant claims

BROKEN = service("broken", metadata={"namespace": "tenant"})


def leading(name: str, path: str, to: str, namespace: str = "shop", path_type: str = "Prefix", host: str = HOST) -> Any:
    """An Ingress with one path."""
    backend = {"service": {"name": to}}
    rules = [{"host": host, "http": {"paths": [{"path": path, "pathType": path_type, "backend": backend}]}}]
    return ingress(name, metadata={"namespace": namespace}, spec={"rules": rules})


@pytest.mark.parametrize("path", ["/", "/healthz", "/other"])
@pytest.mark.parametrize("host", [HOST, "*.example.com"])
def test_a_tenants_ingress_does_not_explain_anothers_host(path: str, host: str) -> None:
    """As long as one namespace's Ingress of a host has ready endpoints, a broken one in another explains nothing."""
    stranger = leading("steal", path, "broken", "tenant", "Exact")
    world = good(services=[service("web"), BROKEN], ingresses=[leading("front", "/", "web", host=host), stranger])
    assert because(f"https://{HOST}/healthz", world, status=503) is None


def test_an_ingress_explains_only_the_paths_that_it_serves() -> None:
    """A broken path explains what is asked of it, by the longest match, and no other path of its host."""
    ingresses = [
        leading("api", "/api", "api"),
        leading("exact", "/apix", "api", path_type="Exact"),
        leading("all", "/", "web"),
    ]
    world = good(services=[service("web"), service("api")], ingresses=ingresses)
    cause = "services.endpoints: Service/shop/api"
    assert because(f"https://{HOST}/api/v1", world, status=503) == cause
    assert because(f"https://{HOST}/apix", world, status=503) == cause
    assert because(f"https://{HOST}/apix/y", world, status=503) is None
    assert because(f"https://{HOST}/", world, status=503) is None


def test_a_path_that_nothing_serves_is_not_explained() -> None:
    """An Ingress of the host with a broken backend elsewhere does not explain what it does not serve."""
    world = good(services=[service("web")], ingresses=[leading("api", "/api", "web")], endpointslices=[])
    assert because(f"https://{HOST}/shop", world, status=503) is None
    assert because(f"https://{HOST}/api", world, status=503) == "services.endpoints: Service/shop/web"


@pytest.mark.parametrize("kind", ["name", "tls-expired", "tls-wrong-name", "tls-unknown-issuer", "tls-other", "connect-refused",
                                  "connect-timeout", "unreachable"])  # fmt: skip
def test_what_is_wrong_at_the_front_door_is_not_the_service_behind_it(kind: str) -> None:
    """Names, certificates, TLS and connections are the front door's own, whatever stands behind it."""
    assert because(f"https://{HOST}/", good(endpointslices=[]), failure=Failure(kind)) is None


def test_external_ips_explain_nothing() -> None:
    """Whoever writes a Service writes its externalIPs: they may be another's."""
    taken = service("broken", metadata={"namespace": "tenant"}, spec={"externalIPs": ["192.0.2.9"]})
    assert because("http://192.0.2.9/", good(services=[service("web"), taken])) is None


def test_a_redirect_that_was_followed_is_explained_by_where_it_led() -> None:
    """What was asked last counts, not the URL of the entry."""
    world = good(endpointslices=[])
    assert because(f"https://{HOST}/", world, status=503, asked="https://login.example.org/") is None
    assert because("https://www.example.org/", world, status=503, asked=f"https://{HOST}/") is not None


def test_what_users_see_is_always_told() -> None:
    """A finding from outside wakes people even if another one explains it."""
    [check] = external(f"https://{HOST}/", good(endpointslices=[]), status=503)[-1:]
    assert check.active[0].because
    assert [each.signal for each in signals([check])] == ["bad"]
