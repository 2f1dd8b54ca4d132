"""A partial run leaves the reports of the whole one alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.running import profile, run
from tests.test_reports_writing import EVERY_REPORT
from tests.worlds import CHECKS
from upgate.monitor import history
from upgate.plugin.part import part_of_battery

NOTHING = {"keyword": "", "markexpr": "", "maxfail": 0, "lf": False, "deselect": None}
SOURCE = pytest.Config.ArgsSource


def part(*args, source=None, **options):
    """The part of the battery that such a call is."""
    return part_of_battery(
        SimpleNamespace(
            option=SimpleNamespace(**{**NOTHING, **options}),
            args=[str(each) for each in args],
            args_source=source or (SOURCE.ARGS if args else SOURCE.TESTPATHS),
            invocation_params=SimpleNamespace(dir=CHECKS.parent),
        )
    )


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ((), {}),
        (("checks",), {}),
        ((".",), {}),
        ((CHECKS, "/anywhere/mine"), {}),
        (("checks", "checks/test_nodes.py::test_every_node_is_ready"), {}),
        ((), {"markexpr": " ", "failedfirst": True}),
        ((), {"source": SOURCE.INVOCATION_DIR}),
    ],
)
def test_a_run_of_the_whole_battery(args, options):
    """All of the battery is collected and nothing left out; other folders may come on top."""
    assert part(*args, **options) == ""


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (("checks/test_nodes.py",), {}),
        (("checks/test_nodes.py::test_every_node_is_ready",), {}),
        (("/anywhere/mine",), {}),
        ((), {"keyword": "nodes"}),
        ((), {"markexpr": "nodes"}),
        ((), {"markexpr": "not monitor"}),
        ((), {"markexpr": "monitor", "keyword": "nodes"}),
        ((), {"markexpr": "monitor", "maxfail": 1}),
        (("checks/test_nodes.py",), {"markexpr": "monitor"}),
        ((), {"maxfail": 1}),
        ((), {"maxfail": 3}),
        ((), {"lf": True}),
        ((), {"stepwise": True}),
        ((), {"deselect": ["checks/test_nodes.py"]}),
        ((), {"ignore": ["checks/test_nodes.py"]}),
        ((), {"ignore_glob": ["*nodes*"]}),
    ],
)
def test_a_partial_run(args, options):
    """Whatever may leave a check out makes the run partial, from its start."""
    assert part(*args, **options) == "partial"


@pytest.mark.parametrize("marks", ["monitor", "preflight", " monitor "])
def test_a_subset_is_whole_in_itself(marks):
    """`-m monitor` and `-m preflight`, exactly so, have reports of their own."""
    assert part(markexpr=marks) == marks.strip()


@pytest.fixture(scope="module")
def after_another(tmp_path_factory):
    """A whole run, and then partial ones in the same folder."""
    folder = tmp_path_factory.mktemp("parts")
    path = profile(folder, embedded="healthy")
    whole = run(path, "-q", "--save-baseline").whole()
    before = {file.name: file.read_bytes() for file in whole.reports.iterdir()}
    done = {name: run(path, "-q", *more).whole() for name, more in CALLS.items()}
    return whole, before, done


CALLS = {"named": ("-k", "nodes"), "monitor": ("-m", "monitor"), "round": ("-m", "monitor", "--monitor")}


def test_the_evidence_of_the_whole_run_stays(after_another):
    """Byte for byte; what a partial run writes is in folders of its own, and it says where."""
    whole, before, done = after_another
    assert before.keys() == {*EVERY_REPORT, "snapshot.json.gz", "baseline.json"}
    assert {name: (whole.home / name).read_bytes() for name in before} == before
    assert done["named"].reports == whole.home / "partial"
    assert done["monitor"].reports == done["round"].reports == whole.home / "monitor"
    assert {each.partition(".")[0] for each in done["named"].outcomes} >= {"nodes"}


def test_partial_runs_compare_with_the_baseline_of_the_profile(after_another):
    """They find it where the whole run has left it."""
    whole, _, done = after_another
    notes = done["named"].results["notes"]
    assert any(str(whole.home / "baseline.json") in note for note in notes)


def test_the_history_stays_where_it_is(after_another):
    """Rounds with and without -m share history and status page, which leads to the reports of its round."""
    whole, _, _ = after_another
    with history.opened(whole.home / history.FILE) as past:
        assert len(past.rounds()) == 1
    assert 'href="monitor/report.html"' in (whole.home / "status.html").read_text()
    assert not (whole.home / "monitor" / history.FILE).exists()
