"""The embedded cluster as its users see it: what it serves, to whom, and that it starts and ends at once."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import yaml

from tests.apiserver import EmbeddedCluster
from tests.asking import ask, pod
from upgate.base.errors import UsageError


@pytest.fixture(scope="module")
def healthy():
    with EmbeddedCluster("healthy") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def small():
    with EmbeddedCluster({"pods": [pod("web-1")]}) as cluster:
        yield cluster


@pytest.mark.parametrize("state", ["healthy", "broken"])
def test_both_recordings_are_served(state):
    """Each state that ships with the package is a whole cluster: ready, with nodes, pods and discovery."""
    with EmbeddedCluster(state) as cluster:
        assert ask(cluster, "/version").json["gitVersion"].startswith("v1.")
        assert ask(cluster, "/readyz?verbose").body.endswith(b"readyz check passed\n")
        assert ask(cluster, "/livez?verbose").body.endswith(b"livez check passed\n")
        assert len(ask(cluster, "/api/v1/nodes").names) >= 8
        assert len(ask(cluster, "/api/v1/pods").names) >= 20
        groups = {group["name"] for group in ask(cluster, "/apis").json["groups"]}
        assert {"apps", "coordination.k8s.io", "discovery.k8s.io"} <= groups


@pytest.mark.parametrize("state", ["healthy", "broken"])
def test_recordings_hold_nothing_confidential(state):
    """A recording holds no Secret, no ConfigMap, no value of an environment variable, no token, no last-applied manifest."""
    import gzip

    from upgate.sources.demo.recording import DATA

    file = DATA / f"{state}.json.gz"
    content = gzip.decompress(file.read_bytes()).decode()
    recording = json.loads(content)
    assert "/api/v1/secrets" not in recording["lists"]
    assert recording["lists"]["/api/v1/configmaps"]["items"] == []
    assert "last-applied-configuration" not in content
    assert "eyJ" not in content
    assert file.stat().st_size < 300 * 1024
    containers = [each for item in recording["lists"]["/api/v1/pods"]["items"] for each in item["spec"]["containers"]]
    assert any("env" in each for each in containers)
    assert not [each for each in containers for variable in each.get("env", []) if "value" in variable]


def test_it_starts_at_once():
    """Starting and stopping takes well under 50 ms each: a suite can afford one per test."""
    EmbeddedCluster("healthy")  # read once, as in any suite
    began = time.monotonic()
    with EmbeddedCluster("healthy") as cluster:
        assert ask(cluster, "/healthz").body == b"ok"
    assert time.monotonic() - began < 0.2


def test_the_clock_is_the_recordings():
    """The Date header is the recording's clock gone on, so that ages and leases are as they were."""
    recorded = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with EmbeddedCluster({"recorded": recorded}) as cluster:
        said = parsedate_to_datetime(ask(cluster, "/version").headers["Date"])
    assert timedelta(0) <= said - recorded < timedelta(seconds=5)


def test_living_leases_are_renewed():
    """A lease that was alive when it was recorded stays fresh however long the cluster is served; a dead one stays dead."""
    recorded = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    spec = {"leaseDurationSeconds": 40}
    living = {"metadata": {"name": "living"}, "spec": spec | {"renewTime": "2026-01-02T03:04:00.000000Z"}}
    dead = {"metadata": {"name": "dead"}, "spec": spec | {"renewTime": "2026-01-02T03:00:00.000000Z"}}
    from upgate.sources.demo.listing import renewed

    assert renewed(living, recorded, timedelta(hours=1))["spec"]["renewTime"] == "2026-01-02T04:04:00.000000Z"
    assert renewed(dead, recorded, timedelta(hours=1)) == dead
    with EmbeddedCluster({"recorded": recorded, "leases": [living, dead]}) as cluster:
        leases = ask(cluster, "/apis/coordination.k8s.io/v1/leases").json["items"]
    assert [each["metadata"]["name"] for each in leases] == ["dead", "living"]
    assert leases[0]["spec"] == dead["spec"]


def test_every_list_of_discovery_answers(healthy):
    """Whatever discovery says can be listed is either listed or refused aloud with 403: nothing is missing in silence."""
    statuses = {}
    for group in [
        "/api/v1",
        *(f"/apis/{each['preferredVersion']['groupVersion']}" for each in ask(healthy, "/apis").json["groups"]),
    ]:
        for resource in ask(healthy, group).json["resources"]:
            if "list" in resource["verbs"]:
                statuses[resource["name"]] = ask(healthy, f"{group}/{resource['name']}?limit=1").status
    assert set(statuses.values()) == {200, 403}
    assert statuses["secrets"] == 403
    assert statuses["pods"] == statuses["deployments"] == statuses["leases"] == 200


def test_it_knows_who_asks(small):
    """With the right token SelfSubjectReview names us, with a wrong one everything is 401, without one we are anonymous."""
    review = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert ask(small, review, method="POST").json["status"]["userInfo"]["username"] == "upgate-demo"
    assert ask(small, "/version", token="wrong").status == 401
    assert ask(small, "/version", token="").status == 200
    anonymous = ask(small, "/api/v1/pods", token="")
    assert anonymous.status == 403
    assert anonymous.json["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope'
    )
    assert ask(small, "/apis", token="").json["message"] == 'forbidden: User "system:anonymous" cannot get path "/apis"'
    assert ask(small, review, method="POST", token="").json["message"] == (
        'selfsubjectreviews.authentication.k8s.io is forbidden: User "system:anonymous" cannot create resource '
        '"selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope'
    )


