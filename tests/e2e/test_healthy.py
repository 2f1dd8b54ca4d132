"""A healthy cluster, with everything in it that other tools take for a fault, is all clear."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.e2e.battery import Battery, Run

LEFT_BEHIND = {"junit.xml", "results.json", "report.html", "summary.md", "snapshot.json.gz"}

#: What the profile does not ask for, and what is asked before an upgrade only.
UNASKED_SUBJECTS = (
    "changes.",
    "hosts.",
    "mesh.",
    "expect.",
    "alerts.",
    "conditions.",
    "config.",
    "disruption.",
    "probe.",
)
UNASKED = {
    *("certs.hosts", "certs.secrets", "nodes.image", "apis.kubelets-reachable", "control-plane.logs"),
    *("release.changes", "workloads.single-replica", "workloads.readiness-probe"),
}


@pytest.fixture
def clear(battery: Battery) -> Run:
    """A run on the healthy world, as patient as by default."""
    return battery.run(patience=None, checks=None)


def test_the_healthy_world_is_all_clear(clear: Run) -> None:
    """Exit code 0, not one finding, no note, and every check that the profile asks for has passed."""
    clear.must_be_clear()
    assert clear.results["notes"] == []
    assert set(clear.outcomes.values()) == {"passed", "skipped"}
    assert {id for id in clear.having("skipped") if not id.startswith(UNASKED_SUBJECTS)} == UNASKED


def test_every_report_is_there_and_says_the_same(clear: Run) -> None:
    """All reports are written, and JUnit has one test for each check, passed or not asked for."""
    assert {path.name for path in clear.reports.iterdir()} == LEFT_BEHIND
    cases = ElementTree.parse(clear.reports / "junit.xml").getroot().findall(".//testcase")
    assert {case.get("name") for case in cases} == set(clear.outcomes)
    assert {child.tag for case in cases for child in case} == {"properties", "skipped"}


def test_short_patience_finds_nothing_either(battery: Battery) -> None:
    """The short patience of the other tests is long enough for a healthy world."""
    battery.run().must_be_clear()


def test_a_saved_snapshot_gives_the_same_verdict_offline(clear: Run, battery: Battery) -> None:
    """What was seen can be judged again without the cluster, with the same result for every check."""
    again = battery.run(cluster={"snapshot": str(clear.reports / "snapshot.json.gz")}, patience=None, checks=None)
    assert (again.code, again.judged) == (clear.code, clear.judged)


def test_two_workers_give_the_same_results(clear: Run, battery: Battery) -> None:
    """With -n 2 every check has the outcome that it has with one process."""
    parallel = battery.run("-n", "2", patience=None, checks=None)
    assert (parallel.code, parallel.outcomes) == (clear.code, clear.outcomes)


@pytest.mark.parametrize(
    ("sections", "root"),
    [
        ({"expect": {"version": "1.37"}}, "api.version: APIServer/version"),
        ({"expect": {"version": "<1.36"}}, "api.version: APIServer/version"),
        ({"expect": {"version": "1.36", "nodes": {"min": 9}}}, "nodes.count: NodePool/all"),
    ],
)
def test_what_the_profile_expects_and_is_not_there_is_found(battery: Battery, sections: dict, root: str) -> None:
    """Another version, or more nodes, than the cluster has is the only finding."""
    run = battery.run(**sections)
    run.must_find(root)
    assert run.code == 1
