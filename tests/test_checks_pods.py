"""Pods: what crashes, failed, cannot start, cannot go, is not ready, restarts, or is nobody's."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    baseline,
    condition,
    container_status,
    good,
    judge,
    merged,
    node,
    objects,
    owner,
    pod,
    profile,
    replicated,
    run,
    started,
    terminated,
    thing,
    warning,
)


def with_status(*statuses, init=None, **changes):
    """A pod whose containers have these statuses."""
    status = {"containerStatuses": list(statuses), "initContainerStatuses": init}
    return pod(**merged({"status": status}, changes))


def waits(reason, message="", restarts=0, **more):
    """A container that waits for this reason."""
    waiting = {"state": {"waiting": {"reason": reason, "message": message}}}
    return container_status(ready=False, restarts=restarts, **waiting, **more)


def only(id, *pods, **more):
    """What one check says of these pods."""
    return judge(id, good(pods=list(pods)), **more)


def of(kind, **changes):
    """A pod that an object of this kind controls."""
    return pod(**merged({"metadata": owner(kind, thing("some", "shop"))}, changes))


#: Reasons of kubelet and container runtimes: pkg/kubelet/container/sync_result.go, pkg/kubelet/images/types.go.
BAD_REASONS = [
    *("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName"),
    *("ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed", "CreateContainerConfigError"),
    *("CreateContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError", "RunContainerError"),
    *("StartError", "ContainerCannotRun", "KillContainerError"),
]


@pytest.mark.parametrize("reason", BAD_REASONS)
def test_a_container_that_waits_for_a_bad_reason_is_found(reason):
    """Each reason of waiting that means trouble is found, in a container, an init container and a sidecar alike."""
    assert only("pods.crashing", with_status(waits(reason))).outcome == "failed"
    assert only("pods.crashing", with_status(container_status(), init=[waits(reason)])).outcome == "failed"


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", ""])
def test_a_container_that_is_being_made_is_no_crash(reason):
    """A container that waits for its turn is not crashing."""
    assert only("pods.crashing", with_status(waits(reason))).outcome == "passed"


@pytest.mark.parametrize(
    ("status", "observed"),
    [
        (
            waits("CrashLoopBackOff", "back-off 5m0s restarting", 9, lastState=terminated(3)),
            "container app: CrashLoopBackOff (last ended with exit code 3, Error after 10s), 9 restarts",
        ),
        (
            waits("ImagePullBackOff", 'Back-off pulling image "app:2":\n not found', 1, lastState=terminated()),
            'container app: ImagePullBackOff: Back-off pulling image "app:2": not found, 1 restart',
        ),
        (
            waits("CreateContainerConfigError", 'secret "keys" not found'),
            'container app: CreateContainerConfigError: secret "keys" not found',
        ),
        (waits("CrashLoopBackOff", "back-off 10s"), "container app: CrashLoopBackOff: back-off 10s"),
    ],
)
def test_a_crash_says_why(status, observed):
    """A crash says how the last run ended; an image or a start that failed says it in the kubelet's own words."""
    (finding,) = only("pods.crashing", with_status(status)).findings
    assert finding.observed == observed
    assert "kubectl -n shop logs web-1 --all-containers --previous --ignore-errors" in finding.hint


def test_the_programs_own_last_words_stay_out():
    """A container's termination message is what the program wrote: it may hold secrets and is in no finding."""
    end = terminated(3)
    end["terminated"]["message"] = "hunter2"
    result = only("pods.crashing", with_status(waits("CrashLoopBackOff", "back-off", 3, lastState=end)))
    assert "hunter2" not in str(result)


LONG_RUN = {
    "terminated": {"exitCode": 255, "reason": "Unknown", "startedAt": ago(days=20), "finishedAt": ago(minutes=2)}
}
RUNNING = {"running": {"startedAt": ago(seconds=5)}}


