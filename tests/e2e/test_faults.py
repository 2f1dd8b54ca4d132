"""Faults of workloads, made for real and all at once: each is found by the right check, and nothing else is reported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.battery import Battery, Run, named
from tests.e2e.cluster import RealCluster, until
from tests.e2e.faults import FAULTS, Fault, asked_for, make_all, must_be_all, must_be_found, undo_all


@pytest.fixture(scope="module")
def runs(cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Battery:
    """Runs of the battery for the whole module."""
    return Battery(tmp_path_factory.mktemp("faults"), cluster.kubeconfig)


@pytest.fixture(scope="module")
def selected(request: pytest.FixtureRequest) -> list[Fault]:
    """The faults that a test of this run asks for."""
    return asked_for(request, "fault", FAULTS)


@pytest.fixture(scope="module")
def run(cluster: RealCluster, runs: Battery, selected: list[Fault]) -> Iterator[Run]:
    """One run over all faults."""
    try:
        make_all(cluster, selected)
        yield runs.run()
    finally:
        undo_all(cluster, selected)
    runs.run("--settle=60s", "--clean=2", "--every=1s").must_be_clear()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_is_found_by_the_right_check(run: Run, fault: Fault) -> None:
    """The root findings in the fault's namespace are exactly the expected ones, and every other follows from one of them."""
    must_be_found(run, fault)


def test_nothing_else_is_reported(run: Run, selected: list[Fault]) -> None:
    """No finding is about anything but the faults, none is called a passing state, and the exit code is 1."""
    must_be_all(run, selected)
    assert [each for each in run.findings if each["transitional"] and not each["because"]] == []


def test_a_saved_snapshot_gives_the_same_verdict_offline(run: Run, runs: Battery) -> None:
    """What was seen of a broken cluster can be judged again without it, with the same findings."""
    again = runs.run(cluster={"snapshot": str(run.reports / "snapshot.json.gz")})
    assert (again.code, again.judged) == (run.code, run.judged)


def test_two_workers_find_the_same(run: Run, runs: Battery) -> None:
    """With -n 2 the same snapshot gives the same findings."""
    cluster = {"snapshot": str(run.reports / "snapshot.json.gz")}
    again = runs.run("-n", "2", cluster=cluster)
    assert (again.code, again.judged) == (run.code, run.judged)


def test_a_brief_look_finds_the_same(run: Run, runs: Battery) -> None:
    """With -m monitor, of all pods only those that may be wrong are read: its checks find the very same objects.

    What crashes again and again is up for moments: the two looks are taken until they saw the same moment.
    """
    until("a brief look finds what a whole one finds", lambda: same_findings(runs), within=60)


def same_findings(runs: Battery) -> bool:
    """Two looks, one after the other: of the checks that both judge, the same objects are found."""
    brief, whole = runs.run("-m", "monitor"), runs.run()
    assert brief.having("inconclusive") == set()
    expected = {named(each) for each in whole.findings if each["check"] in brief.outcomes}
    return bool(expected) and {named(each) for each in brief.findings} == expected


def test_waived_faults_do_not_count(run: Run, runs: Battery) -> None:
    """With every finding waived the same cluster is clear, and each stays visible with its reason."""
    snapshot = str(run.reports / "snapshot.json.gz")
    waiver = {"check": "*", "object": "*", "reason": "end-to-end test", "until": "2999-12-31"}
    waived = runs.run(cluster={"snapshot": snapshot}, waivers=[waiver])
    assert waived.code == 0
    assert {each["waived"] for each in waived.findings} == {"end-to-end test (until 2999-12-31)"}
    assert len(waived.findings) == len(run.findings)
