"""Bytes become facts: what Go writes is read, what is malformed costs one object, and small facts judge like whole ones."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tests.control_worlds import COREDNS_ROLE, api_service, binding, converted, leader, webhooks
from tests.worlds import (
    NOW,
    attachment,
    autoscaler,
    baseline,
    battery,
    budget,
    claim,
    condition,
    container_status,
    cronjob,
    csi_node,
    daemonset,
    empty,
    endpointslice,
    gateway,
    good,
    http_route,
    ingress,
    ingress_class,
    job,
    judge,
    lease,
    machine,
    namespace,
    network_policy,
    node,
    nodeclaim,
    objects,
    pod,
    profile,
    replicated,
    service,
    signing_request,
    snapshot,
    storage_class,
    terminated,
    thing,
    tls_secret,
    volume,
    warning,
)
from upgate.base.errors import UsageError
from upgate.base.scope import matches_scope
from upgate.base.text import counted, duration
from upgate.baseline import dump_baseline, load_baseline
from upgate.facts.decoding import Page, decode_page
from upgate.facts.kinds import KINDS
from upgate.facts.relations import RELATIONS, lists_for
from upgate.snapshot import dump_snapshot, load_snapshot

BUILDERS = {noun: thing("any") for noun in KINDS} | {
    "nodes": node(),
    "leases": lease(),
    "namespaces": namespace(),
    "networkpolicies": network_policy(),
    "pods": pod(status={"initContainerStatuses": [container_status("init", state=terminated(0))]}),
    "deployments": replicated("web"),
    "replicasets": replicated("web-rs"),
    "statefulsets": replicated("db"),
    "daemonsets": daemonset(),
    "services": service(),
    "endpointslices": endpointslice("web", "10.1.0.1"),
    "ingresses": ingress(),
    "machines": machine(),
    "nodeclaims": nodeclaim(),
    "warnings": warning(pod()),
    "jobs": job(),
    "cronjobs": cronjob(),
    "horizontalpodautoscalers": autoscaler(),
    "poddisruptionbudgets": budget(),
    "notices": warning(pod(), "TriggeredScaleUp", type="Normal"),
    "leader_leases": leader(),
    "apiservices": api_service(),
    "customresourcedefinitions": converted(),
    "validatingwebhookconfigurations": webhooks(),
    "mutatingwebhookconfigurations": webhooks(),
    "clusterroles": COREDNS_ROLE,
    "clusterrolebindings": binding("system:coredns"),
    "persistentvolumeclaims": claim(),
    "persistentvolumes": volume(),
    "storageclasses": storage_class(),
    "volumeattachments": attachment(),
    "csinodes": csi_node(),
    "ingressclasses": ingress_class(default=True),
    "gateways": gateway(status={"listeners": [{"name": "https", "conditions": [condition("Conflicted", "False")]}]}),
    "httproutes": http_route(),
    "certificatesigningrequests": signing_request("csr-1", "Approved"),
    "tls_secrets": tls_secret(),
}


def decoded(noun, *things):
    """The facts of these objects, and the malformed ones."""
    text = msgspec.json.encode({"kind": "List", "items": list(things)})
    return decode_page(KINDS[noun].type, msgspec.json.decode(text, type=Page))


def nulled(value):
    """The same with every list and map that may be null written as null, as Go does with empty ones."""
    if not isinstance(value, dict):
        return value
    keep = ("metadata", "spec", "status", "template", "conditions", "strategy", "updateStrategy")
    return {
        key: None
        if isinstance(each, list) or (isinstance(each, dict) and key in ("labels", "selector"))
        else nulled(each)
        for key, each in value.items()
        if key in keep or not isinstance(each, dict) or key in ("labels", "selector")
    }


@pytest.mark.parametrize("noun", KINDS)
def test_empty_lists_and_maps_may_be_null(noun):
    """Go writes empty lists and maps as null: every one of them is read, in every kind."""
    items, malformed = decoded(noun, nulled(BUILDERS[noun]))
    assert (len(items), malformed) == (1, [])


@pytest.mark.parametrize("noun", KINDS)
def test_an_object_of_metadata_alone_is_an_object(noun):
    """Everything but the name may be absent."""
    items, malformed = decoded(noun, {"metadata": {"name": "x"}})
    assert ([each.ref for each in items], malformed) == ([f"{KINDS[noun].type.__name__}/x"], [])


@pytest.mark.parametrize("noun", KINDS)
def test_fields_that_no_check_reads_are_skipped(noun):
    """Fields of later API versions, of whatever type, do no harm."""
    later = {**BUILDERS[noun], "future": [1], "kind": "X", "apiVersion": "v9"}
    later["metadata"] = {**later["metadata"], "future": {"a": None}}
    assert decoded(noun, later)[1] == []


def test_one_malformed_object_costs_one_object():
    """An object that cannot be read is named with what is wrong with it; those before and after it are facts."""
    items, (bad,) = decoded("pods", pod("a"), pod("b", spec={"containers": "none"}), pod("c"))
    assert [each.name for each in items] == ["a", "c"]
    assert bad.object == "Pod/shop/b"
    assert "containers" in bad.problem


@pytest.mark.parametrize("id", [id for id in battery() if id.startswith("pods.")])
def test_a_malformed_pod_is_never_green(id):
    """A check of pods that could not read one of them is inconclusive and names it."""
    result = judge(id, good(pods=[pod(), pod("torn", metadata={"labels": 7})]))
    assert result.outcome == "inconclusive"
    assert "Pod/shop/torn" in result.reason


def test_what_pods_have_in_common_is_kept_once():
    """Of two healthy pods of one ReplicaSet labels, owners, containers and statuses are the same objects in memory."""
    (one, other), _ = decoded("pods", pod("a"), pod("b", ip="10.1.0.2"))
    assert one.metadata.labels is other.metadata.labels
    assert one.metadata.owner_references is other.metadata.owner_references
    assert one.spec.containers is other.spec.containers
    assert one.status.container_statuses is other.status.container_statuses
    assert one.status.pod_ips != other.status.pod_ips


@pytest.mark.parametrize(
    "status",
    [
        container_status(ready=False),
        container_status(restarts=1, lastState=terminated()),
        container_status(state=terminated(1)),
        container_status(ready=False, state={"waiting": {"reason": "CrashLoopBackOff", "message": "m"}}),
    ],
)
def test_what_is_not_healthy_is_kept_as_it_is(status):
    """A container that is not ready, has restarted, waits or ended keeps everything that is known of it."""
    (its,), _ = decoded("pods", pod(status={"containerStatuses": [status]}))
    (kept,) = its.status.container_statuses
    assert kept == msgspec.convert(status, type(kept))


def test_conditions_that_are_not_true_keep_their_words():
    """A condition that is not True keeps reason, message and time, and Ready keeps its time in any case."""
    bad = condition("PodScheduled", "False", reason="Unschedulable", message="0/3")
    (its,), _ = decoded("pods", pod(status={"conditions": [condition("Ready"), bad, condition("Initialized")]}))
    assert str(its.scheduled) == "PodScheduled=False (Unschedulable: 0/3)"
    assert its.ready_for(NOW) == timedelta(days=1)


def test_snapshots_judge_as_what_they_were_taken_of(tmp_path):
    """Facts that were written and read again are equal, also the ones that share parts."""
    seen = snapshot(good())
    (tmp_path / "snapshot.json.gz").write_bytes(dump_snapshot(seen))
    assert load_snapshot(tmp_path / "snapshot.json.gz") == seen


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ({"seconds": 0}, "0s"),
        ({"seconds": 0.4}, "0s"),
        ({"seconds": 45}, "45s"),
        ({"minutes": 12}, "12m"),
        ({"minutes": 1, "seconds": 1}, "1m1s"),
        ({"hours": 1, "seconds": 5}, "1h"),
        ({"days": 3, "hours": 4, "minutes": 5}, "3d4h"),
        ({"days": 2}, "2d"),
        ({"seconds": -5}, "0s"),
    ],
)
def test_durations_have_two_units(time, said):
    """Times are said in their two largest units; what lies ahead is no time yet."""
    assert duration(timedelta(**time)) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 pods"), (1, "1 pod"), (2, "2 pods")])
def test_numbers_agree_with_their_nouns(number, said):
    """One of a thing is said in the singular."""
    assert counted(number, "pod") == said


@pytest.mark.parametrize(
    ("patterns", "inside", "outside"),
    [
        (["*"], ["a", "b"], []),
        (["app-*"], ["app-1"], ["web", "my-app-1"]),
        (["*", "!sandbox-*"], ["a"], ["sandbox-1"]),
        (["!sandbox-*"], ["a"], ["sandbox-1"]),
        (["!a", "a", "b"], ["b"], ["a"]),
    ],
)
def test_namespaces_are_chosen_by_patterns(patterns, inside, outside):
    """A namespace is meant by any pattern, unless one with `!` leaves it out; with only those, all others are meant."""
    assert all(matches_scope(each, patterns) for each in inside)
    assert not any(matches_scope(each, patterns) for each in outside)


def test_relations_need_lists_that_exist():
    """Each relation's lists are kinds, and a check's lists are those of its relations and its own."""
    assert all(set(relation.needs) <= set(KINDS) for relation in RELATIONS.values())
    assert lists_for(["pods", "heartbeats", "patience"]) == {"pods", "leases"}


def test_a_relation_is_inconclusive_without_its_lists():
    """A check whose relation misses a list cannot be judged, and says which."""
    seen = snapshot({**good(), "warnings": []}, gaps={"replicasets": "cannot list replicasets: not permitted"})
    assert judge("pods.failed", seen).reason == "cannot list replicasets: not permitted"
    assert judge("pods.crashing", seen).outcome == "passed"


def test_an_empty_cluster_is_read():
    """A cluster with nothing in it is facts, too."""
    assert snapshot(empty()).count("pods") == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{", "corrupt"), (b"[]", "not a baseline"), (b'{"schema": 1}', "not a baseline"), (None, "cannot read")],
)
def test_a_baseline_that_cannot_be_used_is_an_error(tmp_path, content, said):
    """A baseline that is missing, torn or something else is a usage error that says how to get another."""
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        load_baseline(path)


def test_a_baseline_is_read_as_it_was_written(tmp_path):
    """What was saved before the upgrade is what is compared with."""
    saved = baseline(good(pods=[pod(status={"containerStatuses": [container_status(restarts=3)]})]), "example.com/pool")
    (tmp_path / "baseline.json").write_bytes(dump_baseline(saved))
    assert load_baseline(tmp_path / "baseline.json") == saved
    assert saved.restarts == {"uid-shop-web-1": {"app": 3}}


def test_a_scope_leaves_out_namespaces_and_not_nodes():
    """A profile's scope narrows what has a namespace; nodes are judged in any case."""
    elsewhere = profile(scope={"namespaces": ["!shop"]})
    world = good(nodes=[node(ready="False")], pods=[pod(ready="False"), pod(namespace="other", ready="False")])
    assert objects(judge("pods.ready", world, profile=elsewhere)) == ["Pod/other/web-1"]
    assert objects(judge("nodes.ready", world, profile=elsewhere)) == ["Node/worker-1"]


