"""Services and the traffic inside the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before
    from upgate.facts.backends import Backends
    from upgate.facts.entrances import Entrances
    from upgate.facts.owned_pods import DeploymentPods
    from upgate.facts.services import Service
    from upgate.profile.parts import Patience

#: Findings that explain why nothing ready stands behind a Service.
BEHIND = (
    *("deployments.ready", "replicasets.ready", "statefulsets.ready", "daemonsets.ready"),
    *("pods.crashing", "pods.scheduler-silent", "pods.pending", "pods.ready", "pods.terminating", "pods.failed"),
    *("nodes.ready", "nodes.heartbeat"),
)


@check("services.endpoints", severity="critical", after=BEHIND, monitor=True)
def test_every_service_leads_somewhere(
    services: Subjects[Service],
    backends: Backends,
    deployment_pods: DeploymentPods,
    entrances: Entrances,
    before: Before,
    patience: Patience,
    now: datetime,
) -> None:
    """Every Service with a selector has a ready endpoint for each of its ports, in each of its IP families.

    A port whose targetPort name no container has leaves addresses without that port. Services whose workloads are
    scaled to zero, or whose pods have completed, lead nowhere on purpose; but never one of type LoadBalancer, one behind an
    Ingress, or the cluster's DNS. A selector that matches no pod and no workload is a warning, unless the Service served.
    Look first: kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}
    """
    services.where(lambda each: each.selects_pods).where(
        lambda each: entrances.lead_to(each) or before.moved_out(backends.workloads(each)) or not backends.idle(each)
    ).none(
        backends.unserved,
        severity=lambda each: (
            "warning" if backends.unmatched(each) and not (entrances.lead_to(each) or before.served(each)) else None
        ),
        expected="a ready endpoint for each port",
        transitional=lambda service: (
            backends.coming(service, now, patience)
            and not any(
                deployment_pods.fails_again_and_again(each, now, patience.terminating)
                for each in backends.workloads(service)
            )
        ),
    )


@check("services.endpoints-live", severity="critical", after=("services.endpoints", "control-plane.leases"))
def test_every_endpoint_is_a_live_pod(
    services: Subjects[Service], backends: Backends, patience: Patience, now: datetime
) -> None:
    """The endpoints of every Service are exactly the addresses of its live, ready pods.

    Stale endpoints send traffic to addresses that no pod has any more, while every other check is green.
    Look first: kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name} -o yaml
    """
    services.where(lambda service: service.selects_pods).none(
        lambda service: backends.drift(service, now, patience.start_up),
        expected="exactly the addresses of its live, ready pods",
        transitional=lambda service: backends.in_motion(service, now, patience.start_up),
    )
