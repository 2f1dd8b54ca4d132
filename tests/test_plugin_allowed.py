"""What the profile's `allow:` names is looked at, and nothing else of that kind, whichever way pytest runs the checks."""

from __future__ import annotations

import pytest

from tests.apiserver import EmbeddedCluster
from tests.mesh_worlds import HOME, NEW, mesh
from tests.running import profile_of, run
from tests.worlds import NOW, good, pod, thing

WAYS = pytest.mark.parametrize("way", [(), ("-n", "1")], ids=["plain", "workers"])


#: The kinds that these checks read.
NEEDED = (
    *("namespaces", "pods", "deployments", "statefulsets", "daemonsets", "services", "ingresses", "ingressclasses"),
    "mutatingwebhookconfigurations",
)


def served(world):
    """The part of a world that these checks read, and its Secrets; at the time of the worlds."""
    return {"recorded": NOW, "secrets": [thing("other", "shop")], **{noun: world[noun] for noun in NEEDED}}


@WAYS
def test_secrets_are_listed_only_where_the_profile_allows_it(tmp_path, way):
    """An Ingress whose TLS Secret is gone is found with `allow: [secrets]`; without, no Secret is asked for."""
    world = served(good())
    options = (*way, "-k", "ingresses.served")
    with EmbeddedCluster(world) as cluster:
        silent = run(profile_of(cluster, tmp_path / "silent"), *options)
        asked = [each.path for each in cluster.requests]
        told = run(profile_of(cluster, tmp_path / "told", "allow: [secrets]"), *options)
    assert not any("secrets" in path for path in asked)
    assert (silent.outcomes["ingresses.served"], told.outcomes["ingresses.served"]) == ("passed", "failed")


def test_istiod_is_asked_only_where_the_profile_allows_it(tmp_path):
    """Without `allow: [pods-proxy]` nothing goes through the API server's proxy of pods."""
    world = served(mesh())
    world["pods"].append(pod("istiod-1", HOME, metadata={"labels": {"app": "istiod", "istio.io/rev": NEW}}))
    text = "mesh: {revision: asm-1140-0}\n"
    with EmbeddedCluster(world) as cluster:
        run(profile_of(cluster, tmp_path / "silent", text), "-k", "proxies-synced")
        before = [each.path for each in cluster.requests]
        run(profile_of(cluster, tmp_path / "told", f"{text}allow: [pods-proxy]"), "-k", "proxies-synced")
        after = [each.path for each in cluster.requests]
    assert not any("/proxy/" in path for path in before)
    assert any("/proxy/" in path for path in after)
