"""Deployments, StatefulSets, DaemonSets and namespaces: complete, not yet, or stuck."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    baseline,
    condition,
    container_status,
    daemonset,
    good,
    judge,
    merged,
    namespace,
    node,
    owner,
    pod,
    replicated,
    service,
    thing,
)

PROGRESSES = condition("Progressing", reason="ReplicaSetUpdated")
COMPLETE = condition("Progressing", reason="NewReplicaSetAvailable")
EXCEEDED = condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="timed out")
NEVER = condition("Available", "False", lastTransitionTime=ago(minutes=5))
PAUSED = condition("Progressing", "Unknown", reason="DeploymentPaused")
QUOTA = condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota")


def said(result):
    """What was observed, and whether it is only not finished yet."""
    return [(each.observed, each.transitional) for each in result.findings]


def status(replicas, updated=None, ready=None, available=None, *conditions, **more):
    """A Deployment's status; what is not given equals the number before it."""
    updated = replicas if updated is None else updated
    ready = updated if ready is None else ready
    counts = {
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready if available is None else available,
    }
    return {"replicas": replicas, **counts, **({"conditions": list(conditions)} if conditions else {}), **more}


def crew(world, *pods):
    """The world with these pods, and as many ready ones more as the status of its workloads counts."""
    kinds = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
    world["pods"] = list(pods)
    for kind, noun in kinds.items():
        for each in world[noun]:
            count = each["status"].get("readyReplicas", each["status"].get("numberReady", 0))
            maker = {} if kind == "Deployment" else owner(kind, each)
            have = sum(
                not pod["metadata"].get("deletionTimestamp") for pod in pods if kind == "Deployment" or its(pod, each)
            )
            world["pods"] += [pod(f"{each['metadata']['name']}-old-{n}", metadata=maker) for n in range(count - have)]
    return world


def its(pod, maker):
    """The pod is one that this workload made."""
    return pod["metadata"]["ownerReferences"][0]["uid"] == maker["metadata"]["uid"]


def deployment(desired, status, **spec):
    """What is said of a Deployment that wants so many, and has as many pods as its status counts."""
    world = good(deployments=[replicated("web", desired, status=status, spec=spec)])
    return said(judge("deployments.ready", crew(world)))


@pytest.mark.parametrize(
    ("why", "desired", "status", "observed"),
    [
        ("complete", 3, status(3), None),
        ("scaled to zero", 0, status(0), None),
        ("never created, no ReplicaFailure yet", 3, status(0), "0 updated, 0 ready, 0 available of 3 desired"),
        ("one not ready", 3, status(3, 3, 2), "2 ready, 2 available of 3 desired"),
        ("ready and not long enough", 3, status(3, 3, 3, 2), "2 available of 3 desired"),
        ("old ones left", 3, status(4, 3), "1 still of an old version"),
        ("not updated", 3, status(3, 1, 3), "1 updated of 3 desired; 2 still of an old version"),
        ("not seen", 3, status(3, observedGeneration=0), "its controller saw generation 0 of 1"),
        (
            "quota",
            3,
            status(2, 2, 2, 2, QUOTA, COMPLETE),
            "2 updated, 2 ready, 2 available of 3 desired; ReplicaFailure=True (FailedCreate: exceeded quota)",
        ),
        (
            "deadline",
            2,
            status(3, 1, 2, 2, EXCEEDED),
            "1 updated of 2 desired; 2 still of an old version; Progressing=False (ProgressDeadlineExceeded: timed out)",
        ),
        (
            "complete, but the quota refuses",
            3,
            status(3, 3, 3, 3, QUOTA),
            "ReplicaFailure=True (FailedCreate: exceeded quota)",
        ),
        (
            "ReplicaSet refused",
            1,
            status(1, 0, 1, 1, condition("Progressing", "False", reason="ReplicaSetCreateError", message="denied")),
            "0 updated of 1 desired; 1 still of an old version; Progressing=False (ReplicaSetCreateError: denied)",
        ),
    ],
)
def test_a_deployment_is_complete_or_says_what_is_missing(why, desired, status, observed):
    """Updated, ready and available must equal desired, nothing old may be left, and nothing have failed; the finding counts."""
    assert deployment(desired, status) == ([(observed, False)] if observed else [])


def test_absent_numbers_are_zero():
    """A Deployment whose pods were never created has no counts and no conditions at all: that is 0, not all."""
    empty = replicated("web")
    empty["status"] = {"observedGeneration": 1}
    assert said(judge("deployments.ready", good(deployments=[empty]))) == [
        ("0 updated, 0 ready, 0 available of 1 desired", False)
    ]


