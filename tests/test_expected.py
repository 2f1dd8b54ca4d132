"""`expect.*`: what the profile expects of any object, looked at over HTTP and judged live and from a saved snapshot alike."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from tests.apiserver import EmbeddedCluster, Fault
from tests.worlds import NOW, battery, objects, profile, thing
from upgate.battery.evidence import Evidence
from upgate.battery.permissions import needed
from upgate.battery.registry import Registry
from upgate.judge.judge import judge
from upgate.results import CheckResult
from upgate.snapshot import Snapshot, dump_snapshot, load_snapshot
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster
from upgate.sources.look import objects_of

WIDGETS = "example.com/v1/widgets"
HEALTHY = 'status.health == "Healthy"'


def widget(name: str = "a", namespace: str = "shop", **changes: Any) -> dict[str, Any]:
    """A custom resource."""
    base = {"apiVersion": "example.com/v1", "kind": "Widget", "status": {"health": "Healthy"}, "spec": {"size": 3}}
    return thing(name, namespace, **{**base, **changes})


def entry(**keys: Any) -> Any:
    """A profile with one entry of resources:."""
    defaults = {"name": "widgets", "apiVersion": "example.com/v1", "kind": "Widget", "that": HEALTHY}
    return profile(resources=[{**defaults, **keys}], allow=["secrets"])


def seen(tmp_path, wanted: Any, world: dict[str, Any], **serving: Any) -> Snapshot:
    """A look at a cluster with these objects, as the profile needs it."""
    with EmbeddedCluster({"recorded": NOW, **world}, **serving) as cluster:
        login = connect(cluster.kubeconfig(tmp_path / "kubeconfig"), patience=Timeouts(read=5, deadline=20))
        try:
            return look_at_cluster(login, ["expected"], lambda *_: None, objects=objects_of(wanted))
        finally:
            login.connection.close()


def judged(snapshot: Snapshot, wanted: Any) -> CheckResult:
    """What the check of the profile's only entry says."""
    [check] = battery()["expect.{name}"].for_entries(wanted)
    return judge(check, Evidence(snapshot, wanted))


def look(tmp_path, *widgets: dict[str, Any], world: dict[str, Any] | None = None, **keys: Any) -> CheckResult:
    """What one entry says of these widgets; the same, whether the snapshot was saved or not."""
    wanted = entry(**keys)
    snapshot = seen(tmp_path, wanted, world or {WIDGETS: list(widgets)})
    (tmp_path / "saved.json.gz").write_bytes(dump_snapshot(snapshot))
    live, saved = judged(snapshot, wanted), judged(load_snapshot(tmp_path / "saved.json.gz"), wanted)
    assert live == saved
    return live


def test_all_of_a_kind(tmp_path):
    """Every object is judged, in each namespace; the one that is not as expected is named with what it has."""
    found = look(tmp_path, widget(), widget("b", "billing", status={"health": "Degraded"}))
    assert (found.id, found.outcome, found.examined, objects(found)) == (
        "expect.widgets",
        "failed",
        2,
        ["Widget/billing/b"],
    )
    assert found.findings[0].observed == f'{HEALTHY} is false: status.health is "Degraded"'
    assert found.findings[0].expected == HEALTHY
    assert found.findings[0].hint == "kubectl get widget.example.com -A"


@pytest.mark.parametrize(
    ("keys", "examined"),
    [
        ({"object": "a"}, 2),
        ({"object": "a", "namespace": "shop"}, 1),
        ({"namespace": "shop"}, 2),
        ({"selector": "tier=web"}, 1),
        ({"selector": "tier!=web", "namespace": "shop"}, 1),
        ({}, 4),
    ],
)
def test_some_of_a_kind(tmp_path, keys, examined):
    """By name, by namespace, by label selector, and all."""
    tier = {"labels": {"tier": "web"}}
    widgets = [widget(), widget("b", metadata={"name": "b", "namespace": "shop", **tier}), widget("a", "billing")]
    found = look(tmp_path, *widgets, widget("c", "billing"), **keys)
    assert (found.outcome, found.examined) == ("passed", examined)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"object": "none"}, "there is no Widget of example.com/v1 named none"),
        ({"selector": "tier=web"}, "there is no Widget of example.com/v1 with the labels tier=web"),
        ({"namespace": "none"}, "there is no Widget of example.com/v1 in namespace none"),
        ({"kind": "Widgett"}, 'does not serve the kind Widgett in example.com/v1; did you mean "Widget"?'),
        ({"apiVersion": "example.com/v2"}, "the API server does not serve example.com/v2"),
        ({"apiVersion": "v1", "kind": "Node", "namespace": "shop"}, "Node is cluster-wide"),
    ],
)
def test_what_is_not_there_fails(tmp_path, keys, words):
    """A selector that matches nothing, a kind and a version that are not served: each is a finding."""
    found = look(tmp_path, widget(), **keys)
    assert found.outcome == "failed"
    assert words in found.findings[0].observed


def test_what_cannot_be_evaluated_fails_and_says_which(tmp_path):
    """Of two conditions the one with the missing field is named, and the other one's values."""
    found = look(tmp_path, widget(), that=["status.phase == 'x'", "spec.size == 4", HEALTHY])
    assert found.findings[0].observed == (
        "status.phase == 'x' cannot be evaluated: there is no field 'phase'; spec.size == 4 is false: spec.size is 3"
    )


def test_a_condition_that_is_no_truth_fails(tmp_path):
    """A number is neither true nor false."""
    assert "neither true nor false" in look(tmp_path, widget(), that="spec.size").findings[0].observed


