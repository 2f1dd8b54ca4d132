"""What is asked from outside: beside a healthy cluster each fault of an address is found, and nothing else; then the
faults of a cluster that calls itself healthy, which only a probe from outside the nodes' network namespaces sees.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.battery import HEALTHY, Battery, Run
from tests.e2e.cluster import SCRIPTS, RealCluster, until
from tests.e2e.faults import workload
from tests.servers import Authority, Server, accepting, free_port, hang, reset, self_signed, serving, tls_with

Broken = Callable[..., None]
#: Each real node's own health port, as a load balancer asks it. Nobody answers at the addresses of fake nodes.
KUBE_PROXY = {"name": "kube-proxy", "each": "node", "pool": "type=real", "url": "http://{address}:10256/healthz"}
LOCAL = "healthzBindAddress: 127.0.0.1:10256"
#: Entry → what is said of it. {http} is a plain server, the others serve the certificate that they are named after.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "answers-500": ({"url": "{http}/status/500"}, "500"),
    "answers-404": ({"url": "{http}/status/404"}, "404"),
    "redirects": ({"url": "{http}/redirect?/elsewhere"}, "302"),
    "hangs": ({"url": "{hanging}/", "timeout": "1s"}, "within 1s"),
    "resets": ({"url": "{resetting}/"}, ""),
    "refuses": ({"url": "{nobody}/"}, "refused"),
    "too-slow": ({"url": "{http}/slow/2", "within": "200ms"}, "took 2."),
    "lacks-the-text": ({"url": "{http}/text/closed", "body": "open"}, "open"),
    "other-value": ({"url": "{http}/json", "json": {"status": "DOWN"}}, "UP"),
    "expired": ({"url": "{expired}/ok"}, "expired"),
    "wrong-name": ({"url": "{other}/ok"}, "is for elsewhere.example.com"),
    "self-signed": ({"url": "{own}/ok"}, ""),
    "soon-expired": ({"url": "{good}/ok", "tls-days": 100}, "day"),
    "name-unknown": ({"url": "http://shop.invalid/"}, "shop.invalid"),
    "closed-port": ({"tcp": "127.0.0.1:{port}"}, ""),
}
GOOD = {
    "fine": {"url": "{good}/ok", "body": "ok", "tls-days": 21},
    "expects-503": {"url": "{http}/status/503", "status": 503},
    "expects-redirect": {"url": "{http}/redirect?/elsewhere", "location": "/elsewhere"},
    "node": {"url": "http://10.199.0.12:10256/healthz"},
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of real servers, by what is wrong with them; and the authority that they are to be trusted by."""
    folder = tmp_path_factory.mktemp("pki")
    authority = Authority(folder)
    certificates = {
        "good": authority.issue("127.0.0.1", days=90),
        "expired": authority.issue("127.0.0.1", days=-1),
        "other": authority.issue("elsewhere.example.com"),
        "own": self_signed(tmp_path_factory.mktemp("own"), "127.0.0.1"),
    }
    with ExitStack() as stack:
        contexts: dict[str, ssl.SSLContext | None] = {name: tls_with(pair) for name, pair in certificates.items()}
        servers = {
            name: stack.enter_context(serving(tls=context)) for name, context in {"http": None, **contexts}.items()
        }
        ports = {
            name: stack.enter_context(accepting(behave)) for name, behave in (("hanging", hang), ("resetting", reset))
        }
        nobody = free_port()
        yield {
            **{name: base(server) for name, server in servers.items()},
            **{name: f"http://127.0.0.1:{port}" for name, port in ports.items()},
            "nobody": f"http://127.0.0.1:{nobody}",
            "port": str(nobody),
            "ca": str(authority.file),
        }


def base(server: Server) -> str:
    """The server's address without a path."""
    return server.url("")