ODD_TIMES = [
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "2026-01-01T00:00:00+99:99",
    "2026-01-01T00:00:00",
    "",
    "x",
    7,
]


def oddly_timed(value, odd):
    """The same with every time replaced."""
    if isinstance(value, list):
        return [oddly_timed(each, odd) for each in value]
    if not isinstance(value, dict):
        return value
    timed = ("time", "Timestamp", "Time", "startedAt", "finishedAt", "timeAdded")
    return {key: odd if key.endswith(timed) else oddly_timed(each, odd) for key, each in value.items()}


@pytest.mark.parametrize("odd", ODD_TIMES)
@pytest.mark.parametrize("noun", KINDS)
def test_a_time_that_cannot_be_read_is_no_time(noun, odd):
    """Whatever stands in the place of a time: the object is a fact, and all else that it says holds."""
    (fact,), malformed = decoded(noun, oddly_timed(BUILDERS[noun], odd))
    (right,), _ = decoded(noun, BUILDERS[noun])
    assert malformed == []
    assert (fact.ref, fact.labels, fact.metadata.creation_timestamp) == (right.ref, right.labels, None)


def test_a_text_that_is_called_time_stays():
    """A label is no time, whatever it is called."""
    labels = {"time": "x", "creationTimestamp": "soon"}
    (fact,), _ = decoded("pods", pod(metadata={"labels": labels, "creationTimestamp": "soon"}))
    assert fact.labels.items() >= labels.items()