def test_absent_replicas_are_one():
    """A Deployment that says no number wants one."""
    one = replicated("web")
    del one["spec"]["replicas"]
    assert judge("deployments.ready", good(deployments=[one])).outcome == "passed"


@pytest.mark.parametrize(
    ("why", "desired", "strategy", "available", "transitional"),
    [
        ("25 % of 4 is 1", 4, None, 3, True),
        ("25 % of 4 is not 2", 4, None, 2, False),
        ("25 % of 3 rounds down to 0", 3, None, 2, False),
        ("25 % of 3, nothing missing", 3, None, 3, True),
        ("50 % of 3 rounds down to 1", 3, {"rollingUpdate": {"maxUnavailable": "50%"}}, 2, True),
        ("50 % of 3 is not 2", 3, {"rollingUpdate": {"maxUnavailable": "50%"}}, 1, False),
        ("0", 3, {"rollingUpdate": {"maxUnavailable": 0}}, 2, False),
        ("2", 3, {"rollingUpdate": {"maxUnavailable": 2}}, 1, True),
        (
            "both come to 0, so the controller takes 1",
            3,
            {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 0}},
            2,
            True,
        ),
        ("both come to 0, but not 2", 3, {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "0%"}}, 1, False),
        ("surge rounds up", 3, {"rollingUpdate": {"maxUnavailable": "0%", "maxSurge": "1%"}}, 2, False),
        ("Recreate takes all", 3, {"type": "Recreate"}, 0, True),
        ("null", 4, {"type": "RollingUpdate", "rollingUpdate": None}, 3, True),
    ],
)
def test_a_rollout_within_its_bound_is_not_yet(why, desired, strategy, available, transitional):
    """A rollout that progresses is not yet finished, as long as the strategy's own bound of unavailable replicas holds."""
    rolling = status(desired, 1, available, available, PROGRESSES)
    ((_, not_yet),) = deployment(desired, rolling, strategy=strategy or {"type": "RollingUpdate"})
    assert not_yet is transitional


@pytest.mark.parametrize(
    ("why", "conditions", "created", "transitional"),
    [
        ("first roll-out", [PROGRESSES, NEVER], "at once", True),
        ("first roll-out that exceeded its deadline", [EXCEEDED, NEVER], "at once", False),
        ("first roll-out that the quota refuses", [PROGRESSES, NEVER, QUOTA], "at once", False),
        ("became unavailable later", [PROGRESSES, NEVER], "before", False),
        ("was complete, and is not any more", [COMPLETE, NEVER], "before", False),
        ("paused", [PAUSED, NEVER], "at once", False),
        ("no condition", [NEVER], "at once", False),
    ],
)
def test_a_first_roll_out_has_no_bound_to_keep(why, conditions, created, transitional):
    """A Deployment that was never available is not yet rolled out while it progresses; one that was is broken."""
    made = {"creationTimestamp": ago(minutes=5) if created == "at once" else ago(days=9)}
    it = replicated("web", 3, status=status(3, 3, 0, 0, *conditions), metadata=made)
    ((_, not_yet),) = said(judge("deployments.ready", good(deployments=[it])))
    assert not_yet is transitional


def test_a_pause_is_named():
    """A Deployment that was paused in the middle says so; a paused one that is complete is fine."""
    assert deployment(3, status(3, 1, 3, 3, PAUSED), paused=True) == [
        ("1 updated of 3 desired; 2 still of an old version; paused", False)
    ]
    assert deployment(3, status(3, 3, 3, 3, PAUSED), paused=True) == []


def young(name, **changes):
    """A running pod that was made half a minute ago and is not ready."""
    running = {"state": {"running": {"startedAt": ago(seconds=20)}}}
    its = {
        "metadata": {"creationTimestamp": ago(seconds=30)},
        "status": {"containerStatuses": [container_status(ready=False, **running)]},
    }
    return pod(name, ready="False", **merged(its, changes))


CRASH = {
    "containerStatuses": [container_status(ready=False, restarts=2, state={"waiting": {"reason": "CrashLoopBackOff"}})]
}


