"""A look for `-m monitor` reads few pods, and finds what a whole look finds."""

from __future__ import annotations

import pytest

from tests.apiserver import EmbeddedCluster
from tests.test_faults import PROFILE, served
from tests.worlds import (
    ago,
    attempt,
    battery,
    condition,
    container_status,
    daemonset,
    endpointslice,
    good,
    job,
    judge,
    merged,
    namespace,
    node,
    owner,
    pod,
    replicated,
    run,
    service,
    terminated,
    thing,
)
from upgate.facts.kinds import KINDS
from upgate.snapshot import Snapshot
from upgate.sources.cluster import brief, pod_table
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster

MONITOR = [id for id, check in battery().items() if check.monitor and not id.startswith("external.")]
PODS = KINDS["pods"].path
ROLLOUT = {"metadata": {"generation": 2}, "status": {"observedGeneration": 2, "updateRevision": "new"}}
OLD = {"metadata": {"creationTimestamp": ago(hours=5)}}


#: A pod that is called as its ReplicaSet calls it.
NAMED = pod("web-rs-x7k2p")


def looks(world, folder, **serving) -> tuple[Snapshot, Snapshot, list]:
    """A whole look and a brief one at the same cluster, and the lists of pods that the brief one asked for."""
    with EmbeddedCluster(world if isinstance(world, str) else served(world), **serving) as cluster:
        login = connect(cluster.kubeconfig(folder / "kubeconfig"), patience=Timeouts(read=5, deadline=20))
        whole = look_at_cluster(login, list(KINDS), lambda *_: None)
        asked = len(cluster.requests)
        short = look_at_cluster(login, list(KINDS), lambda *_: None, brief=True)
        lists = [each for each in cluster.requests[asked:] if each.path.endswith("/pods")]
        login.connection.close()
    return whole, short, lists


def findings(snapshot: Snapshot) -> dict:
    """What each check of the subset says."""
    return {each.id: (each.outcome, each.reason, each.findings) for each in run(MONITOR, snapshot, PROFILE)}


def is_whole(request) -> bool:
    """It asks for all pods with all their bytes."""
    bytes_of_all = request.path == PODS and "as=Table" not in request.accept
    return bytes_of_all and not {"fieldSelector", "labelSelector"} & request.query.keys()


def waiting(reason):
    """A container that waits."""
    return container_status(ready=False, state={"waiting": {"reason": reason}})


def ill(**status):
    """A second pod of web that is not all right."""
    return pod("web-2", ip="10.1.0.2", **merged(OLD, {"status": status}))


