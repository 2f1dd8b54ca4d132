"""What a retired revision of a mesh leaves behind is told once: that it is left is why it does not work."""

from __future__ import annotations

from tests.mesh_worlds import HOME, NEW, OLD, front, injector, istiod, mesh, seen, tag, wanted
from tests.worlds import run, thing

IDS = ["mesh.retired", "services.endpoints", "webhooks.alive", "pdbs.allow-drain"]


def left() -> dict[str, list]:
    """The control plane of the old revision without its istiod."""
    selector = {"matchLabels": {"app": "istiod", "istio.io/rev": OLD}}
    meta = {"labels": {"app": "istiod", "istio.io/rev": OLD}}
    budget = thing(f"istiod-{OLD}", HOME, metadata=meta, spec={"minAvailable": 1, "selector": selector})
    hook = injector(OLD)
    hook["webhooks"][0]["rules"] = [{"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"]}]
    return {
        "deployments": [istiod()],
        "services": [front(), front(OLD, f"istiod-{OLD}")],
        "mutatingwebhookconfigurations": [injector(), tag(), hook],
        "poddisruptionbudgets": [budget],
    }


def test_what_is_left_of_a_revision_explains_that_it_leads_nowhere():
    """Its Service has no endpoint, its webhook cannot be called, its budget is for nothing: each because it is left over."""
    results = run(IDS, seen(mesh(**left())), wanted(revision=NEW))
    told = [(each.id, finding) for each in results for finding in each.findings if OLD in finding.object]
    assert {id for id, _ in told} == {*IDS}
    for id, finding in told:
        assert finding.because == (None if id == "mesh.retired" else f"mesh.retired: {finding.object}")