@pytest.mark.parametrize(
    ("why", "pods", "conditions", "transitional"),
    [
        ("scaled up", [young("b"), young("c")], [COMPLETE], True),
        (
            "scaled up, waits for nodes",
            [
                young("b"),
                young(
                    "c",
                    status={"phase": "Pending", "containerStatuses": None},
                    metadata={"creationTimestamp": ago(minutes=4)},
                ),
            ],
            [COMPLETE],
            True,
        ),
        ("one was never made", [young("b")], [COMPLETE], False),
        (
            "one is too slow",
            [young("b"), young("c", metadata={"creationTimestamp": ago(hours=2)}, status={"containerStatuses": []})],
            [COMPLETE],
            False,
        ),
        (
            "one is pending for too long",
            [young("b"), young("c", status={"phase": "Pending"}, metadata={"creationTimestamp": ago(minutes=6)})],
            [COMPLETE],
            False,
        ),
        ("one crashes", [young("b"), young("c", status=CRASH)], [COMPLETE], False),
        ("the quota refuses", [young("b"), young("c")], [COMPLETE, QUOTA], False),
        ("they are made again and again", [young("b"), young("c")], [EXCEEDED], False),
        ("none of its pods", [], [COMPLETE], False),
    ],
)
def test_a_scale_up_is_not_yet_while_its_pods_may_still_start(why, pods, conditions, transitional):
    """A Deployment that lacks only pods with time left to start (an autoscaler added them) is not yet, else it is broken."""
    scaled = replicated("web", 3, status=status(3, 3, 1, 1, *conditions))
    ((_, not_yet),) = said(judge("deployments.ready", good(deployments=[scaled], pods=[pod(), *pods])))
    assert not_yet is transitional


def leaving(minutes):
    """A pod that was due to be gone so many minutes ago."""
    return pod("db-2", ready="False", metadata={"deletionTimestamp": ago(minutes=minutes)})


def ready_for(name, seconds):
    """A pod that became ready so many seconds ago."""
    return pod(name, status={"conditions": [condition("Ready", lastTransitionTime=ago(seconds=seconds))]})


@pytest.mark.parametrize(
    ("why", "pods", "counts", "transitional"),
    [
        ("the new ones are on probation", [ready_for("b", 100), ready_for("c", 20)], (3, 1), True),
        ("one is on probation, one starts", [ready_for("b", 100), young("c")], (2, 1), True),
        ("one is long past it", [ready_for("b", 100), ready_for("c", 400)], (3, 1), False),
        ("one was never made", [ready_for("b", 100)], (2, 1), False),
    ],
)
def test_pods_on_probation_are_not_yet_available(why, pods, counts, transitional):
    """Pods that are ready for less than minReadySeconds are not yet available: an autoscaler has added them."""
    ready, available = counts
    spec = {"minReadySeconds": 300}
    scaled = replicated("web", 3, status=status(3, 3, ready, available, COMPLETE), spec=spec)
    ((_, not_yet),) = said(judge("deployments.ready", good(deployments=[scaled], pods=[pod(), *pods])))
    assert not_yet is transitional


@pytest.mark.parametrize(
    ("why", "pods", "strategy", "transitional"),
    [
        ("the old ones go", [leaving(-3), leaving(-1)], "Recreate", True),
        ("one of them does not go", [leaving(-3), leaving(9)], "Recreate", False),
        ("one of them stays", [leaving(-3), pod("b", ready="False")], "Recreate", False),
        ("they are gone", [], "Recreate", False),
        ("not asked for", [leaving(-3)], "RollingUpdate", False),
    ],
)
def test_a_deployment_that_is_recreated_waits_for_its_old_pods(why, pods, strategy, transitional):
    """Recreate lets all old pods go before it makes a new one, and until then its conditions say that all is done."""
    its = replicated("web", 2, status=status(0, 0, 0, 0, COMPLETE), spec={"strategy": {"type": strategy}})
    ((_, not_yet),) = said(judge("deployments.ready", good(deployments=[its], pods=pods)))
    assert not_yet is transitional


def test_what_is_being_deleted_is_not_judged():
    """A workload that is being deleted need not be complete."""
    gone = {"metadata": {"deletionTimestamp": ago(seconds=1)}, "status": {"readyReplicas": 0, "numberReady": 0}}
    world = good(
        deployments=[replicated("web", 3, **gone)],
        statefulsets=[replicated("db", 3, **gone)],
        daemonsets=[daemonset("x", 3, **gone)],
    )
    assert not any(judge(f"{kind}.ready", world).findings for kind in ("deployments", "statefulsets", "daemonsets"))


def statefulset(desired=3, pods=(), *, spec=None, **status):
    """What is said of a StatefulSet with this status and these pods."""
    it = replicated("db", desired, app="db", spec=spec or {}, status=status)
    own = [merged(each, {"metadata": owner("StatefulSet", it)}) for each in pods]
    return said(judge("statefulsets.ready", crew(good(statefulsets=[it]), *own)))


NEW = {"updateRevision": "b"}


