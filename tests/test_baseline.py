"""What a baseline keeps of what was wrong before the upgrade."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest

from tests.worlds import NOW, good, job, judge, objects, owner, pod, profile, replicated, snapshot, thing
from upgate import baseline as baselines
from upgate.base.errors import UsageError
from upgate.facts.lasting_names import LastingNames
from upgate.judge.comparing import already_wrong, comparison_of, marked, parts_unseen
from upgate.judge.outcome import ONLY_NEW
from upgate.results import CheckResult, Finding

#: The baseline of the good world.
BEFORE = baselines.take_baseline(snapshot(good()), None)


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
    result = marked(now.id, now.findings, saved(before, tmp_path=tmp_path), LastingNames({}))
    assert [each.known for each in result] == [known]


def test_a_baseline_of_an_earlier_version_knows_nothing(tmp_path):
    """It is still used."""
    path = tmp_path / "baseline.json"
    old = json.loads(gzip.decompress(baselines.dump_baseline(BEFORE)))
    path.write_text(json.dumps({key: value for key, value in old.items() if key != "wrong"}))
    assert not baselines.load_baseline(path).knows("pods.ready", found())


def test_the_notes_say_what_a_baseline_keeps():
    """Only where there is something to say: what fails, what could not be judged, what a partial run has left out."""
    assert already_wrong([check(outcome="passed")], partial=False) == []
    failed, blind = already_wrong([check(found()), check(outcome="inconclusive", id="a.b")], partial=False)
    assert failed == "the cluster is not clear: the baseline keeps 1 finding as known, of pods.ready"
    assert blind.endswith("could not be judged: a.b")
    assert len(already_wrong([check(outcome="passed")], partial=True)) == 1


def test_new_and_known_findings_are_counted():
    """Waived findings are not, unless they are waived because they are known."""
    assert comparison_of(None, [check(found())]) is None
    findings = (found(known=True), found("Pod/shop/db"), found("Pod/shop/x", known=True, waived="so"))
    compared = comparison_of(BEFORE, [check(*findings), check(found(known=True, waived=ONLY_NEW))])
    assert compared
    assert (compared.new, compared.known) == (1, 2)


def crashing(*names: str, maker: str = "web") -> list:
    """Pods of one Deployment's ReplicaSet that are not ready."""
    of = owner("ReplicaSet", thing(f"{maker}-rs", "shop"))
    return [pod(name, ready="False", metadata=of) for name in names]


def world(*pods: dict) -> dict:
    """The good world with these pods of the Deployment web."""
    web = replicated("web")
    return good(
        pods=list(pods), deployments=[web], replicasets=[replicated("web-rs", metadata=owner("Deployment", web))]
    )


def before(*pods: dict) -> baselines.Baseline:
    """The baseline of that world, with what pods.ready found."""
    seen = snapshot(world(*pods), taken=NOW - timedelta(hours=1))
    return baselines.take_baseline(seen, None, [judge("pods.ready", seen)])


@pytest.mark.parametrize(
    ("then", "now", "known"),
    [
        (["web-a"], ["web-b"], [True]),
        (["web-a", "web-b"], ["web-c", "web-d"], [True, True]),
        (["web-a"], ["web-b", "web-c"], [True, False]),
        (["web-a"], ["web-a", "web-b"], [True, False]),
        ([], ["web-a"], [False]),
    ],
)
def test_a_pod_with_a_new_name_is_known_by_its_deployment(then, now, known):
    """A drain gives every pod a new name: as many are known as were wrong before, and no more."""
    result = judge("pods.ready", world(*crashing(*now)), baseline=before(*crashing(*then)))
    assert [each.known for each in result.findings] == known


def test_a_pod_of_another_deployment_is_new():
    """Only what was made by the same object is known."""
    db = replicated("db")
    seen = world(*crashing("db-1", maker="db"))
    seen["replicasets"].append(replicated("db-rs", metadata=owner("Deployment", db)))
    assert not judge("pods.ready", seen, baseline=before(*crashing("web-a"))).findings[0].known


def test_the_jobs_of_a_cronjob_are_one():
    """The Job of the next night has another name."""
    nightly = owner("CronJob", thing("nightly", "shop"))
    names = LastingNames({"jobs": snapshot({"jobs": [job("a", metadata=nightly)]}).facts("jobs")})
    assert names.maker("Job/shop/a") == "CronJob/shop/nightly"


