"""Selectors, and how much each of them matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec

from upgate.facts.affinity import NodeAffinity
from upgate.facts.backends import WORKLOADS, grouped
from upgate.facts.network_policies import NetworkPolicy, PolicyPeer
from upgate.facts.nodes import Node
from upgate.facts.pods import Pod
from upgate.facts.recorded.settings import WEBHOOKS
from upgate.facts.recorded.states import Lists, kept_text
from upgate.facts.recorded.workloads import not_deleted, own_workloads
from upgate.facts.selectors import LabelSelector
from upgate.facts.storage import PersistentVolume
from upgate.facts.workloads import TemplateSpec

Labels = Mapping[str, str]
Matches = Callable[[Labels], bool]


class SelectorState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One selector."""

    #: How it is written.
    selector: str = ""
    #: How many objects it matches.
    matched: int = 0
    #: Nodes are chosen by it.
    of_nodes: bool = False


class SelectorStates:
    """All selectors, as `{object: {field: …}}`; those that choose everything are not kept."""

    needs = (
        *("services", "pods", "poddisruptionbudgets", "networkpolicies", "nodes", "namespaces", "persistentvolumes"),
        *(*WORKLOADS, *WEBHOOKS),
    )

    def __init__(self, lists: Lists) -> None:
        self._pods = labels_of_pods(lists)
        self._nodes: list[Node] = lists["nodes"]
        self._node_keys = Counter(key for node in self._nodes for key in node.labels)
        self._namespaces: dict[str, Labels] = {each.name: each.labels for each in lists["namespaces"]}
        self.states: dict[str, dict[str, SelectorState]] = {
            ref: kept for ref, found in self._all(lists) if (kept := {name: state for name, state in found if state})
        }

    def _all(self, lists: Lists) -> Iterator[tuple[str, list[tuple[str, SelectorState | None]]]]:
        for each in filter(not_deleted, lists["services"]):
            chosen = LabelSelector(match_labels=each.spec.selector) if each.spec.selector else None
            yield each.ref, [("spec.selector", self._of_pods(chosen, each.namespace))]
        for each in filter(not_deleted, lists["poddisruptionbudgets"]):
            yield each.ref, [("spec.selector", self._of_pods(each.spec.selector, each.namespace))]
        for each in lists["networkpolicies"]:
            yield each.ref, list(self._of_policy(each))
        for each in filter(not_deleted, own_workloads(lists)):
            yield each.ref, list(self._of_template(each.spec.template.spec))
        for each in lists["persistentvolumes"]:
            yield each.ref, [("spec.nodeAffinity", self._of_volume(each))]
        for each in (each for noun in WEBHOOKS for each in lists[noun]):
            yield (
                each.ref,
                [
                    (f"namespaceSelector of webhook {hook.name}", self._of_namespaces(hook.namespace_selector))
                    for hook in each.webhooks or ()
                ],
            )

    def _of_pods(self, selector: LabelSelector | None, namespace: str) -> SelectorState | None:
        if selector is None or selector == LabelSelector():
            return None
        found = sum(number for labels, number in self._pods.get(namespace, ()) if selector.matches(labels))
        return SelectorState(kept_text(str(selector)), found)

    def _of_namespaces(self, selector: LabelSelector | None) -> SelectorState | None:
        if selector is None or selector == LabelSelector():
            return None
        return SelectorState(kept_text(str(selector)), sum(map(selector.matches, self._namespaces.values())))

    def _of_policy(self, policy: NetworkPolicy) -> Iterator[tuple[str, SelectorState | None]]:
        yield "spec.podSelector", self._of_pods(policy.spec.pod_selector, policy.namespace)
        for way, rules in (("ingress", policy.spec.ingress), ("egress", policy.spec.egress)):
            for number, peer in enumerate(peer for rule in rules or () for peer in rule.peers):
                yield f"spec.{way}, peer {number + 1}", self._of_peer(peer, policy.namespace)

    def _of_peer(self, peer: PolicyPeer, home: str) -> SelectorState | None:
        """Pods in the namespaces that it names; in its own, where it names none."""
        if peer.namespace_selector is None:
            return self._of_pods(peer.pod_selector, home)
        if peer.pod_selector is None or peer.pod_selector == LabelSelector():
            return self._of_namespaces(peer.namespace_selector)
        chosen = [name for name, labels in self._namespaces.items() if peer.namespace_selector.matches(labels)]
        found = (self._of_pods(peer.pod_selector, name) for name in chosen)
        words = f"{peer.pod_selector} in namespaces {peer.namespace_selector}"
        return SelectorState(kept_text(words), sum(each.matched for each in found if each))

    def _of_template(self, spec: TemplateSpec) -> Iterator[tuple[str, SelectorState | None]]:
        if spec.node_selector:
            words = ",".join(f"{key}={value}" for key, value in spec.node_selector.items())
            wanted = spec.node_selector.items()
            yield "nodeSelector", self._on_nodes(words, lambda node: wanted <= node.labels.items())
        affinity = (spec.affinity and spec.affinity.node_affinity) or NodeAffinity()
        if terms := affinity.terms:
            keys = ",".join(key for term in terms for key in term.keys)
            yield (
                "nodeAffinity",
                self._on_nodes(keys, lambda node: any(term.matches(node.name, node.labels) for term in terms)),
            )
        spread = (each.topology_key for each in spec.topology_spread_constraints or ())
        for key in sorted({*affinity.keys, *spread} - {""}):
            yield f"node label {key}", SelectorState(key, self._node_keys[key], of_nodes=True)

    def _of_volume(self, volume: PersistentVolume) -> SelectorState | None:
        affinity = volume.spec.node_affinity
        terms = affinity.required.node_selector_terms if affinity and affinity.required else None
        if not terms:
            return None
        keys = ",".join(key for term in terms for key in term.keys)
        return self._on_nodes(keys, lambda node: any(term.matches(node.name, node.labels) for term in terms))

    def _on_nodes(self, words: str, matches: Callable[[Node], bool]) -> SelectorState:
        return SelectorState(kept_text(words), sum(map(matches, self._nodes)), of_nodes=True)


def lasts_on(pod: Pod) -> bool:
    """A controller keeps it running: pods that run to their end, or that a person made, come and go."""
    return pod.metadata.controller is not None and pod.spec.restart_policy == "Always"


def labels_of_pods(lists: Lists) -> dict[str, list[tuple[Labels, int]]]:
    """By namespace: the labels of pods, and those that workloads give to theirs, and how many there are of each."""
    alike: Counter[tuple[str, frozenset[tuple[str, str]]]] = Counter()
    for pod in lists["pods"]:
        if pod.active and lasts_on(pod):
            alike[pod.namespace, frozenset(pod.labels.items())] += 1
    for each in own_workloads(lists):
        alike[each.namespace, frozenset(each.template_labels.items())] += 1
    pairs = grouped(alike.items(), lambda pair: pair[0][0])
    return {home: [(dict(labels), number) for (_, labels), number in found] for home, found in pairs.items()}