UNREADY = {"conditions": [condition("Ready", "False", lastTransitionTime=ago(hours=1))]}
OPERATED = {"labels": {"app": "web"}, **owner("Cluster", thing("some", "shop"))}
ENDED = container_status(ready=False, state=terminated(minutes=5))
SUCCESS = container_status(ready=False, state=terminated(0, "Completed", minutes=3))
WORK = job(done="")
ATTEMPTS = [
    attempt(
        WORK,
        f"import-{minutes}",
        status={
            "phase": "Failed",
            "containerStatuses": [container_status(ready=False, state=terminated(minutes=minutes))],
            **UNREADY,
        },
    )
    for minutes in (30, 20, 5)
]
WORLDS = {
    "nothing": good(),
    "crash loop": good(pods=[pod(), ill(containerStatuses=[waiting("CrashLoopBackOff")], **UNREADY)]),
    "between two crashes": good(
        pods=[
            pod(),
            ill(containerStatuses=[container_status(ready=False, restarts=9, **terminated(minutes=1))], **UNREADY),
        ]
    ),
    "failed, whose row says Completed": good(
        pods=[
            pod(),
            ill(
                phase="Failed",
                containerStatuses=[container_status(ready=False, **terminated(0, "Completed"))],
                **UNREADY,
            ),
        ]
    ),
    "running, whose row says Completed": good(
        pods=[pod(), ill(containerStatuses=[container_status(ready=False, **terminated(0, "Completed"))], **UNREADY)]
    ),
    "a readiness gate": good(
        pods=[
            pod(),
            merged(
                ill(containerStatuses=[container_status()], **UNREADY),
                {"spec": {"readinessGates": [{"conditionType": "x"}]}},
            ),
        ]
    ),
    "a dead node": good(
        nodes=[node(), node("worker-2", ready="Unknown")],
        pods=[
            pod(),
            merged(ill(containerStatuses=[container_status()], **UNREADY), {"spec": {"nodeName": "worker-2"}}),
        ],
    ),
    "a node that is gone": good(
        pods=[pod(), merged(ill(containerStatuses=[container_status()], **UNREADY), {"spec": {"nodeName": "gone"}})],
    ),
    "not ready although its containers are": good(
        pods=[pod(), ill(containerStatuses=[container_status()], **UNREADY)],
        endpointslices=[
            endpointslice("web", "10.1.0.1"),
            endpointslice(
                "web",
                metadata={"name": "web-x2"},
                endpoints=[
                    {
                        "addresses": ["10.1.0.2"],
                        "conditions": {"ready": False},
                        "targetRef": {"kind": "Pod", "name": "web-2"},
                    }
                ],
            ),
        ],
    ),
    "a namespace that is being deleted": good(
        namespaces=[namespace(), namespace("ci", metadata={"deletionTimestamp": ago(minutes=9)})],
        pods=[
            pod(),
            pod("slow", "ci", metadata={"labels": {"app": "ci"}, "deletionTimestamp": ago(minutes=-50)}),
            pod(
                "held",
                "ci",
                metadata={
                    "labels": {"app": "ci"},
                    "deletionTimestamp": ago(minutes=9),
                    "finalizers": ["example.com/hold"],
                },
                status={"phase": "Succeeded"},
            ),
        ],
    ),
    "pending": good(pods=[pod(), ill(phase="Pending", conditions=[], containerStatuses=[])]),
    "a port that no container has": good(
        services=[service(spec={"ports": [{"name": "metrics", "port": 90, "targetPort": "metrics"}]})]
    ),
    "a selector that matches nothing": good(
        services=[service(spec={"selector": {"app": "wbe"}})], endpointslices=[endpointslice("web")]
    ),
    "a Service of completed pods": good(
        pods=[
            pod(),
            pod("report", ip="10.1.0.3", status={"phase": "Succeeded"}, metadata={"labels": {"app": "report"}}),
        ],
        services=[service(), service("report", spec={"selector": {"app": "report"}})],
        endpointslices=[endpointslice("web", "10.1.0.1"), endpointslice("report")],
    ),
    "a rollout of a DaemonSet": good(
        daemonsets=[(agent := daemonset("agent", status={"updatedNumberScheduled": 0}))],
        pods=[pod(), pod("agent-1", ip="10.1.0.9", metadata={"labels": {"app": "agent"}, **owner("DaemonSet", agent)})],
    ),
    "a Deployment whose status counts pods that do not exist": good(
        deployments=[(three := replicated("web", 3))],
        replicasets=[replicated("web-rs", 3, metadata=owner("Deployment", three))],
        pods=[NAMED],
    ),
    "a ReplicaSet of Argo Rollouts that lacks pods": good(
        replicasets=[
            replicated("web-rs", metadata=owner("Deployment", replicated("web"))),
            replicated("canary", 3, app="canary", status={"readyReplicas": 0}),
        ],
    ),
    "a StatefulSet whose pods do not exist": good(statefulsets=[replicated("db", 3, app="db")]),
    "a DaemonSet whose status counts pods that do not exist, beside one of the same name": good(
        namespaces=[namespace(), namespace("other")],
        daemonsets=[(agent := daemonset("agent")), daemonset("agent", 2, metadata={"namespace": "other", "uid": "x"})],
        pods=[
            pod(),
            pod("agent-x7k2p", ip="10.1.0.9", metadata={"labels": {"app": "agent"}, **owner("DaemonSet", agent)}),
        ],
    ),
    "a ReplicaSet whose status counts pods that do not exist, beside a tenant's pod of such a name": good(
        namespaces=[namespace(), namespace("tenant")],
        deployments=[(three := replicated("web", 2))],
        replicasets=[replicated("web-rs", 2, metadata=owner("Deployment", three))],
        pods=[NAMED, pod("web-rs-zzzzz", "tenant", ip="10.1.0.9", metadata={"ownerReferences": [], "labels": {}})],
    ),
    "a ReplicaSet whose status counts pods that do not exist, beside a tenant's pod with its labels": good(
        namespaces=[namespace(), namespace("tenant")],
        deployments=[(three := replicated("web", 2))],
        replicasets=[replicated("web-rs", 2, metadata=owner("Deployment", three))],
        pods=[
            NAMED,
            pod(
                "web-rs-zzzzz",
                "tenant",
                ip="10.1.0.9",
                metadata={"ownerReferences": [], "labels": {"app": "web", "pod-template-hash": "x7"}},
            ),
        ],
    ),
    "a DaemonSet whose status counts pods that do not exist, beside too many of one of the same name": good(
        namespaces=[namespace(), namespace("other")],
        daemonsets=[
            (agent := daemonset("agent", 2)),
            (theirs := daemonset("agent", 0, metadata={"namespace": "other", "uid": "x"})),
        ],
        pods=[
            pod(),
            pod("agent-x7k2p", ip="10.1.0.9", metadata={"labels": {"app": "agent"}, **owner("DaemonSet", agent)}),
            pod(
                "agent-x7k2q",
                "other",
                ip="10.1.0.8",
                metadata={"labels": {"app": "agent"}, **owner("DaemonSet", theirs)},
            ),
        ],
    ),
    "a drain": good(
        nodes=[node(), node("worker-2", spec={"unschedulable": True})],
        pods=[
            pod(),
            pod("web-2", ip="10.1.0.2", metadata={"deletionTimestamp": ago(minutes=-9)}, spec={"nodeName": "worker-2"}),
        ],
    ),
    "a pod of an operator that is not ready": good(
        pods=[pod(), merged(ill(containerStatuses=[container_status()], **UNREADY), {"metadata": OPERATED})],
    ),
    "a failed pod of an operator that made the next": good(
        pods=[
            merged(pod("next", ip="10.1.0.3", metadata=OPERATED), {"metadata": {"creationTimestamp": ago(minutes=1)}}),
            merged(ill(phase="Failed", containerStatuses=[ENDED], **UNREADY), {"metadata": OPERATED}),
        ],
        endpointslices=[endpointslice("web", "10.1.0.3")],
    ),
    "a DaemonSet that wants fewer nodes than match it": good(
        nodes=[node(), node("worker-2")],
        daemonsets=[(agent := daemonset("agent"))],
        pods=[
            pod(),
            pod("agent-x7k2p", ip="10.1.0.9", metadata={"labels": {"app": "agent"}, **owner("DaemonSet", agent)}),
        ],
    ),
    "a ReplicaSet whose Deployment is gone": good(
        replicasets=[
            replicated("web-rs", metadata=owner("Deployment", replicated("web"))),
            replicated(
                "ghost",
                3,
                app="ghost",
                metadata=owner("Deployment", thing("gone", "shop")),
                status={"readyReplicas": 0},
            ),
        ],
    ),
    "a Job whose active pod does not exist": good(jobs=[WORK]),
    "a Job whose active pod runs, and nothing else": good(jobs=[WORK], pods=[pod(), attempt(WORK)]),
    "a node that is stopped on purpose, and its pod": good(
        nodes=[
            node(),
            node(
                "off",
                "Unknown",
                metadata={"labels": {"kubernetes.azure.com/cluster": "x"}},
                spec={"taints": [{"key": "node.cloudprovider.kubernetes.io/shutdown", "effect": "NoSchedule"}]},
            ),
        ],
        pods=[pod(), merged(ill(containerStatuses=[container_status()], **UNREADY), {"spec": {"nodeName": "off"}})],
    ),
    "a pod that no node takes because of cordons": good(
        nodes=[node(spec={"unschedulable": True})],
        pods=[
            pod(),
            ill(
                phase="Pending",
                podIPs=[],
                containerStatuses=[],
                conditions=[
                    condition("PodScheduled", "False", message="0/1 nodes are available: 1 node(s) were unschedulable.")
                ],
            ),
        ],
    ),
    "a Job that failed": good(jobs=[job(done="Failed")]),
    "a Job whose pods fail": good(jobs=[WORK], pods=[pod(), *ATTEMPTS]),
    "a Job whose pods fail, and one succeeded": good(
        jobs=[merged(WORK, {"status": {"succeeded": 1}})],
        pods=[pod(), *ATTEMPTS, attempt(WORK, "ok", status={"phase": "Succeeded", "containerStatuses": [SUCCESS]})],
    ),
    "a Job whose container restarts in its pod, and runs": good(
        jobs=[WORK],
        pods=[
            pod(),
            attempt(
                WORK,
                spec={"restartPolicy": "OnFailure"},
                metadata={"creationTimestamp": ago(minutes=20)},
                status={"containerStatuses": [container_status(restarts=5, lastState=terminated(minutes=1))]},
            ),
        ],
    ),
    "a Deployment that lacks pods": good(deployments=[replicated("web", spec={"replicas": 3})]),
}


