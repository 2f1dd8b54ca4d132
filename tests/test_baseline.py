"""What a baseline keeps of what was wrong before the upgrade."""

from __future__ import annotations

import json

import pytest

from tests.worlds import good, snapshot
from upgate import baseline as baselines
from upgate.judge.comparing import already_wrong, compare_with_baseline, number_known
from upgate.results import CheckResult, Finding


def found(object: str = "Pod/shop/web", **more) -> Finding:
    """A finding."""
    return Finding(object=object, observed="", expected="", **more)


def check(*findings: Finding, outcome: str = "failed", id: str = "pods.ready") -> CheckResult:
    """What a check found."""
    return CheckResult(id=id, title="", severity="critical", outcome=outcome, findings=findings)


def saved(*checks: CheckResult, tmp_path) -> baselines.Baseline:
    """The baseline of a world in which that was found, read again from its file."""
    path = tmp_path / "baseline.json"
    path.write_bytes(baselines.dump_baseline(baselines.take_baseline(snapshot(good()), None, checks)))
    return baselines.load_baseline(path)


@pytest.mark.parametrize(
    ("before", "now", "known"),
    [
        (check(found()), check(found()), True),
        (check(found()), check(found("Pod/shop/db")), False),
        (check(found(), id="pods.crashing"), check(found()), False),
        (check(found(severity="warning")), check(found()), False),
        (check(found()), check(found(severity="warning")), True),
        (check(found(severity="warning"), found()), check(found()), True),
        (check(found(waived="until then")), check(found()), True),
        (check(found(transitional=True)), check(found()), False),
        (check(), check(found()), False),
    ],
)
def test_a_finding_is_known(tmp_path, before, now, known):
    """The same check found the same object, no less severe; a rollout that was under way was not wrong."""
    (result,) = compare_with_baseline([now], saved(before, tmp_path=tmp_path))
    assert [each.known for each in result.findings] == [known]


def test_a_baseline_of_an_earlier_version_knows_nothing(tmp_path):
    """It is still used."""
    path = tmp_path / "baseline.json"
    old = json.loads(baselines.dump_baseline(baselines.take_baseline(snapshot(good()), None)))
    path.write_text(json.dumps({key: value for key, value in old.items() if key != "wrong"}))
    assert not baselines.load_baseline(path).knows("pods.ready", found())


def test_the_notes_say_what_a_baseline_keeps():
    """Only where there is something to say: what fails, what could not be judged, what a partial run has left out."""
    assert already_wrong([check(outcome="passed")], partial=False) == []
    failed, blind = already_wrong([check(found()), check(outcome="inconclusive", id="a.b")], partial=False)
    assert failed == "the cluster is not clear: the baseline keeps 1 finding as known, of pods.ready"
    assert blind.endswith("could not be judged: a.b")
    assert len(already_wrong([check(outcome="passed")], partial=True)) == 1


def test_the_notes_count_what_is_known():
    """Waived findings are not counted."""
    assert number_known([check(found())]) == []
    checks = [check(found(known=True), found("Pod/shop/db"), found("Pod/shop/x", known=True, waived="so"))]
    assert number_known(checks) == ["1 of 2 findings known since before the upgrade: see the baseline"]
