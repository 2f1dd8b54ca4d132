"""deploy/ on a real cluster: the CronJob runs in a pod, tells what it finds, and remembers it; the gate is a Job."""

from __future__ import annotations

import gzip
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import image
from tests.e2e.battery import HEALTHY, SHORT
from tests.e2e.cluster import CHECKOUT, RealCluster, until
from tests.e2e.faults import workload
from tests.test_recipes import argo
from upgate.monitor import history

NODE = "node1"
#: The host, as pods reach it.
HOST = "10.199.0.1"
#: Seconds: a minute until the CronJob's next time, and a busy machine.
NEXT_ROUND = 150
IN = "--namespace=upgate"
WHO_AND_WHERE = """
id -u
grep CapEff /proc/self/status
for at in / /etc/upgate/profiles /usr /tmp /var/lib/upgate; do touch $at/x && echo $at && rm $at/x; done; true
"""


class Receiver:
    """Whoever is on call: an address that pods reach, and what came in."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server.server_port}/"

    def told(self, key: str) -> list[str]:
        """The checks that messages name as new, recovered, …"""
        return [line["check"] for message in list(self.messages) for line in message[key]]


@pytest.fixture(scope="module")
def on_call(cluster: RealCluster) -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder behind the volume."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def deployed(
    cluster: RealCluster, on_call: Receiver, state: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """deploy/ with overlays of our own: the cluster's profile, a volume on a node, a round each minute."""
    if not shutil.which("debootstrap"):
        pytest.fail("the image is made with debootstrap: apt-get install debootstrap", pytrace=False)
    image.bring(cluster, tmp_path_factory.mktemp("image"), NODE)
    folder = tmp_path_factory.mktemp("deployed") / "deploy"
    shutil.copytree(CHECKOUT / "deploy", folder)
    monitor = {"fail-after": "1 of 1", "notify": [on_call.url]}
    own_business = {"namespaces": ["*", "!upgate"]}
    # The shipped role cannot name the custom resources of a cluster.
    checks = {**HEALTHY["checks"], "apis.custom-readable": "off"}
    profile = {**HEALTHY, "checks": checks, "patience": SHORT, "scope": own_business, "monitor": monitor}
    (folder / "base/profiles/prod.yaml").write_text(yaml.safe_dump(profile))
    overlay(folder / "overlays/e2e", ["../../base"], every_minute())
    overlay(folder / "overlays/e2e-gate", ["../gate"], gate("--settle=90s", "--clean=2", "--every=2s"))
    overlay(folder / "overlays/e2e-gate-short", ["../gate"], gate("--settle=4s", "--clean=1", "--every=2s"))
    cluster.apply(volume(state))
    yield folder / "overlays"
    cluster.remove(["upgate"])
    cluster.kubectl("delete", "persistentvolume/upgate-e2e", "clusterrole/upgate", "clusterrolebinding/upgate")


def overlay(folder: Path, resources: list[str], patches: list[dict[str, Any]]) -> None:
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": resources, "patches": patches}))


def patch(kind: str, name: str, **values: Any) -> dict[str, Any]:
    """Put values at these paths, in the place of what is there."""
    changes = [{"op": "add", "path": path.replace(".", "/"), "value": value} for path, value in values.items()]
    return {"target": {"kind": kind, "name": name}, "patch": yaml.safe_dump(changes)}


def every_minute() -> list[dict[str, Any]]:
    return [patch("CronJob", "upgate", **{".spec.schedule": "* * * * *"})]


def gate(*options: str) -> list[dict[str, Any]]:
    arguments = ["run", "--profile=prod", "--reports=/var/lib/upgate/prod", *options, "-p", "no:cacheprovider"]
    pod = ".spec.template.spec"
    on_node = {"kubernetes.io/hostname": NODE}
    return [patch("Job", "upgate-gate", **{f"{pod}.containers.0.args": arguments, f"{pod}.nodeSelector": on_node})]


def volume(path: Path) -> dict[str, Any]:
    """A folder of one node for the claim."""
    on_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "upgate-e2e"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": "upgate", "name": "upgate"},
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [on_node]}]}},
        },
    }


def ended(cluster: RealCluster, job: str, within: float = NEXT_ROUND) -> str:
    """How a Job ended: Complete or Failed; then its log."""

    def condition() -> str:
        said = cluster.ask("get", "job", job, IN, "--output=json")
        conditions = json.loads(said.stdout or "{}").get("status", {}).get("conditions", [])
        return next((each["type"] for each in conditions if each["type"] in ("Complete", "Failed")), "")

    return until(lambda: f"{job} ends\n{cluster.ask('describe', 'pods,jobs', IN).stdout}", condition, within)


def round_now(cluster: RealCluster, name: str) -> str:
    """Run the CronJob's next round at once; what it said."""
    cluster.kubectl("create", "job", name, "--from=cronjob/upgate", IN)
    how = ended(cluster, name)
    said = cluster.kubectl("logs", f"job/{name}", IN)
    assert how == "Complete", said
    return said


def jobs(cluster: RealCluster) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.get("jobs", "upgate")]


def results(state: Path) -> dict[str, Any]:
    return json.loads((state / "prod/results.json").read_text())


