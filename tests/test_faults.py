"""Every kind of fault by everything that the engine asks for: no false green, no traceback, and an end in time."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from pathlib import Path

import kubernetes.client  # noqa: F401 - once, before many threads import it at the same time
import pytest

from tests.apiserver import FAULTS, EmbeddedCluster, Fault
from tests.control_worlds import api_service
from tests.worlds import (
    NOW,
    battery,
    by_resource,
    daemonset,
    endpointslice,
    good,
    ingress,
    job,
    lease,
    namespace,
    node,
    owner,
    pod,
    profile,
    replicated,
    run,
    service,
    thing,
)
from upgate.base.threads import concurrently
from upgate.facts.kinds import KINDS
from upgate.facts.relations import lists_for
from upgate.results import CheckResult
from upgate.snapshot import Snapshot
from upgate.sources.cluster import listing, look, retrying
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect

#: Seconds. The time bound of one look is three deadlines: who we are, everything, and what is being read at the end.
PATIENCE = Timeouts(connect=1, read=1, deadline=5)
BOUND = 3 * PATIENCE.deadline + 3
PROFILE = profile(
    expect={"version": "1.36", "nodes": {"kernel": ">=6.1"}},
    sidecars=[{"container": "app", "image": "app:1"}],
    allow=["secrets"],
)
#: Checks of what this world has not: they have worlds of their own.
ELSEWHERE = (
    "external.",
    "hosts.",
    "certs.hosts",
    "mesh.",
    "expect.",
    "conditions.",
    "alerts.",
    "disruption.",
    "probe.",
)
CHECKS = [
    id
    for id, each in battery().items()
    if each.allow in ("", *PROFILE.allow) and not (id.startswith(ELSEWHERE) or each.only_preflight or each.compares)
]
#: What those checks look at.
WANTED = lists_for({"secret_metadata"}.union(*(battery()[id].inputs for id in CHECKS)))
#: All lists are read by the same code: a few of each sort stand for them.
LISTED = (
    "nodes",
    "leases",
    "namespaces",
    "pods",
    "deployments",
    "services",
    "endpointslices",
    "warnings",
    "apiservices",
)
RESOURCES = {noun: KINDS[noun].resource for noun in LISTED}
PATHS = {name: f"/{name}" for name in ("readyz", "livez", "version", "metrics")} | {"review": "selfsubjectreviews"}
TARGETS = RESOURCES | PATHS
#: What is asked for each noun: two may be of one resource.
ASKED = {noun: kind.resource for noun, kind in KINDS.items()} | PATHS
#: Answers that are late, but whole.
HARMLESS = {("latency", target) for target in TARGETS}
#: Faults that can only happen to JSON, and those that only happen to a page behind the first.
HARMLESS |= {(kind, name) for kind in ("malformed", "null-items", "wrong-kind") for name in PATHS}
HARMLESS |= {("expired", name) for name in PATHS}
#: An answer that is no review tells us nothing, and what we may do shows in the lists.
REVIEW_FAULTS = ("too-many-requests", "internal-error", "unavailable", "not-ready")


def world() -> dict:
    """A good world with two objects of each kind, so that each list has a second page."""
    deployment = replicated("api", app="api")
    nowhere = {"template": {"spec": {"nodeSelector": {"gpu": "yes"}}}}
    labels = {"labels": {"app": "api"}, **owner("ReplicaSet", thing("api-rs", "shop"))}
    return good(
        nodes=[node(), node("worker-2")],
        leases=[lease(), lease("worker-2")],
        namespaces=[namespace(), namespace("spare")],
        pods=[pod(), pod("api-1", ip="10.1.0.2", metadata=labels)],
        deployments=[replicated("web"), deployment],
        replicasets=[
            replicated("web-rs", metadata=owner("Deployment", replicated("web"))),
            replicated("api-rs", app="api", metadata=owner("Deployment", deployment)),
            replicated("canary", 0, app="canary"),
        ],
        statefulsets=[replicated("db", 0, app="db"), replicated("db2", 0, app="db2")],
        daemonsets=[daemonset(name, 0, spec=nowhere) for name in ("agent", "agent2")],
        services=[service(), service("api", spec={"selector": {"app": "api"}})],
        endpointslices=[endpointslice("web", "10.1.0.1"), endpointslice("api", "10.1.0.2")],
        ingresses=[ingress(), ingress("back", "back.example.com")],
        jobs=[job(), job("export")],
        secret_metadata=[],  # of the same Secrets as `tls_secrets`
        apiservices=[api_service(), api_service("v1beta1.custom.metrics.k8s.io")],
        # One resource, listed three times: warnings, and normal events about pods and about nodes.
        warnings=[
            thing(
                f"{kind}-{about}-{number}".lower(),
                "shop",
                type=kind,
                reason="Old",
                involvedObject={"kind": about, "name": "old"},
            )
            for kind, about in (("Warning", "Pod"), ("Normal", "Pod"), ("Normal", "Node"))
            for number in (1, 2)
        ],
    )


def served(objects: dict) -> dict:
    """The world as the embedded cluster takes it."""
    return by_resource(objects) | {"recorded": NOW, "version": "v1.36.3"}


def seen(cluster: EmbeddedCluster, folder: Path, patience: Timeouts = PATIENCE) -> Snapshot:
    """One look at everything that the checks of this file need."""
    login = connect(cluster.kubeconfig(folder / f"{id(cluster)}.kubeconfig"), patience=patience)
    try:
        return look.look_at_cluster(login, WANTED, lambda noun, have, left: None)
    finally:
        login.connection.close()


def judged(snapshot: Snapshot) -> dict[str, CheckResult]:
    """What all checks say."""
    return {result.id: result for result in run(CHECKS, snapshot, PROFILE)}


def needs(id: str) -> set[str]:
    """What a check needs to be looked at."""
    names = battery()[id].inputs
    asked = {
        "health": ("readyz", "livez"),
        "server": ("version",),
        "next_version": ("version",),
        "skew": ("version",),
    }
    return lists_for(names) | {each for name in names for each in asked.get(name, ())} | {"review"}


def through(fault: Fault, folder: Path) -> tuple[dict[str, CheckResult], float, Counter[str]]:
    """What all checks say through a fault, how long the look took, and how often each path was asked."""
    with EmbeddedCluster(served(world()), faults=[fault]) as cluster:
        began = time.monotonic()
        results = judged(seen(cluster, folder))
        return results, time.monotonic() - began, Counter(request.path for request in cluster.requests)


@pytest.fixture(autouse=True)
def _short_pauses_and_small_pages(monkeypatch):
    monkeypatch.setattr(listing, "PAGE_SIZE", 1)
    for module in (listing, retrying):
        monkeypatch.setattr(module, "PAUSES", (0.01, 0.02))


def wrongly_green(kind: str, target: str, results: dict[str, CheckResult]) -> list[str]:
    """Checks that passed although what they need was spoilt, and those that did not although it was not."""
    spoilt = (kind, target) not in HARMLESS and not (target == "review" and kind in REVIEW_FAULTS)
    blind = {id for id in CHECKS if spoilt and TARGETS[target] in map(ASKED.get, needs(id))}
    return [
        f"{kind} of {target}: {id} {result.outcome} {result.reason} {result.findings}"
        for id, result in results.items()
        if (result.outcome == "passed") is (id in blind)
    ]


def test_the_world_of_this_file_is_good(tmp_path):
    """Without any fault every check passes, page by page."""
    with EmbeddedCluster(served(world())) as cluster:
        assert {
            id: (each.outcome, each.reason) for id, each in judged(seen(cluster, tmp_path)).items()
        } == dict.fromkeys(CHECKS, ("passed", ""))


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("page", [None, 2])
def test_no_fault_makes_a_check_green_that_could_not_look(kind, page, tmp_path):
    """Whatever happens to one answer: exactly the checks that need it do not pass, within the time bound."""
    targets = RESOURCES if page else TARGETS
    faults = {name: Fault(kind, target, page=page, seconds=0.05) for name, target in targets.items()}
    seen = concurrently({name: partial(through, fault, tmp_path) for name, fault in faults.items()}, workers=6)
    wrong = [line for name, (results, _, _) in seen.items() for line in wrongly_green(kind, name, results)]
    assert not wrong, "\n".join(wrong)
    assert max(seconds for _, seconds, _ in seen.values()) < BOUND


@pytest.mark.parametrize("kind", sorted(set(FAULTS) - {"unauthorized", "malformed", "not-ready", "hang", "drip"}))
def test_what_passes_is_asked_again(kind, tmp_path):
    """A fault that is gone at the second try costs a request, and no check."""
    faults = [Fault(kind, target, times=1, seconds=0) for target in (*RESOURCES.values(), "/version")]
    with EmbeddedCluster(served(world()), faults=faults) as cluster:
        results = judged(seen(cluster, tmp_path, Timeouts(connect=1, read=2, deadline=5)))
        assert {id for id, each in results.items() if each.outcome != "passed"} == set()
        asked = Counter(request.path for request in cluster.requests)
    assert asked["/version"] == (1 if ("version", kind) in HARMLESS or (kind, "version") in HARMLESS else 2)
    assert asked[KINDS["pods"].path] == (2 if kind == "latency" else 4 if kind == "expired" else 3)


def test_what_stays_is_asked_three_times(tmp_path):
    """A list that fails for good costs three requests, a list whose tokens always expire three beginnings."""
    faults = [Fault("unavailable", "pods"), Fault("expired", "nodes"), Fault("unauthorized", "services")]
    with EmbeddedCluster(served(world()), faults=faults) as cluster:
        gaps = seen(cluster, tmp_path).gaps
        asked = Counter(request.path.rpartition("/")[2] for request in cluster.requests)
    assert gaps == {
        "api_servers": "the API servers were not asked one by one: nodes could not be listed",
        "crash_logs": "no logs were read: pods could not be listed",
        "pods": "cannot list pods: status 503, apiserver is shutting down",
        "nodes": "cannot list nodes: the list expired 3 times while it was being read (410 Gone)",
        "services": "cannot list services: the login is not accepted, or has expired (status 401, Unauthorized)",
    }
    assert (asked["pods"], asked["nodes"], asked["services"], asked["namespaces"]) == (3, 6, 1, 2)


def test_a_server_that_asks_for_too_much_patience_is_not_waited_for(tmp_path):
    """A Retry-After beyond the deadline ends the list at once."""
    with EmbeddedCluster(served(world()), faults=[Fault("too-many-requests", "pods", seconds=3600)]) as cluster:
        began = time.monotonic()
        snapshot = seen(cluster, tmp_path, Timeouts(connect=1, read=5, deadline=20))
        assert time.monotonic() - began < 5
        assert sum(request.path.endswith("/pods") for request in cluster.requests) == 1
    assert "status 429" in snapshot.gaps["pods"]


def test_lists_that_all_hang_share_one_deadline(tmp_path):
    """However many lists hang, they end together, and nothing that needs them is judged."""
    faults = [Fault("hang", resource) for resource in RESOURCES.values()]
    with EmbeddedCluster(served(world()), faults=faults) as cluster:
        began = time.monotonic()
        results = judged(seen(cluster, tmp_path, Timeouts(connect=0.5, read=0.5, deadline=0.8)))
        assert time.monotonic() - began < 3
    assert {results[id].outcome for id in ("api.ready", "api.version")} == {"passed"}
    assert {results[id].outcome for id in CHECKS if needs(id) & {*LISTED}} == {"inconclusive"}


def test_a_wrong_clock_here_changes_nothing(tmp_path):
    """Times are judged by the API server's own clock, also when /version does not answer."""
    with EmbeddedCluster(served(world()), faults=[Fault("internal-error", "/version")]) as cluster:
        assert abs((seen(cluster, tmp_path).taken - NOW).total_seconds()) < 5


def test_an_unreadable_object_is_named_and_nothing_is_built_on_the_rest(tmp_path):
    """One malformed lease does not turn into a node without a lease: its check is inconclusive and names the object."""
    with EmbeddedCluster(served(world()), faults=[Fault("malformed", "leases", page=1)]) as cluster:
        result = judged(seen(cluster, tmp_path))["nodes.heartbeat"]
    assert result.outcome == "inconclusive"
    assert result.reason.startswith("Lease/kube-node-lease/worker-1 could not be read: ")
