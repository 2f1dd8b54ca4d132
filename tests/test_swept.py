"""`conditions.false`: what custom resources say is wrong with them, in their own ways, within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver import EmbeddedCluster, Fault
from tests.worlds import NOW, ago, judge, objects, profile, thing
from upgate.battery.permissions import needed, role_rules
from upgate.battery.registry import Registry
from upgate.results import CheckResult
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster


def definition(kind: str, group: str = "example.com", **version: Any) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    versions = [{"name": "v1", "served": True, "storage": True, **version}]
    spec = {"group": group, "names": {"kind": kind, "plural": plural}, "scope": "Namespaced", "versions": versions}
    return thing(f"{plural}.{group}", kind="CustomResourceDefinition", spec=spec)


def resource(kind: str = "Widget", name: str = "a", *conditions: Any, **changes: Any) -> dict[str, Any]:
    return thing(name, "shop", **{"kind": kind, "status": {"conditions": list(conditions)}, **changes})


def says(type: str = "Ready", status: Any = "False", minutes: float = 11, **more: str) -> dict[str, Any]:
    return {"type": type, "status": status, "lastTransitionTime": ago(minutes=minutes), **more}


def swept(
    tmp_path, *resources: dict[str, Any], group: str = "example.com", faults: tuple[Fault, ...] = (), **keys: Any
) -> CheckResult:
    """What the check says of a cluster with these custom resources."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for each in resources:
        by_kind.setdefault(each["kind"], []).append(each)
    world = {f"{group}/v1/{kind.lower()}s": items for kind, items in by_kind.items()}
    world["customresourcedefinitions"] = [definition(kind, group) for kind in by_kind]
    wanted = profile(conditions=keys)
    with EmbeddedCluster({"recorded": NOW, **world}, faults=faults) as cluster:
        login = connect(cluster.kubeconfig(tmp_path / "kubeconfig"), patience=Timeouts(read=5, deadline=20))
        seen = look_at_cluster(login, ["conditions"], lambda *_: None, conditions=wanted.conditions)
        login.connection.close()
    return judge("conditions.false", seen, profile=wanted)


@pytest.mark.parametrize("type", ["Ready", "Available", "Healthy", "Synced"])
def test_a_condition_that_is_false_for_long_is_a_finding(tmp_path, type):
    """It warns, names the object, and says the condition and for how long."""
    found = swept(tmp_path, resource("Widget", "a", says(type, reason="Broken", message="no disk")), resource(name="b"))
    assert (found.outcome, found.examined, objects(found)) == ("warned", 2, ["Widget/shop/a"])
    assert found.findings[0].observed.startswith(f"{type}=False (Broken: no disk) for 11m")


@pytest.mark.parametrize(
    "said",
    [
        says(minutes=9),
        says(status="True"),
        says(status="Unknown"),
        says("Progressing"),
        says("Stalled"),
        says(status=True),
        "Ready",
        None,
        {},
        {"type": ["Ready"], "status": {}},
        {"type": "Ready"},
    ],
)
def test_what_is_no_finding(tmp_path, said):
    """Not yet long, not False, of another type, and what only looks like a condition."""
    assert swept(tmp_path, resource("Widget", "a", said)).outcome == "passed"


@pytest.mark.parametrize(
    ("group", "broken", "words"),
    [
        ("argoproj.io", resource("Application", status={"health": {"status": "Degraded"}}), "health Degraded"),
        (
            "argoproj.io",
            resource("Application", "a", {"type": "ComparisonError", "message": "no such repo"}),
            "ComparisonError (no such repo)",
        ),
        ("kustomize.toolkit.fluxcd.io", resource("Kustomization", "a", says("Stalled", "True")), "Stalled=True"),
        ("cert-manager.io", resource("Certificate", "a", says()), "Ready=False"),
        ("s3.aws.crossplane.io", resource("Bucket", "a", says("Synced", reason="ReconcileError")), "ReconcileError"),
        ("cluster.x-k8s.io", resource("Cluster", "a", says("Available")), "Available=False"),
        ("example.com", resource("Widget", "a", says(status=False)), "Ready=False"),
        ("example.com", resource("Widget", "a", {"type": "Ready", "status": "False"}), "Ready=False for 1d"),
    ],
)
def test_each_project_says_it_in_its_own_way(tmp_path, group, broken, words):
    """As their documentation has it."""
    found = swept(tmp_path, broken, group=group)
    assert found.outcome == "warned"
    assert words in found.findings[0].observed


@pytest.mark.parametrize(
    ("group", "fine"),
    [
        ("argoproj.io", resource("Application", status={"health": {"status": "Progressing"}})),
        ("argoproj.io", resource("Application", "a", {"type": "OrphanedResourceWarning", "message": "x"})),
        ("kustomize.toolkit.fluxcd.io", resource("Kustomization", "a", says(), spec={"suspend": True})),
        ("cert-manager.io", resource("CertificateRequest", "a", says(reason="Failed"))),
        ("cluster.x-k8s.io", resource("Cluster", "a", says(), spec={"paused": True})),
    ],
)
def test_what_is_paused_or_history_is_silent(tmp_path, group, fine):
    """Somebody stopped it on purpose, it is under way, or another object speaks for it."""
    assert swept(tmp_path, fine, group=group).outcome == "passed"


def test_an_annotation_pauses(tmp_path):
    """Crossplane's and Cluster API's."""
    paused = resource("Widget", "a", says("Synced"))
    paused["metadata"]["annotations"] = {"crossplane.io/paused": "true"}
    assert swept(tmp_path, paused).outcome == "passed"


def test_a_kind_that_cannot_be_listed_is_a_gap(tmp_path):
    """What else was seen is told."""
    broken = resource("Widget", "a", says())
    found = swept(tmp_path, broken, resource("Gadget"), faults=(Fault("internal-error", "gadgets"),))
    assert found.outcome == "inconclusive"
    assert objects(found) == ["Widget/shop/a"]
    assert "gadgets" in found.reason


def test_what_is_left_out_is_said(tmp_path):
    """More kinds than the profile allows."""
    found = swept(tmp_path, *(resource(f"Widget{n}") for n in range(3)), kinds=2)
    assert found.outcome == "inconclusive"
    assert "were left out widget2s.example.com" in found.reason


def test_only_the_groups_of_the_profile_are_asked(tmp_path):
    """Others are not listed, and are no gap."""
    fault = (Fault("internal-error", "widgets"),)
    assert swept(tmp_path, resource("Widget"), faults=fault, groups=["*.crossplane.io"]).outcome == "passed"


def test_the_role_names_the_groups():
    """RBAC knows no patterns: only whole groups are granted."""
    kinds = needed(profile(conditions={"groups": ["argoproj.io", "*.crossplane.io"]}), Registry(()))
    rules = role_rules(kinds)
    assert "resources: [customresourcedefinitions]" in rules
    assert 'apiGroups: [argoproj.io]\n  resources: ["*"]' in rules
    assert "crossplane" not in rules
