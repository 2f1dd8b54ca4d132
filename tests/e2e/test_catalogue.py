"""Faults of the rest of the catalogue, made for real and all at once: each is found by its check, and nothing else is said."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.battery import LATE, Battery, Run, difference, named
from tests.e2e.cluster import RealCluster
from tests.e2e.faults import CATALOGUE, Fault, make_all, undo_all


@pytest.fixture(scope="module")
def selected(request: pytest.FixtureRequest) -> list[Fault]:
    """The faults that a test of this run asks for: with -k only those are made."""
    items = (item for item in request.session.items if hasattr(item, "callspec"))
    asked = [each for item in items if (each := item.callspec.params.get("wide_fault"))]
    return asked or CATALOGUE


@pytest.fixture(scope="module")
def run(cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory, selected: list[Fault]) -> Iterator[Run]:
    """One run over all faults."""
    runs = Battery(tmp_path_factory.mktemp("catalogue"), cluster.kubeconfig)
    try:
        make_all(cluster, selected)
        time.sleep(LATE + 2)  # conditions of objects without pods are that old, too
        yield runs.run("--since=1m")
    finally:
        undo_all(cluster, selected)
    runs.run("--settle=60s", "--clean=2", "--every=1s").must_be_clear()


@pytest.mark.parametrize("wide_fault", CATALOGUE, ids=lambda fault: fault.name)
def test_each_fault_is_found_by_the_right_check(run: Run, wide_fault: Fault) -> None:
    """The root findings on the fault's objects are exactly the expected ones, and every other follows from one of them."""
    about = [each for each in run.findings if wide_fault.is_about(each["object"])]
    roots = [named(each) for each in about if not each["because"]]
    assert difference(roots, wide_fault.roots) == ([], []), about
    assert [each for each in about if each["because"] and each["because"] not in roots] == []


def test_nothing_else_is_reported(run: Run, selected: list[Fault]) -> None:
    """No finding is about anything but the faults, and nothing could not be judged."""
    assert [each for each in run.findings if not any(fault.is_about(each["object"]) for fault in selected)] == []
    assert (run.code, run.having("inconclusive")) == (1, set())
