"""Ingresses and Gateways: the ways in from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before
    from upgate.battery.secrets import SecretNames
    from upgate.facts.fronts import IngressFronts
    from upgate.facts.gateways import Gateway, HTTPRoute
    from upgate.facts.ingresses import Ingress
    from upgate.profile.parts import Patience


@check(
    "ingresses.served",
    severity="critical",
    none_is_fine=True,
    monitor=True,
    after=("services.load-balancer",),
)
def test_every_way_in_is_served(
    ingresses: Subjects[Ingress],
    gateways: Subjects[Gateway],
    httproutes: Subjects[HTTPRoute],
    ingress_fronts: IngressFronts,
    secret_names: SecretNames,
    before: Before,
    patience: Patience,
    now: datetime,
) -> None:
    """Every Ingress has its class, an address and all its backends; every Gateway is programmed and every HTTPRoute accepted.

    A controller that is gone, a Service or port that has another name, and a class that does not exist lead users nowhere. An
    Ingress without an address is right where no Ingress of its class has one: controllers behind node ports never say where they
    are. Its TLS Secrets are looked for where the profile allows it.
    Look first: kubectl -n {namespace} describe {kind} {name}
    """
    ingresses.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: "; ".join(
            filter(None, (ingress_fronts.trouble(each, before.addressed(each)), secret_names.missing(each)))
        ),
        expected="a class, an address, and backends and TLS Secrets that exist",
        transitional=lambda each: (
            each.age(now) < patience.start_up or ingress_fronts.coming(each, now, patience.provisioning)
        ),
    )
    gateways.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: each.trouble,
        expected="Accepted=True and Programmed=True, with each listener",
        transitional=lambda each: each.young(now, patience.provisioning),
    )
    httproutes.where(lambda each: not each.metadata.deletion_timestamp).none(
        lambda each: each.trouble(ingress_fronts.gateways),
        expected="Accepted=True by each of its Gateways, with all references resolved",
        transitional=lambda each: each.young(now, patience.provisioning),
    )
