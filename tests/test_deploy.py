"""What is in deploy/: manifests and image, as far as that can be proven without a cluster; tests/e2e does it with one."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.running import REPOSITORY
from upgate.battery import registry
from upgate.battery.permissions import roles_as_yaml
from upgate.profile import load

DEPLOY = REPOSITORY / "deploy"
BASE, GATE, STAGING = DEPLOY / "base", DEPLOY / "overlays" / "gate", DEPLOY / "overlays" / "staging"
HOME = Path(os.environ.get("REALCLUSTER_HOME", Path.home() / ".cache" / "realcluster"))
KUBECTL = shutil.which("kubectl") or shutil.which("kubectl", path=str(HOME / "bin"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    """The pod of a CronJob or a Job."""
    job = manifest["spec"].get("jobTemplate", manifest)
    return job["spec"]["template"]["spec"]


CRONJOB, JOB = read(BASE / "cronjob.yaml"), read(GATE / "job.yaml")
PODS = pytest.mark.parametrize("spec", [pod(CRONJOB), pod(JOB)], ids=["CronJob", "Job"])


@pytest.fixture
def profiles(tmp_path) -> Path:
    """All profiles of the ConfigMaps in one folder."""
    for path in (BASE / "profiles" / "prod.yaml", STAGING / "profiles" / "staging.yaml"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["prod", "staging"])
def test_the_role_is_what_the_profile_needs(profiles, name):
    """The shipped roles are those that `upgate profile rbac` prints for the shipped profiles."""
    profile = load(name, search=[profiles], environ={}, today=date.today())
    wanted = list(yaml.safe_load_all(roles_as_yaml(profile, registry.load_checks([registry.battery()]))))
    assert list(yaml.safe_load_all((BASE / "clusterrole.yaml").read_text())) == wanted, (
        "upgate profile rbac deploy/base/profiles/prod.yaml prints it anew"
    )


def test_what_is_in_one_namespace_is_read_there_alone():
    """No role lists leases or ConfigMaps cluster-wide: leader elections and what else is in other namespaces is not read.

    Those of kube-system are: settings of its workloads are compared with the baseline.
    """
    everywhere, *there = yaml.safe_load_all((BASE / "clusterrole.yaml").read_text())
    assert not {"leases", "configmaps", "secrets"} & {n for r in everywhere["rules"] for n in r.get("resources", ())}
    assert {each["metadata"]["namespace"] for each in there} == {"kube-node-lease", "kube-system"}
    assert [each["kind"] for each in there] == ["Role", "Role"]
    named = [rule for each in there for rule in each["rules"] if rule["resources"] == ["configmaps"]]
    assert [rule.get("resourceNames") for rule in named] == [["cluster-autoscaler-status"], None]
    _, _, *bindings = yaml.safe_load_all((BASE / "account.yaml").read_text())
    assert [each["metadata"] for each in bindings] == [each["metadata"] for each in there]
    assert {(each["kind"], each["roleRef"]["kind"]) for each in bindings} == {("RoleBinding", "Role")}


@PODS
def test_a_pod_may_do_nothing_that_it_need_not(spec):
    """Not root, no privileges, no capability, the runtime's seccomp profile, a read-only root, bounded memory."""
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"].keys() == {"requests", "limits"}


def test_the_gate_is_the_same_pod():
    """CronJob and Job differ in what is run and in where the reports are, and in nothing else."""
    one, other = pod(read(BASE / "cronjob.yaml")), pod(read(GATE / "job.yaml"))
    for spec in (one, other):
        for key in ("args", "command"):
            spec["containers"][0].pop(key)
        assert spec["volumes"][0].pop("name") == "state"
        del spec["volumes"][0]
    assert one == other


@PODS
def test_what_is_written_has_a_place(spec):
    """Reports, home and temporary files are below mounts that can be written."""
    (container,) = spec["containers"]
    writable = [Path(each["mountPath"]) for each in container["volumeMounts"] if not each.get("readOnly")]
    (reports,) = [arg.partition("=")[2] for arg in container["args"] if arg.startswith("--reports=")]
    written = [reports, *(each["value"] for each in container["env"])]
    assert [path for path in map(Path, written) if not any(at == path or at in path.parents for at in writable)] == []


