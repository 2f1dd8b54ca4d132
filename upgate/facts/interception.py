"""What admission webhooks stand in the way of: what an upgrade, and a drain, need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from upgate.facts.admission import AdmissionWebhook, ValidatingWebhookConfiguration, WebhookConfiguration
from upgate.facts.webhooks import WebhookCalls, first_of

Lists = Mapping[str, list[Any]]
Labels = dict[str, str]
WRITES = ("CREATE", "UPDATE", "DELETE")
PODS, SYSTEM, HEARTBEATS = "pods", "kube-system", "kube-node-lease"
#: The groups of Kubernetes' own objects; those of others are blocked with whatever brought them.
OWN_GROUPS = (
    *(
        "*",
        "",
        "apps",
        "autoscaling",
        "batch",
        "policy",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "storage.k8s.io",
    ),
    *("coordination.k8s.io", "discovery.k8s.io", "certificates.k8s.io", "scheduling.k8s.io", "apiextensions.k8s.io"),
    *("apiregistration.k8s.io", "admissionregistration.k8s.io", "events.k8s.io", "resource.k8s.io"),
)
#: Marks of the webhooks that a cloud keeps itself (AKS).
MANAGED = ("kubernetes.azure.com/managedby", "addonmanager.kubernetes.io/mode")


class Need(NamedTuple):
    """What has to go on while webhooks do not answer."""

    what: str
    group: str
    resources: tuple[str, ...]
    #: The namespaces that it is in; empty: it is in none.
    namespaces: tuple[str, ...] = ()
    operations: tuple[str, ...] = WRITES
    #: A condition in CEL that has this word leaves it out.
    word: str = ""


EVICTION = Need("evictions", "", ("pods/eviction",), operations=("CREATE",), word="eviction")
NEEDS = (
    Need(SYSTEM, "", (PODS,), (SYSTEM,), word=SYSTEM),
    Need(SYSTEM, "", ("configmaps", "secrets", "serviceaccounts", "serviceaccounts/token"), (SYSTEM,), word=SYSTEM),
    Need(SYSTEM, "", ("endpoints",), (SYSTEM,), word=SYSTEM),
    Need(SYSTEM, "apps", ("daemonsets", "deployments", "replicasets"), (SYSTEM,), word=SYSTEM),
    Need(SYSTEM, "discovery.k8s.io", ("endpointslices",), (SYSTEM,), word=SYSTEM),
    Need("nodes", "", ("nodes", "nodes/status"), word="nodes"),
    Need("leases", "coordination.k8s.io", ("leases",), (SYSTEM, HEARTBEATS), word="leases"),
)


class Interceptions:
    """Webhooks joined with the namespaces and pods that they are asked about."""

    needs = ("namespaces", "nodes", "pods", "services", "endpointslices")

    def __init__(self, lists: Lists) -> None:
        self._namespaces: dict[str, Labels] = {each.name: each.labels for each in lists["namespaces"]}
        self._nodes: list[Labels] = [each.labels for each in lists["nodes"]]
        # Of pods with the same labels one will do: those of a ReplicaSet share them.
        alike = {(pod.namespace, id(pod.metadata.labels)): pod.labels for pod in lists["pods"]}
        self._pods: dict[str, list[Labels]] = {}
        for (namespace, _), labels in alike.items():
            self._pods.setdefault(namespace, []).append(labels)
        self._services = {each.key: each for each in lists["services"]}
        self._calls = WebhookCalls(lists)
        self._some: dict[int, bool] = {}

    def words(self, configuration: WebhookConfiguration) -> str:
        """What its webhooks stand in the way of. Empty where they do not."""
        said: dict[str, list[str]] = {}
        for webhook in judged_of(configuration):
            for why in self._reasons(configuration, webhook):
                said.setdefault(why, []).append(webhook.name)
        return "; ".join(f"{first_of(names)}: {why}" for why, names in said.items())

    def blocks(self, configuration: WebhookConfiguration) -> bool:
        """It may stop an upgrade: what is needed waits for it, or cannot come back without it, or it is there for evictions.

        Conditions narrow down what it is asked about, which cannot be told from here.
        """
        return any(
            self._intercepted(each) or self._blocks_itself(each) or self._for_evictions(configuration, each)
            for each in judged_of(configuration)
            if not each.match_conditions
        )

    def _reasons(self, configuration: WebhookConfiguration, webhook: AdmissionWebhook) -> Iterator[str]:
        if needed := self._intercepted(webhook):
            unless = ", unless its matchConditions leave them out" if webhook.match_conditions else ""
            yield f"failurePolicy Fail on {', '.join(needed)}{unless}"
        if self._refuses_evictions(configuration, webhook):
            yield "may refuse evictions"
        if self._single(webhook):
            itself = ", which cannot be made again without it" if self._blocks_itself(webhook) else ""
            yield f"failurePolicy Fail with a single ready backend{itself}"

    def _intercepted(self, webhook: AdmissionWebhook) -> list[str]:
        """What is needed and waits for its answer."""
        needed = [each.what for each in (*NEEDS, EVICTION) if self._meets(webhook, each)] if webhook.fails else []
        return list(dict.fromkeys(needed))

    def _meets(self, webhook: AdmissionWebhook, need: Need) -> bool:
        """It is asked about that."""
        if webhook.spares(need.word):
            return False
        if need is EVICTION:
            return asks(webhook, need, namespaced=True) and self._selects_some(webhook)
        if not need.namespaces:
            objects = self._nodes or [{}]
            return asks(webhook, need, namespaced=False) and any(map(webhook.selects, objects))
        return asks(webhook, need, namespaced=True) and any(
            self._selects_in(webhook, each, need) for each in need.namespaces
        )

    def _selects_in(self, webhook: AdmissionWebhook, namespace: str, need: Need) -> bool:
        """Its selectors match something there: one of the pods that there are; of another kind an object without labels."""
        home = self._namespaces.get(namespace, {"kubernetes.io/metadata.name": namespace})
        pods = self._pods.get(namespace, []) if PODS in need.resources else []
        return webhook.selects_in(home) and any(map(webhook.selects, pods or [{}]))

    def _selects_some(self, webhook: AdmissionWebhook) -> bool:
        """There is a pod that its selectors match; looked for once, for there may be many."""
        if id(webhook) not in self._some:
            self._some[id(webhook)] = self._look_for_some(webhook)
        return self._some[id(webhook)]

    def _look_for_some(self, webhook: AdmissionWebhook) -> bool:
        homes = [name for name, labels in self._namespaces.items() if webhook.selects_in(labels)]
        if webhook.object_selector is None:
            return bool(homes)
        return any(webhook.selects(labels) for name in homes for labels in self._pods.get(name, ()))

    def _refuses_evictions(self, configuration: WebhookConfiguration, webhook: AdmissionWebhook) -> bool:
        """It validates evictions: that errors are ignored excuses no refusal."""
        return isinstance(configuration, ValidatingWebhookConfiguration) and self._meets(webhook, EVICTION)

    def _for_evictions(self, configuration: WebhookConfiguration, webhook: AdmissionWebhook) -> bool:
        """The same of one that is there for nothing else, such as Strimzi's drain cleaner."""
        resources = {resource for rule in webhook.rules or () for resource in rule.resources or ()}
        return resources == {"pods/eviction"} and self._refuses_evictions(configuration, webhook)

    def _single(self, webhook: AdmissionWebhook) -> bool:
        """Only one pod answers, and Kubernetes' own objects wait for it."""
        groups = {group for rule in webhook.rules or () for group in rule.api_groups or ()}
        waited_for = webhook.fails and any(each in groups for each in OWN_GROUPS)
        return waited_for and webhook.service is not None and len(self._calls.backends(webhook.service)) == 1

    def _blocks_itself(self, webhook: AdmissionWebhook) -> bool:
        """It is asked about the pods of its own single backend: once that is gone no other can be made."""
        service = self._services.get((webhook.service.namespace, webhook.service.name)) if webhook.service else None
        if service is None or not self._single(webhook) or not service.spec.selector:
            return False
        own = Need(service.namespace, "", (PODS,), (service.namespace,), ("CREATE",), service.namespace)
        pods = [each for each in self._pods.get(service.namespace, ()) if service.spec.selector.items() <= each.items()]
        home = self._namespaces.get(service.namespace, {})
        spared = webhook.spares(own.word)
        asked = not spared and asks(webhook, own, namespaced=True) and webhook.selects_in(home)
        return asked and any(map(webhook.selects, pods))


def judged_of(configuration: WebhookConfiguration) -> list[AdmissionWebhook]:
    """The webhooks that somebody can do something about: not those that belong to the cloud's control plane."""
    managed = any(mark in configuration.labels for mark in MANAGED)
    return [] if managed else [each for each in configuration.calls if not each.in_control_plane]


def asks(webhook: AdmissionWebhook, need: Need, *, namespaced: bool) -> bool:
    """One of its rules intercepts one of these resources."""
    return any(
        rule.matches(need.group, each, need.operations, namespaced=namespaced)
        for rule in webhook.rules or ()
        for each in need.resources
    )
