"""The probe creates in a namespace of its own, asks, and leaves nothing behind, whatever happens."""

from __future__ import annotations

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.inside_cluster import HOME, InsideCluster, failed, running, waiting
from tests.worlds import endpointslice, merged, node, profile, snapshot
from tests.worlds import service as a_service
from upgate.base.errors import Inconclusive
from upgate.sources.inside.logs import marked_line
from upgate.sources.inside.look import look_from_inside, probe_nodes
from upgate.sources.inside.manifests import MADE, OURS, asking_pod, listening_pod
from upgate.sources.inside.planning import PEERS

THREE = ("node1", "node2", "node3")


def settings(**keys):
    """The profile's `probe:`, with little patience."""
    return profile(probe={"start-up": "1s", "deadline": "20s", **keys}).probe


def seen(*nodes, **lists):
    """A look at a cluster of these nodes."""
    return snapshot({"nodes": list(nodes), "services": [], "endpointslices": [], **lists})


def probe(cluster, *nodes, **keys):
    """A pass over these nodes, by name or as objects."""
    nodes = [node(each) if isinstance(each, str) else each for each in nodes or THREE]
    return probe_nodes(settings(**keys), (), cluster, seen(*nodes), lambda *_: None)


def gone(cluster):
    """Nothing of the probe is there."""
    return not cluster.pods and not cluster.services


def test_every_node_is_asked_and_nothing_is_left():
    """Two pods for each node, each asks all others, and the namespace that the run made is gone."""
    cluster = InsideCluster()
    found = probe(cluster)
    assert [each.name for each in found.nodes] == list(THREE)
    assert all(each.seconds is not None for each in found.nodes)
    assert {(each.node, each.on) for each in found.about("peers")} == {(a, b) for a in THREE for b in THREE if a != b}
    assert gone(cluster)
    assert cluster.namespace is None
    assert found.made == ("the probe created 6 pods and a Service in the namespace upgate-probe; they were removed",)


def test_a_namespace_that_is_not_ours_is_refused():
    """Nothing is created in it, and nothing deleted."""
    cluster = InsideCluster(namespace={"metadata": {"name": "upgate-probe", "labels": {"team": "shop"}}})
    with pytest.raises(Inconclusive, match="it is not upgate's"):
        probe(cluster)
    assert {method for method, _ in cluster.asked} == {"GET"}


def test_a_namespace_that_was_made_for_us_stays():
    """Its Role would go with it. What a killed run left in it does not stay."""
    namespace = {"metadata": {"name": "upgate-probe", "labels": OURS}}
    cluster = InsideCluster(namespace=namespace)
    cluster.pods["old"] = {"metadata": {"name": "old", "labels": OURS}}
    cluster.services["upgate-probe"] = {"metadata": {"name": "upgate-probe", "labels": OURS}}
    probe(cluster)
    assert cluster.namespace == namespace
    assert gone(cluster)
    assert ("DELETE", HOME) not in cluster.asked


def test_a_namespace_that_a_killed_run_made_is_deleted():
    """The next run uses it, and deletes it."""
    cluster = InsideCluster(
        namespace={"metadata": {"name": "upgate-probe", "labels": OURS, "annotations": {MADE: "x"}}}
    )
    probe(cluster)
    assert cluster.namespace is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "upgate-probe"),
        ("POST", "namespaces"),
        ("POST", "services"),
        ("GET", "pods"),
        ("DELETE", "upgate-probe/pods"),
    ],
)
def test_what_is_not_permitted_is_inconclusive(method, path):
    """The reason names what was refused, and where the Role is found."""
    cluster = InsideCluster(refuses=(method, path))
    if method == "DELETE":
        assert "could not be removed" in probe(cluster).made[0]
        return
    with pytest.raises(Inconclusive, match=f"{method} .*{path}: status 403.*upgate profile rbac"):
        probe(cluster)
    assert gone(cluster)


def test_pods_that_may_not_be_created_leave_their_nodes_unasked():
    """Admission may refuse them: the API server's words are the reason."""
    found = probe(InsideCluster(refuses=("POST", "pods")))
    assert all("status 403" in each.unasked for each in found.nodes)