@pytest.mark.parametrize("odd", ODD_TIMES)
def test_a_deletion_without_a_readable_time_is_a_deletion(odd):
    """The pod is leaving, and it is overdue: that nothing tells since when is no reason to wait for it."""
    world = good(pods=[pod(), pod("web-2", ip="10.1.0.2", metadata={"deletionTimestamp": odd})])
    assert objects(judge("pods.terminating", world)) == ["Pod/shop/web-2"]


@pytest.mark.parametrize("odd", ODD_TIMES)
def test_nothing_is_new_for_ever(odd):
    """A pending pod without a readable beginning has waited too long, a silent node without a readable lease is silent."""
    waiting = pod("web-2", status={"phase": "Pending"}, metadata={"creationTimestamp": odd})
    assert objects(judge("pods.pending", good(pods=[pod(), waiting]))) == ["Pod/shop/web-2"]
    silent = lease(spec={"renewTime": odd})
    assert objects(judge("nodes.heartbeat", good(leases=[silent]))) == ["Node/worker-1"]


def test_an_event_of_the_year_0_blinds_no_check():
    """What any pod may write makes no check inconclusive."""
    odd = warning(pod(), lastTimestamp="0000-01-01T00:00:00Z")
    assert {judge(id, good(warnings=[odd])).outcome for id in ("pods.pending", "pods.scheduler-silent")} == {"passed"}