CLEAR = (
    "a Job whose active pod runs, and nothing else",
    "nothing",
    "a Service of completed pods",
    "a Job whose pods fail, and one succeeded",
    "healthy",
)


@pytest.mark.parametrize("name", [*WORLDS, "healthy", "broken"])
def test_a_brief_look_finds_what_a_whole_one_finds(name, tmp_path):
    """The same outcomes, words and root causes, and all pods are counted, without reading all of them."""
    whole, short, lists = looks(WORLDS.get(name, name), tmp_path)
    assert findings(short) == findings(whole)
    assert any(found for _, _, found in findings(short).values()) is (name not in CLEAR)
    assert short.count("pods") == whole.count("pods")
    assert not any(map(is_whole, lists))


@pytest.mark.parametrize("few", [0, 40])
@pytest.mark.parametrize("name", [each for each in WORLDS if "of the same name" in each or "of such a name" in each])
def test_many_namespaces_share_one_table(name, few, tmp_path, monkeypatch):
    """Where there are too many for a table each, what has the same name in several is read."""
    monkeypatch.setattr(pod_table, "FEW", few)
    whole, short, _ = looks(WORLDS[name], tmp_path)
    assert findings(short) == findings(whole)
    assert short.count("pods") == whole.count("pods")


def test_of_pods_that_are_all_right_none_is_read(tmp_path):
    """They are counted from their rows."""
    _, short, _ = looks(good(pods=[NAMED]), tmp_path)
    assert (short.facts("pods"), short.unread) == ([], {"pods": 1})
    assert judge("pods.ready", short).examined == 1


