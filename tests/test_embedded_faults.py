"""Each fault that can be ordered happens, where it was ordered and only there."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time

import pytest

from tests.apiserver import FAULTS, EmbeddedCluster, Fault
from tests.asking import ask

PODS = [{"metadata": {"name": f"p{number}", "namespace": "shop"}, "spec": {}} for number in range(6)]


def spoiled(kind, path="/api/v1/pods", timeout=5.0, **details):
    target = details.pop("target", "pods")
    with EmbeddedCluster({"pods": PODS}, faults=[Fault(kind, target, **details)]) as cluster:
        return ask(cluster, path, timeout=timeout)


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("too-many-requests", 429, "TooManyRequests"),
        ("internal-error", 500, "InternalError"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("unauthorized", 401, "Unauthorized"),
    ],
)
def test_refusals(kind, status, reason):
    """An ordered refusal has the status and the reason of the real one."""
    answered, _, body = spoiled(kind)
    assert (answered, json.loads(body)["reason"]) == (status, reason)


def test_too_many_requests_says_when_to_come_back():
    """429 carries Retry-After in whole seconds."""
    assert spoiled("too-many-requests", seconds=2)[1]["Retry-After"] == "2"
    assert spoiled("too-many-requests", seconds=0)[1]["Retry-After"] == "0"


def test_latency():
    """The answer is the right one, late."""
    began = time.monotonic()
    status, _, body = spoiled("latency", seconds=0.1)
    assert time.monotonic() - began >= 0.1
    assert (status, len(json.loads(body)["items"])) == (200, 6)


def test_a_reset_connection():
    """The connection is reset before anything is said."""
    with pytest.raises(ConnectionResetError):
        spoiled("reset")


def test_a_reset_in_the_body():
    """Half of the body arrives at most, then the connection is reset."""
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        spoiled("reset-in-body")


def test_a_cut_body():
    """The connection is closed before the promised length."""
    with pytest.raises(http.client.IncompleteRead):
        spoiled("cut-body")


def test_cut_json():
    """HTTP is satisfied, the JSON is not whole."""
    status, headers, body = spoiled("cut-json")
    assert (status, headers["Content-Length"]) == (200, str(len(body)))
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_expired_tokens():
    """Only a request with a continue token meets 410."""
    with EmbeddedCluster({"pods": PODS}, faults=[Fault("expired", "pods", times=1)]) as cluster:
        status, _, body = ask(cluster, "/api/v1/pods?limit=2")
        follow = f"/api/v1/pods?limit=2&continue={json.loads(body)['metadata']['continue']}"
        assert (status, ask(cluster, follow)[0], ask(cluster, follow)[0]) == (200, 410, 200)


def test_hanging():
    """Nothing is ever said, and the cluster can still be closed at once."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        spoiled("hang", timeout=0.1)
    assert time.monotonic() - began < 1


def test_a_hanging_cluster_does_not_keep_the_process():
    """A process with an embedded cluster that hangs in a request ends when its work is done, even without closing it."""
    program = """if True:
        import socket
        from tests.apiserver import EmbeddedCluster, Fault
        cluster = EmbeddedCluster({}, faults=[Fault("hang", "/")]).__enter__()
        client = socket.create_connection(("127.0.0.1", int(cluster.url.rpartition(":")[2])))
        client.sendall(b"GET /version HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        client.settimeout(0.2)
        try:
            client.recv(1)
        except TimeoutError:
            raise SystemExit(len(cluster.requests) + 6)
    """
    assert subprocess.run([sys.executable, "-c", program], timeout=5).returncode == 7


def test_dripping():
    """The body comes byte by byte: every read succeeds, the whole takes for ever."""
    faults = [Fault("drip", "/version", seconds=0.01)]
    with EmbeddedCluster({}, faults=faults) as cluster:
        connection = http.client.HTTPConnection(cluster.url.removeprefix("http://"), timeout=2)
        connection.request("GET", "/version")
        response = connection.getresponse()
        began = time.monotonic()
        assert response.read(10).startswith(b"{")
        assert time.monotonic() - began >= 0.08
        connection.close()


def test_a_proxys_page():
    """HTML with 200, as from a login page in front."""
    status, headers, body = spoiled("html")
    assert (status, headers.get_content_type()) == (200, "text/html")
    assert b"Sign in" in body


def test_an_empty_body():
    """200, and nothing."""
    assert spoiled("empty")[::2] == (200, b"")


def test_null_items():
    """`items: null` instead of a list."""
    assert json.loads(spoiled("null-items")[2])["items"] is None


def test_one_malformed_object():
    """The first object is malformed but still has its name, the others are whole."""
    first, *others = json.loads(spoiled("malformed")[2])["items"]
    assert first["metadata"]["name"] == "p0"
    assert (first["metadata"]["creationTimestamp"], first["metadata"]["labels"]) == (17, "none")
    assert others == PODS[1:]


def test_the_wrong_kind():
    """A list, but not of pods."""
    assert json.loads(spoiled("wrong-kind")[2])["kind"] == "WidgetList"


def test_not_ready():
    """/readyz answers 500 and names the sub-check that fails."""
    status, _, body = spoiled("not-ready", "/readyz?verbose", target="/readyz")
    assert status == 500
    assert b"[-]etcd failed: reason withheld" in body
    assert body.endswith(b"readyz check failed\n")


def test_every_fault_is_tested_here():
    """A fault that no test of this file orders by its name does not exist."""
    from pathlib import Path

    source = Path(__file__).read_text()
    assert [kind for kind in FAULTS if f'"{kind}"' not in source] == []


def test_one_page_only():
    """A fault can be ordered for one page of a list."""
    with EmbeddedCluster({"pods": PODS}, faults=[Fault("unavailable", "pods", page=2)]) as cluster:
        first = json.loads(ask(cluster, "/api/v1/pods?limit=2")[2])
        second = ask(cluster, f"/api/v1/pods?limit=2&continue={first['metadata']['continue']}")
        assert (len(first["items"]), second[0]) == (2, 503)


def test_a_number_of_times_only():
    """A fault can be ordered for the first requests only."""
    with EmbeddedCluster({"pods": PODS}, faults=[Fault("internal-error", "pods", times=2)]) as cluster:
        assert [ask(cluster, "/api/v1/pods")[0] for _ in range(4)] == [500, 500, 200, 200]


def test_other_targets_are_spared():
    """A fault of pods does not touch nodes; one of a path prefix touches all below it, namespaced lists included."""
    with EmbeddedCluster({"pods": PODS}, faults=[Fault("unavailable", "pods")]) as cluster:
        assert ask(cluster, "/api/v1/nodes")[0] == 200
        assert ask(cluster, "/api/v1/namespaces/shop/pods")[0] == 503
    with EmbeddedCluster({}, faults=[Fault("unavailable", "/apis/apps/")]) as cluster:
        assert [ask(cluster, path)[0] for path in ("/apis/apps/v1/deployments", "/apis/batch/v1/jobs")] == [503, 200]


def test_unknown_faults_are_refused():
    """A typing mistake in a fault is an error that lists what can be ordered."""
    with pytest.raises(ValueError, match="no fault is called 'slow'; there are: latency"):
        Fault("slow", "pods")
