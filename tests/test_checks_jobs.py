"""Jobs: what failed for good, what fails again and again, and what of it only the Job is asked about."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    attempt,
    condition,
    container_status,
    cronjob,
    good,
    job,
    judge,
    merged,
    objects,
    pod,
    profile,
    run,
    terminated,
    thing,
)

CRON = {"ownerReferences": [{"kind": "CronJob", "name": "report", "uid": "uid-report"}]}
WORK = job(done="")


def of_cron(name, minutes, done="Complete"):
    """A Job of a CronJob, made so long ago."""
    return job(name, done=done, metadata={**CRON, "creationTimestamp": ago(minutes=minutes)})


def severities(jobs, *pods, **more):
    """What is found of these Jobs: severity by object. Each that counts an active pod has one."""
    begun = (
        []
        if any(is_active(each) for each in pods)
        else [begin(each) for each in jobs if each.get("status", {}).get("active")]
    )
    result = judge("jobs.failed", good(jobs=jobs, pods=[pod(), *begun, *pods]), **more)
    return {finding.object: finding.severity for finding in result.findings}


def is_active(it):
    """It has not ended."""
    return it["status"].get("phase") not in ("Succeeded", "Failed")


def begin(of):
    """A pod of the Job that has just begun."""
    since = ago(minutes=1)
    ready = condition("Ready", lastTransitionTime=since)
    status = {"containerStatuses": [container_status(state={"running": {"startedAt": since}})], "conditions": [ready]}
    name = f"{of['metadata']['name']}-begun"
    return attempt(of, name, metadata={"creationTimestamp": since, "uid": name}, status=status)


def failed(minutes, of=WORK, **status):
    """A pod of a Job that failed so many minutes ago, after ten seconds."""
    end = container_status(ready=False, state=terminated(minutes=minutes))
    base = {"phase": "Failed", "containerStatuses": [end], "conditions": [condition("Ready", "False")]}
    return attempt(of, f"import-{minutes}", status=merged(base, status))


def done(minutes):
    """A pod of the Job that succeeded so many minutes ago."""
    end = container_status(ready=False, state=terminated(0, "Completed", minutes=minutes))
    return attempt(
        WORK, f"done-{minutes}", status={"phase": "Succeeded", "containerStatuses": [end], "conditions": None}
    )


def looping(restarts=5, made=20, ended=1, **changes):
    """A pod of a Job whose container is restarted in it, and waits for its next run."""
    state = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": terminated(minutes=ended)}
    status = container_status(ready=False, restarts=restarts, **state)
    base = {
        "metadata": {"creationTimestamp": ago(minutes=made)},
        "spec": {"restartPolicy": "OnFailure"},
        "status": {"containerStatuses": [status], "conditions": [condition("Ready", "False")]},
    }
    return attempt(WORK, **merged(base, changes))


def running(minutes, name="now"):
    """A pod of the Job that has run for so long."""
    state = {"running": {"startedAt": ago(minutes=minutes)}}
    ready = condition("Ready", lastTransitionTime=ago(minutes=minutes))
    return attempt(WORK, name, status={"containerStatuses": [container_status(state=state)], "conditions": [ready]})


@pytest.mark.parametrize(
    ("why", "it", "found"),
    [
        ("complete", job(), False),
        ("complete after retries", job(status={"failed": 3, "succeeded": 1}), False),
        ("under way", WORK, False),
        ("has just failed", job(done="Failed"), True),
        ("failed 20 days ago", job(done="Failed", metadata={"creationTimestamp": ago(days=20)}), True),
        ("is about to fail", job(done="FailureTarget"), True),
        ("is about to complete", job(done="SuccessCriteriaMet", status={"failed": 9}), False),
        ("suspended", job(done="Suspended", spec={"suspend": True}), False),
        ("failed, being deleted", job(done="Failed", metadata={"deletionTimestamp": ago(seconds=1)}), False),
        ("no status", {"metadata": {"name": "x"}}, False),
    ],
)
def test_a_job_that_failed_for_good_is_found(why, it, found):
    """The condition Failed, or FailureTarget before it, is a failure; failed attempts of a Job that completed are not."""
    assert list(severities([it]).values()) == (["critical"] if found else [])


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        ("DeadlineExceeded", "Job was active longer than specified deadline"),
        ("PodFailurePolicy", "Container app for pod shop/x failed with exit code 42 matching FailJob rule at index 0"),
        ("FailedIndexes", "Job has failed indexes"),
    ],
)
def test_a_failed_job_says_why(reason, message):
    """The finding has the Job controller's own reason and words, and says where to look."""
    failed = job(status={"conditions": [condition("Failed", reason=reason, message=message)]})
    (finding,) = judge("jobs.failed", good(jobs=[failed])).findings
    assert finding.observed == f"Failed=True ({reason}: {message})"
    assert finding.hint.startswith("kubectl -n shop describe job import; kubectl -n shop logs job/import")