def test_resources_and_paths_can_be_forbidden():
    """`forbid` answers 403 for resources by plural or qualified name and for paths, and leaves all else alone."""
    with EmbeddedCluster("healthy", forbid={"pods", "leases.coordination.k8s.io", "/metrics"}) as cluster:
        assert ask(cluster, "/api/v1/nodes").status == 200
        assert ask(cluster, "/metrics").json["message"] == 'forbidden: User "upgate-demo" cannot get path "/metrics"'
        assert ask(cluster, "/api/v1/namespaces/shop/pods").json["message"] == (
            'pods is forbidden: User "upgate-demo" cannot list resource "pods" in API group "" in the namespace "shop"'
        )
        leases = ask(cluster, "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler").json
    assert leases["message"] == (
        'leases.coordination.k8s.io "kube-scheduler" is forbidden: User "upgate-demo" cannot get resource "leases" '
        'in API group "coordination.k8s.io" in the namespace "kube-system"'
    )
    assert leases["details"] == {"name": "kube-scheduler", "group": "coordination.k8s.io", "kind": "leases"}


def test_a_star_forbids_everything():
    """With forbid="*" there is no path that answers 200."""
    with EmbeddedCluster("healthy", forbid={"*"}) as cluster:
        paths = [
            "/version",
            "/readyz?verbose",
            "/api",
            "/apis",
            "/metrics",
            "/api/v1/pods",
            "/apis/apps/v1/deployments",
        ]
        assert {ask(cluster, path).status for path in paths} == {403}


def test_a_world_of_dicts_is_otherwise_empty():
    """What is not in the world is not in the cluster; its version is the one that was asked for; unknown names are refused."""
    with EmbeddedCluster({"version": "v1.30.2", "pods": [pod("only")]}) as cluster:
        assert ask(cluster, "/version").json["gitVersion"] == "v1.30.2"
        assert ask(cluster, "/api/v1/pods").names == ["only"]
        assert ask(cluster, "/api/v1/nodes").names == []
        assert ask(cluster, "/api/v1/events").names == []
    with EmbeddedCluster({}) as cluster:
        assert ask(cluster, "/version").json["gitVersion"] == "v1.36.3"
    with pytest.raises(ValueError, match=r"no resource is called 'pod'; there are: .*pods"):
        EmbeddedCluster({"pod": []})


def test_a_foreign_file_is_a_usage_error(tmp_path):
    """A file that is no recording is refused in one sentence that says how to make one."""
    file = tmp_path / "torn.json.gz"
    file.write_bytes(b"\x1f\x8b\x08 torn")
    with pytest.raises(UsageError, match=r"torn.json.gz is not a recording of a cluster: "):
        EmbeddedCluster(file)
    with pytest.raises(UsageError, match="No such file"):
        EmbeddedCluster(tmp_path / "absent.json.gz")


def test_requests_are_remembered(small):
    """Tests can ask what was asked: method, path and query."""
    ask(small, "/api/v1/pods?limit=3&fieldSelector=status.phase%3DFailed")
    last = small.requests[-1]
    assert last[:3] == ("GET", "/api/v1/pods", {"limit": "3", "fieldSelector": "status.phase=Failed"})


def test_connections_are_kept(small):
    """Hundred requests over one connection take milliseconds, not 40 of them each."""
    connection = http.client.HTTPConnection(small.url.removeprefix("http://"), timeout=5)
    began = time.monotonic()
    for _ in range(100):
        connection.request("GET", "/version")
        connection.getresponse().read()
    assert time.monotonic() - began < 2
    connection.close()


def test_long_answers_are_packed_on_request(healthy):
    """Lists of 128 KiB and more are gzipped for a client that accepts it, as by the real server."""
    import gzip

    accepting = {"Accept-Encoding": "gzip"}
    assert "Content-Encoding" not in ask(healthy, "/api/v1/nodes", headers=accepting).headers
    many = [pod(f"p{number:04}", note="x" * 60) for number in range(2000)]
    with EmbeddedCluster({"pods": many}) as cluster:
        packed = ask(cluster, "/api/v1/pods", headers=accepting)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(packed.body))["items"]) == 2000


def test_the_kubeconfig_is_private_and_works_over_tls(tmp_path):
    """The kubeconfig holds the URL, the token and the certificate, is readable by us alone, and TLS verifies with it."""
    import base64

    with EmbeddedCluster("healthy", tls=True) as cluster:
        file = cluster.kubeconfig(tmp_path / "kubeconfig")
        config = yaml.safe_load(file.read_text())
        server = config["clusters"][0]["cluster"]
        trust = ssl.create_default_context(cadata=base64.b64decode(server["certificate-authority-data"]).decode())
        connection = http.client.HTTPSConnection(server["server"].removeprefix("https://"), timeout=5, context=trust)
        connection.request(
            "GET", "/api/v1/nodes", headers={"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        )
        assert connection.getresponse().status == 200
        connection.close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_closing_ends_kept_connections():
    """When the cluster is gone, a connection that a client kept is closed too."""
    with EmbeddedCluster({}) as cluster:
        client = socket.create_connection(("127.0.0.1", int(cluster.url.rpartition(":")[2])), timeout=5)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    assert client.recv(4096) == b""
    client.close()


def test_it_is_served_from_the_command_line(tmp_path):
    """`python -m tests.apiserver` prints its URL, writes a kubeconfig and ends on a signal."""
    file = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "tests.apiserver", "broken", "--kubeconfig", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        process.terminate()
        assert process.wait(5) == 0
    assert line.startswith("https://127.0.0.1:")
    assert yaml.safe_load(file.read_text())["clusters"][0]["cluster"]["server"] == line.split()[0]