@pytest.mark.parametrize(
    ("why", "status", "found"),
    [
        (
            "running between two crashes",
            container_status(ready=False, restarts=4, state=RUNNING, lastState=terminated()),
            True,
        ),
        ("just ended, will be restarted", container_status(ready=False, restarts=2, state=terminated(0)), True),
        (
            "ended again and again without a crash",
            container_status(ready=False, restarts=4, state=RUNNING, lastState=terminated(0, "Completed")),
            True,
        ),
        (
            "times of the last run unknown",
            container_status(
                ready=False,
                restarts=4,
                state=RUNNING,
                lastState={"terminated": {"exitCode": 137, "startedAt": None, "finishedAt": ago(minutes=1)}},
            ),
            True,
        ),
        (
            "crashed once at its first start and recovers",
            container_status(ready=False, restarts=1, state=RUNNING, lastState=terminated()),
            False,
        ),
        ("crashed at its first start and recovered", container_status(restarts=5, lastState=terminated()), False),
        (
            "crashed long ago, is unready for another reason",
            container_status(ready=False, restarts=9, lastState=terminated(hours=5)),
            False,
        ),
        (
            "its node rebooted after weeks",
            container_status(ready=False, restarts=2, state=RUNNING, lastState=LONG_RUN),
            False,
        ),
        ("never restarted", container_status(ready=False, state=RUNNING), False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_between_two_crashes_a_pod_is_running(why, status, found):
    """A container that is not ready and ended moments ago, time and again, crashes; one that recovered or rebooted does not."""
    assert bool(only("pods.crashing", with_status(status)).findings) is found


@pytest.mark.parametrize(
    ("why", "init", "found"),
    [
        ("ended well", container_status("init", state=terminated(0, "Completed", hours=20)), False),
        (
            "ended well at its second attempt",
            container_status("init", restarts=1, state=terminated(0, "Completed")),
            False,
        ),
        ("was run again after a reboot", container_status("init", restarts=3, state=terminated(0, "Completed")), False),
        ("failed, will be retried", container_status("init", ready=False, restarts=1, state=terminated(1)), True),
        ("sidecar, runs", container_status("proxy"), False),
        (
            "sidecar, crashes",
            container_status("proxy", ready=False, restarts=4, state=RUNNING, lastState=terminated()),
            True,
        ),
    ],
)
def test_init_containers_and_sidecars_count(why, init, found):
    """An init container may end well, and be run again; one that fails, or a sidecar that crashes, is found."""
    world = with_status(
        container_status(), init=[init], spec={"initContainers": [{"name": "init", "restartPolicy": "Always"}]}
    )
    assert bool(only("pods.crashing", world).findings) is found


def test_what_ended_or_goes_is_not_said_to_crash():
    """Pods that have ended, pods that are being deleted, and ephemeral containers are not crashing."""
    bad = [waits("CrashLoopBackOff", restarts=9)]
    gone = pod("going", metadata={"deletionTimestamp": ago(seconds=1)}, status={"containerStatuses": bad})
    done = pod("done", status={"phase": "Failed", "containerStatuses": bad})
    debugged = pod(
        "debugged", status={"ephemeralContainerStatuses": bad}, spec={"ephemeralContainers": [{"name": "debugger"}]}
    )
    assert only("pods.crashing", gone, done, debugged, pod()).outcome == "passed"


def test_null_statuses_are_no_crash():
    """Lists that Go writes as null, and a pod without any status, are no crash."""
    assert (
        only(
            "pods.crashing",
            with_status(status={"containerStatuses": None, "conditions": None}),
            {"metadata": {"name": "x"}},
        ).outcome
        == "passed"
    )


def test_each_bad_container_is_named():
    """Two bad containers of a pod are one finding that names both."""
    (finding,) = only("pods.crashing", with_status(waits("ErrImagePull"), init=[waits("StartError")])).findings
    assert finding.observed == "container app: StartError; container app: ErrImagePull"


EVICTED = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on\nresource: memory."}
SHUTDOWN = {
    "phase": "Failed",
    "reason": "Terminated",
    "message": "Pod was terminated in response to imminent node shutdown.",
}


@pytest.mark.parametrize(
    ("phase", "outcome"),
    [
        ("Running", "passed"),
        ("Pending", "passed"),
        ("Succeeded", "passed"),
        ("Failed", "failed"),
        ("Unknown", "failed"),
    ],
)
def test_failed_and_unknown_are_failures(phase, outcome):
    """Failed and Unknown are failures; completed pods are none."""
    assert only("pods.failed", pod(metadata={"ownerReferences": None}, status={"phase": phase})).outcome == outcome


def left_over(ready, desired=3, **status):
    """What is said of a failed pod whose ReplicaSet wants so many and has so many ready."""
    replicaset = replicated("web-rs", desired, status={"readyReplicas": ready or 0})
    if ready is None:
        del replicaset["status"]["readyReplicas"]
    return judge("pods.failed", good(pods=[pod("old", status={**EVICTED, **status}), pod()], replicasets=[replicaset]))


@pytest.mark.parametrize(
    ("ready", "desired", "outcome"),
    [(3, 3, "warned"), (2, 3, "failed"), (0, 0, "warned"), (None, 3, "failed"), (4, 3, "warned")],
)
@pytest.mark.parametrize("status", [EVICTED, SHUTDOWN])
def test_litter_of_a_whole_owner_only_warns(ready, desired, outcome, status):
    """A failed pod (evicted, or left by a node's shutdown) whose controller is whole again is litter; else it is a failure."""
    assert left_over(ready, desired, **status).outcome == outcome


@pytest.mark.parametrize(
    ("why", "its", "transitional"),
    [
        ("its replacement starts", started(seconds=20), True),
        ("its replacement does not become ready", started(seconds=90), False),
        ("nothing replaces it", pod(metadata=owner("ReplicaSet", thing("other", "shop"))), False),
    ],
)
def test_a_failed_pod_whose_replacement_starts_is_not_yet_litter(why, its, transitional):
    """After a spot interruption the pods that were ended are followed by new ones, which may take their time."""
    replicaset = replicated("web-rs", 1, status={"readyReplicas": 0, "availableReplicas": 0})
    world = good(pods=[pod("old", status=SHUTDOWN), its], replicasets=[replicaset])
    (finding,) = judge("pods.failed", world).findings
    assert (finding.transitional, finding.severity) == (transitional, "critical")


def test_a_failed_pod_says_why_it_ended():
    """The finding gives the phase, the kubelet's reason and words, and the exit codes."""
    failed = with_status(container_status(state=terminated(137, "OOMKilled")), status=EVICTED)
    (finding,) = only("pods.failed", failed).findings
    assert (
        finding.observed == "phase Failed, Evicted: The node was low on resource: memory., container app exit code 137"
    )


@pytest.mark.parametrize("metadata", [owner("Job", thing("job", "shop")), {"deletionTimestamp": ago(hours=1)}])
def test_failed_pods_that_others_judge_are_left_to_them(metadata):
    """A Job answers for the failures of its own pods, and a pod that is being deleted is judged as terminating."""
    assert only("pods.failed", pod("x", metadata=metadata, status=EVICTED), pod()).outcome == "passed"


def test_a_failed_pod_whose_owner_is_gone_or_unknown_is_a_failure():
    """With no controller to make it anew, or one that upgate does not know, a failed pod is a failure."""
    assert only("pods.failed", of("Workflow", status=EVICTED)).outcome == "failed"
    assert judge("pods.failed", good(pods=[pod(status=EVICTED)], replicasets=[])).outcome == "failed"


def going(seconds, **changes):
    """What is said of a pod that was due to be gone so many seconds ago."""
    leaving = pod(**merged({"metadata": {"deletionTimestamp": ago(seconds=seconds)}}, changes))
    return judge("pods.terminating", good(pods=[leaving], nodes=changes.pop("nodes", [node()])))


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(-3600, "passed"), (0, "passed"), (119, "passed"), (120, "failed"), (9000, "failed")]
)
def test_a_pod_may_take_its_grace_period_and_some_time_more(seconds, outcome):
    """The deletionTimestamp includes the grace period: an hour of grace is no finding, two minutes beyond it is one."""
    assert going(seconds).outcome == outcome


@pytest.mark.parametrize(
    ("changes", "observed"),
    [
        ({}, "due to be gone 10m ago; no finalizers; node worker-1 has Ready=True"),
        (
            {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}},
            "due to be gone 10m ago; held by finalizer example.com/a, example.com/b; node worker-1 has Ready=True",
        ),
        ({"spec": {"nodeName": "gone"}}, "due to be gone 10m ago; no finalizers; node gone does not exist"),
        ({"spec": {"nodeName": ""}}, "due to be gone 10m ago; no finalizers; it was never scheduled"),
        (
            {"metadata": {"finalizers": ["batch.kubernetes.io/job-tracking"]}, "status": {"phase": "Succeeded"}},
            "due to be gone 10m ago; held by finalizer batch.kubernetes.io/job-tracking; node worker-1 has Ready=True",
        ),
    ],
)
def test_a_stuck_pod_says_what_holds_it(changes, observed):
    """A pod that does not go names its finalizers, and whether its node is alive, gone, or never was."""
    (finding,) = going(600, **changes).findings
    assert (finding.observed, finding.hint) == (observed, "kubectl -n shop get pod web-1 -o yaml")


