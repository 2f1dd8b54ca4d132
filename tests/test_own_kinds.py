"""Kinds that users declare are listed, kept and judged like the built-in ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.apiserver import EmbeddedCluster
from tests.worlds import NOW
from upgate import Fact, Inconclusive, check, kind
from upgate.base.errors import UsageError
from upgate.battery.evidence import Evidence
from upgate.facts.kinds import KINDS
from upgate.judge.judge import judge
from upgate.profile.model import Profile
from upgate.snapshot import Snapshot, dump_snapshot, load_snapshot
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster

RESOURCE = "argoproj.io/v1alpha1/applications"


@check("argocd.healthy", severity="critical")
def check_applications(applications):
    """Every application is healthy."""
    applications.all(
        lambda each: each.status.get("health") == "Healthy", observed=lambda each: each.status.get("health")
    )


def application(name: str = "shop", **fields) -> dict:
    """One of Argo CD's applications."""
    meta = {"name": name, "namespace": "argocd", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta} | fields


@pytest.fixture(params=[False, True], ids=["fields", "raw"])
def raw(request) -> Iterator[bool]:
    """The kind is declared for one test, with all that the API server sends or without."""
    declare(raw=request.param)
    yield request.param
    del KINDS["applications"]


def declare(noun: str = "applications", *, raw: bool = False) -> type:
    """Declare the kind, as in a file of checks."""

    class Application(Fact):
        status: dict = {}  # noqa: RUF012 - as users write it

    return kind(noun, "argoproj.io/v1alpha1", "applications", raw=raw)(Application)


def seen(tmp_path, *applications: dict, **serving) -> Snapshot:
    """A look at a cluster with these applications; one that does not serve the kind, where there are none."""
    world = {"recorded": NOW} | ({RESOURCE: list(applications)} if applications else {})
    with EmbeddedCluster(world, **serving) as cluster:
        login = connect(cluster.kubeconfig(tmp_path / "kubeconfig"), patience=Timeouts(read=5, deadline=20))
        try:
            return look_at_cluster(login, ["applications"], lambda *_: None)
        finally:
            login.connection.close()


def saved(tmp_path, snapshot: Snapshot) -> Snapshot:
    """The snapshot after it was written and read."""
    path = tmp_path / "snapshot.json.gz"
    path.write_bytes(dump_snapshot(snapshot))
    return load_snapshot(path)


def judged(snapshot: Snapshot):
    """What the check says of it."""
    return judge(check_applications.__check__, Evidence(snapshot, Profile()))


@pytest.mark.parametrize("again", [False, True], ids=["live", "saved"])
def test_a_kind_of_ones_own_is_judged_like_any(raw, again, tmp_path):
    """Live and from a saved snapshot its objects are found by their kind and name."""
    snapshot = seen(
        tmp_path, application(status={"health": "Healthy"}), application("web", status={"health": "Degraded"})
    )
    result = judged(saved(tmp_path, snapshot) if again else snapshot)
    assert [(each.object, each.observed) for each in result.findings] == [("Application/argocd/web", "Degraded")]
    assert (result.outcome, result.examined) == ("failed", 2)


def test_raw_is_all_that_the_api_server_sent(raw, tmp_path):
    """`.raw` is there when the kind asks for it, after a snapshot's round trip too, and only then."""
    sent = application(spec={"project": "default"}, operation=None)
    live = seen(tmp_path, sent)
    for snapshot in (live, saved(tmp_path, live)):
        (item,) = snapshot.facts("applications")
        assert getattr(item, "raw", None) == (sent if raw else None)


def test_raw_is_kept_where_a_time_cannot_be_read(raw, tmp_path):
    """An object with an odd time is still one object, with its `.raw`."""
    odd = application(status={"health": "Healthy"})
    odd["metadata"]["creationTimestamp"] = "0000-01-01T00:00:00Z"
    (item,) = seen(tmp_path, odd).facts("applications")
    assert getattr(item, "raw", None) == (odd if raw else None)
    assert item.metadata.creation_timestamp is None


SECRET = "hunter2hunter2"
HIDING = {
    "a key that is named so": {"password": SECRET},
    "a variable that is named so": {"env": [{"name": "DB_PASSWORD", "value": SECRET}]},
    "a list below such a key": {"tokens": [SECRET]},
    "a URL with a login": {"repo": f"https://bot:{SECRET}@git.example.com/x"},
    "an annotation's manifest": {"last": f'{{"password":"{SECRET}"}}'},
}


@pytest.mark.parametrize("status", HIDING.values(), ids=HIDING)
def test_no_secret_of_a_custom_resource_is_kept(raw, status, tmp_path):
    """Neither in a field of any form nor in `.raw`; what is beside it stays."""
    snapshot = seen(tmp_path, application(status=status | {"health": "Healthy", "secretName": "shop-tls"}))
    assert SECRET not in repr(snapshot.facts("applications"))
    assert snapshot.facts("applications")[0].status["secretName"] == "shop-tls"
    assert judged(snapshot).outcome == "passed"


def test_a_kind_that_is_not_served_is_inconclusive(raw, tmp_path):
    """404 is one sentence, and no pass."""
    result = judged(seen(tmp_path))
    assert result.outcome == "inconclusive"
    assert result.reason.startswith(
        "cannot list applications: the API server does not serve applications in argoproj.io/v1alpha1 (status 404"
    )


def test_a_kind_that_may_not_be_listed_is_inconclusive(raw, tmp_path):
    """403 names the permission that is missing."""
    reason = judged(seen(tmp_path, application(), forbid=["applications"])).reason
    assert "needs `list` on `applications` in API group argoproj.io" in reason


def test_an_object_that_does_not_fit_is_named(raw, tmp_path):
    """One application whose fields have other types is one gap; the others are judged."""
    snapshot = seen(tmp_path, application(status={"health": "Healthy"}), application("odd", status="?"))
    assert [each.object for each in snapshot.malformed["applications"]] == ["Application/argocd/odd"]
    assert judged(snapshot).outcome == "inconclusive"


def test_a_snapshot_taken_before_the_kind_was_declared_lacks_it(tmp_path, request):
    """It says that this was not looked at then."""
    snapshot = saved(tmp_path, Snapshot(taken=NOW))
    request.addfinalizer(partial(KINDS.pop, "applications"))
    declare()
    assert judged(snapshot).reason == "applications were not looked at when this snapshot was taken"


def test_a_snapshot_can_be_read_where_the_kind_is_not_declared(tmp_path, request):
    """Who has not got the user's checks can still look at the rest."""
    request.addfinalizer(partial(KINDS.pop, "applications", None))
    declare()
    snapshot = seen(tmp_path, application())
    del KINDS["applications"]
    with pytest.raises(Inconclusive):
        saved(tmp_path, snapshot).facts("applications")


def test_a_noun_means_one_kind(raw):
    """The same declaration again is fine, another kind under a noun that is taken is refused."""
    declare(raw=raw)
    with pytest.raises(UsageError, match="the noun pods is taken: it is pods in v1"):
        declare("pods")
    assert KINDS["pods"].resource == "pods"