@pytest.mark.parametrize(
    ("scope", "outcome"), [(["*"], "inconclusive"), (["shop"], "inconclusive"), (["!shop", "other"], "passed")]
)
@pytest.mark.parametrize("id", ["pods.ready", "pods.failed"])
def test_a_malformed_object_outside_the_scope_does_not_count(id, scope, outcome):
    """Neither for the checks of its kind nor for those whose relations need it."""
    torn = {"pods": [pod(namespace="other"), pod("torn", metadata={"labels": 7})]}
    torn |= {"replicasets": [replicated("web-rs", "other"), replicated("torn", metadata={"labels": 7})]}
    world = good(deployments=[replicated("web", "other")], services=[], endpointslices=[], **torn)
    assert judge(id, world, profile=profile(scope={"namespaces": scope})).outcome == outcome


def test_a_malformed_node_counts_in_any_scope():
    """What is in no namespace is in every scope; so is what does not say where it is."""
    scope = profile(scope={"namespaces": ["other"]})
    assert judge("nodes.ready", good(nodes=[node(), node("torn", spec=7)]), profile=scope).outcome == "inconclusive"
    nameless = {"metadata": {"name": "x", "namespace": 7}}
    assert judge("pods.ready", good(pods=[pod(), nameless]), profile=scope).outcome == "inconclusive"


def test_of_many_malformed_objects_a_few_are_named():
    """A report does not name thousands of them, but says how many there are."""
    reason = judge("pods.ready", good(pods=[pod(), *(pod(f"torn-{n}", spec=7) for n in range(1000))])).reason
    assert "Pod/shop/torn-0 could" in reason
    assert "980 more pods could not be read" in reason


@pytest.mark.parametrize("spoilt", [b'"\xff"', b'"' + b"x" * 2_000_000 + b'"'])
def test_a_name_that_cannot_be_read_is_one_malformed_object(spoilt):
    """Not UTF-8, or two million letters: one object, with a short sentence."""
    text = msgspec.json.encode({"kind": "List", "items": [pod("a"), pod("b", spec={"containers": "PLACE"})]})
    items, (bad,) = decode_page(KINDS["pods"].type, msgspec.json.decode(text.replace(b'"PLACE"', spoilt), type=Page))
    assert [each.name for each in items] == ["a"]
    assert len(bad.object) + len(bad.problem) < 1000