@pytest.mark.parametrize(
    ("why", "spec", "status", "observed"),
    [
        ("complete", {}, {}, None),
        ("not ready", {}, {"readyReplicas": 2}, "2 of 3 ready"),
        ("not seen", {}, {"observedGeneration": 0}, "its controller saw generation 0 of 1"),
        ("half updated", {}, {**NEW, "updatedReplicas": 1}, "2 of 3 still at revision a"),
        ("all updated, currentRevision lags", {}, {**NEW, "updatedReplicas": 3}, None),
        ("OnDelete", {"updateStrategy": {"type": "OnDelete"}}, {**NEW, "updatedReplicas": 0}, None),
        ("OnDelete, not ready", {"updateStrategy": {"type": "OnDelete"}}, {**NEW, "readyReplicas": 1}, "1 of 3 ready"),
        ("partition", {"updateStrategy": {"rollingUpdate": {"partition": 2}}}, {**NEW, "updatedReplicas": 1}, None),
        (
            "partition, not reached",
            {"updateStrategy": {"rollingUpdate": {"partition": 1}}},
            {**NEW, "updatedReplicas": 1},
            "1 of 3 still at revision a",
        ),
        (
            "partition beyond",
            {"updateStrategy": {"rollingUpdate": {"partition": 9}}},
            {**NEW, "updatedReplicas": 0},
            None,
        ),
        (
            "null",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": None}},
            {**NEW, "updatedReplicas": 0},
            "3 of 3 still at revision a",
        ),
    ],
)
def test_a_statefulset_is_ready_and_updated(why, spec, status, observed):
    """All replicas are ready and at the update revision, but for OnDelete and those below a partition."""
    assert [each for each, _ in statefulset(spec=spec, **status)] == ([observed] if observed else [])


def test_a_statefulset_scaled_to_zero_is_complete():
    """One that wants nothing lacks nothing, whatever its revisions are."""
    assert statefulset(0, updateRevision="b", updatedReplicas=0) == []


AGED = {"metadata": {"creationTimestamp": ago(minutes=9)}, "status": {"containerStatuses": None}}
OLD = {"metadata": {"creationTimestamp": ago(minutes=11)}, "status": {"containerStatuses": None}}


@pytest.mark.parametrize(
    ("why", "pods", "status", "transitional"),
    [
        ("the next one is being made", [young("db-2", **AGED)], {"readyReplicas": 2}, True),
        ("the next one does not start", [young("db-2", **OLD)], {"readyReplicas": 2}, False),
        ("the old one is going", [leaving(-1)], {"readyReplicas": 2}, True),
        ("the old one does not go", [leaving(11)], {"readyReplicas": 2}, False),
        ("between two pods", [pod("db-2", metadata={"creationTimestamp": ago(minutes=1)})], {}, True),
        ("between two pods for long", [pod("db-2")], {}, False),
        ("two are missing", [young("db-1", **AGED), young("db-2", **AGED)], {"readyReplicas": 1}, False),
        (
            "its pod cannot be made",
            [pod("db-0", metadata={"creationTimestamp": ago(minutes=1)})],
            {"readyReplicas": 2},
            False,
        ),
        (
            "another pod is young, this one is broken",
            [young("db-1"), young("db-2", **OLD)],
            {"readyReplicas": 2},
            False,
        ),
        ("controller does not see it", [young("db-2", **AGED)], {"readyReplicas": 2, "observedGeneration": 0}, False),
    ],
)
def test_a_statefulset_that_advances_is_not_yet(why, pods, status, transitional):
    """An update is not yet finished while each missing pod is new or on its way out; a stuck one is broken."""
    ((_, not_yet),) = statefulset(3, pods, **{**NEW, "updatedReplicas": 1, **status})
    assert not_yet is transitional


@pytest.mark.parametrize(
    ("why", "policy", "pods", "transitional"),
    [
        ("first of three", "OrderedReady", [young("db-0")], True),
        ("all three at once", "Parallel", [young("db-0"), young("db-1"), young("db-2")], True),
        ("only one of three at once", "Parallel", [young("db-0")], False),
        ("none was made", "OrderedReady", [], False),
        ("the next comes when the first has proved itself", "OrderedReady", [ready_for("db-0", 20)], True),
        ("the next does not come", "OrderedReady", [ready_for("db-0", 90)], False),
        ("one of three is on probation", "Parallel", [ready_for("db-0", 20)], False),
    ],
)
def test_a_first_roll_out_of_a_statefulset_is_not_yet(why, policy, pods, transitional):
    """A StatefulSet starts its pods one after the other, or in parallel; those that it made must still have time to start."""
    spec = {"podManagementPolicy": policy, "minReadySeconds": 60}
    ready = sum(each["status"]["conditions"][0]["status"] == "True" for each in pods)
    ((_, not_yet),) = statefulset(3, pods, spec=spec, readyReplicas=ready, availableReplicas=0)
    assert not_yet is transitional