def pending(minutes=6, scheduled=True, conditions=None, **changes):
    """A pending pod of that age."""
    conditions = [condition("PodScheduled")] if conditions is None and scheduled else conditions
    status = {"phase": "Pending", "conditions": conditions, "containerStatuses": None}
    meta = {"creationTimestamp": ago(minutes=minutes)}
    return pod(
        **merged({"metadata": meta, "spec": {"nodeName": "worker-1" if scheduled else ""}, "status": status}, changes)
    )


@pytest.mark.parametrize(("minutes", "outcome"), [(4.9, "passed"), (5, "passed"), (5.1, "failed")])
def test_a_pod_may_be_pending_for_a_while(minutes, outcome):
    """Five minutes of waiting are no finding, more are one."""
    assert only("pods.pending", pending(minutes)).outcome == outcome


def test_patience_is_the_profiles():
    """The profile says how long a pod may be pending."""
    patient = profile(patience={"pending": "1h"})
    assert only("pods.pending", pending(30), profile=patient).outcome == "passed"


UNSCHEDULABLE = condition("PodScheduled", "False", reason="Unschedulable", message="0/3 nodes are available")


@pytest.mark.parametrize(
    ("it", "events", "why"),
    [
        (
            pending(scheduled=False, conditions=[UNSCHEDULABLE]),
            [],
            "PodScheduled=False (Unschedulable: 0/3 nodes are available)",
        ),
        (pending(status={"containerStatuses": [waits("ContainerCreating")]}), [], "container app: ContainerCreating"),
        (
            pending(status={"containerStatuses": [waits("ContainerCreating")]}),
            [warning(pod(), "FailedMount", message="MountVolume failed:\n timeout")],
            "container app: ContainerCreating; FailedMount: MountVolume failed: timeout",
        ),
        (
            pending(
                status={
                    "initContainerStatuses": [container_status("migrate", ready=False)],
                    "containerStatuses": [waits("PodInitializing")],
                }
            ),
            [],
            "init container migrate is running",
        ),
        (pending(), [], "no container has a status"),
        # The scheduler reports by events.k8s.io: eventTime instead of lastTimestamp.
        (
            pending(),
            [
                warning(pod(), "Old", message="first", lastTimestamp=ago(minutes=9)),
                warning(
                    pod(), "New", message="last", lastTimestamp=None, eventTime=ago(minutes=1).replace("Z", ".000000Z")
                ),
            ],
            "New: last",
        ),
        # A StatefulSet's pod was called the same before it was made anew.
        (
            pending(),
            [warning(pod(), "FailedMount", involvedObject={"uid": "of an earlier one"})],
            "no container has a status",
        ),
    ],
)
def test_a_pending_pod_says_what_it_waits_for(it, events, why):
    """The finding gives the scheduler's reason, or the container's, or the latest warning about this very pod."""
    (finding,) = judge("pods.pending", good(pods=[it], warnings=events)).findings
    assert finding.observed == f"Pending for 6m: {why}"


