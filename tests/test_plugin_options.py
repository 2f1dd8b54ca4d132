"""The command line: exit codes, selections, and what cannot be used, proven with the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.apiserver import EmbeddedCluster
from tests.running import REPOSITORY, profile, profile_of, run, runs

#: Nothing that is refused may take long: nothing is run.
SOON = 30


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One run of the healthy demo; its reports lie there while others fail."""
    return run(profile(tmp_path_factory.mktemp("demo"), embedded="healthy"), "-q")


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """One run of each kind, all at once."""
    folder = tmp_path_factory.mktemp("kinds")
    broken = partial(profile, embedded="broken")
    healthy = partial(profile, embedded="healthy")
    empty = "expect: {may-be-empty: []}\n"
    with EmbeddedCluster("healthy", forbid=["pods"]) as refusing, EmbeddedCluster("broken") as red:
        blind = profile_of(refusing, folder / "blind")
        return runs(
            workers=lambda: run(healthy(folder / "workers"), "-q", "-n", "2"),
            red=lambda: run(broken(folder / "red"), "-q"),
            red_workers=lambda: run(profile_of(red, folder / "red-workers"), "-q", "-n", "2"),
            red_first=lambda: run(broken(folder / "red-first"), "-q", "-x"),
            red_first_workers=lambda: run(profile_of(red, folder / "red-first-workers"), "-q", "-n", "2", "-x"),
            blind=lambda: run(blind, "-q"),
            blind_elsewhere=lambda: run(blind, "-q", "-k", "pressure", reports=folder / "blind-elsewhere"),
            marked=lambda: run(healthy(folder / "marked"), "-q", "-m", "nodes"),
            unmarked=lambda: run(healthy(folder / "unmarked", empty), "-q", "-m", "not hosts"),
            named=lambda: run(healthy(folder / "named"), "-q", "-k", "pressure"),
            nothing=lambda: run(healthy(folder / "nothing"), "-q", "-k", "no_such_check"),
            unasked=lambda: run(healthy(folder / "unasked"), "-q", "-k", "sidecar"),
            warned=lambda: run(broken(folder / "warned"), "-q", "-m", "pods", "-k", "memory"),
            strict=lambda: run(broken(folder / "strict"), "-q", "-m", "pods", "-k", "memory", "--fail-on-warnings"),
        )


def test_a_healthy_cluster_is_clear(demo):
    """Exit code 0, every check judged, every report whole."""
    assert demo.whole().code == 0
    assert demo.results["verdict"] == "clear"
    assert set(demo.outcomes.values()) == {"passed", "skipped"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("workers", 0), ("red", 1), ("red_workers", 1), ("red_first", 1), ("red_first_workers", 1)),
        *(("blind", 75), ("blind_elsewhere", 0), ("marked", 0), ("unmarked", 0), ("named", 0)),
        *(("nothing", 5), ("unasked", 75), ("warned", 0), ("strict", 1)),
    ],
)
def test_the_exit_code_is_the_verdict(kinds, name, code):
    """0, 1, 75 and 5 as the contract says, whatever is selected and however many processes judge."""
    assert kinds[name].whole().code == code, kinds[name].out


def test_workers_judge_as_one_process_does(demo, kinds):
    """With -n the same checks have the same outcomes."""
    assert kinds["workers"].outcomes == demo.outcomes
    assert kinds["red_workers"].outcomes == kinds["red"].outcomes


def test_a_list_that_is_refused_costs_the_checks_that_need_it(kinds):
    """Without `list` on pods exactly what needs pods is inconclusive, and says which permission is missing."""
    (reason,) = kinds["blind"].reasons
    assert "needs `list` on `pods` cluster-wide" in reason
    assert kinds["blind"].ids("passed") >= {"api.ready", "nodes.ready", "nodes.pressure"}
    assert kinds["blind"].ids("inconclusive") >= {"pods.ready", "services.endpoints", "statefulsets.ready"}


def test_a_selection_judges_only_what_it_selects(kinds):
    """-m goes by subject, -k by name; -m with a subject of which there are no checks is no error."""
    assert {id.partition(".")[0] for id in kinds["marked"].outcomes} == {"nodes"}
    assert set(kinds["named"].outcomes) == {"nodes.pressure"}
    assert len(kinds["unmarked"].outcomes) > 20


def test_stopping_at_the_first_failure_loses_no_check(kinds):
    """After -x what was not judged is there, and inconclusive."""
    for name in ("red_first", "red_first_workers"):
        assert kinds[name].outcomes.keys() == kinds["red"].outcomes.keys()
        assert kinds[name].ids("failed")
        assert "the run ended before it was judged" in kinds[name].reasons


def test_a_run_that_judged_nothing_is_not_clear(kinds):
    """Neither where nothing is selected, nor where the profile asks for nothing of it."""
    assert {kinds[name].results["verdict"] for name in ("nothing", "unasked")} == {"inconclusive"}


