"""On how many nodes a Service is served: what all stands on one node goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upgate.base.text import counted
from upgate.facts.backends import Backends, grouped, is_coming
from upgate.facts.nodes import Node
from upgate.facts.services import Service
from upgate.facts.taints import REPEATING
from upgate.facts.upkeep import Cordons

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]


class Spread:
    """The nodes behind Services."""

    needs = ("endpointslices", "nodes")

    def __init__(self, lists: Lists) -> None:
        self._slices = grouped(lists["endpointslices"], lambda each: each.service)
        self._nodes: dict[str, Node] = {node.name: node for node in lists["nodes"]}
        self._open = {node.name for node in lists["nodes"] if is_open(node)}

    def narrow(self, service: Service) -> str:
        """On which nodes it is served, where fewer than two of them take pods. Empty where it is, or could not be, on more.

        Where nothing is ready at all `services.endpoints` says so; and a cluster may have one node only.
        """
        places = self._places(service)
        staying = [name for name in places if accepts_pods(self._nodes.get(name))]
        if not places or len(staying) > 1 or len(self._open | set(places)) < 2:
            return ""
        others = [f"{name} ({why_not(self._nodes[name])})" for name in places if name not in staying]
        where = f"{counted(len(staying), 'node')} that can take pods" + (f" ({staying[0]})" if staying else "")
        local = "; externalTrafficPolicy is Local" if service.spec.external_traffic_policy == "Local" else ""
        return f"ready endpoints on {where}" + (f", and on {', '.join(others)}" if others else "") + local

    def leaving(self, service: Service) -> list[Node]:
        """The nodes that it is served on and that take no pods."""
        nodes = (self._nodes.get(name) for name in self._places(service))
        return [node for node in nodes if node and not accepts_pods(node)]

    def _places(self, service: Service) -> list[str]:
        """The nodes of its ready endpoints, as far as they exist; an endpoint outside of the cluster is a place of its own."""
        ready = [endpoint for each in self._slices.get(service.key, ()) for endpoint in each.ready]
        there = [each for each in ready if not each.node_name or each.node_name in self._nodes]
        return list(dict.fromkeys(each.node_name or (each.addresses or [""])[0] for each in there))


def spreading(
    service: Service, spread: Spread, backends: Backends, cordons: Cordons, moment: datetime, patience: Patience
) -> bool:
    """One more of its pods is starting, or a node that it is served on is being drained: its pods are moving."""
    starting = (pod for pod in backends.pods(service) if pod.active and not pod.ready.is_true)
    moving = any(is_coming(pod, moment, patience) for pod in starting)
    return moving or any(cordons.under_way(node, moment, patience) for node in spread.leaving(service))


def accepts_pods(node: Node | None) -> bool:
    """Pods may start there; what is outside of the cluster counts as well."""
    return node is None or not why_not(node)


def why_not(node: Node) -> str:
    """Why no pod may start there for now. Empty where nothing keeps them."""
    if node.spec.unschedulable:
        return "cordoned"
    if not node.ready.is_true:
        return f"Ready={node.ready.status}"
    # Those that repeat that a node is not Ready are taken away seconds after it is.
    lasting = (each for each in node.spec.taints or () if each.passing and REPEATING.get(each.key) != "Ready")
    return next((f"taint {each.key}" for each in lasting), "")


def is_open(node: Node) -> bool:
    """It is meant for pods without tolerations, whatever is done to it now."""
    return not any(each.blocks and not each.passing for each in node.spec.taints or ())