def test_what_is_known_passes_where_only_new_findings_count():
    """It stays visible, as waived; one more is a failure."""
    only_new = profile(gate={"only-new": True})
    known = judge("pods.ready", world(*crashing("web-b")), profile=only_new, baseline=before(*crashing("web-a")))
    assert (known.outcome, known.findings[0].waived) == ("waived", ONLY_NEW)
    more = judge(
        "pods.ready", world(*crashing("web-b", "web-c")), profile=only_new, baseline=before(*crashing("web-a"))
    )
    assert (more.outcome, objects(more)) == ("failed", ["Pod/shop/web-b", "Pod/shop/web-c"])


def cluster(uid: str):
    """What is seen of the cluster with that UID."""
    return snapshot(good(namespaces=[thing("kube-system", metadata={"uid": uid})]), server="https://here")


def test_the_baseline_of_another_cluster_is_refused():
    """The UID of kube-system tells; where one of the two is not known nothing is refused, and a note says so."""
    mine = baselines.take_baseline(cluster("a"), None)
    baselines.refuse_foreign(mine, cluster("a"))
    with pytest.raises(UsageError, match="belongs to another cluster"):
        baselines.refuse_foreign(mine, cluster("b"))
    unknown = snapshot({})
    baselines.refuse_foreign(mine, unknown)
    assert "not known whether" in baselines.limits_of(mine, unknown)[0]
    assert baselines.limits_of(mine, cluster("a")) == []


def test_an_old_baseline_is_noted():
    """After a month much may have changed without the upgrade."""
    old = baselines.take_baseline(
        snapshot(good(namespaces=[thing("kube-system")]), taken=NOW - timedelta(days=31)), None
    )
    (note,) = baselines.limits_of(old, snapshot(good(namespaces=[thing("kube-system")])))
    assert note.startswith("the baseline is 31 days old")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x1f\x8b broken", "corrupt, or not a baseline file"),
        (b"not json", "corrupt, or not a baseline file"),
        (gzip.compress(b'{"schema": 99}', mtime=0), "a later version of upgate wrote it"),
        (b'{"schema": 99}', "a later version of upgate wrote it"),
        (gzip.compress(b'{"schema": 2}', mtime=0)[:-6], "corrupt, or not a baseline file"),
        (b"{}", "corrupt, or not a baseline file"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path, data, words):
    """One sentence says why, and what to do."""
    path = tmp_path / "baseline.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=words):
        baselines.load_baseline(path)


def test_a_baseline_is_compressed_and_one_that_is_not_is_read(tmp_path):
    """Earlier versions wrote plain JSON."""
    path = tmp_path / "baseline.json"
    data = baselines.dump_baseline(BEFORE)
    assert data.startswith(b"\x1f\x8b")
    path.write_bytes(gzip.decompress(data).replace(b'"schema":2', b'"schema":1'))
    assert baselines.load_baseline(path).pods == BEFORE.pods


def test_no_secret_of_the_profile_is_in_a_baseline(tmp_path):
    """What a `${VAR}` stands for is hidden, wherever the cluster repeats it."""
    marked = thing("shop", metadata={"labels": {"note": "hunter2hunter2"}})
    saved = baselines.take_baseline(snapshot(good(namespaces=[marked])), None)
    assert b"hunter2" in gzip.decompress(baselines.dump_baseline(saved))
    path = tmp_path / "baseline.json"
    path.write_bytes(baselines.dump_baseline(saved, ("hunter2hunter2",)))
    assert b"hunter2" not in gzip.decompress(path.read_bytes())
    assert baselines.load_baseline(path).inventory


def test_the_notes_say_what_cannot_be_compared():
    """A list that was not permitted when the baseline was saved is told then, once for each reason."""
    assert parts_unseen(BEFORE) == []
    blind = baselines.take_baseline(snapshot(good(), gaps={"services": "cannot list services"}), None)
    (note,) = parts_unseen(blind)
    assert note.startswith("the baseline has nothing to compare with of Workloads, Services and Ingresses, Endpoints, ")
    assert note.endswith(": cannot list services")