def test_a_cluster_may_be_without_jobs():
    """No Job at all is fine; that they could not be listed is not."""
    assert judge("jobs.failed", good(jobs=[])).outcome == "passed"


@pytest.mark.parametrize(
    ("why", "jobs", "expected"),
    [
        ("the latest is complete", [of_cron("a", 90, "Failed"), of_cron("b", 30)], {}),
        ("the latest has failed", [of_cron("a", 90), of_cron("b", 30, "Failed")], {"Job/shop/b": "critical"}),
        ("it runs again", [of_cron("a", 90, "Failed"), of_cron("b", 1, "")], {"Job/shop/a": "warning"}),
        ("it runs again after a success", [of_cron("a", 99, "Failed"), of_cron("b", 30), of_cron("c", 1, "")], {}),
        ("only one", [of_cron("a", 90, "Failed")], {"Job/shop/a": "critical"}),
        ("of no CronJob", [job("a", done="Failed"), job("b")], {"Job/shop/a": "critical"}),
    ],
)
def test_of_a_cronjob_the_latest_job_counts(why, jobs, expected):
    """Older Jobs are history; while the next one runs, the failure before it is a warning."""
    assert severities(jobs) == expected


@pytest.mark.parametrize(
    ("why", "succeeded", "outcome"),
    [
        ("never", {}, "failed"),
        ("days ago", {"lastSuccessfulTime": ago(days=9)}, "failed"),
        ("since", {"lastSuccessfulTime": ago(minutes=30)}, "warned"),
    ],
)
def test_a_job_that_still_runs_makes_no_failure_good(why, succeeded, outcome):
    """The failure before it counts as long as the CronJob says that none has succeeded since; else it is not yet right."""
    its = cronjob("report", metadata={"uid": "uid-report"}, status=succeeded)
    world = good(jobs=[of_cron("a", 90, "Failed"), of_cron("b", 1, "")], cronjobs=[its])
    assert judge("jobs.failed", world).outcome == outcome, why


def test_monitoring_does_not_take_a_next_run_for_a_recovery():
    """Where no CronJob says more, a failure whose next run is under way is neither news nor over."""
    jobs = [of_cron("a", 90, "Failed"), of_cron("b", 1, "")]
    world = good(jobs=jobs, cronjobs=[], pods=[pod(), begin(jobs[1])])
    (result,) = run(["jobs.failed"], world, monitor=True)
    assert result.outcome == "warned"
    assert [each.transitional for each in result.active] == [True]


def failed_ago(**time):
    """A Job that failed so long ago."""
    return job(status={"conditions": [condition("Failed", lastTransitionTime=ago(**time))]})


@pytest.mark.parametrize(
    ("why", "its", "outcome"),
    [
        ("just now", failed_ago(minutes=5), "failed"),
        ("since the reference time", failed_ago(minutes=50), "failed"),
        ("on the day before", failed_ago(hours=20), "failed"),
        ("long before", failed_ago(days=20), "warned"),
        ("no time is known", job(status={"conditions": [{"type": "Failed", "status": "True"}]}), "failed"),
        ("of a CronJob", merged(failed_ago(days=20), {"metadata": CRON}), "failed"),
    ],
)
def test_what_failed_long_before_the_reference_time_is_litter(why, its, outcome):
    """Failed Jobs stay until someone deletes them; the latest of a CronJob says that its work is not done."""
    assert judge("jobs.failed", good(jobs=[its])).outcome == outcome, why


def test_an_index_that_is_lost_is_a_warning_while_others_work():
    """With backoffLimitPerIndex the Job fails at its end; until then its lost indexes are named."""
    indexed = job(done="", status={"failedIndexes": "1,3-5"})
    (finding,) = judge("jobs.failed", good(jobs=[indexed], pods=[pod(), begin(indexed)])).findings
    assert (finding.severity, finding.observed) == ("warning", "indexes 1,3-5 have failed for good")


def disruption(reason):
    """A condition of a pod that was disrupted."""
    return {"conditions": [condition("DisruptionTarget", reason=reason)]}