def test_a_scheduling_gate_is_a_warning():
    """A pod that a scheduling gate holds back waits on purpose: a warning that names the gate."""
    gated = pending(scheduled=False, conditions=[], spec={"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]})
    result = only("pods.pending", gated)
    assert result.outcome == "warned"
    assert "kueue.x-k8s.io/admission" in result.findings[0].observed


@pytest.mark.parametrize(
    ("why", "changes", "transitional"),
    [
        ("has just got its node", {"conditions": [condition("PodScheduled", lastTransitionTime=ago(minutes=4))]}, True),
        ("got it long ago", {"conditions": [condition("PodScheduled", lastTransitionTime=ago(minutes=6))]}, False),
        (
            "has just got its node, and no image",
            {
                "conditions": [condition("PodScheduled", lastTransitionTime=ago(minutes=1))],
                "containerStatuses": [waits("ErrImagePull")],
            },
            False,
        ),
        ("has none", {"conditions": [condition("PodScheduled", "False", lastTransitionTime=ago(minutes=1))]}, False),
    ],
)
def test_a_pod_that_has_just_got_its_node_may_start(why, changes, transitional):
    """A pod that a queue held back, or an autoscaler made a node for, is pending for long and has only begun to start."""
    (finding,) = only("pods.pending", pending(90, status=changes)).findings
    assert finding.transitional is transitional


def test_a_pending_pod_that_goes_is_judged_as_terminating():
    """A pending pod that is being deleted is not waited for."""
    assert not only("pods.pending", pending(metadata={"deletionTimestamp": ago(minutes=1)})).findings


def silent(minutes=3, **changes):
    """A pod of that age without any word of a scheduler."""
    return pending(minutes, scheduled=False, conditions=[], **changes)


@pytest.mark.parametrize(
    ("why", "it", "found"),
    [
        ("silence", silent(), True),
        ("conditions are null", silent(status={"conditions": None}), True),
        ("silence, not long enough", silent(2), False),
        ("a verdict", pending(3, scheduled=False, conditions=[UNSCHEDULABLE]), False),
        (
            "gated: the API server itself says so",
            pending(3, scheduled=False, conditions=[condition("PodScheduled", "False", reason="SchedulingGated")]),
            False,
        ),
        ("has a node", pending(3), False),
        ("nobody else's scheduler runs", silent(spec={"schedulerName": "batch-scheduler"}), True),
        ("goes", silent(metadata={"deletionTimestamp": ago(minutes=1)}), False),
    ],
)
def test_silence_of_the_scheduler_is_found(why, it, found):
    """A pod that waits for a node for two minutes without a verdict is found, whichever scheduler should give it."""
    assert bool(only("pods.scheduler-silent", it).findings) is found


def test_the_missing_scheduler_is_named():
    """The finding says which scheduler is silent, and since when."""
    (finding,) = only("pods.scheduler-silent", silent(spec={"schedulerName": "batch-scheduler"})).findings
    assert finding.observed == "no word of batch-scheduler for 3m"


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (warning(pod(), "FailedScheduling"), False),
        (warning(pod(), "Unschedulable", reportingComponent="volcano"), False),
        (warning(pod(), "PolicyViolation", reportingComponent="kyverno"), True),
        (warning(pod(), "FailedScheduling", involvedObject={"uid": "of an earlier one"}), True),
        (warning(pod("web-2"), "FailedScheduling"), True),
    ],
)
def test_only_a_schedulers_word_breaks_the_silence(event, found):
    """A warning of the scheduler about this very pod is a verdict; one of a policy engine, or about another pod, is none."""
    it = silent(spec={"schedulerName": "volcano"})
    assert bool(judge("pods.scheduler-silent", good(pods=[it], warnings=[event])).findings) is found