def agents(desired, pods=(), *, nodes=None, spec=None, **status):
    """What is said of a DaemonSet with this status and these pods."""
    it = daemonset("agent", desired, spec=spec or {}, status=status)
    own = [merged(each, {"metadata": owner("DaemonSet", it)}) for each in pods]
    return said(judge("daemonsets.ready", crew(good(daemonsets=[it], nodes=nodes or [node()]), *own)))


@pytest.mark.parametrize(
    ("why", "spec", "status", "observed"),
    [
        ("complete", {}, {}, None),
        ("not ready", {}, {"numberReady": 2}, "2 of 3 ready"),
        ("not updated", {}, {"updatedNumberScheduled": 1}, "2 of 3 not updated"),
        ("OnDelete", {"updateStrategy": {"type": "OnDelete"}}, {"updatedNumberScheduled": 0}, None),
        ("on nodes that were tainted later, where its pods stay", {}, {"numberMisscheduled": 2}, None),
        ("not seen", {}, {"observedGeneration": 0}, "its controller saw generation 0 of 1"),
        (
            "all of it",
            {},
            {"numberReady": 0, "updatedNumberScheduled": 2},
            "0 of 3 ready; 1 of 3 not updated",
        ),
    ],
)
def test_a_daemonset_is_on_all_its_nodes(why, spec, status, observed):
    """It is ready and updated on every node that it wants; OnDelete keeps old pods on purpose."""
    assert [each for each, _ in agents(3, spec=spec, **status)] == ([observed] if observed else [])


@pytest.mark.parametrize(
    ("why", "template", "found"),
    [
        ("no selector", {}, True),
        ("matches", {"nodeSelector": {"kubernetes.io/os": "linux"}}, True),
        ("matches none", {"nodeSelector": {"kubernetes.io/os": "windows"}}, False),
        ("affinity", {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}}, False),
        ("empty affinity", {"affinity": {}}, True),
        ("nulls", {"nodeSelector": None, "affinity": None}, True),
    ],
)
def test_wanting_no_node_must_be_on_purpose(why, template, found):
    """A DaemonSet that wants no node is fine if its selector matches none, and found if it matches some."""
    linux = node(metadata={"labels": {"kubernetes.io/os": "linux"}})
    expected = [("wants no node, although its node selector matches some", False)] if found else []
    assert agents(0, nodes=[linux], spec={"template": {"spec": template}}) == expected


@pytest.mark.parametrize(
    ("why", "bound", "missing", "pods", "transitional"),
    [
        ("one of ten", None, 1, [young("a", **AGED)], True),
        ("two of ten", None, 2, [young("a", **AGED), young("b", **AGED)], False),
        ("10 % of 11 rounds up to 2", "10%", 2, [young("a", **AGED), young("b", **AGED)], True),
        ("10 % of 11 is not 3", "10%", 3, [young("a", **AGED), young("b", **AGED), young("c", **AGED)], False),
        ("surge instead", 0, 1, [young("a", **AGED)], True),
        (
            "one is stuck while others are new",
            None,
            1,
            [young("a", **OLD), pod("b", metadata={"creationTimestamp": ago(minutes=1)})],
            False,
        ),
        ("five nodes came at once", None, 5, [young(name) for name in "abcde"], True),
        ("five nodes came, on one it was never made", None, 5, [young(name) for name in "abcd"], False),
    ],
)
def test_a_daemonset_that_advances_is_not_yet(why, bound, missing, pods, transitional):
    """An update within its bound, or nodes that have just come, are not yet; a pod that does not start is broken."""
    update = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": bound}}}
    ((_, not_yet),) = agents(11, pods, spec=update, numberReady=11 - missing)
    assert not_yet is transitional


@pytest.mark.parametrize(("seconds", "outcome"), [(120, "passed"), (121, "failed")])
def test_a_namespace_may_take_its_time_to_go(seconds, outcome):
    """A namespace may take two minutes to be deleted, and no longer."""
    assert (
        judge(
            "namespaces.terminating", good(namespaces=[namespace(metadata={"deletionTimestamp": ago(seconds=seconds)})])
        ).outcome
        == outcome
    )


def test_a_stuck_namespace_says_what_blocks_it():
    """The finding gives every condition that says why the namespace cannot go, and none that says all is well."""
    conditions = [
        condition("NamespaceDeletionDiscoveryFailure", message="metrics.k8s.io/v1beta1: stale GroupVersion"),
        condition("NamespaceDeletionContentFailure", "False", message="All content deleted"),
        condition("NamespaceFinalizersRemaining", message="example.com/hold in 1 resource instances"),
    ]
    gone = namespace(
        metadata={"deletionTimestamp": ago(minutes=10)}, status={"phase": "Terminating", "conditions": conditions}
    )
    (finding,) = judge("namespaces.terminating", good(namespaces=[gone])).findings
    assert finding.observed == (
        "Terminating for 10m: metrics.k8s.io/v1beta1: stale GroupVersion; example.com/hold in 1 resource instances"
    )


