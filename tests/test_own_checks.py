"""The example of CONTRIBUTING.md, as a newcomer runs it: from a folder of their own, with a kind of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.apiserver import EmbeddedCluster
from tests.apiserver.world import world
from tests.worlds import by_resource, condition, good, job, thing
from upgate.sources.demo.recording import RecordedList, Recording

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "CONTRIBUTING.md").read_text().partition("## Checks of your own")[2].split("```")[1]
VERSION, PLURAL = "argoproj.io/v1alpha1", "applications"


def application(name: str, **status) -> dict:
    """An application of Argo CD."""
    return thing(name, "argocd", spec={"source": {"repoURL": "https://git.example.com/shop"}}, status=status)


def cluster_with(*applications: dict, **lists) -> Recording:
    """A good world that also serves Argo CD's applications."""
    served = world(by_resource(good(**lists)))
    line = {"name": PLURAL, "singularName": "application", "kind": "Application", "namespaced": True, "verbs": ["list"]}
    document = {"kind": "APIResourceList", "groupVersion": VERSION, "resources": [line]}
    path = f"/apis/{VERSION}"
    items = [msgspec.Raw(msgspec.json.encode(each)) for each in applications]
    return msgspec.structs.replace(
        served,
        discovery={**served.discovery, path: msgspec.Raw(msgspec.json.encode(document))},
        lists={**served.lists, f"{path}/{PLURAL}": RecordedList("ApplicationList", VERSION, items=items)},
    )


@pytest.fixture
def home(tmp_path):
    """A newcomer's folder: checks and a profile."""
    (tmp_path / "my_checks").mkdir()
    (tmp_path / "my_checks" / "test_mine.py").write_text(EXAMPLE.removeprefix("python"))
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text("cluster: {kubeconfig: ../kubeconfig}\n")
    return tmp_path


def upgate(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in the newcomer's folder."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "upgate", *arguments],
        cwd=home,
        env={**environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def judged(home: Path, recording: Recording) -> dict[str, dict]:
    """What the checks of the example say of a cluster."""
    with EmbeddedCluster(recording) as cluster:
        cluster.kubeconfig(home / "kubeconfig")
        done = upgate(home, "run", "--profile=mine", "my_checks/", "-q", "-p", "no:cacheprovider")
    results = home / "reports" / "mine" / "results.json"
    assert results.exists(), done.stdout + done.stderr
    return {each["id"]: each for each in json.loads(results.read_bytes())["checks"]}


def test_the_example_judges_a_kind_of_its_own(home):
    """It finds what is wrong, with the object's own words, beside the whole battery."""
    lost = job("backup-1", status={"conditions": [condition("Failed", reason="BackoffLimitExceeded")]})
    recording = cluster_with(
        application("shop", health={"status": "Degraded"}),
        application("fine", health={"status": "Healthy"}),
        jobs=[lost],
    )
    checks = judged(home, recording)
    argo, backups = checks["argocd.healthy"], checks["backups.succeed"]
    assert (argo["outcome"], argo["examined"]) == ("failed", 2)
    (found,) = argo["findings"]
    assert found["object"] == "Application/argocd/shop"
    assert found["observed"] == "Degraded, of https://git.example.com/shop"
    assert found["hint"].endswith("-n argocd describe applications.argoproj.io shop")
    assert (backups["outcome"], [each["object"] for each in backups["findings"]]) == ("warned", ["Job/shop/backup-1"])
    assert checks["nodes.ready"]["outcome"] == "passed"


def test_a_kind_that_is_not_served_is_never_green(home):
    """The API server does not know it: the check says so."""
    check = judged(home, world(by_resource(good())))["argocd.healthy"]
    assert check["outcome"] == "inconclusive"
    assert "cannot list applications" in check["reason"]


def test_the_commands_know_the_example(home):
    """The list, the explanation and the permissions of checks of one's own, without a cluster."""
    assert "argocd.healthy" in upgate(home, "checks", "my_checks/").stdout
    explained = upgate(home, "explain", "argocd.healthy", "my_checks/").stdout
    assert "`list` on `applications` in API group argoproj.io cluster-wide" in explained
    (home / "kubeconfig").write_text("{}")
    assert "resources: [applications]" in upgate(home, "profile", "rbac", "mine", "my_checks/").stdout
