"""The control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.expectations import Server
    from upgate.battery.judgement import Judgement
    from upgate.battery.logs import ControlLogs
    from upgate.facts.backends import Backends
    from upgate.facts.control_plane import ControlPlane, Leaders
    from upgate.facts.extensions import APIService, CustomResourceDefinition
    from upgate.facts.health import HealthEndpoint
    from upgate.facts.rights import AddonRights
    from upgate.facts.webhooks import WebhookCalls
    from upgate.profile.model import Expected
    from upgate.profile.parts import Patience


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


@check(
    "control-plane.leases", severity="critical", none_is_fine=True, monitor=True, after=("pods.crashing", "pods.ready")
)
def test_controller_manager_and_scheduler_are_led(
    leaders: Leaders, control_plane: ControlPlane, judgement: Judgement, patience: Patience, now: datetime
) -> None:
    """The controller manager and the scheduler have a leader, which has renewed its lease recently.

    Without them nothing moves: no pod is made or gets a node, no endpoint follows, and every status stays as it was. A
    managed control plane may show no such leases, and one that runs a single instance has none.
    Look first: kubectl -n kube-system get lease {name} -o yaml
    """
    Subjects("leader leases", leaders.leases, judgement).none(
        lambda lease: leaders.fault(lease, now),
        expected="renewed within 2 lease durations",
        transitional=lambda lease: (
            leaders.passing(lease, now) or control_plane.starting(lease.name, now, patience.start_up)
        ),
    )


@check("apiservices.available", severity="critical", preflight="critical", monitor=True, after=("services.endpoints",))
def test_every_api_service_is_available(apiservices: Subjects[APIService], patience: Patience, now: datetime) -> None:
    """Every APIService is available.

    What extends the API by a server of its own, such as metrics, is not there. Namespaces cannot be deleted meanwhile, for
    it is not known what is in them, and garbage collection may stop.
    Look first: kubectl get apiservice {name} -o yaml
    """
    apiservices.where(lambda each: not each.metadata.deletion_timestamp).all(
        lambda each: each.available.is_true,
        observed=lambda each: each.available,
        expected="Available=True",
        transitional=lambda each: each.settling(now, patience.start_up),
    )


@check("crds.established", severity="critical", preflight="critical", none_is_fine=True, after=("services.endpoints",))
def test_every_custom_resource_is_served(
    customresourcedefinitions: Subjects[CustomResourceDefinition],
    webhook_calls: WebhookCalls,
    backends: Backends,
    patience: Patience,
    now: datetime,
) -> None:
    """Every CustomResourceDefinition is established, serves the versions that it has stored, and its conversion works.

    Objects whose conversion webhook does not answer are there, and can be neither read nor written. A stored version that
    is no longer served has clients that get 404; where it was marked as deprecated before, that is a warning.
    Look first: kubectl get crd {name} -o yaml
    """
    customresourcedefinitions.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: "; ".join(filter(None, [*each.faults, webhook_calls.conversion_fault(each, now)])),
        expected="Established, NamesAccepted, stored versions served, conversion possible",
        severity=lambda each: None if each.broken or webhook_calls.conversion_fault(each, now) else "warning",
        transitional=lambda each: (
            each.age(now) < patience.start_up
            or webhook_calls.starting(webhook_calls.unconverted(each, now), backends, now, patience)
        ),
    )


@check("rbac.addons", severity="critical", preflight="critical", none_is_fine=True)
def test_addons_may_read_what_they_need(addon_rights: AddonRights, judgement: Judgement, coming_version: str) -> None:
    """CoreDNS, kube-proxy, metrics-server and other add-ons may read what their versions need, by the ClusterRoles bound to them.

    A new version that may not read a new kind starts and never becomes ready. It is worked out for the versions that are
    installed, and before an upgrade for the CoreDNS that comes with the next one. Where a service account may read nothing of
    all that, a kubeconfig may name somebody else, and it is left out.
    Look first: kubectl auth can-i --list --as=system:serviceaccount:{namespace}:{name}
    """
    Subjects("add-ons", addon_rights.accounts, judgement).none(
        lambda each: addon_rights.missing(each, coming_version),
        expected="each may be listed and watched by it",
    )


@check("control-plane.logs", severity="warning", none_is_fine=True, allow="logs", after=("pods.crashing",))
def test_no_log_of_the_control_plane_holds_a_fatal_line(control_logs: ControlLogs) -> None:
    """No log of the control plane holds a fatal line since the reference time.

    Panics, klog's fatal lines, and certificates and identities that are refused: what restarts in between looks healthy.
    Add texts with `logs: {patterns: […], ignore: […]}`. A managed control plane shows no such pods; with `hosts:`,
    hosts.journal reads more.
    Look first: kubectl -n {namespace} logs {name} -c {container}
    """
    control_logs.read.none(control_logs.fatal, expected="no fatal line")