@pytest.mark.parametrize(
    ("why", "it", "found"),
    [
        ("ready", pod(), False),
        ("not ready", pod(ready="False"), True),
        ("node dead", pod(ready="Unknown"), True),
        ("no condition", pod(status={"conditions": None}), True),
        ("young", pod(ready="False", metadata={"creationTimestamp": ago(seconds=60)}), False),
        (
            "just beyond",
            pod(ready="False", metadata={"creationTimestamp": ago(seconds=61)}, status={"containerStatuses": None}),
            True,
        ),
        ("was pending for long and has just started", started(seconds=20), False),
        ("started long enough ago", started(seconds=61), True),
        ("restarted just now", started(seconds=20, restarts=1), True),
        ("pending", pending(60), False),
        ("completed", pod(ready="False", status={"phase": "Succeeded"}), False),
        ("goes", pod(ready="False", metadata={"deletionTimestamp": ago(seconds=1)}), False),
        ("of a Job", of("Job", status={"conditions": [condition("Ready", "False")]}), False),
        (
            "of a DaemonSet, host network",
            of("DaemonSet", spec={"hostNetwork": True}, status={"conditions": [condition("Ready", "False")]}),
            True,
        ),
    ],
)
def test_running_is_not_ready(why, it, found):
    """A running pod must be Ready, once the time that its first start may take is over; pods of Jobs need not."""
    assert bool(only("pods.ready", it, pod("other")).findings) is found


@pytest.mark.parametrize(("seconds", "found"), [(20, False), (90, True)])
def test_a_readiness_gate_may_take_the_time_of_a_start(seconds, found):
    """A pod that waited long for its node, and whose containers were ready at once, gives its load balancer time too."""
    running = {"running": {"startedAt": ago(seconds=seconds)}}
    gated = pod(ready="False", status={"containerStatuses": [container_status(state=running)]})
    assert bool(only("pods.ready", gated).findings) is found


DONE = container_status("clone", ready=False, state=terminated(0, "Completed"))


@pytest.mark.parametrize(
    ("why", "policy", "statuses", "found"),
    [
        ("one step is done, the next runs", "Never", [DONE, container_status("build")], False),
        ("a runner that retries", "OnFailure", [DONE, container_status("build")], False),
        ("its step failed", "Never", [container_status("clone", ready=False, state=terminated(1))], True),
        ("the next is not ready", "Never", [DONE, container_status("build", ready=False)], True),
        ("it was to run for ever", "Always", [DONE, container_status("build")], True),
        ("all are ready, its readiness gate is not", "Never", [container_status("build")], True),
    ],
)
def test_a_container_that_has_done_its_part_need_not_be_ready(why, policy, statuses, found):
    """Of a pod that runs to its end (a Tekton task, a CI runner) a container that ended well is no failure to be ready."""
    step = pod(
        ready="False",
        metadata={"ownerReferences": None},
        spec={"restartPolicy": policy},
        status={"containerStatuses": statuses},
    )
    assert bool(only("pods.ready", step).findings) is found


@pytest.mark.parametrize(("policy", "found"), [("OnFailure", False), ("Never", False), (None, True)])
def test_a_containers_own_restart_policy_decides(policy, found):
    """A container that ended well and by its own restartPolicy stays so neither crashes nor makes its pod unready."""
    ended = container_status("migrate", ready=False, restarts=1, state=terminated(0, "Completed"))
    containers = [{"name": "migrate", "restartPolicy": policy}, {"name": "app"}]
    its = pod(ready="False", spec={"containers": containers}, status={"containerStatuses": [ended, container_status()]})
    assert bool(only("pods.crashing", its).findings) is found
    assert bool(only("pods.ready", its).findings) is found


def test_a_readiness_gate_is_named():
    """A pod whose containers are all ready and whose readiness gate is not says so in the condition's words."""
    gate = condition("Ready", "False", reason="ReadinessGatesNotReady", message='"target-health" is "False"')
    (finding,) = only("pods.ready", pod(status={"conditions": [gate]})).findings
    assert finding.observed == 'Ready=False (ReadinessGatesNotReady: "target-health" is "False")'


def restarted(count, *, now_for=None, ended=None, lasted=10, created=24.0, uid=None):
    """A pod with so many restarts: its present run began, its previous one ended, so many minutes ago."""
    state = {"running": {"startedAt": ago(minutes=now_for if now_for is not None else 1200)}}
    last = None
    if ended is not None:
        last = {
            "terminated": {"exitCode": 1, "startedAt": ago(minutes=ended + lasted), "finishedAt": ago(minutes=ended)}
        }
    meta = {"creationTimestamp": ago(hours=created), **({"uid": uid} if uid else {})}
    return with_status(container_status(restarts=count, state=state, lastState=last), metadata=meta)


