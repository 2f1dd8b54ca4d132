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
from tests.worlds import profile
from upgate.battery import registry
from upgate.facts.kinds import KINDS
from upgate.facts.relations import lists_for


def blind() -> dict[str, set[str]]:
    """Resource → the checks that cannot be judged by one who may not list it: by the nouns that they take."""
    concerned: dict[str, set[str]] = {}
    asked = registry.load_checks([registry.battery()]).selected(profile(**HEALTHY))
    for check in (each for each in asked if not each.compares):
        for noun in lists_for(check.inputs) & KINDS.keys():
            concerned.setdefault(KINDS[noun].resource, set()).add(check.id)
    return concerned


BLIND = blind()


#: Rules by the namespace in which they hold; by "" where they hold everywhere.
Rules = dict[str, list[Any]]
#: No role can be printed for kinds that only this cluster has.
CUSTOM = {"apiGroups": ["oddities.example.com"], "resources": ["unused", "widgets"], "verbs": ["list"]}
ACCOUNT = {"name": "upgate", "namespace": "default"}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    """The roles that `upgate profile rbac` prints for the profile, and the one for this cluster's own kinds."""
    path = Battery(tmp_path_factory.mktemp("role"), Path()).profile(**HEALTHY, patience=SHORT)
    code, text = call([sys.executable, "-m", "upgate", "profile", "rbac", str(path)], {})
    assert code == 0, text
    printed = {each["metadata"].get("namespace", ""): each["rules"] for each in yaml.safe_load_all(text)}
    return printed | {"": [*printed[""], CUSTOM]}


def role(rules: list[Any], namespace: str) -> dict[str, Any]:
    """A role, in a namespace or everywhere."""
    meta = {"name": "upgate"} | ({"namespace": namespace} if namespace else {})
    kind = "Role" if namespace else "ClusterRole"
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta, "rules": rules}


def binding(namespace: str) -> dict[str, Any]:
    """What gives the role of that namespace to the service account."""
    granted = role([], namespace)
    return {
        "apiVersion": granted["apiVersion"],
        "kind": f"{granted['kind']}Binding",
        "metadata": granted["metadata"],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": granted["kind"], "name": "upgate"},
        "subjects": [{"kind": "ServiceAccount", **ACCOUNT}],
    }


@pytest.fixture(scope="module")
def grant(cluster: RealCluster, rules: Rules) -> Iterator[Callable[[Rules], None]]:
    """Gives the service account `upgate` these rules, and no others."""
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": ACCOUNT}, *map(binding, rules))

    def give(these: Rules) -> None:
        cluster.apply(*(role(each, namespace) for namespace, each in these.items()))
        until("the rules are in force", lambda: listed_by(cluster, these) == resources_of(these), every=0.1)

    yield give
    for namespace in rules:
        where = [f"--namespace={namespace}"] if namespace else []
        kind = "role" if namespace else "clusterrole"
        cluster.kubectl("delete", f"{kind}binding/upgate", f"{kind}/upgate", *where)
    cluster.kubectl("delete", "serviceaccount/upgate", "--namespace=default")


def resources_of(rules: Rules) -> set[str]:
    """The resources that the rules name."""
    return {name for each in rules.values() for rule in each for name in rule.get("resources", ())}


def without(rules: Rules, resource: str) -> Rules:
    """The rules but for those of one resource."""
    return {
        namespace: [rule for rule in each if rule.get("resources") != [resource]] for namespace, each in rules.items()
    }


def reviewed(cluster: RealCluster, namespace: str) -> list[dict[str, Any]]:
    """What the service account may do there, in the API server's own words."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace or "default"},
    }
    who = "--as=system:serviceaccount:default:upgate"
    said = cluster.kubectl(
        "create", "--validate=false", "--filename=-", "--output=json", who, text=yaml.safe_dump(review)
    )
    return json.loads(said)["status"]["resourceRules"]


def listed_by(cluster: RealCluster, rules: Rules) -> set[str]:
    """The resources that it may list, in any of the namespaces."""
    reviews = [each for namespace in rules for each in reviewed(cluster, namespace)]
    return {resource for each in reviews if "list" in each["verbs"] for resource in each["resources"]}


@pytest.fixture(scope="module")
def as_upgate(cluster: RealCluster, grant: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the service account."""
    return kubeconfig(
        cluster, tmp_path_factory.mktemp("login") / "kubeconfig", token=cluster.token("upgate", "default")
    )


def test_the_shipped_role_is_enough(
    cluster: RealCluster, battery: Battery, rules: Rules, grant: Callable[[Rules], None], as_upgate: Path
) -> None:
    """With the printed roles alone every check has the outcome that it has for the administrator."""
    grant(rules)
    run = battery.run(kubeconfig=as_upgate)
    run.must_be_clear()
    assert run.outcomes == battery.run().outcomes


def test_the_shipped_role_is_read_only(cluster: RealCluster, rules: Rules, grant: Callable[[Rules], None]) -> None:
    """Beside reviews of oneself, which create nothing, it may list and do nothing else; and see no Secret."""
    grant(rules)
    reviews = [each for namespace in rules for each in reviewed(cluster, namespace)]
    others = [each for each in reviews if not all(name.startswith("selfsubject") for name in each["resources"])]
    assert {verb for each in others for verb in each["verbs"]} == {"list"}
    assert "secrets" not in resources_of(rules) >= set(BLIND)


#: Rules of each sort: everywhere, in one namespace, of one name, of objects that a cluster may lack.
SAMPLE = (
    *("pods", "nodes", "leases", "events", "services", "endpointslices", "deployments", "daemonsets", "configmaps"),
    *("customresourcedefinitions", "clusterroles", "persistentvolumeclaims", "poddisruptionbudgets", "apiservices"),
)


@pytest.mark.parametrize("resource", SAMPLE)
def test_one_rule_less_leaves_exactly_its_checks_unjudged(
    battery: Battery, rules: Rules, grant: Callable[[Rules], None], as_upgate: Path, resource: str
) -> None:
    """Without one rule the checks that need it are inconclusive and name it, the others pass, and the exit code is 75."""
    grant(without(rules, resource))
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


#: What Kubernetes' own role `view` does not have: what is in no namespace, and what other projects bring.
BEYOND_VIEW = (
    *("nodes", "leases", "apiservices", "clusterroles", "clusterrolebindings", "customresourcedefinitions"),
    *("validatingwebhookconfigurations", "mutatingwebhookconfigurations", "certificatesigningrequests", "csinodes"),
    *("persistentvolumes", "storageclasses", "volumeattachments", "ingressclasses", "gateways", "httproutes"),
    *("machines", "nodeclaims"),
)
OF_METRICS = {"apis.deprecated", "webhooks.answer", "clients.rejected"}
#: It is helped by HTTPRoutes where there are any, and needs none.
HELPED = {"services.endpoints"}


def test_the_built_in_view_role_lacks_nodes(cluster: RealCluster, battery: Battery) -> None:
    """With Kubernetes' own role `view` everything is judged but what needs nodes, leases and what is in no namespace."""
    run = battery.run(kubeconfig=cluster.identity("viewer"))
    assert (run.code, run.findings) == (75, [])
    assert run.having("inconclusive") == OF_METRICS.union(*(BLIND[each] for each in BEYOND_VIEW)) - HELPED