@pytest.fixture(scope="module")
def refusals(demo, tmp_path_factory):
    """Calls that cannot be run, each with the reports of the demo in its way."""
    folder, home = tmp_path_factory.mktemp("refusals"), demo.reports.parent
    torn = folder / "torn.json.gz"
    torn.write_bytes((demo.reports / "snapshot.json.gz").read_bytes()[:2000])
    (folder / "foreign.json").write_text('{"x": 1}')
    (folder / "kubeconfig").write_text(
        json.dumps({"contexts": [{"name": "tokyo", "context": {}}], "clusters": [], "users": []})
    )
    (folder / "broken.yaml").write_text("a: [")
    here = partial(profile, home)
    live = {"kubeconfig": folder / "kubeconfig"}
    calls = {
        "no-profile": (None, []),
        "no-such-profile": ("no-such-profile", []),
        "context": (here(name="context", **live, context="osaka"), []),
        "context-workers": (here(name="context-workers", **live, context="osaka"), ["-n", "1"]),
        "missing": (here(name="missing", kubeconfig=folder / "nowhere"), []),
        "broken": (here(name="broken", kubeconfig=folder / "broken.yaml"), []),
        "torn": (here(name="torn", snapshot=torn), []),
        "foreign": (home / "here.yaml", [f"--baseline={folder / 'foreign.json'}"]),
        "no-baseline": (home / "here.yaml", [f"--baseline={folder / 'none.json'}"]),
        "clean-alone": (home / "here.yaml", ["--clean=3"]),
        "no-rounds": (home / "here.yaml", ["--settle=1m", "--clean=0"]),
        "too-many": (home / "here.yaml", ["--settle=1m", "--clean=5", "--every=30s"]),
        "no-duration": (home / "here.yaml", ["--settle=soon"]),
        "no-time": (home / "here.yaml", ["--since=yesterday"]),
        "future": (home / "here.yaml", ["--since=2100-01-01T00:00:00Z"]),
        "unknown-option": (home / "here.yaml", ["--setle=1m"]),
    }
    return runs(**{name: partial(run, path, "-q", *more, reports=demo.reports) for name, (path, more) in calls.items()})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no-profile", "There are: default, demo, demo-broken, prod, staging"),
        ("no-such-profile", "there is no profile no-such-profile"),
        ("context", "Its contexts: tokyo."),
        ("context-workers", "Its contexts: tokyo."),
        ("missing", "there is no such file"),
        ("broken", "cannot use kubeconfig"),
        ("torn", "corrupt, or not a snapshot"),
        ("foreign", "corrupt, or not a baseline file"),
        ("no-baseline", "`--save-baseline` writes one"),
        ("clean-alone", "say for how long, with --settle=10m"),
        ("no-rounds", "--clean must be at least 1"),
        ("too-many", "5 clean rounds, 30s apart, do not fit into 1m"),
        ("no-duration", "--settle=soon: not a duration"),
        ("no-time", "--since=yesterday: "),
        ("future", "is in the future"),
        ("unknown-option", "--setle=1m"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(refusals, name, words):
    """Exit code 4, one message, no traceback, at once."""
    refusal = refusals[name]
    assert refusal.code == 4, refusal.out
    assert words in refusal.out
    assert refusal.out.count("ERROR:") <= 1
    assert "Traceback" not in refusal.out
    assert refusal.seconds < SOON


def test_a_call_that_cannot_be_run_leaves_the_reports_of_the_run_before(refusals, demo):
    """All of them lie there whole, as if nothing had been called."""
    assert refusals
    assert demo.whole().results["verdict"] == "clear"
    assert (demo.reports / "snapshot.json.gz").exists()


def test_a_directory_that_cannot_be_written_is_found_first(tmp_path):
    """Before anything is judged: exit code 4."""
    (tmp_path / "file").touch()
    refusal = run(profile(tmp_path, embedded="healthy"), "-q", reports=tmp_path / "file" / "reports")
    assert refusal.code == 4
    assert "Choose a directory that can be written with --reports." in refusal.out


def test_reports_that_cannot_be_written_at_the_end_are_not_clear(tmp_path):
    """The verdict is told on the terminal, with what went wrong, and the exit code is not 0."""
    mine = tmp_path / "mine"
    mine.mkdir()
    reports = tmp_path / "reports"
    body = f"def test_spoil():\n    import shutil\n    shutil.rmtree({str(reports)!r})\n    open({str(reports)!r}, 'w').close()\n"
    (mine / "test_spoil.py").write_text(body)
    spoilt = run(profile(tmp_path, embedded="healthy"), "-q", "checks", mine)
    assert spoilt.code == 75
    assert "CLEAR" in spoilt.out
    assert "the reports are not whole" in spoilt.out
    assert "Traceback" not in spoilt.out


PEEK = """
import sys, pytest
code = pytest.main(sys.argv[1:])
print("exit", int(code), "imported", *sorted({"kubernetes", "httpx", "pydantic", "cryptography"} & sys.modules.keys()))
"""


def peeked(folder: Path, *arguments: str) -> str:
    """What pytest says in a process that tells which heavy packages it has imported."""
    command = [sys.executable, "-c", PEEK, "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_help_imports_nothing_heavy(tmp_path):
    """`pytest --help` describes our options, and costs neither kubernetes nor httpx nor pydantic."""
    said = peeked(tmp_path, "--help")
    assert "--profile=NAME|PATH" in said
    assert said.rstrip().endswith("exit 0 imported")


def test_collecting_touches_no_cluster(tmp_path):
    """`--collect-only` lists the checks of a cluster that does not exist, and removes no report."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "junit.xml").write_text("of yesterday")
    nowhere = profile(tmp_path, kubeconfig=tmp_path / "nowhere")
    said = peeked(tmp_path, f"--profile={nowhere}", f"--reports={tmp_path / 'reports'}", "--collect-only", "-q")
    assert "checks/test_nodes.py::nodes.ready" in said
    assert "exit 0 imported pydantic" in said
    assert (tmp_path / "reports" / "junit.xml").read_text() == "of yesterday"


def test_another_plugin_with_the_same_option_does_not_end_the_run(tmp_path):
    """pytest-profiling has a --profile too: it is kept out, and the run goes on."""
    info = tmp_path / "fake_profiling-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-profiling\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nprofiling = fake_profiling\n")
    (tmp_path / "fake_profiling.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--profile', action='store_true', help='of profiling')\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert run(profile(tmp_path, embedded="healthy"), "-q", "-k", "nodes", PYTHONPATH=path).whole().code == 0