@pytest.mark.parametrize(
    ("why", "it", "observed"),
    [
        ("none", restarted(0), None),
        ("many, long ago", restarted(50, ended=1200), None),
        ("one lately", restarted(1, now_for=5, ended=6, lasted=1000), None),
        ("one lately of many: a reboot", restarted(50, now_for=5, ended=6, lasted=1000), None),
        ("two lately, hours of work between: two reboots", restarted(50, now_for=5, ended=6, lasted=40), None),
        (
            "a loop",
            restarted(50, now_for=5, ended=6, lasted=1),
            "container app: again and again, at least 2 restarts (50 in its life)",
        ),
        (
            "one every 11 minutes for days",
            restarted(500, now_for=5, ended=5.5, lasted=10.5, created=92),
            "container app: again and again, at least 2 restarts (500 in its life)",
        ),
        (
            "one every 11 minutes for days, after months of calm",
            restarted(500, now_for=5, ended=5.5, lasted=10.5, created=9000),
            "container app: again and again, at least 2 restarts (500 in its life)",
        ),
        (
            "one every 45 minutes for days",
            restarted(500, now_for=40, ended=40.5, lasted=44.5, created=375),
            "container app: again and again, at least 1 restart (500 in its life)",
        ),
        (
            "one every 11 minutes until an hour ago",
            restarted(500, now_for=61, ended=61.5, lasted=10.5, created=92),
            None,
        ),
        ("500 a year ago", restarted(500, ended=300000, now_for=300000, lasted=10.5, created=8800), None),
        ("500 a year ago, and once now", restarted(500, now_for=5, ended=6, lasted=300000, created=8800), None),
        ("a bad start of 20 minutes that ended well", restarted(12, now_for=58, ended=60, lasted=1, created=1.2), None),
        ("exactly two in its life", restarted(2, now_for=5, ended=6, lasted=1), None),
        ("new pod, within", restarted(2, created=0.5), None),
        ("new pod, beyond", restarted(3, created=0.5), "container app: 3 restarts"),
        ("at the edge of the window", restarted(3, created=1.0), "container app: 3 restarts"),
    ],
)
def test_without_a_baseline_two_restarts_are_allowed(why, it, observed):
    """Without a baseline two restarts since the reference time are fine; of an older pod its last two runs tell."""
    assert [each.observed for each in only("pods.restarts", it).findings] == ([observed] if observed else [])


@pytest.mark.parametrize(
    ("why", "before", "after", "observed"),
    [
        ("the same count", restarted(7), restarted(7), None),
        ("one more", restarted(7), restarted(8), "container app: 1 restart (8 in its life)"),
        ("a new pod from 0", restarted(7), restarted(0, uid="new"), None),
        ("a new pod that restarted while it started", restarted(7), restarted(2, uid="new"), None),
        ("a new pod that restarted too often", restarted(7), restarted(3, uid="new"), "container app: 3 restarts"),
        (
            "a new pod that had long started",
            restarted(7),
            restarted(1, uid="new", now_for=5, ended=6, lasted=300),
            "container app: 1 restart, the last when it had long started",
        ),
        ("a status that began anew", restarted(7), restarted(0), None),
    ],
)
def test_with_a_baseline_the_same_pod_is_compared(why, before, after, observed):
    """With a baseline an old pod may not restart, by pod UID and container; one of the same name and another UID is new."""
    saved = baseline(good(pods=[before]))
    result = only("pods.restarts", after, baseline=saved)
    assert [each.observed for each in result.findings] == ([observed] if observed else [])
    allowed = 2 if after["metadata"]["uid"] == "new" else 0
    assert all(each.expected == f"at most {allowed} restarts since 2026-11-21T00:00:00Z" for each in result.findings)


def test_containers_of_a_pod_are_compared_one_by_one():
    """A restart of one container does not make up for another's."""
    saved = baseline(good(pods=[with_status(container_status("a", restarts=5), container_status("b"))]))
    result = only(
        "pods.restarts",
        with_status(container_status("a", restarts=5), container_status("b", restarts=1)),
        baseline=saved,
    )
    assert [each.observed for each in result.findings] == ["container b: 1 restart"]


def test_the_profile_may_allow_a_reboot():
    """A node's reboot restarts every container once: the profile may allow that."""
    saved = baseline(good(pods=[restarted(7)]))
    allowing = profile(restarts={"allowed": 1})
    assert only("pods.restarts", restarted(8), baseline=saved, profile=allowing).outcome == "passed"
    assert only("pods.restarts", restarted(9), baseline=saved, profile=allowing).outcome == "failed"


def test_a_mirror_pod_is_not_new_when_its_kubelet_restarts():
    """A mirror pod gets another UID with every start of its kubelet; the restarts of its whole life are not new ones."""
    saved = baseline(good(pods=[]))
    mirror = merged(restarted(9, uid="new", created=0.2, ended=1200), {"metadata": owner("Node", thing("worker-1"))})
    again = merged(
        restarted(9, uid="new", created=0.2, now_for=5, ended=6), {"metadata": owner("Node", thing("worker-1"))}
    )
    assert only("pods.restarts", mirror, baseline=saved).outcome == "passed"
    assert only("pods.restarts", again, baseline=saved).outcome == "failed"


