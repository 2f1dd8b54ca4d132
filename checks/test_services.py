"""Services and the traffic inside the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check
from upgate.facts.spread import Spread, spreading

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before
    from upgate.facts.backends import Backends
    from upgate.facts.entrances import Entrances
    from upgate.facts.fronts import Controlled
    from upgate.facts.owned_pods import DeploymentPods
    from upgate.facts.relations import WarningEvents
    from upgate.facts.services import Service
    from upgate.facts.upkeep import Cordons
    from upgate.profile.parts import Patience

#: Findings that explain why nothing ready stands behind a Service.
BEHIND = (
    *("deployments.ready", "replicasets.ready", "statefulsets.ready", "daemonsets.ready"),
    *("pods.crashing", "pods.scheduler-silent", "pods.pending", "pods.ready", "pods.terminating", "pods.failed"),
    *("nodes.ready", "nodes.heartbeat"),
)


@check("services.endpoints", severity="critical", after=(*BEHIND, "mesh.retired"), monitor=True)
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


@check("services.load-balancer", severity="critical", none_is_fine=True, monitor=True)
def test_every_load_balancer_has_an_address(
    services: Subjects[Service], warning_events: WarningEvents, patience: Patience, now: datetime
) -> None:
    """Every Service of type LoadBalancer has an address where it takes traffic.

    The cloud, MetalLB or whatever serves its loadBalancerClass gives it one; where nothing does, no user reaches it. A load
    balancer that was asked for minutes ago is under way.
    Look first: kubectl -n {namespace} describe service {name}
    """
    services.where(lambda each: each.is_load_balancer).none(
        lambda each: each.balancer_problem,
        observed=lambda each: "; ".join(filter(None, (each.balancer_problem, warning_events.latest(each)))),
        expected="an IP address or host name under status.loadBalancer, with all ports open",
        transitional=lambda each: each.balancer_coming(now, patience.provisioning),
    )


@check(
    "services.survivable",
    severity="warning",
    none_is_fine=True,
    preflight="warning",
    after=("services.endpoints", "nodes.ready", "nodes.heartbeat", "nodes.schedulable"),
)
def test_every_entrance_survives_the_loss_of_a_node(
    services: Subjects[Service],
    controlled: Controlled,
    spread: Spread,
    backends: Backends,
    cordons: Cordons,
    patience: Patience,
    now: datetime,
) -> None:
    """Each load balancer, Ingress controller, Gateway and the cluster's DNS is served from two nodes that can take pods.

    A node that is cordoned or not Ready does not count: clouds take such nodes out of their load balancers, and its pods are
    about to go. A cluster with only one node for pods is not judged.
    Look first: kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name} -o wide; kubectl get nodes
    """
    services.where(lambda each: controlled.is_entry(each) and not each.metadata.deletion_timestamp).none(
        spread.narrow,
        expected="ready endpoints on at least two nodes that are Ready and not cordoned",
        transitional=lambda each: spreading(each, spread, backends, cordons, now, patience),
    )
