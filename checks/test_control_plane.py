"""The control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from upgate.battery.expectations import Server
    from upgate.facts.health import HealthEndpoint
    from upgate.profile.model import Expected


@check("api.ready", severity="critical", monitor=True, preflight="critical")
def test_the_api_server_is_ready(health: Subjects[HealthEndpoint]) -> None:
    """The API server reports that it is ready and alive.

    A proxy in front of it may answer 200 as well: what counts is the API server's own report, sub-check by sub-check.
    Look first: kubectl get --raw '/{name}?verbose'
    """
    health.none(lambda endpoint: endpoint.problem(), expected="status 200, all sub-checks pass")


@check("api.version", severity="critical", expects="expect.version", monitor=True)
def test_the_api_server_has_the_expected_version(server: Subjects[Server], expect: Expected) -> None:
    """The API server has the version that the profile expects.

    An upgrade that did not happen leaves a healthy cluster of the old version.
    Look first: kubectl version
    """
    server.all(
        lambda server: server.satisfies(str(expect.version)),
        observed=lambda server: server.version,
        expected=lambda server: f"version {expect.version}",
    )