@pytest.mark.parametrize("metadata", [owner("Job", thing("job", "shop")), {"deletionTimestamp": ago(seconds=1)}])
def test_restarts_that_are_no_news(metadata):
    """Restarts are how a Job retries, and a pod that is being deleted is over."""
    assert not only("pods.restarts", merged(restarted(9, created=0.5), {"metadata": metadata})).findings


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (container_status(restarts=1, lastState=terminated(137, "OOMKilled")), True),
        (container_status(ready=False, state=terminated(137, "OOMKilled")), True),
        (container_status(restarts=1, lastState=terminated(137, "OOMKilled", hours=2)), False),
        (container_status(restarts=1, lastState=terminated(137, "Error")), False),
        (
            container_status(
                restarts=1, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": None}}
            ),
            False,
        ),
    ],
)
def test_only_recent_kills_for_memory_count(status, found):
    """A container that was OOMKilled since the reference time is a warning that names it; earlier ones are history."""
    result = only("pods.oom", with_status(status))
    assert [each.observed for each in result.findings] == (["OOMKilled: container app"] if found else [])
    assert result.outcome == ("warned" if found else "passed")


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"ownerReferences": None}, True),
        ({"ownerReferences": []}, True),
        ({"ownerReferences": [{"kind": "StrimziPodSet", "name": "x", "controller": False}]}, True),
        (owner("ReplicaSet", thing("rs", "shop")), False),
        (owner("Node", thing("worker-1")), False),
        (owner("Workflow", thing("flow", "shop")), False),
    ],
)
def test_a_pod_needs_a_controller(metadata, found):
    """A pod that no ownerReference controls is a warning, as for kubectl drain; mirror pods belong to their node."""
    result = only("pods.bare", pod(metadata=metadata))
    assert result.outcome == ("warned" if found else "passed")


def test_a_bare_pod_that_ended_needs_no_one():
    """A debugging pod that has ended, or goes, will not be missed."""
    done = pod("debug", metadata={"ownerReferences": None}, status={"phase": "Succeeded"})
    gone = pod("gone", metadata={"ownerReferences": None, "deletionTimestamp": ago(seconds=1)})
    assert only("pods.bare", done, gone, pod()).outcome == "passed"


def test_a_pod_on_a_node_that_is_gone_is_still_judged():
    """A pod whose node no longer exists is not forgotten: it is not ready, by its own condition."""
    stranded = pod(ready="Unknown", spec={"nodeName": "gone"})
    assert objects(only("pods.ready", stranded)) == ["Pod/shop/web-1"]


def test_one_bad_pod_is_one_red_line():
    """A crash-looping pod fails several checks; all but the first say that they follow from it."""
    crash = with_status(
        waits("CrashLoopBackOff", restarts=9), ready="False", metadata={"creationTimestamp": ago(minutes=30)}
    )
    results = run(["pods.crashing", "pods.ready", "pods.restarts"], good(pods=[crash]))
    assert [each.outcome for each in results] == ["failed"] * 3
    assert [finding.because for each in results for finding in each.findings] == [
        None,
        *["pods.crashing: Pod/shop/web-1"] * 2,
    ]


def ended(name="old", owner_kind=None, *, days=20.0, **changes):
    """A pod that failed so many days ago, and whom nothing or a custom resource controls."""
    refs = owner(owner_kind, thing("some", "shop")) if owner_kind else {"ownerReferences": None}
    end = container_status(ready=False, state=terminated(days=days))
    status = {"phase": "Failed", "containerStatuses": [end], "conditions": [condition("Ready", "False")]}
    status["conditions"][0]["lastTransitionTime"] = ago(days=days)
    meta = {**refs, "creationTimestamp": ago(days=days + 1)}
    return pod(name, **merged({"metadata": meta, "status": status}, changes))


def since_then(name="next", **changes):
    """A pod of the same custom resource that was made half an hour ago."""
    meta = {**owner("Cluster", thing("some", "shop")), "creationTimestamp": ago(minutes=30)}
    return pod(name, **merged({"metadata": meta}, changes))


BARE, COMPLETED = {"ownerReferences": None}, {"phase": "Succeeded"}
REFUSED = {"reason": "UnexpectedAdmissionError", "containerStatuses": None, "conditions": None}


