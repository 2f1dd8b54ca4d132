"""Each istiod is asked which proxies it knows, through the API server: a stand-in for its debug page, bounded, or a gap."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.hostile_api import empty, page, serving
from tests.mesh_worlds import HOME, NEW, injector, istiod
from tests.test_cluster_bounds import kubeconfig
from tests.worlds import battery, pod, profile
from upgate.battery.permissions import roles_as_yaml
from upgate.battery.registry import Registry
from upgate.facts.proxies import ProxySync
from upgate.facts.relations import lists_for
from upgate.snapshot import dump_snapshot, load_snapshot
from upgate.sources.cluster import istiod as asking
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster

PATIENCE = Timeouts(connect=10, read=30, deadline=90)
NEEDS = [
    "pods",
    "namespaces",
    "deployments",
    "services",
    "mutatingwebhookconfigurations",
    "controlplanerevisions",
    "proxies",
]
LABELS = {"app": "istiod", "istio.io/rev": NEW}
FLAT = {"proxy": "web-1.shop", "istio_version": "1.14.0", "cluster_sent": "a", "cluster_acked": "a", "route_sent": ""}
LATE = FLAT | {"listener_sent": "new", "listener_acked": "old"}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What is stale is looked at again at once."""
    monkeypatch.setattr(asking, "PAUSE", 0.01)


def replica(name="istiod-1", **changes):
    """A pod of istiod."""
    return pod(name, HOME, metadata={"labels": LABELS}, **changes)


def look(folder, *answers, pods=(), status=200):
    """What istiods say where their answers, one after the other, are these; and the paths that they were asked by."""
    paths, coming = [], itertools.chain(answers, itertools.repeat(answers[-1] if answers else b""))

    def syncz(handler, kind, query):
        paths.append(handler.path)
        answer = next(coming)
        handler.whole(answer if isinstance(answer, bytes) else json.dumps(answer).encode(), status)

    def listing(kind, items):
        return lambda handler, _, query: handler.whole(page(kind, items))

    lists = {
        "pods": listing("Pod", list(pods) or [replica()]),
        "deployments": listing("Deployment", [istiod()]),
        "mutatingwebhookconfigurations": listing("MutatingWebhookConfiguration", [injector()]),
        "controlplanerevisions": listing("ControlPlaneRevision", []),
    }
    with serving(empty, syncz=syncz, **lists) as url:
        login = connect(kubeconfig(folder, url), patience=PATIENCE)
        return look_at_cluster(login, NEEDS, lambda *_: None), paths


def test_every_replica_is_asked(tmp_path):
    """A proxy is connected to one replica of several: all that run are asked, and no other pod."""
    others = [replica("istiod-3", status={"phase": "Pending"}), pod("fake", "shop", metadata={"labels": LABELS})]
    seen, paths = look(tmp_path, [FLAT], pods=[replica(), replica("istiod-2"), *others])
    assert sorted(paths) == [
        f"/api/v1/namespaces/{HOME}/pods/istiod-{number}:15014/proxy/debug/syncz" for number in (1, 2)
    ]
    assert {each.istiod for each in seen.proxies.proxies} == {f"{HOME}/istiod-1", f"{HOME}/istiod-2"}
    assert (seen.proxies.unanswered, seen.gaps) == ([], {})


@pytest.mark.parametrize(
    ("why", "entry", "stale"),
    [
        ("acknowledged", FLAT, ()),
        ("not acknowledged", LATE, ("LDS",)),
        ("never acknowledged", FLAT | {"endpoint_sent": "a"}, ("EDS",)),
        ("nothing was sent", {"proxy": "web-1.shop", "istio_version": "1.14.0"}, ()),
        (
            "the newer form",
            {
                "proxy": "web-1.shop",
                "istio_version": "1.14.0",
                "resources": {"CDS": {"sent": "a"}, "LDS": {"acked": "b"}},
            },
            ("CDS",),
        ),
    ],
)
def test_what_istiod_says_of_a_proxy(tmp_path, why, entry, stale):
    """Sent and not acknowledged is stale, in both forms of its answer; nothing sent is fine."""
    seen, paths = look(tmp_path, [entry])
    assert seen.proxies.proxies == [ProxySync("web-1.shop", f"{HOME}/istiod-1", "1.14.0", stale)]
    assert len(paths) == (2 if stale else 1)
    assert load_snapshot(saved(tmp_path, seen)).proxies == seen.proxies


def saved(folder, snapshot):
    """The snapshot in a file."""
    path = folder / "snapshot.json.gz"
    path.write_bytes(dump_snapshot(snapshot))
    return path


@pytest.mark.parametrize(
    ("why", "later"),
    [
        ("acknowledged meanwhile", [LATE | {"listener_acked": "new"}]),
        ("acknowledged the one, and sent the next", [LATE | {"listener_acked": "new", "listener_sent": "newer"}]),
        ("gone meanwhile", []),
        ("another is stale now", [FLAT | {"route_sent": "x"}]),
    ],
)
def test_a_push_that_is_under_way_is_no_finding(tmp_path, why, later):
    """What was not acknowledged is looked at twice: a busy mesh always has something on its way."""
    seen, _ = look(tmp_path, [LATE], later)
    assert not any(each.stale for each in seen.proxies.proxies)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, {"message": "pods is forbidden"}, "`get` on `pods/proxy` is needed"),
        (401, b"Unauthorized", "ENABLE_DEBUG_ENDPOINT_AUTH"),
        (503, {"message": "no endpoints"}, "status 503"),
        (200, b"<html></html>", "cannot be read"),
        (200, {"error": "x"}, "cannot be read"),
        (200, b"[" * 2**20, "cannot be read"),
        (200, b"null", "cannot be read"),
        (200, b"[" + b"{}," * 300_000 + b"{}]", "more than 200000 objects"),
        (200, b" " * (8 * 2**20 + 1), "larger than 8 MiB"),
    ],
)
def test_an_istiod_that_does_not_answer_is_a_gap(tmp_path, status, body, said):
    """A refusal, a page of somebody else's, and what has no end: what was not said is never green."""
    seen, _ = look(tmp_path, body, status=status)
    (reason,) = seen.proxies.unanswered
    assert said in reason


def test_without_an_istiod_there_is_nobody_to_ask(tmp_path):
    """A control plane that somebody else runs cannot be asked from here."""
    seen, _ = look(tmp_path, [FLAT], pods=[pod()])
    assert seen.gaps == {"proxies": "istiod was not asked: no pod of it runs in this cluster"}


def test_it_is_asked_and_permitted_only_where_the_profile_says_so():
    """Without the word nothing is asked of pods, and the printed role does not grant it."""
    registry = Registry((battery()["mesh.proxies-synced"],))
    for allow in ([], ["pods-proxy"]):
        its = profile(mesh={}, allow=allow)
        assert ("proxies" in registry.inputs(its)) is bool(allow)
        assert ("pods" in lists_for(registry.inputs(its))) is bool(allow)
        assert ("pods/proxy" in roles_as_yaml(its, registry)) is bool(allow)
