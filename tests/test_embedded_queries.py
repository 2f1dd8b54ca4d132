"""Questions to the embedded API server: pages, selectors, refusals.

What is compared word for word was said by kube-apiserver v1.36.3.
"""

from __future__ import annotations

import pytest

from tests.apiserver import EmbeddedCluster
from tests.asking import ask, pod


@pytest.fixture(scope="module")
def small():
    pods = [
        pod("web-1", app="web", tier="front"),
        pod("web-2", node="node2", app="web"),
        pod("db-0", "data", app="db"),
        pod("done", "batch", phase="Succeeded", wave="2"),
        pod("old", "batch", phase="Failed", app="legacy", wave="1"),
    ]
    nodes = [
        {"metadata": {"name": "node1"}, "spec": {}},
        {"metadata": {"name": "node2"}, "spec": {"unschedulable": True}},
    ]
    events = [
        {
            "metadata": {"name": f"e{number}", "namespace": "shop"},
            "type": kind,
            "reason": reason,
            "involvedObject": {"kind": "Pod", "name": "web-1"},
            "source": {"component": "kubelet"},
        }
        for number, (kind, reason) in enumerate([("Normal", "Pulled"), ("Warning", "BackOff"), ("Warning", "Failed")])
    ]
    with EmbeddedCluster({"pods": pods, "nodes": nodes, "events": events}) as cluster:
        yield cluster


def test_lists_are_paged(small):
    """limit and continue give every object once, in order, with the count of those that remain."""
    token, pages = "", []
    while True:
        page = ask(small, f"/api/v1/pods?limit=2&continue={token}")
        pages.append((page.names, page.json["metadata"].get("remainingItemCount")))
        token = page.json["metadata"].get("continue", "")
        if not token:
            break
    assert pages == [(["done", "old"], 3), (["db-0", "web-1"], 1), (["web-2"], None)]


def test_selected_lists_do_not_count_what_remains(small):
    """With a selector the API server does not know how many objects remain, and says nothing."""
    metadata = ask(small, "/api/v1/pods?limit=1&labelSelector=app").json["metadata"]
    assert metadata["continue"]
    assert "remainingItemCount" not in metadata


def test_resource_version_zero_ignores_the_limit(small):
    """resourceVersion=0 is answered from the watch cache, whole."""
    assert len(ask(small, "/api/v1/pods?limit=1&resourceVersion=0").names) == 5


def test_continue_tokens_expire():
    """An expired token is answered with 410 Gone, the real server's words, and a token to go on inconsistently."""
    with EmbeddedCluster({"pods": [pod("a"), pod("b"), pod("c")]}) as cluster:
        token = ask(cluster, "/api/v1/pods?limit=1").json["metadata"]["continue"]
        cluster.expire_tokens()
        gone = ask(cluster, f"/api/v1/pods?limit=1&continue={token}")
        inconsistent = gone.json["metadata"].pop("continue", None) or gone.json["metadata"]["continue"]
        assert ask(cluster, f"/api/v1/pods?limit=1&continue={inconsistent}").names == ["b"]
        fresh = ask(cluster, "/api/v1/pods?limit=1").json["metadata"]["continue"]
        assert ask(cluster, f"/api/v1/pods?continue={fresh}").names == ["b", "c"]
    assert gone.status == 410
    assert gone.json["reason"] == "Expired"
    assert gone.json["message"].startswith(
        "The provided continue parameter is too old to display a consistent list result."
    )


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("labelSelector=app%3Dweb", ["web-1", "web-2"]),
        ("labelSelector=app%3D%3Dweb,tier%3Dfront", ["web-1"]),
        ("labelSelector=app!%3Dweb", ["done", "old", "db-0"]),
        ("labelSelector=app+in+(db,legacy)", ["old", "db-0"]),
        ("labelSelector=app+notin+(web,db),app", ["old"]),
        ("labelSelector=!app", ["done"]),
        ("labelSelector=nobody", []),
        ("labelSelector=wave%3E1", ["done"]),
        ("labelSelector=wave%3C9,app%3Dlegacy", ["old"]),
        ("fieldSelector=metadata.name%3Dweb-1", ["web-1"]),
        ("fieldSelector=metadata.namespace!%3Dshop", ["done", "old", "db-0"]),
        ("fieldSelector=status.phase!%3DRunning,status.phase!%3DSucceeded", ["old"]),
        ("fieldSelector=spec.nodeName%3Dnode2", ["web-2"]),
        ("fieldSelector=spec.nodeName%3Dnode1&labelSelector=app%3Dweb", ["web-1"]),
    ],
)
def test_pods_are_selected(small, selector, expected):
    """Label and field selectors choose as the API server does."""
    assert ask(small, f"/api/v1/pods?{selector}").names == expected


