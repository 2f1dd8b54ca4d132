"""CronJobs that miss their time, and those that do not."""

from __future__ import annotations

import pytest

from tests.worlds import ago, baseline, cronjob, good, job, judge, objects, profile
from tests.worlds import owner as owned_by

#: NOW is 2026-11-21T01:00:00Z.
ID = "cronjobs.on-time"


def late(**changes):
    """A CronJob that is due each hour at minute 30 and has not run for hours."""
    base = {"spec": {"schedule": "30 * * * *"}, "status": {"lastScheduleTime": ago(hours=3, minutes=30)}}
    return cronjob(**{key: {**base.get(key, {}), **changes.get(key, {})} for key in {*base, *changes}})


def found(*cronjobs, before=None, **lists):
    """What is said of these CronJobs."""
    return judge(ID, good(cronjobs=list(cronjobs), **lists), baseline=before)


def its_job(of, **changes):
    """A Job of that CronJob."""
    return job("backup-1", **{**changes, "metadata": {**owned_by("CronJob", of), **changes.get("metadata", {})}})


def test_a_missed_time_is_found():
    """It says which, and when the latest Job was due."""
    (finding,) = found(late()).findings
    assert (
        finding.observed
        == "no Job was created for 2026-11-21T00:30:00Z; its latest Job was scheduled for 2026-11-20T21:30:00Z"
    )


def test_one_that_never_ran_is_found():
    """No time of a Job is no excuse for one that is old enough."""
    assert "it never created a Job" in found(late(status={"lastScheduleTime": None})).findings[0].observed


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": {"suspend": True}},
        {"metadata": {"deletionTimestamp": ago(minutes=1)}},
        {"metadata": {"creationTimestamp": ago(minutes=20)}},
        {"metadata": {"managedFields": [{"manager": "helm", "time": ago(minutes=20)}]}},
        {"spec": {"schedule": "58 * * * *"}, "status": {"lastScheduleTime": ago(minutes=62)}},
        {"spec": {"schedule": "0 0 1 1 *"}},
        {"spec": {"schedule": "@every 4h"}},
        {"spec": {"schedule": "0 11 * * *", "timeZone": "Asia/Tokyo"}, "status": {"lastScheduleTime": ago(hours=23)}},
        {"spec": {"schedule": "TZ=Asia/Tokyo 0 11 * * *"}, "status": {"lastScheduleTime": ago(hours=23)}},
    ],
)
def test_what_is_no_miss(changes):
    """Suspended, going, young, changed since, moments late, seldom, or due at another time of the day in its zone."""
    result = found(late(**changes))
    assert (result.outcome, result.findings) == ("passed", ())


def test_its_status_is_no_change():
    """The controller writes the status of each; that it did is not that somebody changed it."""
    fields = [{"manager": "kube-controller-manager", "subresource": "status", "time": ago(minutes=5)}]
    assert found(late(metadata={"managedFields": fields})).outcome == "failed"


@pytest.mark.parametrize("policy", ["Allow", "Replace"])
def test_only_forbid_waits_for_the_job_before(policy):
    """With the other policies the next Job is made while one is at work."""
    each = late(spec={"concurrencyPolicy": policy})
    assert found(each, jobs=[its_job(each, done="")]).outcome == "failed"


def test_forbid_with_a_job_at_work():
    """Its times are left out on purpose as long as a Job is at work."""
    each = late(spec={"concurrencyPolicy": "Forbid"})
    assert found(each, jobs=[its_job(each, done="")]).outcome == "passed"
    assert found(each, jobs=[job("other", done="")]).outcome == "failed"


def test_forbid_after_a_job_that_took_long():
    """The time that it missed is made up for when it ends, but not after startingDeadlineSeconds."""
    over = {"conditions": [{"type": "Complete", "status": "True"}], "completionTime": ago(minutes=10), "active": 0}
    each = late(spec={"concurrencyPolicy": "Forbid"})
    assert found(each, jobs=[its_job(each, status=over)]).outcome == "failed"
    short = late(spec={"concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 60})
    assert found(short, jobs=[its_job(short, status=over)]).outcome == "passed"
    gone = late(
        spec={"concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 60},
        status={"lastScheduleTime": ago(hours=3, minutes=30), "lastSuccessfulTime": ago(minutes=10)},
    )
    assert found(gone).outcome == "passed"


def test_a_short_deadline_is_no_excuse():
    """A time that cannot be made up for is missed."""
    assert found(late(spec={"startingDeadlineSeconds": 30})).outcome == "failed"


@pytest.mark.parametrize("spec", [{"timeZone": "Mars/Olympus"}, {"schedule": "* * * *"}])
def test_what_cannot_be_read_costs_one(spec):
    """A time zone that this machine lacks, or a schedule that it cannot read: that one is not judged, the others are."""
    odd = late(spec=spec)
    odd["metadata"]["name"] = "odd"
    assert found(odd, cronjob()).outcome == "inconclusive"
    assert "CronJob/shop/odd" in found(odd, cronjob()).reason
    assert objects(found(odd, late())) == ["CronJob/shop/backup"]
    assert found(late(spec={**spec, "suspend": True})).outcome == "passed"


def test_suspended_since_the_baseline():
    """Whoever suspended it for the upgrade forgot it; one that was suspended before stays so."""
    suspended = cronjob(spec={"suspend": True})
    assert "suspended" in found(suspended, before=baseline(good())).findings[0].observed
    assert found(suspended, before=baseline(good(cronjobs=[suspended]))).outcome == "passed"


def test_the_controller_has_a_local_time():
    """On k3s and where its pod has a time zone it runs by that: its CronJobs tell which."""
    ran = [
        cronjob(name, spec={"schedule": schedule}, status={"lastScheduleTime": time})
        for name, schedule, time in (
            ("a", "30 1 * * *", "2026-11-21T00:30:00Z"),
            ("b", "15 12 * * *", "2026-11-20T11:15:00Z"),
            ("c", "30 0 * * *", "2026-11-20T23:30:00Z"),
        )
    ]
    assert found(*ran).outcome == "passed"
    stopped = cronjob("d", spec={"schedule": "0 1 * * *"}, status={"lastScheduleTime": "2026-11-19T00:00:00Z"})
    assert objects(found(*ran, stopped)) == ["CronJob/shop/d"]


def test_how_late_it_may_be():
    """The profile says so."""
    each = late(spec={"schedule": "58 * * * *"}, status={"lastScheduleTime": ago(minutes=62)})
    strict = profile(patience={"cronjob-late": "1m"})
    assert judge(ID, good(cronjobs=[each]), profile=strict).outcome == "failed"
    assert found(each).outcome == "passed"


def test_a_hostile_cronjob():
    """Times and texts may be anything."""
    odd = [
        late(metadata={"name": f"odd-{number}", **meta}, spec=spec, status=status)
        for number, (meta, spec, status) in enumerate(
            [
                ({"creationTimestamp": "0001-01-01T00:00:00Z"}, {"schedule": "0 0 30 2 *"}, {"lastScheduleTime": None}),
                ({"creationTimestamp": None}, {"schedule": "59 23 31 12 *"}, {"lastScheduleTime": None}),
                ({}, {"schedule": "* * * * *", "timeZone": ""}, {"lastScheduleTime": "9999-12-31T23:59:59Z"}),
            ]
        )
    ]
    assert objects(found(*odd)) == ["CronJob/shop/odd-1"]
