"""Faults of the rest of the catalogue, made for real and all at once: each is found by its check, and nothing else is said."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.battery import LATE, Battery, Run
from tests.e2e.cluster import RealCluster
from tests.e2e.faults import CATALOGUE, Fault, asked_for, make_all, must_be_all, must_be_found, undo_all


@pytest.fixture(scope="module")
def selected(request: pytest.FixtureRequest) -> list[Fault]:
    """The faults that a test of this run asks for."""
    return asked_for(request, "wide_fault", CATALOGUE)


@pytest.fixture(scope="module")
def run(cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory, selected: list[Fault]) -> Iterator[Run]:
    """One run over all faults."""
    runs = Battery(tmp_path_factory.mktemp("catalogue"), cluster.kubeconfig)
    try:
        make_all(cluster, selected)
        time.sleep(LATE + 2)  # conditions of objects without pods are that old, too
        yield runs.run("--since=1m", allow=["secrets"])
    finally:
        undo_all(cluster, selected)
    runs.run("--settle=60s", "--clean=2", "--every=1s").must_be_clear()


@pytest.mark.parametrize("wide_fault", CATALOGUE, ids=lambda fault: fault.name)
def test_each_fault_is_found_by_the_right_check(run: Run, wide_fault: Fault) -> None:
    """Exactly the expected findings are on the fault's objects."""
    must_be_found(run, wide_fault)


def test_nothing_else_is_reported(run: Run, selected: list[Fault]) -> None:
    """No finding is about anything but the faults, and nothing could not be judged."""
    must_be_all(run, selected)