def test_a_node_on_which_no_pod_starts_is_told_with_the_reason():
    """The others are asked."""
    found = probe(InsideCluster({"node2": waiting("ContainerCreating", "no network")}))
    assert [each.problem for each in found.nodes] == ["", "ContainerCreating: no network", ""]
    assert {each.node for each in found.asked} == {"node1", "node3"}


def test_an_image_that_one_node_cannot_pull_is_that_nodes_fault():
    """Others have it."""
    found = probe(InsideCluster({"node2": waiting("ImagePullBackOff", "no such host")}))
    assert found.nodes[1].problem == "the image cannot be pulled: ImagePullBackOff: no such host"


def test_an_image_that_no_node_can_pull_is_inconclusive():
    """The registry or the profile is at fault: of the nodes nothing is known."""
    found = probe(InsideCluster(dict.fromkeys(THREE, waiting("ErrImagePull"))))
    assert [each.problem for each in found.nodes] == ["", "", ""]
    assert all(each.unasked == "on no node: the image cannot be pulled: ErrImagePull" for each in found.nodes)


@pytest.mark.parametrize("reason", ["OutOfcpu", "OutOfpods", "OutOfmemory"])
def test_a_full_node_is_not_asked(reason):
    """It has no room for one more pod, which is no fault."""
    found = probe(InsideCluster({"node2": failed(reason)}))
    assert found.nodes[1].unasked.startswith("it has no room")


TAINT = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"spec": {"unschedulable": True}}, "it is cordoned"),
        ({"spec": {"taints": [TAINT]}}, "probe.tolerations does not tolerate its taint dedicated=gpu:NoSchedule"),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, "it is being deleted"),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, "it is not Ready"),
        ({"metadata": {"labels": {"type": "virtual-kubelet"}}}, "no kubelet runs there"),
    ],
)
def test_nodes_that_take_no_pods_are_left_out_and_named(change, why):
    """They are no fault of the probe's, and the notes say so."""
    found = probe(InsideCluster(), "node1", merged(node("node2"), change))
    assert [each.name for each in found.nodes] == ["node1"]
    assert found.left_out == (f"the probe left out Node/node2: {why}",)


def test_a_taint_that_the_profile_tolerates_is_no_hindrance():
    """The pods tolerate it too."""
    tolerations = [{"key": "dedicated", "operator": "Exists"}]
    found = probe(InsideCluster(), merged(node("node1"), {"spec": {"taints": [TAINT]}}), tolerations=tolerations)
    assert found.nodes[0].seconds is not None


def test_only_the_nodes_that_the_profile_selects_are_asked():
    """Others are not even named; nor are those that do not run Linux."""
    real = merged(node("node1"), {"metadata": {"labels": {"type": "real"}}})
    windows = merged(real, {"metadata": {"name": "node3", "labels": {"kubernetes.io/os": "windows"}}})
    found = probe(InsideCluster(), real, node("node2"), windows, **{"node-selector": {"type": "real"}})
    assert ([each.name for each in found.nodes], found.left_out) == (["node1"], ())


def test_where_no_node_can_be_asked_nothing_is_created():
    """The checks have nothing to examine then, and are inconclusive."""
    cluster = InsideCluster()
    assert probe(cluster, node(ready="False")).nodes == ()
    assert cluster.asked == []


def test_many_nodes_are_asked_in_groups():
    """Never more than the bound are pending, and each node is asked by several."""
    cluster = InsideCluster()
    names = [f"node{number}" for number in range(130)]
    found = probe(cluster, *names, pending=40)
    assert len(found.nodes) == 130
    assert cluster.most <= 80  # a group that listens, and the same that asks
    asked = [each for each in found.about("peers") if each.node == "node7"]
    assert 0 < len(asked) <= PEERS or len(asked) < 40


def test_the_deadline_bounds_all_of_it():
    """Nodes whose turn did not come are inconclusive."""
    hanging = InsideCluster({f"node{number}": waiting("ContainerCreating") for number in range(6)})
    found = probe(hanging, *(f"node{number}" for number in range(6)), pending=2, deadline="2s", **{"start-up": "3s"})
    assert all(each.unasked for each in found.nodes)