@PODS
def test_the_options_are_those_that_there_are(spec, profiles, tmp_path):
    """The battery takes the arguments as they stand, with the profile that they name."""
    arguments = spec["containers"][0]["args"]
    given = [each.replace("--reports=/var/lib/upgate", f"--reports={tmp_path}") for each in arguments if each != "run"]
    command = [sys.executable, "-m", "upgate", "run", *given, "--collect-only", "-q"]
    (tmp_path / "profiles").symlink_to(profiles)
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("code", "job"), [(0, 0), (1, 0), (75, 0), (2, 2), (3, 3), (4, 4), (5, 5), (137, 137)])
def test_a_finding_is_no_failed_job(tmp_path, code, job):
    """A round that judged, or could not, ends the CronJob's pod well; one that was never run does not."""
    program = tmp_path / "upgate"
    program.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    program.chmod(0o755)
    (container,) = pod(CRONJOB)["containers"]
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*container["command"], *container["args"]], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (job, ["run", *container["args"]])


def test_the_image_has_what_the_wheel_is_made_of():
    """The Containerfile copies everything that pyproject.toml puts into the wheel, and nothing that is not there."""
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = [*wheel["packages"], *wheel["force-include"], project["project"]["readme"], "pyproject.toml"]
    assert [name for name in [*wanted, *wheel["sbom-files"]] if not {name, name.partition("/")[0]} & set(copied)] == []


CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
LOCKS = [DEPLOY / "requirements.lock", DEPLOY / "build.lock"]


def test_the_image_is_made_of_what_was_chosen():
    """Its base is pinned by digest, and every package that is fetched by the hashes of a lock file."""
    bases = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.M)
    assert bases
    assert all(re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", base) for base in bases)
    fetching = [line for line in re.findall(r"pip (?:wheel|install)[^&\n]*", CONTAINERFILE) if "--no-index" not in line]
    assert all("--require-hashes" in line for line in fetching if "--no-build-isolation" not in line)
    assert len(fetching) == 3


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_pins_every_package_by_hash(lock):
    """Each package has one version and hashes, and no host of a registry is in the file."""
    text = lock.read_text()
    packages = re.split(r"\n(?=[a-z])", text.strip())
    assert all(re.match(r"[a-z0-9.-]+==\S+", each) and "--hash=sha256:" in each for each in packages)
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted", text)


def pinned(lock: Path) -> dict[str, str]:
    """Package → version."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", lock.read_text(), re.M))


def test_the_lock_files_cover_the_project():
    """Every dependency of pyproject.toml is in the lock, in a version that it allows; so is what builds the wheel."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    for wanted, lock in (
        (project["project"]["dependencies"], LOCKS[0]),
        (project["build-system"]["requires"], LOCKS[1]),
    ):
        have = pinned(lock)
        for requirement in map(Requirement, wanted):
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            assert requirement.specifier.contains(have.get(name, "none of it") if name in have else "0"), requirement