@pytest.mark.parametrize(
    ("why", "pods", "expected"),
    [
        ("two failures", [failed(30), failed(20)], None),
        ("three, the first long ago", [failed(30), failed(20), failed(5)], "critical"),
        ("three within ten minutes", [failed(9), failed(5), failed(1)], "warning"),
        ("three before the reference time", [failed(90), failed(80), failed(70)], None),
        ("with a success among them", [failed(30), failed(20), failed(5), done(10)], None),
        ("with a success before them all", [failed(30), failed(20), failed(5), done(90)], "critical"),
        ("an attempt that has outlived them", [failed(50), failed(49), failed(48), running(40)], "warning"),
        ("an attempt that has begun", [failed(30), failed(20), failed(5), running(3)], "critical"),
        ("drained three times", [failed(each, **disruption("EvictionByEvictionAPI")) for each in (30, 20, 5)], None),
        ("its node was shut down", [failed(each, reason="Terminated") for each in (30, 20, 5)], None),
        ("used too much disk", [failed(each, reason="Evicted") for each in (30, 20, 5)], "critical"),
        ("restarts in its pod, with a thousand retries left", [looping()], "critical"),
        ("restarts in its pod since five minutes", [looping(restarts=4, made=5)], "warning"),
        ("restarted twice", [looping(restarts=1)], None),
        ("restarts for days, at the longest pause", [looping(restarts=900, made=6000)], "critical"),
        ("restarted long ago", [looping(restarts=900, made=6000, ended=90)], None),
        ("three restarts in days, one of them lately", [running(3), looping(restarts=0, made=6000)], None),
    ],
)
def test_a_job_that_fails_again_and_again_is_found(why, pods, expected):
    """Three failures since the reference time without a success are a warning, after ten minutes a failure."""
    assert severities([WORK], *pods) == ({"Job/shop/import": expected} if expected else {})


def test_a_job_at_rest_is_not_asked_how_its_pods_did():
    """A suspended Job, and one that is complete, is not failing."""
    pods = [failed(30), failed(20), failed(5)]
    assert severities([job()], *pods) == severities([job(done="", spec={"suspend": True})], *pods) == {}


def test_a_failing_job_says_what_failed_last():
    """The finding counts the failures and ends with the latest."""
    world = good(jobs=[WORK], pods=[pod(), failed(30), failed(20), failed(5)])
    (finding,) = judge("jobs.failed", world).findings
    assert finding.observed == "3 failures of its pods without a success; phase Failed, container app exit code 1"


def test_a_crash_is_told_once_by_its_job():
    """k3s' helm Jobs retry 1,000 times: the Job is the finding, its crashing pod is not."""
    results = run(
        ["jobs.failed", "pods.crashing", "pods.ready", "pods.restarts"], good(jobs=[WORK], pods=[pod(), looping()])
    )
    assert [objects(each) for each in results] == [["Job/shop/import"], [], [], []]


VOLCANO = {
    "ownerReferences": [{"kind": "Job", "apiVersion": "batch.volcano.sh/v1alpha1", "name": "x", "controller": True}]
}
SIDECAR = {"spec": {"initContainers": [{"name": "app", "restartPolicy": "Always"}], "containers": []}}


def waits(reason):
    """The status of a pod that waits for it."""
    return {"status": {"containerStatuses": [container_status(ready=False, state={"waiting": {"reason": reason}})]}}


@pytest.mark.parametrize(
    ("why", "it", "found"),
    [
        ("CrashLoopBackOff", looping(), False),
        ("its image is not there", attempt(WORK, **waits("ImagePullBackOff")), True),
        ("its Secret is not there", attempt(WORK, **waits("CreateContainerConfigError")), True),
        ("a sidecar crashes", looping(**SIDECAR), True),
        ("a Job of another API", looping(metadata=VOLCANO), True),
    ],
)
def test_what_no_retry_counts_is_found_at_the_pod(why, it, found):
    """A Job counts failed runs; an image that is not there, and a sidecar that crashes, it does not."""
    assert bool(objects(judge("pods.crashing", good(pods=[it])))) is found


UNSCHEDULABLE = [condition("PodScheduled", "False", reason="Unschedulable", message="Insufficient nvidia.com/gpu")]
PENDING = {"phase": "Pending", "containerStatuses": None}


@pytest.mark.parametrize(
    ("why", "it", "found"),
    [
        (
            "queues for a GPU",
            attempt(WORK, spec={"nodeName": ""}, status={**PENDING, "conditions": UNSCHEDULABLE}),
            False,
        ),
        (
            "has its node, and no volume",
            attempt(WORK, status={**PENDING, "conditions": [condition("PodScheduled")]}),
            True,
        ),
        (
            "of another API",
            attempt(WORK, metadata=VOLCANO, spec={"nodeName": ""}, status={**PENDING, "conditions": UNSCHEDULABLE}),
            True,
        ),
    ],
)
def test_a_jobs_pod_may_queue(why, it, found):
    """A pod of a Job that waits for room waits in a queue; one that has its node must start."""
    assert bool(objects(judge("pods.pending", good(pods=[it])))) is found