@pytest.mark.parametrize("missing", ["services", "nodes", "endpointslices.discovery.k8s.io"])
def test_what_cannot_be_told_briefly_is_read_whole(tmp_path, missing):
    """Where a list is missing that tells which pods to look at, all of them are read, and nothing is taken for right."""
    whole, short, lists = looks(good(), tmp_path, forbid=[missing])
    assert findings(short) == findings(whole)
    assert (short.unread, len(short.facts("pods"))) == ({}, 1)
    assert any(map(is_whole, lists))


def test_many_pods_that_may_be_wrong_are_read_with_all_others(tmp_path, monkeypatch):
    """A hundred questions cost more than one list."""
    monkeypatch.setattr(brief, "MOST", 1)
    _, short, lists = looks(WORLDS["crash loop"], tmp_path)
    assert (short.unread, len(short.facts("pods"))) == ({}, 2)
    assert any(map(is_whole, lists))


def test_pods_that_may_not_be_listed_are_no_right_ones(tmp_path):
    """403 is inconclusive for every check that needs pods."""
    _, short, _ = looks(good(), tmp_path, forbid=["pods"])
    assert judge("pods.ready", short).outcome == "inconclusive"
    assert "needs `list` on `pods`" in judge("pods.ready", short).reason


@pytest.mark.parametrize("id", ["pods.restarts", "pods.terminating", "pods.bare", "services.endpoints-live"])
def test_other_checks_are_not_judged_from_a_brief_look(tmp_path, id):
    """What needs every pod says that it did not see them, whatever was read."""
    _, short, _ = looks(good(pods=[NAMED]), tmp_path)
    assert judge(id, short).outcome == "inconclusive"
    assert "this was a look for -m monitor" in judge(id, short).reason
