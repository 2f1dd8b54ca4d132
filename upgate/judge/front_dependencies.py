"""What pods depend on beside their nodes, and fronts of the cluster beside what stands behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgate.facts.backends import grouped
from upgate.facts.claims import claims_of
from upgate.facts.fronts import Controlled, IngressFronts
from upgate.facts.storage import VolumeAttachment

#: The lists that tell which volumes a pod waits for.
STORAGE = ("persistentvolumeclaims", "volumeattachments")
#: The lists that tell which Services Ingresses and Gateways are reached through.
FRONTS = ("ingresses", "ingressclasses", "gateways")


def add_storage(depends: dict[str, list[str]], lists: Mapping[str, list[Any]]) -> None:
    """A pod that has no node yet depends on its claims, one that starts on the attachments of its volumes; those on nodes."""
    claims = {each.key: each for each in lists["persistentvolumeclaims"]}
    attached: dict[str, list[VolumeAttachment]] = grouped(
        lists["volumeattachments"], lambda each: each.spec.source.persistent_volume_name
    )
    for pod in (each for each in lists["pods"] if each.status.phase == "Pending"):
        used = [claims[key] for name in claims_of(pod) if (key := (pod.namespace, name)) in claims]
        depends[pod.ref] += [claim.ref for claim in used if not claim.bound]
        volumes = [claim.spec.volume_name for claim in used if claim.bound and pod.spec.node_name]
        depends[pod.ref] += [each.ref for name in volumes for each in attached.get(name, ())]
    for each in lists["volumeattachments"]:
        depends[each.ref].append(f"Node/{each.spec.node_name}")


def add_fronts(depends: dict[str, list[str]], lists: Mapping[str, list[Any]]) -> None:
    """An Ingress that lacks an address alone, and a Gateway that is only not programmed, depend on their load balancers."""
    controlled, fronts = Controlled(lists), IngressFronts(lists)
    for ingress in filter(fronts.only_unaddressed, lists["ingresses"]):
        depends[ingress.ref] += [each.ref for each in controlled.services_of(ingress)]
    for gateway in lists["gateways"]:
        if gateway.only_unprogrammed:
            depends[gateway.ref] += [each.ref for each in controlled.services_of_gateway(gateway)]
