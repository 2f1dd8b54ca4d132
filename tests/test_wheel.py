"""The wheel, installed elsewhere, brings the battery and the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OWN_CHECK = '''
from upgate.battery import check


@check("own.nodes", severity="critical")
def test_there_are_nodes(nodes):
    """There are nodes.

    Look first: kubectl get nodes
    """
    nodes.all(lambda node: node.name, observed="nameless")
'''


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds nothing but the installed wheel."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder / "wheel", ROOT], check=True)
    (wheel,) = (folder / "wheel").glob("upgate-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


def upgate(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder."""
    environ = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "upgate", *arguments], cwd=folder, env=environ, capture_output=True, text=True
    )


def test_the_demo_runs_anywhere(installed, tmp_path):
    """`upgate run --profile=demo` needs no checkout, and writes its reports where it is called."""
    run = upgate(installed, tmp_path, "run", "--profile=demo")
    assert run.returncode == 0, run.stdout + run.stderr
    reports = tmp_path / "reports" / "demo"
    assert {each.name for each in reports.iterdir()} == {
        "report.html",
        "junit.xml",
        "results.json",
        "snapshot.json.gz",
        "summary.md",
    }
    assert json.loads((reports / "results.json").read_bytes())["verdict"] == "clear"


def test_the_wheel_has_the_table_of_removed_apis(installed):
    """The removal releases of APIs come with it."""
    table = json.loads((installed / "upgate" / "facts" / "data" / "api-lifecycle.json").read_text())
    assert {"gv": "policy/v1beta1", "kind": "PodDisruptionBudget", "removed": "1.25"}.items() <= next(
        each.items() for each in table if each["gv"] == "policy/v1beta1" and each["kind"] == "PodDisruptionBudget"
    )


def test_the_wheel_says_what_it_is_made_of(installed):
    """A software bill of materials lies where PEP 770 has it, and names what the battery runs on."""
    (path,) = installed.glob("upgate-*.dist-info/sboms/sbom.cdx.json")
    bill = json.loads(path.read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "upgate")
    assert {"kubernetes", "pytest", "msgspec", "httpx"} <= {each["name"] for each in bill["components"]}
    assert all(each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}" for each in bill["components"])


def test_a_folder_of_profiles_and_one_of_checks_are_enough(installed, tmp_path):
    """A profile of one's own is found in profiles/, and a path behind it adds checks."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text("cluster: {embedded: broken}\n")
    (tmp_path / "my_checks").mkdir()
    (tmp_path / "my_checks" / "test_own.py").write_text(OWN_CHECK)
    run = upgate(installed, tmp_path, "run", "--profile=mine", "-q", "my_checks/")
    assert run.returncode == 1, run.stdout + run.stderr
    checks = json.loads((tmp_path / "reports" / "mine" / "results.json").read_bytes())["checks"]
    outcomes = {check["id"]: check["outcome"] for check in checks}
    assert outcomes["own.nodes"] == "passed"
    assert outcomes["nodes.ready"] == "failed"


def test_profiles_that_only_a_checkout_has_are_not_invented(installed, tmp_path):
    """`prod` is an example of the checkout: installed, it is not there, and the profiles that are there are named."""
    run = upgate(installed, tmp_path, "run", "--profile=prod")
    assert run.returncode == 4
    assert "demo" in run.stderr
    assert "Traceback" not in run.stderr