def test_events_and_nodes_are_selected_by_their_own_fields(small):
    """Events have type, reason, source and involvedObject; nodes have spec.unschedulable, absent meaning false."""

    def chosen(path):
        return ask(small, path).names

    assert chosen("/api/v1/events?fieldSelector=type%3DWarning") == ["e1", "e2"]
    assert chosen("/api/v1/events?fieldSelector=type%3DWarning,reason!%3DFailed") == ["e1"]
    assert chosen("/api/v1/events?fieldSelector=involvedObject.name%3Dweb-1,source%3Dkubelet,reason%3DPulled") == ["e0"]
    assert chosen("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dfalse") == ["node1"]


def test_namespaces_bound_a_list(small):
    """A namespaced list holds its namespace only; a namespace that does not exist is an empty list, not an error."""
    assert ask(small, "/api/v1/namespaces/batch/pods").names == ["done", "old"]
    nowhere = ask(small, "/api/v1/namespaces/nowhere/pods")
    assert (nowhere.status, nowhere.names) == (200, [])


def test_one_object_carries_its_kind(small):
    """GET of one object gives kind and apiVersion, which items of a list do not have."""
    got = ask(small, "/api/v1/namespaces/data/pods/db-0").json
    assert (got["kind"], got["apiVersion"], got["metadata"]["name"]) == ("Pod", "v1", "db-0")
    assert ask(small, "/api/v1/nodes/node1").json["kind"] == "Node"


REFUSALS = {
    "/api/v1/nodes/nope": (404, 'nodes "nope" not found', {"name": "nope", "kind": "nodes"}),
    "/apis/apps/v1/namespaces/shop/deployments/nope": (
        404,
        'deployments.apps "nope" not found',
        {"name": "nope", "group": "apps", "kind": "deployments"},
    ),
    "/api/v1/foos": (404, "the server could not find the requested resource", {}),
    "/api/v1/pods/nameless": (404, "the server could not find the requested resource", {}),
    "/api/v1/namespaces/shop/nodes": (404, "the server could not find the requested resource", {}),
    "/api/v1/pods?fieldSelector=spec.foo=bar": (400, "field label not supported: spec.foo", None),
    "/api/v1/nodes?fieldSelector=metadata.namespace=x": (400, "field label not supported: metadata.namespace", None),
    "/apis/batch/v1/jobs?fieldSelector=foo=bar": (400, 'field label "foo" not supported for Job', None),
    "/apis/coordination.k8s.io/v1/leases?fieldSelector=spec.x=bar": (
        400,
        '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        None,
    ),
    "/api/v1/pods?fieldSelector=nonsense": (400, "invalid selector: 'nonsense'; can't understand 'nonsense'", None),
    "/api/v1/pods?limit=": (400, 'strconv.ParseInt: parsing "": invalid syntax', None),
    "/api/v1/pods?limit=x": (400, 'strconv.ParseInt: parsing "x": invalid syntax', None),
}


@pytest.mark.parametrize("path", REFUSALS)
def test_refusals_are_worded_as_by_the_real_server(small, path):
    """404 and 400 have the status, message and details of kube-apiserver."""
    status, message, details = REFUSALS[path]
    answer = ask(small, path)
    assert answer.status == answer.json["code"] == status
    assert answer.json["message"] == message
    assert answer.json.get("details") == details


def test_unparsable_queries_are_refused(small):
    """A label selector or continue token that is none gives 400, never an empty list."""
    assert ask(small, "/api/v1/pods?labelSelector=a+in+b").json["message"].startswith("unable to parse requirement")
    assert ask(small, "/api/v1/pods?limit=1&continue=abc").json["message"].startswith("invalid continue token")
    assert ask(small, "/api/v1/pods?labelSelector=app,").status == 400
    assert ask(small, "/nope").body == b"404 page not found\n"
    assert ask(small, "/apis/foo/v1/bars").body == b"404 page not found\n"


def test_it_only_reads(small):
    """Writing, deleting and watching are refused with 405."""
    for method, path in [
        ("POST", "/api/v1/pods"),
        ("DELETE", "/api/v1/pods"),
        ("PUT", "/version"),
        ("GET", "/api/v1/pods?watch=1"),
    ]:
        assert ask(small, path, method=method).status == 405