def test_a_namespace_without_conditions_is_found_all_the_same():
    """A namespace that nobody works on says that no condition says why."""
    gone = namespace(metadata={"deletionTimestamp": ago(minutes=10)}, status={"conditions": None})
    (finding,) = judge("namespaces.terminating", good(namespaces=[gone])).findings
    assert finding.observed == "Terminating for 10m: no condition says why"


@pytest.mark.parametrize(
    ("why", "pods", "conditions", "transitional"),
    [
        ("a pod has an hour of grace", [{"deletionTimestamp": ago(minutes=-50)}], [], True),
        ("one is overdue", [{"deletionTimestamp": ago(minutes=-50)}, {"deletionTimestamp": ago(minutes=9)}], [], False),
        ("nothing in it goes", [{}], [], False),
        (
            "an API that does not answer",
            [{"deletionTimestamp": ago(minutes=-50)}],
            [condition("NamespaceDeletionDiscoveryFailure")],
            False,
        ),
    ],
)
def test_a_namespace_waits_for_the_grace_of_its_pods(why, pods, conditions, transitional):
    """A namespace whose pods may take long to go is not yet gone, unless one of them or an API holds it."""
    gone = namespace(metadata={"deletionTimestamp": ago(minutes=10)}, status={"conditions": conditions})
    its = [pod(f"web-{number}", metadata=metadata) for number, metadata in enumerate(pods)]
    ((_, not_yet),) = said(judge("namespaces.terminating", good(namespaces=[gone], pods=its)))
    assert not_yet is transitional


def test_pods_of_another_deployment_prove_nothing():
    """Only pods of the Deployment's own ReplicaSets can say that it is starting."""
    other = merged(young("b"), {"metadata": owner("ReplicaSet", thing("other-rs", "shop"))})
    scaled = replicated("web", 2, status=status(2, 2, 1, 1))
    ((_, not_yet),) = said(judge("deployments.ready", good(deployments=[scaled], pods=[pod(), other])))
    assert not_yet is False


MADE_BY_ROLLOUT = owner("Rollout", thing("web", "shop"))


@pytest.mark.parametrize(
    ("why", "pods", "found", "transitional"),
    [
        ("all there", [pod("a"), pod("b"), pod("c")], False, None),
        ("none is there", [], True, False),
        ("one is not there", [pod("a"), pod("b")], True, False),
        ("one has failed", [pod("a"), pod("b"), pod("c", status={"phase": "Failed"})], True, False),
        ("one is going", [pod("a"), pod("b"), pod("c", metadata={"deletionTimestamp": ago(seconds=-9)})], False, None),
        ("one went a moment ago, its successor is new", [pod("a"), young("b")], True, True),
        ("one went a moment ago, another is going", [pod("a"), leaving(-1)], True, True),
        ("the others should long be gone", [pod("a"), leaving(9)], True, False),
    ],
)
def test_a_status_is_compared_with_the_pods_that_are_there(why, pods, found, transitional):
    """A status that counts pods which do not exist is found, whoever's; lists of two moments differ only while pods move."""
    its = {
        "deployments": (replicated("web", 3), owner("ReplicaSet", thing("web-rs", "shop"))),
        "replicasets": (it := replicated("web", 3, metadata=MADE_BY_ROLLOUT), owner("ReplicaSet", it)),
        "statefulsets": (it := replicated("web", 3), owner("StatefulSet", it)),
        "daemonsets": (it := daemonset("web", 3), owner("DaemonSet", it)),
    }
    for noun, (workload, maker) in its.items():
        world = good(pods=[merged(each, {"metadata": maker}) for each in pods])
        world[noun] = [workload, *(world[noun] if noun == "replicasets" else [])]
        result = judge(f"{noun}.ready", world)
        assert [each.transitional for each in result.findings] == ([transitional] if found else [])
        assert all("its status counts 3 ready pods, of which" in each.observed for each in result.findings)


