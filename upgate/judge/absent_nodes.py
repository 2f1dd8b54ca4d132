"""What runs on fewer nodes than usual, while some nodes are away: it depends on them, and is as usual when they are back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgate.facts.backends import Backends
from upgate.facts.headroom import takes_pods
from upgate.judge.beyond import configurations
from upgate.results import finding_key

#: The checks that ask on how many nodes something runs. What they find depends on the nodes; what others find of it does not.
SPREAD, SINGLE = "services.survivable", "webhooks.scope"


def add_absent_nodes(depends: dict[str, list[str]], lists: Mapping[str, list[Any]], backends: Backends) -> None:
    """A Service on too few nodes, and a webhook with a single backend, depend on the nodes of their other pods.

    What was found of the object in another way does not: so it is the finding that depends on them.
    """
    away = {node.name for node in lists["nodes"] if not takes_pods(node)}
    if not away:
        return
    behind: dict[tuple[str, str], list[str]] = {}
    for service in (each for each in lists["services"] if each.selects_pods):
        absent = {pod.spec.node_name for pod in backends.pods(service)} & away
        behind[service.key] = [f"Node/{name}" for name in sorted(absent)]
        depends[finding_key(SPREAD, service.ref)] += behind[service.key]
    for each in configurations(lists):
        called = [hook.client_config.service for hook in each.webhooks or ()]
        keys = [(service.namespace, service.name) for service in called if service]
        depends[finding_key(SINGLE, each.ref)] += [node for key in keys for node in behind.get(key, ())]
