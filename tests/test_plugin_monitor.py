"""--monitor, proven with the real command."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver import EmbeddedCluster, Fault
from tests.running import profile, profile_of, run, runs, started
from tests.test_settling import ROLLING, become, served
from tests.webhooks import webhook
from tests.worlds import lease, node
from upgate.base.files import locked
from upgate.monitor import history
from upgate.monitor.round import LOCK

BROKEN = {"nodes": [node(ready="False"), node("worker-2")], "leases": [lease(), lease("worker-2")]}
GATE = "gate: {settle: 10m, clean: 3, every: 1s}\n"


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """One run of each kind, all at once."""
    folder = tmp_path_factory.mktemp("kinds")

    def of(name: str, *arguments: str, text: str = "", state: str = "healthy"):
        return lambda: run(profile(folder / name, text, embedded=state), "-q", "--monitor", *arguments)

    torn = folder / "torn" / "reports" / history.FILE
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"not a database" * 1000)
    with EmbeddedCluster(served(deployments=[ROLLING])) as rolling:
        return runs(
            red=of("red", state="broken"),
            workers=of("workers", "-n", "2"),
            settle=of("settle", "--settle=1m"),
            gate=of("gate", text=GATE),
            collected=of("collected", "--collect-only"),
            unknown=of("unknown", text='monitor: {notify: ["slak://a/b"]}\n'),
            nothing=of("nothing", "-k", "no_such_check"),
            torn=of("torn"),
            rolling=lambda: run(profile_of(rolling, folder / "rolling"), "-q", "--monitor"),
            rolling_gate=lambda: run(profile_of(rolling, folder / "rolling-gate"), "-q"),
        )


def rounds_in(reports: Path) -> list[str]:
    """The verdicts of the rounds that a history knows."""
    if not (reports / history.FILE).exists():
        return []
    with history.opened(reports / history.FILE) as past:
        return [each.verdict for each in past.rounds()]


@pytest.mark.parametrize(("kind", "code", "verdict"), [("red", 1, "not clear"), ("workers", 0, "clear")])
def test_a_round_has_the_same_verdict_and_leaves_a_history(kinds, kind, code, verdict):
    """The exit code is the cluster's, also with workers; the history knows every check."""
    round = kinds[kind].whole()
    assert round.code == code
    assert rounds_in(round.reports) == [verdict]
    with history.opened(round.reports / history.FILE) as past:
        assert {each.name: each.outcome for each in past.checks()} == round.outcomes


def test_a_round_is_one_look(kinds):
    """The profile's gate: is not for monitoring, and --settle is refused."""
    assert kinds["gate"].whole().results["rounds"] == 1
    assert not (kinds["gate"].reports / "rounds.jsonl").exists()
    assert kinds["settle"].code == 4
    assert "--monitor and --settle exclude each other: --monitor is one round" in kinds["settle"].out


def test_what_is_no_round_writes_nothing(kinds):
    """--collect-only, a URL that cannot be delivered to, and a selection without checks leave no history."""
    assert (kinds["collected"].code, kinds["unknown"].code, kinds["nothing"].code) == (0, 4, 5)
    assert "monitor.notify[0]: apprise does not know" in kinds["unknown"].out
    assert not any(rounds_in(kinds[kind].reports) for kind in ("collected", "unknown", "nothing"))
    assert not kinds["collected"].reports.exists()


def test_a_torn_history_is_said_in_the_reports(kinds):
    """The verdict and the exit code are as without it."""
    torn = kinds["torn"].whole()
    assert torn.code == 0
    assert "a new history begins with this round" in torn.results["notes"][0]
    assert "a new history begins" in " ".join(torn.out.split())
    assert "a new history begins" in (torn.reports / "report.html").read_text()
    assert rounds_in(torn.reports) == ["clear"]


def test_a_deploy_wakes_no_one(kinds):
    """A rollout under way is "not yet" for the gate, and only a warning in a monitoring round."""
    assert (kinds["rolling_gate"].code, kinds["rolling"].code) == (75, 0)
    check = kinds["rolling"].whole().check("deployments.ready")
    assert check["outcome"] == "warned"
    assert check["findings"][0]["transitional"]


def test_a_second_round_at_the_same_time_leaves_everything_to_the_first(tmp_path):
    """It looks at nothing, touches no report, says why, and has exit code 75."""
    path = profile(tmp_path, embedded="healthy")
    first = run(path, "-q", "--monitor").whole()
    before = {file.name: file.read_bytes() for file in first.reports.iterdir()}
    with locked(first.reports / LOCK):
        second = run(path, "-q", "--monitor")
    assert second.code == 75
    assert "another round with --monitor is at work" in second.out
    assert {file.name: file.read_bytes() for file in first.reports.iterdir()} == before
    assert run(path, "-q", "--monitor").whole().code == 0
    assert rounds_in(first.reports) == ["clear", "clear"]


def test_a_killed_round_holds_nobody_up(tmp_path):
    """One that hangs and is killed leaves no lock and no half of a round."""
    with EmbeddedCluster("healthy", faults=[Fault("hang", "pods", times=1)]) as cluster:
        path = profile_of(cluster, tmp_path)
        running = started(path, "-q", "--monitor")
        running.until(lambda: (running.reports / LOCK).exists())
        running.process.kill()
        running.ended()
        assert run(path, "-q", "--monitor").whole().code == 0
    assert rounds_in(running.reports) == ["clear"]


def test_a_round_that_is_interrupted_is_none(tmp_path):
    """After Ctrl-C nobody can say what the round would have found: the history does not know of it."""
    with EmbeddedCluster("healthy", faults=[Fault("hang", "pods")]) as cluster:
        running = started(profile_of(cluster, tmp_path), "--monitor")
        running.until(lambda: (running.reports / LOCK).exists())
        assert running.interrupted().code == 2
    assert rounds_in(running.reports) == []


@pytest.fixture
def alerted(tmp_path) -> Iterator[tuple]:
    """A cluster that changes, a webhook, and the profile of both."""
    with webhook() as server, EmbeddedCluster(served(**BROKEN)) as cluster:
        text = f"monitor: {{fail-after: 2 of 2, notify: ['{server.url('/')}']}}\n"
        yield cluster, server, profile_of(cluster, tmp_path, text)


def test_rounds_that_are_killed_anywhere_lose_no_alert_and_send_none_twice(alerted):
    """Whole processes are killed at random points; in the end people know of the fault and of its end, once each."""
    cluster, server, path = alerted
    dice = random.Random(5)
    for objects in (None, served()):
        if objects:
            become(cluster, objects)
        for _ in range(2):
            running = started(path, "-q", "--monitor")
            time.sleep(dice.uniform(0.2, 1.2))
            running.process.kill()
            running.ended()
        for _ in range(2):
            run(path, "-q", "--monitor")
    messages = {each["id"]: each for each in server.at("/")}.values()
    told = [(key, line["check"]) for each in messages for key in ("new", "recovered") for line in each[key]]
    assert told == [("new", "nodes.ready"), ("recovered", "nodes.ready")]