@pytest.fixture(scope="module")
def scheduled(cluster: RealCluster, deployed: Path) -> str:
    """The first round that the CronJob starts by itself; then it is suspended, so that no other comes between."""
    cluster.kubectl("apply", f"--kustomize={deployed / 'e2e'}")
    (job,) = until("the CronJob starts a round", lambda: jobs(cluster), NEXT_ROUND)
    cluster.kubectl("patch", "cronjob/upgate", IN, '--patch={"spec": {"suspend": true}}')
    assert ended(cluster, job) == "Complete", cluster.kubectl("logs", f"job/{job}", IN)
    return job


def test_the_cronjob_judges_the_cluster_from_inside(cluster: RealCluster, scheduled: str, state: Path) -> None:
    """By its own schedule, as its ServiceAccount, with the API server's address from inside, all is judged and clear."""
    found = results(state)
    assert (found["verdict"], found["exit_code"], found["notes"]) == ("clear", 0, [])
    assert {each["outcome"] for each in found["checks"]} == {"passed", "skipped"}
    assert found["cluster"]["server"] == "https://10.96.0.1:443"
    seen = json.loads(gzip.decompress((state / "prod/snapshot.json.gz").read_bytes()))
    assert seen["identity"] == "system:serviceaccount:upgate:upgate"
    assert {path.name for path in (state / "prod").iterdir()} >= {"status.html", "report.html", "history.sqlite"}


def test_the_pod_may_write_nothing_else(cluster: RealCluster, scheduled: str) -> None:
    """In a pod like the CronJob's nobody is root, and neither the image nor the profiles can be written."""
    made = cluster.kubectl("create", "job", "probe", "--from=cronjob/upgate", IN, "--dry-run=client", "--output=yaml")
    job = yaml.safe_load(made)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container |= {"command": ["sh", "-c", WHO_AND_WHERE], "args": []}
    cluster.apply(job)
    assert ended(cluster, "probe") == "Complete"
    said = [line for line in cluster.kubectl("logs", "job/probe", IN).splitlines() if "touch:" not in line]
    assert said == ["10001", "CapEff:\t0000000000000000", "/tmp", "/var/lib/upgate"]


def test_what_breaks_is_told_and_remembered(
    cluster: RealCluster, scheduled: str, state: Path, on_call: Receiver, workshop: str, broken_pod: Callable[[], None]
) -> None:
    """A pod that cannot start reaches whoever is on call, the Job is no failed one, a later pod knows since when, and the end is
    told, too."""
    broken_pod()
    round_now(cluster, "round-1")
    assert results(state)["verdict"] == "not clear"
    until("the alert arrives", lambda: "pods.crashing" in on_call.told("new"), 10)
    assert on_call.messages[0]["report"].endswith("/var/lib/upgate/prod/report.html")

    round_now(cluster, "round-2")
    assert on_call.told("new").count("pods.crashing") == 1
    page = (state / "prod/status.html").read_text()
    assert "pods.crashing" in page
    with history.opened(state / "prod" / history.FILE) as past:
        assert [each.verdict for each in past.rounds()] == ["clear", "not clear", "not clear"]
        assert [each.name for each in past.open_incidents()].count("pods.crashing") == 1

    cluster.remove([workshop])
    round_now(cluster, "round-3")
    until("its end arrives", lambda: "pods.crashing" in on_call.told("recovered"), 10)


@pytest.fixture
def broken_pod(cluster: RealCluster, workshop: str) -> Callable[[], None]:
    """A Deployment whose pod cannot start, once that is to be seen."""

    def make() -> None:
        cluster.apply(workload(workshop, {"containers": [{"image": "upgate/no-such-image:1"}]}))
        waiting = "--output=jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}"
        until(
            "the image cannot be pulled",
            lambda: "Image" in cluster.kubectl("get", "pods", f"--namespace={workshop}", waiting),
        )

    return make


def test_the_gate_is_a_job(
    cluster: RealCluster, scheduled: str, deployed: Path, broken_pod: Callable[[], None]
) -> None:
    """On the healthy cluster the gate's Job completes after its clean rounds; on a broken one it fails at once, untried
    again, with exit code 1."""
    cluster.kubectl("apply", f"--kustomize={deployed / 'e2e-gate'}")
    assert ended(cluster, "upgate-gate") == "Complete", cluster.kubectl("logs", "job/upgate-gate", IN)
    assert "CLEAR — go on" in cluster.kubectl("logs", "job/upgate-gate", IN)
    cluster.kubectl("delete", "job/upgate-gate", IN)
    broken_pod()
    cluster.kubectl("apply", f"--kustomize={deployed / 'e2e-gate-short'}")
    assert ended(cluster, "upgate-gate") == "Failed"
    pods = [each for each in cluster.get("pods", "upgate") if each["metadata"]["name"].startswith("upgate-gate")]
    assert [each["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] for each in pods] == [1]


def test_argos_job_is_one(cluster: RealCluster) -> None:
    """The API server takes the Job of the recipe for Argo Rollouts, every field of it."""
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "argo", "namespace": "default"},
        "spec": argo(),
    }
    cluster.kubectl("create", "--dry-run=server", "--validate=strict", "--filename=-", text=yaml.safe_dump(job))