def interrupting(number):
    """A node whose pods send this process a signal when they are created."""

    def create(pod):
        os.kill(os.getpid(), number)
        return running(pod)

    return create


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing_behind(number):
    """Ctrl-C and SIGTERM end the run, and the namespace goes first."""
    cluster = InsideCluster({"node2": interrupting(number)})
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        probe(cluster)
    assert gone(cluster)
    assert cluster.namespace is None
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_look_comes_first_and_what_it_lacks_is_a_gap():
    """The lists hold nothing of the probe's; without nodes nothing is asked."""
    looks = []

    def look(needs, progress, brief):
        looks.append(needs)
        return seen(node("node1")) if len(looks) == 1 else snapshot({}, gaps={"nodes": "cannot list nodes"})

    cluster = InsideCluster()
    first, second = (
        look_from_inside(settings(), (), cluster, look, needs, lambda *_: None, False)
        for needs in ({"probed"}, {"probed"})
    )
    assert looks == [{"nodes", "services", "endpointslices"}] * 2
    assert first.probed.nodes
    assert second.gaps["probed"] == "cannot list nodes"
    asked = list(cluster.asked)
    look_from_inside(settings(), (), cluster, lambda *_: seen(), {"pods"}, lambda *_: None, False)
    assert cluster.asked == asked


def test_pods_keep_to_the_restricted_standard():
    """No root, no capability, no token, a limit, an end; and what they ask is in their environment alone."""
    for pod in (
        listening_pod("a", "node1", settings(), 60),
        asking_pod("a", "node1", settings(), 60, "q0 3 tcp 10.0.0.1 80", "mark"),
    ):
        spec, container = pod["spec"], pod["spec"]["containers"][0]
        assert spec["nodeName"] == "node1"
        assert spec["automountServiceAccountToken"] is False
        assert spec["activeDeadlineSeconds"] == 60
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "hostNetwork" not in spec


def questions(**lists):
    """What the pod on the only node is asked, with these lists."""
    cluster = InsideCluster()
    asked = []
    write = cluster.write

    def remember(method, path, body=None, deadline=None):
        if method == "POST" and path.endswith("pods"):
            asked.extend(each["value"] for each in body["spec"]["containers"][0]["env"] if each["name"] == "ASK")
        return write(method, path, body, deadline)

    cluster.write = remember
    probe_nodes(settings(), (), cluster, seen(node("node1"), **lists), lambda *_: None)
    return [line.partition(" ")[2] for line in asked[0].splitlines()]


def test_existing_services_and_pods_are_asked_too():
    """A ClusterIP with endpoints, and the endpoints themselves; not the host network, nor UDP."""
    web = merged(a_service("web"), {"spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80}]}})
    behind = endpointslice("web", endpoints=[
        {"addresses": [ip], "nodeName": "node1", "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "web-1"}}
        for ip in ("10.1.0.7", "10.0.0.1")
    ], ports=[{"port": 8080, "protocol": "TCP"}])  # fmt: skip
    lines = questions(services=[web], endpointslices=[behind])
    assert "3 tcp 10.96.0.7 80" in lines
    assert "3 tcp 10.1.0.7 8080" in lines
    assert not any("10.0.0.1 " in line for line in lines)  # the address of the node


def logged(*nodes, within="1s", status=200):
    """Whether lines arrive in a store that finds those of these nodes."""

    class Store(BaseHTTPRequestHandler):
        def do_GET(self):
            run = parse_qs(urlsplit(self.path).query)["query"][0].removeprefix("upgate-probe ")
            body = "".join(marked_line(run, each) for each in nodes).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        store = {"url": f"http://127.0.0.1:{server.server_port}/loki?query={{mark}}", "within": within}
        return probe(InsideCluster(), *THREE, logs=store)
    finally:
        server.shutdown()
        server.server_close()


def test_lines_that_arrive_in_the_log_store_are_found():
    """While the pods are still there; node1 is not taken for node10."""
    assert all(each.answered for each in logged(*THREE).about("logs"))
    answers = {each.node: each.problem for each in logged("node1", "node22", "node3").about("logs")}
    assert answers == {"node1": "", "node2": "its line did not arrive within 1s", "node3": ""}


def test_a_log_store_that_does_not_answer_is_a_gap():
    """Nothing is known of the nodes then."""
    found = logged(*THREE, status=502)
    assert "status 502" in found.no_logs
    assert not found.about("logs")
