"""What the cluster does, as events, and what they explain."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import yaml

from tests.test_watch_timeline import STARTED
from upgate.battery.watch_permissions import watch_roles_as_yaml
from upgate.sources.cluster.watching import ListChange, Relist, whole_json_lines
from upgate.watch.record import Happening
from upgate.watch.seen import watched_kinds
from upgate.watch.sentences import with_sentences
from upgate.watch.services import nodes_vanished, seen_by_watch, services_away
from upgate.watch.story import Story
from upgate.watch.timeline import MeasuredSeries, Outage, Timeline, TimelineEvent, TimelineTarget

TYPES = {kind.noun: kind.type for kind in watched_kinds()}


class Cluster:
    """A story, and a clock that goes on a second with each change."""

    def __init__(self) -> None:
        self.story = Story(frozenset({"shop/web"}))
        self.at = 0.0
        self.events: list[Happening] = []

    def change(self, type: str, noun: str, *objects: dict[str, Any]) -> None:
        """One change of a list."""
        self.at += 1
        found = [msgspec.json.decode(json.dumps(each), type=TYPES[noun]) for each in objects]
        self.events += self.story.take(ListChange(noun, type, found), self.at)  # type: ignore[arg-type]

    @property
    def said(self) -> list[str]:
        """What was told, but of the watch itself."""
        return [f"{each.object}: {each.what}" for each in self.events if each.object != "Watch"]

    def timeline(self, *targets: TimelineTarget) -> Timeline:
        """The record of it."""
        return Timeline(
            start=STARTED,
            end=STARTED + timedelta(seconds=self.at + 60),
            interval_seconds=1.0,
            targets=list(targets),
            events=[
                TimelineEvent(at=when(each.at), object=each.object, what=each.what, details=each.details)
                for each in self.events
            ],
        )


def when(seconds: float) -> Any:
    """So many seconds after the start."""
    return STARTED + timedelta(seconds=seconds)


def node(
    name: str = "a", *, ready: str = "True", cordoned: bool = False, boot: str = "1", kubelet: str = "v1.35.0"
) -> dict:
    """A node."""
    return {
        "metadata": {"name": name, "uid": name},
        "spec": {"unschedulable": cordoned},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "nodeInfo": {"bootID": boot, "kubeletVersion": kubelet},
        },
    }


def pod(
    name: str = "web-1", *, on: str = "a", owner: str = "ReplicaSet", deleted: bool = False, phase: str = "Running"
) -> dict:
    """A pod."""
    owners = [{"kind": owner, "name": "web-5d4", "uid": "u", "controller": True}]
    metadata = {"name": name, "namespace": "shop", "ownerReferences": owners}
    more = {"deletionTimestamp": "2026-11-21T01:00:00Z"} if deleted else {}
    return {"metadata": metadata | more, "spec": {"nodeName": on}, "status": {"phase": phase}}


def slice_of(*ready: tuple[str, str], name: str = "web-x") -> dict:
    """An EndpointSlice of the Service web, with these pods on these nodes."""
    metadata = {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}}
    ends = [
        {"addresses": ["10.0.0.1"], "nodeName": place, "targetRef": {"kind": "Pod", "name": pod}}
        for pod, place in ready
    ]
    return {"metadata": metadata, "endpoints": ends}


def deployment(replicas: int = 1, *, generation: int = 1, observed: int = 1, available: int = 1) -> dict:
    """The Deployment web."""
    status = {
        "observedGeneration": observed,
        "updatedReplicas": available,
        "availableReplicas": available,
        "replicas": available,
    }
    return {
        "metadata": {"name": "web", "namespace": "shop", "generation": generation},
        "spec": {"replicas": replicas},
        "status": status,
    }


@pytest.fixture
def cluster() -> Cluster:
    """Two nodes, and a Service with one pod on the first."""
    made = Cluster()
    made.change("LISTED", "nodes", node("a"), node("b"))
    made.change("LISTED", "pods", pod(), pod("ds-1", owner="DaemonSet"))
    made.change("LISTED", "deployments", deployment())
    made.change("LISTED", "endpointslices", slice_of(("web-1", "a")))
    assert made.said == []
    return made


def drain(cluster: Cluster) -> None:
    """The first node is drained, and the pod comes back on the other one."""
    cluster.change("MODIFIED", "nodes", node("a", cordoned=True))
    cluster.change("MODIFIED", "pods", pod(deleted=True))
    cluster.change("MODIFIED", "endpointslices", slice_of())
    cluster.change("DELETED", "pods", pod(deleted=True))
    cluster.change("MODIFIED", "endpointslices", slice_of(("web-2", "b")))
    cluster.change("MODIFIED", "nodes", node("a"))


def target(*outages: tuple[float, float], kept: tuple[float, float] | None = None) -> TimelineTarget:
    """The target shop, which leads to the Service web, with outages from and to these seconds."""

    def series(*spans: tuple[float, float]) -> dict[str, Any]:
        found = [Outage(start=when(a), end=when(b), seconds=b - a, why="refused") for a, b in spans]
        return {
            "samples": 9,
            "failed": 1,
            "outages": found,
            "gaps": [],
            "outage_seconds": sum(each.seconds for each in found),
            "longest_seconds": 0.0,
            "not_measured_seconds": 0.0,
        }

    return TimelineTarget(
        name="shop",
        target="http://shop/",
        control=False,
        service="shop/web",
        kept=MeasuredSeries(**series(kept)) if kept else None,
        **series(*outages),
    )


def test_a_drain_is_told_from_its_beginning_to_its_end(cluster: Cluster) -> None:
    """Cordoned, drain began, drained, uncordoned; the Service lost its last endpoint, and has one again."""
    drain(cluster)
    assert cluster.said == [
        "Node/a: cordoned",
        "Node/a: drain began",
        "Node/a: drained",
        "Pod/shop/web-1: is being deleted from a",
        "Service/shop/web: had no ready endpoint",
        "Service/shop/web: has a ready endpoint again, on b",
        "Node/a: uncordoned",
    ]


def test_the_outage_is_explained_by_the_drain(cluster: Cluster) -> None:
    """The sentence that the issue asks for."""
    drain(cluster)
    told = with_sentences(cluster.timeline(target((7.0, 9.0))))
    assert told.sentences == ["shop was away for 2.0 s when a was drained; its only ready endpoint was there."]
    assert told.targets[0].outages[0].because


def test_kept_connections_are_explained_once(cluster: Cluster) -> None:
    """What happened to both kinds of connections at one time is one sentence."""
    drain(cluster)
    assert len(with_sentences(cluster.timeline(target((7.0, 9.0), kept=(7.0, 8.0)))).sentences) == 1
    [only] = with_sentences(cluster.timeline(target(kept=(7.0, 8.0)))).sentences
    assert "over kept connections" in only


def test_an_outage_that_nothing_explains_has_no_sentence(cluster: Cluster) -> None:
    """Never a guess: a drain long before, or of two nodes at once, explains nothing."""
    drain(cluster)
    assert with_sentences(cluster.timeline(target((60.0, 62.0)))).sentences == []


def test_what_happens_to_a_node_is_told(cluster: Cluster) -> None:
    """Not Ready, rebooted, another kubelet, Ready again."""
    cluster.change("MODIFIED", "nodes", node("a", ready="Unknown"))
    cluster.change("MODIFIED", "nodes", node("a", boot="2", kubelet="v1.36.0"))
    assert cluster.said == [
        "Node/a: not Ready (Ready=Unknown)",
        "Node/a: Ready again",
        "Node/a: rebooted",
        "Node/a: kubelet version v1.35.0 → v1.36.0",
    ]
    [sentence] = with_sentences(cluster.timeline(target((5.0, 6.0)))).sentences
    assert sentence == "shop was away for 1.0 s while a rebooted."


def test_a_node_that_goes_with_its_pods_is_told(cluster: Cluster) -> None:
    """Pods that a drain would have moved; not those of DaemonSets, nor of a node that was drained."""
    cluster.change("DELETED", "nodes", node("b"))
    cluster.change("DELETED", "nodes", node("a"))
    assert [each.object for each in nodes_vanished(cluster.timeline())] == ["Node/a"]
    assert cluster.said == ["Node/b: was deleted", "Node/a: was deleted while 1 pod ran there: shop/web-1"]


def test_a_budget_that_holds_a_drain_up_is_told(cluster: Cluster) -> None:
    """A PodDisruptionBudget that allows no disruption, of a pod on a cordoned node; once, until it allows one."""

    def budget(allowed: int, **labels: str) -> dict:
        selector = {"matchLabels": labels}
        return {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": selector},
            "status": {"disruptionsAllowed": allowed},
        }

    cluster.change("LISTED", "budgets", budget(0))
    cluster.change("MODIFIED", "nodes", node("a", cordoned=True))
    cluster.change("MODIFIED", "budgets", budget(0))
    cluster.change("MODIFIED", "budgets", budget(1))
    assert cluster.said == [
        "Node/a: cordoned",
        "PodDisruptionBudget/shop/web: allows no eviction of shop/web-1 from a, which is cordoned",
        "PodDisruptionBudget/shop/web: holds no eviction up any more",
    ]


def test_a_rollout_is_told(cluster: Cluster) -> None:
    """It begins with a new generation, and ends when its pods are available."""
    cluster.change("MODIFIED", "deployments", deployment(2, generation=2))
    cluster.change("MODIFIED", "deployments", deployment(2, generation=2, observed=2))
    cluster.change("MODIFIED", "deployments", deployment(2, generation=2, observed=2, available=2))
    assert cluster.said == [
        "Deployment/shop/web: rollout or scaling began",
        "Deployment/shop/web: rollout or scaling complete",
    ]


def test_a_service_that_is_scaled_to_zero_is_excused(cluster: Cluster) -> None:
    """Whoever scales a Deployment to 0 wants no endpoint."""
    cluster.change("MODIFIED", "deployments", deployment(0, generation=2))
    cluster.change("MODIFIED", "endpointslices", slice_of())
    [away] = services_away(cluster.timeline())
    assert away.excused == "Deployment/shop/web is scaled to 0"
    assert away.ongoing


def test_a_service_that_is_deleted_is_excused(cluster: Cluster) -> None:
    """Its slices go with it; a slice beside another one does not count."""
    cluster.change("ADDED", "endpointslices", slice_of(("web-2", "b"), name="web-y"))
    cluster.change("DELETED", "endpointslices", slice_of(name="web-y"))
    assert [*services_away(cluster.timeline())] == []
    cluster.change("MODIFIED", "endpointslices", slice_of())
    cluster.change("DELETED", "endpointslices", slice_of())
    [away] = services_away(cluster.timeline())
    assert away.excused == "the Service was deleted"


def test_a_new_list_is_compared_with_what_was_known(cluster: Cluster) -> None:
    """After 410 Gone what happened meanwhile is found in the list."""
    cluster.change("AWAY", "nodes")
    cluster.change("LISTED", "nodes", node("a", cordoned=True))
    cluster.change("LISTED", "endpointslices")
    assert cluster.said == ["Node/a: cordoned", "Node/b: was deleted"]


def test_an_outage_of_the_api_server_is_told_once(cluster: Cluster) -> None:
    """Each list loses its watch; that the cluster cannot be watched is one event, and that it can again another."""
    for type in ("AWAY", "BACK"):
        for noun in ("nodes", "pods"):
            cluster.change(type, noun)
    assert [each.what for each in cluster.events[-2:]] == [
        "the cluster cannot be watched: ",
        "the cluster is watched again",
    ]


def test_the_service_of_the_api_server_is_excused(cluster: Cluster) -> None:
    """With one control plane it has no endpoint while that is replaced; the API server is a target of its own."""

    def own(*addresses: str) -> dict:
        metadata = {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        }
        return {"metadata": metadata, "endpoints": [{"addresses": [each]} for each in addresses]}

    cluster.change("ADDED", "endpointslices", own("10.0.0.9"))
    cluster.change("MODIFIED", "endpointslices", own())
    [away] = services_away(cluster.timeline())
    assert away.excused


def test_the_watch_says_what_it_sees(cluster: Cluster) -> None:
    """How many Services and nodes; and what it may not watch."""
    assert seen_by_watch(cluster.timeline()) == (1, 2)
    cluster.change("REFUSED", "pods")
    assert cluster.events[-1].details == {"unseen": "pods"}


def test_leaders_are_told(cluster: Cluster) -> None:
    """Another leader, and no leader; other leases say nothing."""

    def lease(name: str, holder: str) -> dict:
        return {"metadata": {"name": name, "namespace": "kube-system"}, "spec": {"holderIdentity": holder}}

    cluster.change("LISTED", "leases", lease("kube-scheduler", "a"), lease("other", "a"))
    cluster.change("MODIFIED", "leases", lease("kube-scheduler", ""), lease("other", "b"))
    cluster.change("MODIFIED", "leases", lease("kube-scheduler", "b"))
    assert cluster.said == [
        "Lease/kube-system/kube-scheduler: has no leader",
        "Lease/kube-system/kube-scheduler: has another leader: b",
    ]


def test_events_of_nodes_are_told(cluster: Cluster) -> None:
    """A kubelet or kube-proxy that starts; what was told before the watch is not."""

    def event(reason: str, component: str) -> dict:
        about = {"kind": "Node", "name": "a"}
        return {
            "metadata": {"name": "e"},
            "involvedObject": about,
            "reason": reason,
            "source": {"component": component},
        }

    cluster.change("LISTED", "events", event("Starting", "kubelet"))
    cluster.change("ADDED", "events", event("Starting", "kube-proxy"))
    cluster.change("ADDED", "events", event("NodeHasSufficientMemory", "kubelet"))
    assert cluster.said == ["Node/a: kube-proxy started"]


def test_lines_of_a_watch() -> None:
    """Changes come in parts of any size; one without an end is refused."""
    assert [*whole_json_lines(iter([b'{"a"', b":1}\n{}", b"\n\n"]))] == [b'{"a":1}', b"{}"]
    with pytest.raises(Exception, match="larger"):
        [*whole_json_lines(iter([b"x" * 2**20] * 5))]
    assert issubclass(Relist, Exception)


def test_the_roles_of_a_watch_are_what_it_watches() -> None:
    """`upgate profile rbac --watch` grants list and watch on each kind; leases only in kube-system."""
    roles = [*yaml.safe_load_all(watch_roles_as_yaml())]
    everywhere, local = (each["rules"] for each in roles if each)
    assert all(rule["verbs"] == ["list", "watch"] for rule in [*everywhere, *local])
    assert {rule["resources"][0] for rule in everywhere} == {
        *("nodes", "pods", "events", "endpointslices"),
        *("deployments", "statefulsets", "daemonsets", "poddisruptionbudgets"),
    }
    assert local[0]["resources"] == ["leases"]
    assert local[0]["apiGroups"] == ["coordination.k8s.io"]
