"""Recording a cluster: the embedded one is asked, recorded, and served again."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.apiserver import EmbeddedCluster, Fault
from tests.apiserver.record import main, metric_lines, record, stripped
from tests.asking import Connection
from upgate.base.errors import Inconclusive


def content(file):
    return json.loads(gzip.decompress(file.read_bytes()))


def test_a_recording_of_the_embedded_cluster_is_the_same_cluster(tmp_path):
    """What was recorded from a recording holds the same objects, texts and discovery: nothing is lost on the way."""
    from upgate.sources.demo.recording import DATA

    out = tmp_path / "again.json.gz"
    with EmbeddedCluster("broken") as cluster:
        record(Connection(cluster), out)
    again, original = content(out), content(DATA / "broken.json.gz")
    leases = "/apis/coordination.k8s.io/v1/leases"
    assert len(again["lists"].pop(leases)["items"]) == len(original["lists"].pop(leases)["items"])
    for part in ("lists", "texts", "discovery", "version"):
        assert again[part] == original[part]


def test_a_recording_is_always_the_same_bytes(tmp_path):
    """Without a change in the cluster a second recording changes no byte, so that diffs stay small."""
    from datetime import UTC, datetime

    files = [tmp_path / "first.json.gz", tmp_path / "second.json.gz"]
    recorded = datetime(2026, 1, 1, tzinfo=UTC)
    for file in files:
        with EmbeddedCluster(
            {"recorded": recorded, "pods": [{"metadata": {"name": "p", "namespace": "n"}}]}
        ) as cluster:
            record(Connection(cluster), file)
    first, second = (content(file) for file in files)
    assert first == second | {"recorded": first["recorded"]}
    assert files[0].read_bytes()[4:8] == b"\0\0\0\0"


def test_long_lists_are_recorded_whole(tmp_path):
    """A list of several pages is recorded to its end."""
    pods = [{"metadata": {"name": f"p{number:04}", "namespace": "n"}} for number in range(1203)]
    with EmbeddedCluster({"pods": pods}) as cluster:
        record(Connection(cluster), tmp_path / "out.json.gz")
    assert len(content(tmp_path / "out.json.gz")["lists"]["/api/v1/pods"]["items"]) == 1203


def test_confidential_lists_are_not_asked_for(tmp_path):
    """No Secrets and no ConfigMaps but the autoscaler's are read, not even to be thrown away."""
    with EmbeddedCluster("healthy") as cluster:
        record(Connection(cluster), tmp_path / "out.json.gz")
        asked = {request.path for request in cluster.requests}
        named = [each.query for each in cluster.requests if each.path == "/api/v1/configmaps"]
    assert "/api/v1/secrets" not in asked
    assert {each["fieldSelector"] for each in named} == {"metadata.name=cluster-autoscaler-status"}
    assert "/api/v1/pods" in asked


def test_what_could_be_secret_is_stripped():
    """Values of environment variables, tokens, last-applied manifests and managedFields go; names and the rest stay."""
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
    item = {
        "metadata": {
            "name": "p",
            "managedFields": [1],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"},
        },
        "spec": {
            "containers": [
                {"name": "c", "args": [f"--token={token}"], "env": [{"name": "PASSWORD", "value": "hunter2"}]},
            ],
            "initContainers": [{"name": "i", "env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]}],
        },
    }
    assert stripped(item, "PodList") == {
        "metadata": {"name": "p", "annotations": {"kept": "yes"}},
        "spec": {
            "containers": [{"name": "c", "args": ["--token=[hidden]"], "env": [{"name": "PASSWORD"}]}],
            "initContainers": [{"name": "i", "env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]}],
        },
    }


def test_environments_of_templates_are_stripped_too():
    """Pod templates, however deep, lose their values as pods do."""
    template = {"spec": {"jobTemplate": {"spec": {"containers": [{"env": [{"name": "A", "value": "b"}]}]}}}}
    kept = stripped({"metadata": {}} | template, "CronJobList")
    assert kept["spec"]["jobTemplate"]["spec"]["containers"] == [{"env": [{"name": "A"}]}]


def test_nodes_keep_who_changed_them_and_lose_their_images():
    """managedFields of nodes say who cordoned; the list of images says nothing."""
    node = {
        "metadata": {"name": "n", "managedFields": [{"manager": "kubectl"}]},
        "status": {"images": [1], "phase": ""},
    }
    assert stripped(node, "NodeList") == {
        "metadata": {"name": "n", "managedFields": [{"manager": "kubectl"}]},
        "status": {"phase": ""},
    }


def test_few_metrics_are_kept():
    """Of the metrics only the families that checks read are kept, with their HELP and TYPE."""
    kept = [
        "# HELP apiserver_requested_deprecated_apis Gauge\n",
        "# TYPE apiserver_requested_deprecated_apis gauge\n",
        'apiserver_requested_deprecated_apis{group="batch"} 1\n',
    ]
    assert "".join(metric_lines("go_goroutines 7\n" + "".join(kept) + "# TYPE x gauge\nx 1\n")) == "".join(kept)


@pytest.mark.parametrize("fault", [Fault("unavailable", "deployments"), Fault("unavailable", "/readyz")])
def test_a_recording_is_whole_or_not_there(tmp_path, fault):
    """What cannot be read ends the recording with a sentence, and leaves no file behind."""
    out = tmp_path / "out.json.gz"
    with (
        EmbeddedCluster("healthy", faults=[fault]) as cluster,
        pytest.raises(Inconclusive, match=r"recording .*: status 503"),
    ):
        record(Connection(cluster), out)
    assert list(tmp_path.iterdir()) == []


def test_the_command_records_through_a_kubeconfig(tmp_path, capsys):
    """`python -m tests.apiserver.record` logs in with a kubeconfig and says what it wrote."""
    with EmbeddedCluster("healthy") as cluster:
        kubeconfig = cluster.kubeconfig(tmp_path / "kubeconfig")
        out = tmp_path / "out.json.gz"
        assert main(["--kubeconfig", str(kubeconfig), str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    assert content(out)["version"]["gitVersion"] == "v1.36.3"