def test_a_silent_scheduler_is_found_for_jobs_too():
    """A queue has a scheduler that says so."""
    it = attempt(WORK, spec={"nodeName": ""}, status={**PENDING, "conditions": []})
    assert objects(judge("pods.scheduler-silent", good(pods=[it]))) == ["Pod/shop/import-1"]


def test_jobs_are_judged_in_the_profiles_namespaces():
    """The scope of the profile holds."""
    assert severities([job(done="Failed")], profile=profile(scope={"namespaces": ["!shop"]})) == {}


def test_a_job_of_thing_alone_is_judged():
    """Null lists of Go do no harm."""
    assert severities([thing("x", "shop", status={"conditions": None, "startTime": ago(minutes=1)}, spec={})]) == {}


def test_jobs_belong_to_what_is_in_their_own_namespace():
    """A Job or a pod of another namespace that names the same UIDs neither follows nor retries a Job."""
    failed = of_cron("a", 90, "Failed")
    foreign = merged(of_cron("b", 30), {"metadata": {"namespace": "tenant", "deletionTimestamp": ago(minutes=1)}})
    assert objects(judge("jobs.failed", good(jobs=[failed, foreign]))) == ["Job/shop/a"]


def unscheduled(hours, **changes):
    """A pod of the Job that has had no node for so long."""
    said = condition("PodScheduled", "False", reason="Unschedulable", message="0/3 nodes")
    return attempt(
        WORK,
        metadata={"creationTimestamp": ago(hours=hours)},
        **merged({"spec": {"nodeName": ""}, "status": {"phase": "Pending", "conditions": [said]}}, changes),
    )


@pytest.mark.parametrize(
    ("why", "status", "pods", "observed"),
    [
        ("no pod was made", {"startTime": ago(hours=20), "active": 0}, [], "no pod was made for 20h"),
        ("it has just begun", {"startTime": ago(minutes=50), "active": 0}, [], None),
        ("its pods have been seen", {"startTime": ago(hours=20), "active": 0, "failed": 1}, [], None),
        (
            "no node for its pod",
            {"active": 1},
            [unscheduled(20)],
            "no pod gets a node: PodScheduled=False (Unschedulable: 0/3 nodes)",
        ),
        ("its pod is new", {"active": 1}, [unscheduled(0.5)], None),
        ("one of its pods runs", {"active": 2}, [unscheduled(20), attempt(WORK, "import-2")], None),
        ("its pod waits on purpose", {"active": 1}, [unscheduled(20, spec={"schedulingGates": [{"name": "x"}]})], None),
    ],
)
def test_a_job_that_cannot_begin_is_a_warning(why, status, pods, observed):
    """A Job of which no pod can be made, or none gets a node, is a warning after an hour."""
    result = judge("jobs.failed", good(jobs=[job(done="", status=status)], pods=[pod(), *pods]))
    assert [(each.severity, each.observed) for each in result.findings] == ([("warning", observed)] if observed else [])


def two(main, proxy=None, policy="Never", init=None):
    """A pod of a Job with a container that does the work, and another beside it."""
    both = [container_status("main", ready=False, **main), container_status("proxy", **(proxy or {}))]
    status = {"containerStatuses": both, "initContainerStatuses": init}
    return attempt(WORK, spec={"restartPolicy": policy}, status=status)


def over(code=0, **when):
    """The state of a container that ended."""
    return {"state": terminated(code, "Completed" if not code else "Error", **when)}


@pytest.mark.parametrize(
    ("why", "it", "observed"),
    [
        (
            "it succeeded",
            two(over(hours=3)),
            "container main ended with exit code 0 3h ago, and proxy keeps pod import-1 running",
        ),
        (
            "it failed for good",
            two(over(2, hours=3)),
            "container main ended with exit code 2 3h ago, and proxy keeps pod import-1 running",
        ),
        ("a moment ago", two(over(minutes=20)), None),
        ("both run", two({}), None),
        ("it is restarted", two(over(2, hours=3), policy="OnFailure"), None),
        ("both ended", two(over(hours=3), over(hours=2)), None),
        ("it ended long ago, the next a moment ago", two(over(hours=3), over(minutes=5)), None),
    ],
)
def test_a_sidecar_that_keeps_a_job_is_a_warning(why, it, observed):
    """A plain sidecar does not end with the work: its pod runs, and its Job is under way, for ever."""
    result = judge("jobs.failed", good(jobs=[WORK], pods=[pod(), it]))
    assert [(each.severity, each.observed) for each in result.findings] == ([("warning", observed)] if observed else [])


