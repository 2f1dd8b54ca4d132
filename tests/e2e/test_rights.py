"""The shipped ClusterRole is enough and read-only, and every permission that is missing is told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.battery import HEALTHY, SHORT, Battery, call
from tests.e2e.cluster import RealCluster, until
from tests.e2e.logins import kubeconfig
from upgate.battery import registry
from upgate.facts.kinds import KINDS
from upgate.facts.relations import lists_for


def blind() -> dict[str, set[str]]:
    """Resource → the checks that cannot be judged by one who may not list it: by the nouns that they take.

    What the profile must allow first is not among them.
    """
    concerned: dict[str, set[str]] = {}
    for check in registry.load_checks([registry.battery()]).checks:
        if check.allow:
            continue
        for noun in lists_for(check.inputs) & KINDS.keys():
            concerned.setdefault(KINDS[noun].resource, set()).add(check.id)
    return concerned


BLIND = blind()


@pytest.fixture(scope="module")
def role(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The ClusterRole that `upgate profile rbac` prints for the profile, with the rules of its Role for leases."""
    path = Battery(tmp_path_factory.mktemp("role"), Path()).profile(**HEALTHY, patience=SHORT)
    code, text = call([sys.executable, "-m", "upgate", "profile", "rbac", str(path)], {})
    assert code == 0, text
    everywhere, leases = yaml.safe_load_all(text)
    return {**everywhere, "rules": [*everywhere["rules"], *leases["rules"]]}


def in_their_namespace(rules: list[Any]) -> list[Any]:
    """The rules for what is in one namespace alone."""
    return [rule for rule in rules if rule["resources"] == ["leases"]]


@pytest.fixture(scope="module")
def grant(cluster: RealCluster, role: dict[str, Any]) -> Iterator[Callable[[list[Any]], None]]:
    """Gives the service account `upgate` these rules, and no others."""
    account = {"name": "upgate", "namespace": "default"}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "upgate"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "upgate"},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }
    there = {"name": "upgate", "namespace": "kube-node-lease"}
    leases = {**role, "kind": "Role", "metadata": there}
    bound = {**binding, "kind": "RoleBinding", "metadata": there, "roleRef": {**binding["roleRef"], "kind": "Role"}}
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}, binding, bound)

    def give(rules: list[Any]) -> None:
        one = in_their_namespace(rules)
        cluster.apply({**role, "rules": [rule for rule in rules if rule not in one]}, {**leases, "rules": one})
        until(
            "the rules are in force", lambda: rules_of(cluster) == {each["resources"][0] for each in rules}, every=0.1
        )

    yield give
    cluster.kubectl("delete", "clusterrolebinding/upgate", "clusterrole/upgate")
    cluster.kubectl("delete", "rolebinding/upgate", "role/upgate", "--namespace=kube-node-lease")
    cluster.kubectl("delete", "serviceaccount/upgate", "--namespace=default")


def reviewed(cluster: RealCluster) -> list[dict[str, Any]]:
    """What the service account may do, in the API server's own words."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": "kube-node-lease"},
    }
    who = "--as=system:serviceaccount:default:upgate"
    said = cluster.kubectl(
        "create", "--validate=false", "--filename=-", "--output=json", who, text=yaml.safe_dump(review)
    )
    return json.loads(said)["status"]["resourceRules"]


def rules_of(cluster: RealCluster) -> set[str]:
    """The resources that it may list."""
    return {resource for each in reviewed(cluster) if "list" in each["verbs"] for resource in each["resources"]}


@pytest.fixture(scope="module")
def as_upgate(cluster: RealCluster, grant: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the service account."""
    return kubeconfig(
        cluster, tmp_path_factory.mktemp("login") / "kubeconfig", token=cluster.token("upgate", "default")
    )


def test_the_shipped_role_is_enough(
    cluster: RealCluster, battery: Battery, role: dict[str, Any], grant: Callable[[list[Any]], None], as_upgate: Path
) -> None:
    """With the printed ClusterRole alone every check has the outcome that it has for the administrator."""
    grant(role["rules"])
    run = battery.run(kubeconfig=as_upgate)
    run.must_be_clear()
    assert run.outcomes == battery.run().outcomes


def test_the_shipped_role_is_read_only(
    cluster: RealCluster, role: dict[str, Any], grant: Callable[[list[Any]], None]
) -> None:
    """Beside reviews of oneself, which create nothing, it may list and do nothing else; and see no Secret."""
    grant(role["rules"])
    rules = [
        each for each in reviewed(cluster) if not all(name.startswith("selfsubject") for name in each["resources"])
    ]
    assert {verb for each in rules for verb in each["verbs"]} == {"list"}
    listed = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert rules_of(cluster) == listed >= set(BLIND)


@pytest.mark.parametrize("resource", BLIND)
def test_one_rule_less_leaves_exactly_its_checks_unjudged(
    battery: Battery, role: dict[str, Any], grant: Callable[[list[Any]], None], as_upgate: Path, resource: str
) -> None:
    """Without one rule the checks that need it are inconclusive and name it, the others pass, and the exit code is 75."""
    grant([rule for rule in role["rules"] if rule["resources"] != [resource]])
    run = battery.run(kubeconfig=as_upgate)
    assert run.having("inconclusive") == BLIND[resource]
    assert run.having("passed") == set(run.outcomes) - BLIND[resource] - run.having("skipped")
    assert (run.code, run.findings) == (75, [])
    assert all(f"`list` on `{resource}`" in run.reason(check) for check in BLIND[resource])


def test_one_without_any_rights_judges_nothing_in_the_cluster(cluster: RealCluster, battery: Battery) -> None:
    """An identity without rights gets no green light for anything but what is open to everybody."""
    run = battery.run(kubeconfig=cluster.identity("nobody"))
    assert (run.code, run.findings) == (75, [])
    assert run.having("passed") == {
        *("api.ready", "api.version", "external.shop"),
        *("certs.api-server", "certs.client"),
    }


def test_the_built_in_view_role_lacks_nodes(cluster: RealCluster, battery: Battery) -> None:
    """With Kubernetes' own role `view` everything is judged but what needs nodes or their leases."""
    run = battery.run(kubeconfig=cluster.identity("viewer"))
    assert (run.code, run.findings) == (75, [])
    assert run.having("inconclusive") == BLIND["nodes"] | BLIND["leases"]