def test_the_scope_leaves_out(tmp_path):
    """Without a namespace of its own an entry means those in scope."""
    wanted = profile(**entry().raw, scope={"namespaces": ["shop"]}, resources=[dict(BASE)])
    found = judged(seen(tmp_path, wanted, {WIDGETS: [widget(), widget("b", "billing", status={})]}), wanted)
    assert (found.outcome, found.examined) == ("passed", 1)


BASE = {"name": "widgets", "apiVersion": "example.com/v1", "kind": "Widget", "that": HEALTHY}


def test_kinds_of_kubernetes_itself(tmp_path):
    """Built-in kinds are objects like any other, with the fields that their lists leave out."""
    node = thing("worker-1", spec={}, status={"nodeInfo": {"kernelVersion": "6.1.0"}})
    keys = {
        "apiVersion": "v1",
        "kind": "Node",
        "that": 'kind == "Node" && status.nodeInfo.kernelVersion.startsWith("6.")',
    }
    assert look(tmp_path, world={"nodes": [node]}, **keys).outcome == "passed"


def test_a_secret_is_kept_without_its_data(tmp_path):
    """Its labels and the names of its keys can be judged; nothing of its data is in the snapshot."""
    secret = thing("tls", "shop", kind="Secret", data={"tls.key": "c2VjcmV0LWRhdGE="}, type="kubernetes.io/tls")
    secret["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0LWRhdGE="}
    wanted = entry(apiVersion="example.com/v1", kind="Secret", that='has(object.data) && "tls.key" in data')
    snapshot = seen(tmp_path, wanted, {"example.com/v1/secrets": [secret]})
    assert judged(snapshot, wanted).outcome == "passed"
    assert b"c2VjcmV0" not in msgspec.json.encode(snapshot)


def test_secrets_in_an_object_are_hidden(tmp_path):
    """What is named like a secret leaves the decoder hidden, as of other raw kinds; who wrote what is not kept."""
    leaky = widget(spec={"password": "hunter2222", "size": 3})
    leaky["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    snapshot = seen(tmp_path, entry(), {WIDGETS: [leaky]})
    assert b"hunter2222" not in msgspec.json.encode(snapshot)
    assert b"managedFields" not in msgspec.json.encode(snapshot)


@pytest.mark.parametrize("path", ["/apis/example.com/v1", "widgets"])
def test_a_refusal_is_inconclusive(tmp_path, path):
    """Neither a kind that may not be discovered nor one that may not be listed is called missing."""
    fault = Fault("internal-error", path)
    found = judged(seen(tmp_path, entry(), {WIDGETS: [widget()]}, faults=[fault]), entry())
    assert found.outcome == "inconclusive"
    assert "500" in found.reason


def test_what_was_not_looked_at_is_inconclusive():
    """A snapshot of another profile, and one of a cluster that was not reached."""
    assert "was not looked at" in judged(Snapshot(taken=NOW), entry()).reason
    assert judged(Snapshot(taken=NOW, gaps={"expected": "not reached"}), entry()).reason == "not reached"


def test_odd_objects_are_gaps_or_findings(tmp_path):
    """One without a name is a gap; null, lists and texts in the place of maps are no end of anything."""
    odd = [widget("b", status=None), widget("c", status=[]), widget("d", status="x", spec=None), widget("e")]
    found = look(tmp_path, *odd, that=[HEALTHY])
    assert objects(found) == ["Widget/shop/b", "Widget/shop/c", "Widget/shop/d"]


def test_a_large_object_is_a_gap_and_others_are_judged(tmp_path):
    """Whoever may create objects makes no run take hours."""
    large = widget("large", spec={"a": list(range(20_000))})
    found = look(tmp_path, large, widget("b", spec={"a": [1]}), that="spec.a.all(x, spec.a.exists(y, y == x))")
    assert (found.outcome, found.examined) == ("inconclusive", 1)
    assert "Widget/shop/large could not be judged: it is too large" in found.reason


def test_the_role_names_what_is_listed():
    """`upgate profile rbac` grants what an entry needs, in its namespace alone where it has one."""
    wanted = entry(namespace="shop", apiVersion="example.com/v1", kind="Policy")
    [kind] = needed(wanted, Registry(()))
    assert (kind.group, kind.resource, kind.namespace) == ("example.com", "policies", "shop")


def test_ten_thousand_objects_in_three_seconds(tmp_path):
    """Judged from what was listed; the snapshot holds them."""
    conditions = [{"type": "Ready", "status": "True", "reason": "Up", "message": f"all {n} are up"} for n in range(4)]
    widgets = [
        widget(f"w-{n}", f"team-{n % 50}", status={"health": "Healthy", "conditions": conditions})
        for n in range(10_000)
    ]
    that = [HEALTHY, 'status.conditions.exists(c, c.type == "Ready" && c.status == "True")']
    wanted = entry(that=that)
    with EmbeddedCluster({"recorded": NOW, WIDGETS: widgets}) as cluster:
        login = connect(cluster.kubeconfig(tmp_path / "kubeconfig"), patience=Timeouts(read=20, deadline=60))
        judged(Snapshot(taken=NOW), wanted)  # the library is imported once
        begun, cpu = time.perf_counter(), time.process_time()
        snapshot = look_at_cluster(login, ["expected"], lambda *_: None, objects=objects_of(wanted))
        looked = time.perf_counter()
        found = judged(snapshot, wanted)
        done = time.perf_counter()
        login.connection.close()
    assert time.process_time() - cpu < 9  # of this process, which is the API server, too
    print(f"looked {looked - begun:.2f} s, judged {done - looked:.2f} s, {time.process_time() - cpu:.2f} s of CPU")
    assert (found.outcome, found.examined) == ("passed", 10_000)
