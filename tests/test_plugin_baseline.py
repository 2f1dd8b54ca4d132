"""Runs with a baseline, from the command line: saved, compared, refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.running import Run, profile, run
from tests.worlds import cronjob, good, namespace, pod, snapshot
from upgate.snapshot import dump_snapshot

OPTIONS = ("-q", "-k", "changes or ready")


def seen(folder: Path, name: str, uid: str, text: str = "", **changes: Any) -> Path:
    """A profile that judges a snapshot of the cluster with that UID."""
    system = namespace("kube-system", metadata={"uid": uid})
    path = folder / f"{name}.json.gz"
    path.write_bytes(dump_snapshot(snapshot(good(namespaces=[namespace(), system], **changes), published=[])))
    return profile(folder, text, name=name, snapshot=path)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    """What was saved, and what later runs say of it."""
    folder = tmp_path_factory.mktemp("baseline")
    file = f"--baseline={folder / 'baseline.json'}"
    wrong = {"pods": [pod(ready="False")]}
    more = {"pods": [pod(ready="False"), pod("web-2", ready="False")], "cronjobs": [cronjob("other")]}
    only_new = "gate: {only-new: true}\n"
    calls = {
        "saved": (seen(folder, "saved", "a", **wrong), "--save-baseline"),
        "same": (seen(folder, "same", "a", only_new, **wrong),),
        "worse": (seen(folder, "worse", "a", **more),),
        "foreign": (seen(folder, "foreign", "b"),),
        "meant": (seen(folder, "meant", "b", **wrong), "--foreign-baseline"),
    }
    return {
        name: run(path, *OPTIONS, file, *options, reports=folder / name) for name, (path, *options) in calls.items()
    }


def test_the_baseline_is_one_compressed_file(runs):
    """It is saved also where the cluster is not clear, and the notes say so. Checks that compare are skipped then."""
    path = runs["saved"].reports.parent / "baseline.json"
    path = path if path.exists() else runs["saved"].reports.parent.parent / "baseline.json"
    assert gzip.decompress(path.read_bytes()).startswith(b'{"schema":2')
    assert runs["saved"].code == 1
    assert any("the baseline keeps 1 finding as known" in note for note in runs["saved"].results["notes"])
    assert runs["saved"].outcomes["changes.workloads"] == "skipped"


def test_what_is_known_passes_visibly(runs):
    """With `gate: {only-new: true}` the run is clear; the finding is in all reports."""
    same = runs["same"].whole()
    assert (same.code, same.results["verdict"]) == (0, "clear")
    assert same.results["baseline"]["known"] == 1
    assert same.check("pods.ready")["outcome"] == "waived"
    assert "0 new, 1 known since before the upgrade" in same.out
    assert "only-new: true" in (same.reports / "report.html").read_text()


def test_new_and_known_are_told_apart_in_all_reports(runs):
    """The last line, results.json, junit.xml and report.html say how many of each."""
    worse = runs["worse"].whole()
    assert worse.code == 1
    assert (worse.results["baseline"]["new"], worse.results["baseline"]["known"]) == (2, 1)
    assert "2 new, 1 known since before the upgrade" in worse.out
    assert "2 new, 1 known since before the upgrade" in (worse.reports / "report.html").read_text()
    assert 'name="known" value="1 of 2"' in (worse.reports / "junit.xml").read_text()
    assert [each["object"] for each in worse.check("changes.workloads")["findings"]] == ["CronJob/shop/backup"]


def test_a_foreign_baseline_is_refused(runs):
    """Exit code 4 and one sentence; --foreign-baseline compares all the same."""
    foreign = runs["foreign"]
    assert foreign.code == 4
    assert "the baseline belongs to another cluster" in foreign.out
    assert "Traceback" not in foreign.out
    assert runs["meant"].whole().results["baseline"]["known"] == 1