@pytest.mark.parametrize(
    ("why", "changes", "observed"),
    [
        ("a bare one", {}, "0 ready, 0 available of 3 desired"),
        ("of Argo Rollouts", {"metadata": MADE_BY_ROLLOUT}, "0 ready, 0 available of 3 desired"),
        (
            "the quota refuses",
            {"status": {"conditions": [QUOTA]}},
            "0 ready, 0 available of 3 desired; ReplicaFailure=True (FailedCreate: exceeded quota)",
        ),
        ("an earlier version of a Rollout", {"metadata": MADE_BY_ROLLOUT, "spec": {"replicas": 0}}, None),
        ("of a Deployment", {"metadata": owner("Deployment", thing("web", "shop"))}, None),
        ("being deleted", {"metadata": {"deletionTimestamp": ago(seconds=1)}}, None),
    ],
)
def test_a_replicaset_that_no_deployment_owns_is_judged(why, changes, observed):
    """ReplicaSets that are bare or of Argo Rollouts must be complete; those of Deployments are their Deployments' matter."""
    it = merged(replicated("old", 3, app="old", status=status(0)), changes)
    assert [each for each, _ in said(judge("replicasets.ready", good(replicasets=[it])))] == (
        [observed] if observed else []
    )


def test_a_replicaset_that_was_just_scaled_is_not_yet():
    """Pods that it has made and that have time left to start are no fault of a ReplicaSet of its own."""
    it = replicated("web", 2, status=status(2, 2, 1))
    pods = [merged(each, {"metadata": owner("ReplicaSet", it)}) for each in (pod("a"), young("b"))]
    ((_, not_yet),) = said(judge("replicasets.ready", good(replicasets=[it], pods=pods)))
    assert not_yet is True


GPU = {"template": {"spec": {"nodeSelector": {"pool": "edge"}}}}


@pytest.mark.parametrize(
    ("then", "now", "observed"),
    [
        (5, 0, "wants no node, although it wanted 5 nodes in the baseline"),
        (0, 0, None),
        (5, 3, "wants 3 nodes, although it wanted 5 nodes in the baseline"),
        (None, 0, None),
    ],
)
def test_a_daemonset_that_lost_its_place_is_found_with_a_baseline(then, now, observed):
    """A DaemonSet that wanted nodes and wants none now is found, though its selector matches none; one that never did is fine."""
    before = None if then is None else baseline(good(daemonsets=[daemonset("edge", then, spec=GPU)]))
    world = crew(good(daemonsets=[daemonset("edge", now, spec=GPU)]))
    found = [each for each, _ in said(judge("daemonsets.ready", world, baseline=before))]
    assert found == ([observed] if observed else [])


def said_at(**time):
    """A rollout's condition, last written so long ago."""
    return {**PROGRESSES, "lastUpdateTime": ago(**time)}


@pytest.mark.parametrize(
    ("why", "condition", "spec", "transitional"),
    [
        ("within the default of ten minutes", said_at(minutes=9), {}, True),
        ("its controller is dead", said_at(minutes=13), {}, False),
        ("within its own deadline", said_at(minutes=50), {"progressDeadlineSeconds": 3600}, True),
        ("beyond its own deadline", said_at(minutes=5), {"progressDeadlineSeconds": 120}, False),
        ("it promises nothing", said_at(minutes=13), {"progressDeadlineSeconds": 2**31 - 1}, False),
    ],
)
def test_a_rollout_that_is_past_its_deadline_does_not_progress(why, condition, spec, transitional):
    """When no controller is there to say that the deadline has passed, the time of its last word says so."""
    ((_, not_yet),) = deployment(3, status(4, 1, 3, 3, condition), **spec)
    assert not_yet is transitional


@pytest.mark.parametrize(("seconds", "transitional"), [(5, True), (90, False)])
def test_a_generation_that_has_just_changed_is_not_yet_seen(seconds, transitional):
    """A controller may take a moment to see what was changed; when it does not, it is not at work."""
    wrote = {"manager": "kubectl", "time": ago(seconds=seconds), "fieldsV1": {"f:spec": {}}}
    status = {"manager": "kube-controller-manager", "time": ago(seconds=1), "subresource": "status"}
    meta = {"generation": 2, "managedFields": [wrote, status]}
    world = good(deployments=[replicated("web", metadata=meta)])
    assert said(judge("deployments.ready", world)) == [("its controller saw generation 1 of 2", transitional)]


def scaled_down(seconds):
    """A Deployment that was scaled from 5 to 2 so many seconds ago, with 2 pods left."""
    wrote = {"manager": "kubectl", "time": ago(seconds=seconds), "subresource": "scale"}
    web = replicated("web", 2, status={"readyReplicas": 5}, metadata={"managedFields": [wrote]})
    versions = replicated("web-rs", 2, metadata=owner("Deployment", web))
    pods = [pod(name, metadata=owner("ReplicaSet", versions)) for name in ("web-1", "web-2")]
    return good(deployments=[web], replicasets=[versions], pods=pods)


@pytest.mark.parametrize(("seconds", "transitional"), [(5, True), (90, False)])
def test_a_scale_down_of_a_moment_ago_is_not_yet(seconds, transitional):
    """The lists are moments apart: the pods may be gone while the status still counts them."""
    assert said(judge("deployments.ready", scaled_down(seconds))) == [("5 ready of 2 desired", transitional)]


