"""--settle, --clean, --every, and baselines, on a cluster that changes while it is watched."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from tests.apiserver import EmbeddedCluster
from tests.apiserver.api import FullApi
from tests.apiserver.world import world
from tests.running import profile_of, run, runs, started
from tests.worlds import NOW, ago, by_resource, condition, container_status, good, node, pod, replicated, terminated
from upgate.judge.settling import Settling
from upgate.results import CheckResult

UNDER_WAY = [
    condition("Available"),
    condition("Progressing", reason="ReplicaSetUpdated", lastUpdateTime=ago(minutes=1)),
]
#: Its only pod is there and ready, of the version before.
ROLLING = replicated("web", 1, status={"updatedReplicas": 0, "conditions": UNDER_WAY})


def served(later: timedelta = timedelta(), **changes) -> dict:
    """A good world with some lists replaced, as the embedded cluster takes it, so much later."""
    return by_resource(good(**changes)) | {"recorded": NOW + later}


def become(cluster: EmbeddedCluster, objects: dict) -> None:
    """The cluster changes."""
    cluster._server.api = FullApi(world(objects), [])


def rounds_of(running) -> int:
    """How many rounds are over."""
    path = running.reports / "rounds.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """A rollout that flaps once before it completes."""
    folder = tmp_path_factory.mktemp("settled")
    with EmbeddedCluster(served(deployments=[ROLLING])) as cluster:
        running = started(profile_of(cluster, folder), "--settle=40s", "--every=200ms", "--clean=3")
        for objects in (served(), served(deployments=[ROLLING]), served()):
            before = rounds_of(running)
            running.until(lambda before=before: rounds_of(running) >= before + 2)
            become(cluster, objects)
        return running.ended().whole()


def test_a_rollout_that_completes_turns_green(settled):
    """The last round is the verdict, and it takes three clean rounds in a row."""
    assert settled.code == 0
    assert settled.outcomes["deployments.ready"] == "passed"
    assert [each["verdict"] for each in settled.rounds][-3:] == ["clear"] * 3
    assert [each["clean"] for each in settled.rounds][-3:] == [1, 2, 3]
    assert settled.rounds[0]["verdict"] == "inconclusive"
    assert settled.rounds[0]["findings"] == {"deployments.ready": ["Deployment/shop/web"]}
    assert settled.results["rounds"] == len(settled.rounds)


def test_the_history_of_each_check_is_told(settled):
    """When it became clear for good, and whether it had been clear before."""
    rollout, nodes = settled.check("deployments.ready"), settled.check("nodes.ready")
    assert (rollout["flapped"], nodes["flapped"]) == (True, False)
    assert rollout["clear_after"] == pytest.approx(settled.rounds[-3]["elapsed"], abs=0.3)
    assert nodes["clear_after"] < 1


def test_the_terminal_says_what_is_waited_for(settled):
    """One line a round: how long, for what, and how many clean rounds there are."""
    assert "waiting for deployments.ready (Deployment/shop/web); 0 of 3 clean rounds" in settled.out
    assert "of 40 s: clear; 1 of 3 clean rounds" in settled.out
    assert settled.out.count("looked at ") == 1


@pytest.fixture(scope="module")
def unsettled(tmp_path_factory):
    """Runs whose time is over before all is well."""
    folder = tmp_path_factory.mktemp("unsettled")
    defaults = "gate: {settle: 20s, clean: 2, every: 100ms}\n"
    with EmbeddedCluster(served(deployments=[ROLLING])) as rolling, EmbeddedCluster(served()) as fine:
        return runs(
            never=lambda: run(profile_of(rolling, folder / "never"), "-q", "--settle=1s", "--every=30s"),
            too_few=lambda: run(profile_of(fine, folder / "few"), "-q", "--settle=1s", "--every=10ms", "--clean=90"),
            by_profile=lambda: run(profile_of(fine, folder / "profile", defaults), "-q"),
            overruled=lambda: run(profile_of(fine, folder / "overruled", defaults), "-q", "--clean=4", "--every=50ms"),
            with_workers=lambda: run(profile_of(fine, folder / "workers", defaults), "-q", "-n", "2"),
        )


def test_what_never_clears_fails_when_the_time_is_over(unsettled):
    """With a deadline before the next round there is a last look at the deadline."""
    never = unsettled["never"].whole()
    assert (never.code, len(never.rounds)) == (75, 2)
    assert never.check("deployments.ready")["reason"].startswith("not yet: Deployment/shop/web: ")
    assert never.check("deployments.ready")["clear_after"] is None
    assert "0 of 1 clean rounds in a row when the time was over" in never.results["notes"]


def test_too_few_clean_rounds_are_not_clear(unsettled):
    """Clear means N clean rounds in a row: with fewer the gate could not judge."""
    few = unsettled["too_few"].whole()
    assert (few.code, few.results["verdict"]) == (75, "inconclusive")
    assert {each["verdict"] for each in few.rounds} == {"clear"}


def test_the_profile_gives_the_defaults(unsettled):
    """`gate:` settles by itself, options overrule it, and -n is left out, aloud."""
    assert len(unsettled["by_profile"].whole().rounds) == 2
    assert len(unsettled["overruled"].whole().rounds) == 4
    assert len(unsettled["with_workers"].whole().rounds) == 2
    assert unsettled["with_workers"].code == 0
    assert "-n has no effect with --settle" in unsettled["with_workers"].out


def test_a_baseline_is_compared_with(tmp_path):
    """Restarts since --save-baseline count, each one; its time is the reference time; -n compares as well."""
    restarted = pod(status={"containerStatuses": [container_status(restarts=1, lastState=terminated(minutes=1))]})
    with EmbeddedCluster(served()) as cluster:
        path = profile_of(cluster, tmp_path)
        saved = run(path, "-q", "--save-baseline", "-k", "nodes").whole()
        become(cluster, served(pods=[restarted]))
        baseline = saved.home / "baseline.json"
        calls = {
            "lying_there": partial(run, path, "-q"),
            "named": partial(run, path, "-q", f"--baseline={baseline}", "-n", "1", reports=tmp_path / "named"),
            "without": partial(run, path, "-q", reports=tmp_path / "without"),
        }
        done = runs(**calls)
    assert (saved.code, baseline.exists()) == (0, True)
    for name in ("lying_there", "named"):
        assert done[name].whole().ids("failed") == {"pods.restarts"}
        assert done[name].results["reference"].startswith("2026-11-21T01:00:0")
    assert done["without"].whole().code == 0


def test_an_interrupted_streak_begins_anew():
    """A round that is not clear takes back all clean rounds before it."""
    settling = Settling(clean=2)
    fine = CheckResult(id="a.b", title="", severity="critical", outcome="passed")
    for verdict in ("clear", "inconclusive", "clear"):
        settling.add([fine], verdict, 1.0)
    assert (settling.streak, settling.settled) == (1, False)
    settling.add([fine], "clear", 2.0)
    assert settling.settled


def test_what_was_wrong_before_is_known(tmp_path):
    """A baseline of a cluster that is not clear says so; later runs tell what it knows from what is new."""
    lost = [node(), node("worker-2", ready="False")]
    with EmbeddedCluster(served(nodes=lost)) as cluster:
        path = profile_of(cluster, tmp_path)
        saved = run(path, "-q", "--save-baseline").whole()
        become(cluster, served(nodes=[*lost, node("worker-3", ready="False")]))
        after = run(path, "-q").whole()
    (note,) = [
        each for each in saved.results["notes"] if each.startswith("the cluster is not clear: the baseline keeps")
    ]
    assert "nodes.ready" in note
    assert not any(each["known"] for check in saved.results["checks"] for each in check["findings"])
    found = {each["object"]: each["known"] for each in after.check("nodes.ready")["findings"]}
    assert found == {"Node/worker-2": True, "Node/worker-3": False}
    assert after.code == 1
    known = sum(each["known"] for check in after.results["checks"] for each in check["findings"])
    assert after.results["baseline"]["known"] == known
    texts = (after.out, *((after.reports / name).read_text() for name in ("report.html", "junit.xml")))
    assert all("known since before the upgrade" in " ".join(text.split()) for text in texts)