@pytest.mark.parametrize(
    ("why", "pods", "severity"),
    [
        ("a workflow's, of long ago", [ended(owner_kind="Workflow")], "warning"),
        ("a bare one, of long ago", [ended()], "warning"),
        ("a bare one, now", [ended(days=0.01)], "critical"),
        ("of an operator, now", [ended(owner_kind="Cluster", days=0.03)], "critical"),
        ("its operator made the next", [ended(owner_kind="Cluster", days=0.03), since_then()], "warning"),
        ("the next is not ready", [ended(owner_kind="Cluster", days=0.03), since_then(ready="False")], "critical"),
        ("the next was there before", [ended(owner_kind="Cluster", days=0.01), since_then()], "critical"),
        ("another's", [ended(owner_kind="Cluster", days=0.03), since_then(metadata=BARE)], "critical"),
        ("the next has completed", [ended(owner_kind="Cluster", days=0.03), since_then(status=COMPLETED)], "warning"),
        ("refused by its node long ago", [ended(status=REFUSED)], "warning"),
        ("evicted by an old kubelet, at a time unknown", [ended(status={**REFUSED, "reason": "Evicted"})], "critical"),
        ("a lost node, in phase Unknown", [ended(status={"phase": "Unknown"})], "critical"),
    ],
)
def test_what_failed_before_the_reference_time_is_litter(why, pods, severity):
    """A pod that failed since the reference time is a failure; an older one, or one that was replaced, is a warning."""
    (finding,) = [each for each in only("pods.failed", *pods).findings if each.object == "Pod/shop/old"]
    assert finding.severity == severity


STATIC = {"namespace": "kube-system", **owner("Node", thing("worker-1"))}


@pytest.mark.parametrize(("restarts", "outcome"), [(7, "passed"), (8, "passed"), (9, "failed")])
def test_a_static_pod_may_lose_its_lease_once(restarts, outcome):
    """The controller manager restarts when the API server goes away for its upgrade: once is normal."""
    before, after = (merged(restarted(count), {"metadata": STATIC}) for count in (7, restarts))
    assert only("pods.restarts", after, baseline=baseline(good(pods=[before]))).outcome == outcome


def booted(boot):
    """The node, with that boot ID."""
    return node(status={"nodeInfo": {"bootID": boot}})


@pytest.mark.parametrize(
    ("boot", "restarts", "outcome"), [("b", 8, "passed"), ("b", 9, "failed"), ("a", 8, "failed"), ("", 8, "failed")]
)
def test_a_reboot_restarts_every_container_once(boot, restarts, outcome):
    """With another boot ID than in the baseline one restart is the node's; without, it is the container's own."""
    saved = baseline(good(nodes=[booted("a")], pods=[restarted(7)]))
    world = good(nodes=[booted(boot)], pods=[restarted(restarts)])
    assert judge("pods.restarts", world, baseline=saved).outcome == outcome


def test_a_baseline_without_boot_ids_excuses_no_restart():
    """A baseline of an earlier version does not know them."""
    saved = baseline(good(pods=[restarted(7)]))
    assert judge("pods.restarts", good(nodes=[booted("b")], pods=[restarted(8)]), baseline=saved).outcome == "failed"


@pytest.mark.parametrize(
    ("namespace", "restarts", "outcome"),
    [("kube-system", 1, "passed"), ("kube-system", 2, "failed"), ("shop", 1, "failed")],
)
def test_an_add_on_may_restart_once(namespace, restarts, outcome):
    """Controllers of kube-system lose their lease when the API server is upgraded; those of others do not count as add-ons."""
    before, after = (
        pod(namespace=namespace, status={"containerStatuses": [container_status(restarts=n)]}) for n in (0, restarts)
    )
    assert only("pods.restarts", after, baseline=baseline(good(pods=[before]))).outcome == outcome


def restarted_at(minutes, code=1, restarts=1):
    """A container that ended so long ago after ten hours, and was started again."""
    end = {"exitCode": code, "startedAt": ago(hours=10), "finishedAt": ago(minutes=minutes)}
    again = {"running": {"startedAt": ago(minutes=minutes, seconds=-20)}}
    return container_status(restarts=restarts, state=again, lastState={"terminated": end})


def api_server(minutes, **changes):
    """The static pod of an API server that was made so long ago."""
    meta = {**STATIC, "labels": {"component": "kube-apiserver"}, "creationTimestamp": ago(minutes=minutes)}
    return pod("kube-apiserver-cp-1", **merged({"metadata": meta}, changes))


@pytest.mark.parametrize(
    ("why", "server", "code", "restarts", "outcome"),
    [
        ("its API server was replaced then", api_server(39), 1, 1, "passed"),
        ("twice", api_server(39), 1, 2, "failed"),
        ("a quarter of an hour later", api_server(25), 1, 1, "failed"),
        ("long before", api_server(60), 1, 1, "failed"),
        ("it was stopped", api_server(39), 0, 1, "failed"),
        ("what is called so is another's", api_server(39, metadata={"namespace": "shop"}), 1, 1, "failed"),
        (
            "its API server restarted",
            api_server(900, status={"containerStatuses": [restarted_at(40.2)]}),
            1,
            1,
            "passed",
        ),
    ],
)
def test_a_controller_may_lose_its_lease_while_the_api_server_is_away(why, server, code, restarts, outcome):
    """A controller that loses its lease ends with an error and begins again, wherever it is installed: once is normal."""
    before = pod(namespace="cert-manager")
    after = pod(namespace="cert-manager", status={"containerStatuses": [restarted_at(40, code, restarts)]})
    result = judge("pods.restarts", good(pods=[after, server]), baseline=baseline(good(pods=[before, server])))
    assert objects(result) == ([] if outcome == "passed" else ["Pod/cert-manager/web-1"])