def blip(seconds, **changes):
    """A pod that became not ready so many seconds ago."""
    at = condition("Ready", "False", lastTransitionTime=ago(seconds=seconds))
    return pod("b", **merged({"status": {"conditions": [at]}}, changes))


@pytest.mark.parametrize(
    ("why", "late", "transitional"),
    [
        ("a readiness blip", blip(5), True),
        ("for longer", blip(90), False),
        ("it crashes", blip(5, status=CRASH), False),
        (
            "the kubelet refused it a moment ago",
            pod("b", status={"phase": "Failed"}, metadata={"creationTimestamp": ago(seconds=9)}),
            True,
        ),
        ("it failed long ago, and no other was made", pod("b", status={"phase": "Failed"}), False),
    ],
)
def test_what_lasts_a_moment_is_not_yet(why, late, transitional):
    """A pod that was ready a moment ago, or that the kubelet refused a moment ago, makes its workload not complete yet."""
    ((_, not_yet),) = agents(2, [pod("a"), late], numberReady=1)
    assert not_yet is transitional


GOING = {"deletionTimestamp": ago(minutes=5)}
CLEANUP = ["service.kubernetes.io/load-balancer-cleanup"]


@pytest.mark.parametrize(
    ("why", "changes", "transitional"),
    [
        ("its load balancer is being removed", {**GOING, "finalizers": CLEANUP}, True),
        ("for too long", {"deletionTimestamp": ago(minutes=11), "finalizers": CLEANUP}, False),
        ("another finalizer", {**GOING, "finalizers": ["example.com/hold"]}, False),
    ],
)
def test_a_namespace_waits_for_its_load_balancer(why, changes, transitional):
    """A cloud takes minutes to remove a load balancer, and its namespace waits for it."""
    gone = namespace(metadata={"deletionTimestamp": ago(minutes=5)})
    world = good(namespaces=[gone], services=[service(metadata=changes)])
    ((_, not_yet),) = said(judge("namespaces.terminating", world))
    assert not_yet is transitional


FOR_GPU = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
NEW_NODE = {"key": "node.cilium.io/agent-not-ready", "effect": "NoExecute"}


def test_a_daemonset_that_asks_for_tainted_nodes_is_kept_away():
    """Its node selector names nodes that it does not tolerate: whoever wrote that wants it there."""
    pool = node(metadata={"labels": {"gpu": "yes"}}, spec={"taints": [FOR_GPU]})
    spec = {"nodeSelector": {"gpu": "yes"}}
    assert agents(0, nodes=[pool], spec={"template": {"spec": spec}})


@pytest.mark.parametrize(
    ("why", "taints", "tolerations", "found"),
    [
        ("not tolerated", [FOR_GPU], [], False),
        ("tolerated", [FOR_GPU], [FOR_GPU], True),
        ("its key is", [FOR_GPU], [{"key": "gpu", "operator": "Exists"}], True),
        ("all are", [FOR_GPU], [{"operator": "Exists"}], True),
        ("another value is", [FOR_GPU], [{**FOR_GPU, "value": "no"}], False),
        ("another effect is", [FOR_GPU], [{**FOR_GPU, "effect": "NoExecute"}], False),
        ("one of two is", [FOR_GPU, {**FOR_GPU, "effect": "NoExecute"}], [FOR_GPU], False),
        ("only preferred", [{**FOR_GPU, "effect": "PreferNoSchedule"}], [], True),
        ("it will pass", [NEW_NODE], [], True),
    ],
)
def test_a_daemonset_wants_no_node_whose_taints_it_does_not_tolerate(why, taints, tolerations, found):
    """On a cluster of tainted nodes alone a DaemonSet without tolerations rightly has no pod."""
    said = agents(0, nodes=[node(spec={"taints": taints})], spec={"template": {"spec": {"tolerations": tolerations}}})
    assert bool(said) is found


@pytest.mark.parametrize("minutes", [5, 14])
def test_a_replica_may_be_on_probation_for_longer_than_a_step(minutes):
    """With minReadySeconds of a quarter of an hour a pod that was moved is not available for so long, and that is no fault."""
    spec = {"minReadySeconds": 900, "progressDeadlineSeconds": 2000}
    moved = replicated("web", 1, status=status(1, 1, 1, 0, COMPLETE, NEVER), spec=spec)
    late = merged(ready_for("b", 60 * minutes), {"metadata": {"creationTimestamp": ago(minutes=minutes + 1)}})
    assert said(judge("deployments.ready", good(deployments=[moved], pods=[late])))[0][1]