def test_the_bill_of_materials_is_that_of_the_lock():
    """It names exactly the locked packages; `make lock` writes both."""
    written = DEPLOY / "sbom.cdx.json"
    spec = importlib.util.spec_from_file_location("sbom", DEPLOY / "sbom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert written.read_text() == module.text()
    listed = {each["name"]: each["version"] for each in json.loads(written.read_text())["components"]}
    assert listed == pinned(LOCKS[0])


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl here")
@pytest.mark.parametrize("folder", [BASE, GATE, STAGING], ids=["base", "gate", "staging"])
def test_kustomize_makes_whole_manifests(folder, tmp_path):
    """Each folder gives one workload that names a profile of its ConfigMap, in one namespace, with its account and role."""
    said = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=True).stdout
    everything = list(yaml.safe_load_all(said))
    local = [each for each in everything if each["kind"] in ("Role", "RoleBinding")]
    found = {each["kind"]: each for each in everything if each not in local}
    assert sorted(each["metadata"]["namespace"] for each in local) == [*["kube-node-lease"] * 2, *["kube-system"] * 2]
    subjects = [each["subjects"] for each in local if each["kind"] == "RoleBinding"]
    assert subjects == [found["ClusterRoleBinding"]["subjects"]] * 2
    workload = found.get("CronJob") or found["Job"]
    spec = pod(workload)
    (wanted,) = [arg.partition("=")[2] for arg in spec["containers"][0]["args"] if arg.startswith("--profile=")]
    assert f"{wanted}.yaml" in found["ConfigMap"]["data"]
    assert {"configMap": {"name": found["ConfigMap"]["metadata"]["name"]}, "name": "profiles"} in spec["volumes"]
    assert spec["containers"][0]["image"] == "upgate:0.1.0"
    assert found["ClusterRoleBinding"]["subjects"] == [
        {"kind": "ServiceAccount", "name": spec["serviceAccountName"], "namespace": "upgate"}
    ]
    assert found["ClusterRoleBinding"]["roleRef"]["name"] == found["ClusterRole"]["metadata"]["name"]
    assert {each["metadata"].get("namespace", "upgate") for each in found.values()} == {"upgate"}


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl here")
def test_without_a_volume_nothing_claims_one(tmp_path):
    """With the component the base has no claim, and its CronJob a temporary folder instead."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    overlay = tmp_path / "deploy" / "overlays" / "own"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        "resources: [../../base]\ncomponents: [../../components/without-volume]\n"
    )
    said = subprocess.run([KUBECTL, "kustomize", overlay], capture_output=True, text=True, check=True).stdout
    found = {each["kind"]: each for each in yaml.safe_load_all(said)}
    assert "PersistentVolumeClaim" not in found
    assert pod(found["CronJob"])["volumes"][0] == {"name": "state", "emptyDir": {"sizeLimit": "256Mi"}}


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl here")
def test_a_network_policy_lets_nothing_in_and_little_out(tmp_path):
    """With the component, the pods of upgate are closed from outside, and reach named addresses and ports alone."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    overlay = tmp_path / "deploy" / "overlays" / "own"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        "resources: [../../base]\ncomponents: [../../components/network-policy]\n"
    )
    said = subprocess.run([KUBECTL, "kustomize", overlay], capture_output=True, text=True, check=True).stdout
    found = {each["kind"]: each for each in yaml.safe_load_all(said)}
    spec, labels = (
        found["NetworkPolicy"]["spec"],
        found["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"],
    )
    assert spec["podSelector"]["matchLabels"].items() <= labels["labels"].items()
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    assert "ingress" not in spec
    assert all(rule["to"] and rule["ports"] for rule in spec["egress"])
    assert "0.0.0.0/0" not in said


#: Everything read-only but one temporary file system, and no root's rights, as in the pod.
CONFINED = """
mount --make-rprivate /
mount -t tmpfs -o mode=1777 tmpfs "$WRITABLE"
mkdir -m 777 "$WRITABLE/reports" "$WRITABLE/tmp"
awk '$5 != "/proc" && $5 !~ "^/(proc|sys|dev)(/|$)" {print $5}' /proc/self/mountinfo | while read -r at; do
  [ "$at" = "$WRITABLE" ] || mount -o remount,bind,ro "$at" 2>/dev/null || true
done
touch /upgate-was-here 2>/dev/null && exit 99
cd "$PROFILES"
setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
code=$?
ls "$WRITABLE/reports" "$WRITABLE/tmp"
exit $code
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter."""
    with tempfile.TemporaryDirectory(prefix="upgate-confined-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root can make its root read-only")
def test_it_runs_without_rights_on_a_read_only_root(open_folder):
    """Rounds with --monitor succeed as a user without rights who can write nothing but --reports and TMPDIR."""
    (open_folder / "profiles").mkdir()
    (open_folder / "profiles" / "prod.yaml").write_text("cluster: {embedded: healthy}\n")
    (open_folder / "writable").mkdir()
    if not readable(open_folder):
        pytest.skip("this checkout, or where tests write, is closed to other users")
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WRITABLE": str(open_folder / "writable"),
        "PROFILES": str(open_folder),
        "HOME": str(open_folder / "writable" / "tmp"),
        "TMPDIR": str(open_folder / "writable" / "tmp"),
    }
    arguments = [
        each.replace("/var/lib/upgate", f"{open_folder}/writable/reports")
        for each in pod(CRONJOB)["containers"][0]["args"]
    ]
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        CONFINED,
        "confined",
        sys.executable,
        "-m",
        "upgate",
        "run",
        *arguments,
    ]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERROR" not in done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr
    assert done.stdout.split()[-2:] == ["prod", f"{open_folder}/writable/tmp:"]


def readable(*paths: Path) -> bool:
    """Other users may enter these folders, the checkout and Python's own."""
    below = [each for path in (*paths, REPOSITORY, Path(sys.executable)) for each in (path, *path.parents)]
    return all(each.stat().st_mode & 0o005 == 0o005 for each in below)
