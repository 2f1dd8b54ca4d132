"""Whatever one object holds, it hides no other."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.worlds import ago, attempt, battery, container_status, good, job, judge, pod, replicated
from upgate.base.errors import Inconclusive
from upgate.battery.judgement import LONGEST, Judgement, Subjects

MOST = 2**31 - 1
SHORT = {"readyReplicas": 0, "availableReplicas": 0}


def thing(name, **fields):
    """Anything that can be judged."""
    return SimpleNamespace(ref=f"Thing/{name}", words={}, **fields)


def judged(*things):
    """A judgement, and these things as its subjects."""
    judgement = Judgement(battery()["pods.ready"])
    return judgement, Subjects("things", things, judgement)


@pytest.mark.parametrize("part", ["rule", "observed", "expected", "severity", "transitional"])
def test_an_object_that_breaks_a_rule_is_a_gap_of_its_own(part):
    """Whichever part of a rule breaks on one object, the others are judged, and it is named."""
    judgement, things = judged(thing("odd"), thing("wrong", right=False), thing("odd-2"))
    wording = {"rule": lambda each: False, "observed": "wrong", part: lambda each: each.right}
    things.all(wording.pop("rule"), **wording)
    assert [each.object for each in judgement.findings] == ["Thing/wrong"]
    assert len(judgement.gaps) == 1
    assert judgement.gaps[0].startswith("Thing/odd could not be judged: AttributeError: ")
    assert judgement.gaps[0].endswith(", nor could 1 more of the things")


def test_an_object_that_breaks_a_choice_is_a_gap_of_its_own():
    """What cannot be chosen or left out is named; the others are judged, by `none` as well."""
    judgement, things = judged(thing("odd"), thing("wrong", right=False))
    things.where(lambda each: not each.right).none(lambda each: "wrong")
    assert [each.object for each in judgement.findings] == ["Thing/wrong"]
    assert judgement.gaps[0].startswith("Thing/odd could not be judged: ")


@pytest.mark.parametrize("answer", [Inconclusive, AssertionError])
def test_what_a_rule_says_of_all_is_no_odd_object(answer):
    """A rule may say that nothing can be judged, or that something is wrong; that is not left out."""

    def rule(each):
        raise answer("said")

    with pytest.raises(answer):
        judged(thing("one"))[1].all(rule, observed="wrong")


def test_no_text_of_a_finding_is_endless():
    """What was observed and expected is bounded, and says how long it was."""
    judgement, things = judged(thing("wrong"))
    things.all(lambda each: False, observed="x" * 100_000, expected="y" * 100_000)
    finding = judgement.findings[0]
    assert finding.observed == "x" * LONGEST + "… (100000 characters)"
    assert len(finding.expected) < LONGEST + 100


@pytest.mark.parametrize("kind", ["startupProbe", "readinessProbe"])
def test_a_probe_of_centuries_hides_no_other_pod(kind):
    """Thresholds and periods as large as the API takes them are bounded: the other pods are judged."""
    probe = {"failureThreshold": MOST, "periodSeconds": MOST, "successThreshold": MOST, "initialDelaySeconds": MOST}
    odd = pod(
        "odd",
        "aaa",
        ready="False",
        spec={"containers": [{"name": "app", kind: probe}]},
        status={"containerStatuses": [container_status(ready=False)]},
    )
    result = judge("pods.ready", good(pods=[odd, pod(ready="False")]))
    assert "Pod/shop/web-1" in [each.object for each in result.findings]
    assert (result.outcome, result.reason) == ("failed", "")


@pytest.mark.parametrize("digits", [400, 5000])
@pytest.mark.parametrize("bound", ["maxSurge", "maxUnavailable"])
def test_a_percentage_of_many_digits_hides_no_other_deployment(bound, digits):
    """The API server takes any number of digits."""
    strategy = {"rollingUpdate": {bound: "9" * digits + "%"}}
    conditions = [{"type": "Progressing", "status": "True"}]
    odd = replicated("odd", spec={"strategy": strategy}, status={**SHORT, "conditions": conditions})
    result = judge("deployments.ready", good(deployments=[odd, replicated("web", status=SHORT)]))
    assert "Deployment/shop/web" in [each.object for each in result.findings if not each.transitional]
    assert not result.reason


@pytest.mark.parametrize("made", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("count", [0, MOST])
def test_odd_times_of_a_container_hide_no_other_job(made, start, count):
    """Years that no clock shows, and counts as large as the API takes them, leave the other Jobs judged."""
    tried = job("tried", done="")
    end = {"exitCode": 1, "startedAt": start, "finishedAt": "9999-12-31T23:59:59Z"}
    status = container_status(
        ready=False, restarts=count, state={"running": {"startedAt": start}}, lastState={"terminated": end}
    )
    odd = attempt(tried, metadata={"creationTimestamp": made}, status={"containerStatuses": [status]})
    failed = job("failed", done="Failed", metadata={"creationTimestamp": ago(hours=1)})
    result = judge("jobs.failed", good(jobs=[tried, failed], pods=[odd]))
    assert "Job/shop/failed" in [each.object for each in result.findings]
    assert not result.reason
