"""Asks each kubelet for its effective configuration, through the API server's proxy of nodes: `/configz`, and of `/flagz` the
flags that the configuration does not hold.

https://kubernetes.io/docs/tasks/administer-cluster/kubelet-config-file/#viewing-the-kubelet-configuration
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec

from upgate.base.errors import Inconclusive
from upgate.base.text import counted
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.host_settings import own_texts
from upgate.facts.node_images import info_of
from upgate.facts.nodes import Node
from upgate.facts.settings import Configuration, Settings, bounded, flat, grouped_by_settings, without_own
from upgate.sources.cluster.bounded import SMALL_BYTES
from upgate.sources.cluster.configuration import ask_flags
from upgate.sources.cluster.connection import NOT_JSON, Connection, NoAnswer, status_message
from upgate.sources.cluster.listing import Listing
from upgate.sources.cluster.retrying import again

KUBELET = "Kubelet"
#: Seconds for all kubelets.
SECONDS = 60.0
#: So many nodes are named in a sentence.
FEW = 5
#: The flags of the kubelet that its configuration does not hold, and that are not a node's own.
#: https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/
FLAGS = (
    *("--cert-dir", "--cloud-config", "--cloud-provider", "--config", "--config-dir", "--bootstrap-kubeconfig"),
    *("--image-credential-provider-bin-dir", "--image-credential-provider-config", "--kubeconfig", "--root-dir"),
    *("--pod-infra-container-image", "--register-schedulable", "--lock-file", "--exit-on-lock-contention"),
    *("--node-status-max-images", "--runtime-cgroups", "--v", "--windows-service"),
)
#: What is a node's own, or no setting: labels and taints are told of the node itself.
OWN = ("apiVersion", "kind", "providerID", "podCIDR", "registerWithTaints", "nodeLabels", "staticPodURLHeader")
#: What the kubelet answers where this is switched off, or a stand-in for a kubelet does not have it.
NOT_SERVED = (404, 405, 501)


def read_kubelets(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> Configuration:
    """The settings of all kubelets; why some did not tell is said. Raises Inconclusive where nodes could not be listed."""
    if "nodes" not in listed:
        raise Inconclusive("kubelets were not asked: nodes could not be listed")
    nodes: dict[str, Node] = {each.name: each for each in listed["nodes"].items if not each.metadata.deletion_timestamp}
    limit = Deadline(min(SECONDS, deadline.seconds))
    answers = concurrently({name: partial(kubelet_settings, connection, node, limit) for name, node in nodes.items()})
    refused = {name: str(each) for name, each in answers.items() if isinstance(each, Inconclusive)}
    told = {name: each for name, each in answers.items() if not isinstance(each, Inconclusive) and each}
    found = {name: (info_of(nodes[name]).kubelet_version, settings) for name, settings in told.items()}
    return Configuration(grouped_by_settings(KUBELET, found), {KUBELET: told_once(refused, nodes)} if refused else {})


def told_once(refused: Mapping[str, str], nodes: Mapping[str, Node]) -> str:
    """One sentence for each reason, with the nodes that it is true of."""
    by_reason: dict[str, list[str]] = {}
    for name, why in sorted(refused.items()):
        by_reason.setdefault(without_own(why, own_texts(nodes[name])), []).append(name)
    return "; ".join(f"{few_of(names)}: {why}" for why, names in by_reason.items())


def few_of(nodes: list[str]) -> str:
    """Some names, and how many there are beside them."""
    more = f" and {counted(len(nodes) - FEW, 'other node')}" if len(nodes) > FEW else ""
    return ", ".join(nodes[:FEW]) + more


def kubelet_settings(connection: Connection, node: Node, deadline: Deadline) -> Settings:
    """The settings of one kubelet; none where it does not serve them. Raises Inconclusive."""
    if not node.ready.is_true:
        raise Inconclusive("the kubelet was not asked for its settings: the node is not Ready")
    if deadline.passed:
        raise Inconclusive(f"the kubelet was not asked for its settings within {deadline.seconds:.0f} s")
    place, own = f"/api/v1/nodes/{quote(node.name, safe='')}/proxy", own_texts(node)
    config = again(connection, lambda: ask_configz(connection, f"{place}/configz", deadline))
    if not config:
        return {}
    flags = again(connection, lambda: ask_flags(connection, f"{place}/flagz", deadline))
    pairs = [(name, value) for name, value in flat(config) if name.partition(".")[0] not in OWN]
    return bounded([*pairs, *((name, value) for name, value in flags.items() if name in FLAGS)], own)


def ask_configz(connection: Connection, path: str, deadline: Deadline) -> dict[str, Any]:
    """A kubelet's configuration, asked for once. Raises Inconclusive, and NoAnswer where another try may help."""
    answer = connection.get(path, deadline=deadline, most=SMALL_BYTES)
    if answer.status in NOT_SERVED:
        return {}
    said = f"status {answer.status}, {status_message(answer)}"
    if answer.status in (401, 403):
        raise Inconclusive(f"cannot read {path}: not permitted; needs `get` on `nodes/proxy` ({said})")
    if answer.status != 200:
        raise NoAnswer(f"cannot read {path}: {said}", connected=True)
    try:
        found = msgspec.json.decode(answer.body)
    except NOT_JSON as problem:
        raise Inconclusive(f"cannot read {path}: it is not JSON ({problem})") from problem
    inner = found.get("kubeletconfig") if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        raise Inconclusive(f"cannot read {path}: the answer does not hold the kubelet's configuration")
    return inner