def entry(name: str, wanted: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    """An entry of `external:` with the servers' addresses filled in."""
    filled = {key: value.format(**places) if isinstance(value, str) else value for key, value in wanted.items()}
    trusting = {"ca": places["ca"]} if filled.get("url", "").startswith("https") else {}
    return {"name": name, **filled, **trusting}


@pytest.fixture(scope="module")
def run(cluster: Any, places: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run that asks all of them."""
    wanted = {name: entry for name, (entry, _) in BAD.items()} | GOOD
    entries = [entry(name, each, places) for name, each in wanted.items()]
    battery = Battery(tmp_path_factory.mktemp("external"), cluster.kubeconfig)
    return battery.run(external=[*HEALTHY["external"], *entries])


def id_of(name: str) -> str:
    """The id of an entry's check."""
    return f"external.tcp.{name}" if name == "closed-port" else f"external.{name}"


def test_exactly_the_bad_addresses_are_found(run: Run) -> None:
    """Every address that is not as expected is a finding of its own check, and there is no other."""
    run.must_find(*(f"{id_of(name)}: *" for name in BAD))
    assert run.code == 1


@pytest.mark.parametrize("name", BAD)
def test_a_finding_says_what_was_seen(run: Run, name: str) -> None:
    """What is said of an address holds the word by which one knows the fault."""
    [finding] = [each for each in run.findings if each["check"] == id_of(name)]
    assert BAD[name][1].lower() in finding["observed"].lower()


@pytest.mark.parametrize("name", GOOD)
def test_what_is_as_expected_passes(run: Run, name: str) -> None:
    """Unusual answers that the profile asks for are no faults."""
    assert run.outcomes[f"external.{name}"] == "passed"


def asking(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    """The healthy world's entries, and these."""
    return [*HEALTHY["external"], *entries]


def test_kube_proxy_on_localhost_is_found_on_its_node_only(
    cluster: RealCluster, battery: Battery, broken: Broken
) -> None:
    """kube-proxy whose health port went to 127.0.0.1 is named and explained on that node; the cluster sees nothing of it."""
    battery.run(external=asking(KUBE_PROXY)).must_be_clear()
    broken(lambda: restart_kube_proxy(cluster, LOCAL), lambda: restart_kube_proxy(cluster))
    run = battery.run("--vantage=outside", external=asking(KUBE_PROXY))
    run.must_find("external.kube-proxy: http://10.199.0.11:10256/healthz")
    [finding] = run.findings
    said = "connection refused at 10.199.0.11:10256; node1 is Ready; port 10256 is kube-proxy's health port"
    assert finding["observed"].startswith(said)
    assert "127.0.0.1" in finding["observed"]
    assert finding["hint"] == "curl -v http://10.199.0.11:10256/healthz"
    assert (run.code, run.results["vantage"]) == (1, "outside")


def restart_kube_proxy(cluster: RealCluster, setting: str = "") -> None:
    """Start node1's kube-proxy anew, with this line in its configuration."""
    extra = f'PROXY_EXTRA="{setting}" ' if setting else ""
    cluster.shell(f"stop node1-kube-proxy; {extra}exec {SCRIPTS}/node-up 1")
    inside = "nsenter --net=/var/run/netns/node1 -- curl -s http://127.0.0.1:10256/healthz; true"
    until("kube-proxy is healthy again", lambda: "lastUpdated" in cluster.shell(inside))


def test_an_api_server_that_refuses_anonymous_checks_is_found(
    cluster: RealCluster, battery: Battery, broken: Broken
) -> None:
    """With --anonymous-auth=false the API server's /healthz turns to 401 for load balancers, while it calls itself ready."""
    ca = str(cluster.home / "pki/ca.crt")
    entry = {"name": "api-server", "url": "https://10.199.0.1:6443/healthz", "body": "ok", "ca": ca}
    battery.run(external=asking(entry)).must_be_clear()
    broken(lambda: restart_api_server(cluster, "--anonymous-auth=false"), lambda: restart_api_server(cluster))
    run = battery.run(external=asking(entry))
    run.must_find("external.api-server: https://10.199.0.1:6443/healthz")
    [finding] = run.findings
    assert finding["observed"].startswith("status 401; ")
    assert "this is the API server, which answers 401 to requests without credentials" in finding["observed"]
    assert "--anonymous-auth=false" in finding["observed"]


def restart_api_server(cluster: RealCluster, flags: str = "") -> None:
    """Start the API server anew with these flags."""
    cluster.shell(f'stop kube-apiserver KILL; APISERVER_EXTRA="{flags}" exec {SCRIPTS}/up')
    until("the API server answers", lambda: cluster.answers)
    cluster.resume()


def test_a_node_that_is_cut_off_is_the_cause_of_what_does_not_answer_there(
    cluster: RealCluster, battery: Battery, broken: Broken
) -> None:
    """What is out of reach at the address of a node that is not Ready follows from that node, and is still told."""
    broken(lambda: cluster.shell("ip link set rcn2 down"), lambda: reconnect(cluster))
    until("node2 is Unknown", lambda: cluster.node_is("node2", "Unknown"))
    run = battery.run(external=asking({**KUBE_PROXY, "timeout": "2s"}))
    run.must_find("nodes.ready: Node/node2")
    [finding] = [each for each in run.findings if each["check"] == "external.kube-proxy"]
    assert (finding["object"], finding["because"]) == ("http://10.199.0.12:10256/healthz", "nodes.ready: Node/node2")
    assert "node2 is not Ready" in finding["observed"]


def reconnect(cluster: RealCluster) -> None:
    """Let node2 be heard of again."""
    cluster.shell("ip link set rcn2 up")
    cluster.script("node-up", "2")
    until("node2 is Ready", lambda: cluster.node_is("node2", "True"))


def test_a_node_port_without_endpoints_follows_from_its_service(
    cluster: RealCluster, battery: Battery, workshop: str
) -> None:
    """A node port that leads nowhere is one cause, its Service, and the address says which one that is."""
    port = {"name": "http", "port": 80, "nodePort": 30099, "targetPort": "renamed"}
    spec = {"type": "NodePort", "selector": {"app": "app"}, "ports": [port]}
    meta = {"name": "lonely", "namespace": workshop}
    service_object = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
    cluster.apply(workload(workshop, {"containers": [{}]}), service_object)
    cluster.wait_complete(workshop)
    entries = asking(
        {"name": "lonely", "url": "http://10.199.0.11:30099/"}, {"name": "port", "tcp": "10.199.0.11:30099"}
    )
    until("kube-proxy refuses", lambda: battery.run("-k", "port_accepts", external=entries).code == 1, within=30)
    run = battery.run(external=entries)
    service = f"services.endpoints: Service/{workshop}/lonely"
    run.must_find(service)
    told = {each["check"]: each for each in run.findings}
    assert {told[f"external.{name}"]["because"] for name in ("lonely", "tcp.port")} == {service}
    assert f"node1 is Ready; node port of Service/{workshop}/lonely" in told["external.lonely"]["observed"]