def test_an_ended_init_container_keeps_no_job():
    """Init containers end before the work begins."""
    it = two({}, init=[container_status("fetch", **over(hours=9))])
    assert judge("jobs.failed", good(jobs=[WORK], pods=[pod(), it])).outcome == "passed"


def test_pods_that_a_node_refuses_are_failures():
    """The kubelet writes phase and reason of such a pod, and no time: it failed when it was made."""
    its = job(done="")
    refused = [
        attempt(
            its,
            f"r{n}",
            metadata={"uid": f"r{n}", "creationTimestamp": ago(minutes=15 + n)},
            status={"phase": "Failed", "reason": "OutOfcpu", "containerStatuses": None, "conditions": None},
        )
        for n in range(5)
    ]
    assert severities([its], *refused) == {"Job/shop/import": "critical"}


@pytest.mark.parametrize(
    ("why", "changes", "expected"),
    [
        ("for a day", {}, {"Job/shop/import": "warning"}),
        ("it is new", {"metadata": {"creationTimestamp": ago(minutes=5)}}, {}),
        ("it is suspended", {"spec": {"suspend": True}}, {}),
        ("another controller runs it", {"spec": {"managedBy": "kueue.x-k8s.io/multikueue"}}, {}),
    ],
)
def test_a_job_that_its_controller_never_saw_has_not_begun(why, changes, expected):
    """A Job controller that is away writes no startTime."""
    its = job(done="", status={"active": 0}, **changes)
    del its["status"]["startTime"]
    assert severities([its]) == expected, why


ON_42 = {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [42]}}


@pytest.mark.parametrize(
    ("why", "rules", "code", "severity"),
    [
        ("ignored", [ON_42], 42, "warning"),
        ("another code", [ON_42], 1, "critical"),
        ("all but one", [{"action": "Ignore", "onExitCodes": {"operator": "NotIn", "values": [7]}}], 42, "warning"),
        (
            "another container",
            [{"action": "Ignore", "onExitCodes": {**ON_42["onExitCodes"], "containerName": "x"}}],
            42,
            "critical",
        ),
        ("the first rule counts", [{**ON_42, "action": "Count"}, ON_42], 42, "critical"),
        ("a condition", [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}], 1, "warning"),
        ("a condition that is not", [{"action": "Ignore", "onPodConditions": [{"type": "Ready"}]}], 1, "critical"),
        ("none", None, 42, "critical"),
    ],
)
def test_failures_that_a_policy_ignores_only_warn(why, rules, code, severity):
    """A Job that ignores an exit code retries it on purpose, as often as it comes."""
    work = job(done="", spec={"podFailurePolicy": {"rules": rules}})
    said = [condition("Ready", "False"), condition("DisruptionTarget", reason="TerminationByKubelet")]
    pods = [
        failed(
            minutes,
            work,
            containerStatuses=[container_status(ready=False, state=terminated(code, minutes=minutes))],
            conditions=said,
        )
        for minutes in (40, 30, 20)
    ]
    assert severities([work], *pods) == {"Job/shop/import": severity}


def ended(minutes, phase="Failed"):
    """A pod of the Job that ended so long ago."""
    end = container_status(ready=False, state=terminated(0 if phase == "Succeeded" else 1, minutes=minutes))
    status = {"phase": phase, "containerStatuses": [end], "conditions": [condition("Ready", "False")]}
    return attempt(WORK, "import-last", status=status)


@pytest.mark.parametrize(
    ("why", "pods", "spec", "found"),
    [
        ("none exists", [], {}, True),
        ("it runs", [running(200)], {}, False),
        ("its last one has just ended", [ended(5)], {}, False),
        ("its last one ended long ago", [ended(50)], {}, True),
        ("another cluster runs it", [], {"managedBy": "kueue.x-k8s.io/multikueue"}, False),
        ("Kubernetes' own controller runs it", [], {"managedBy": "kubernetes.io/job-controller"}, True),
    ],
)
def test_an_active_pod_that_does_not_exist_is_a_warning(why, pods, spec, found):
    """A status stays as it was when no controller writes it: nothing runs, and nothing will fail."""
    work = job(done="", spec=spec)
    result = judge("jobs.failed", good(jobs=[work], pods=[pod(), *pods]))
    said = [each.observed.partition(";")[0] for each in result.findings]
    assert said == (["its status counts 1 active pod, of which 0 exist"] if found else [])
