"""Admission webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from upgate.facts.meta import AnnotatedMeta, Fact, KubernetesObject
from upgate.facts.selectors import LabelSelector


class ServiceReference(Fact):
    """The Service that a webhook, an aggregated API or a conversion is behind."""

    namespace: str = ""
    name: str = ""
    port: int = 443
    path: str = ""

    @property
    def ref(self) -> str:
        """The Service, as in every report."""
        return f"Service/{self.namespace}/{self.name}"


class WebhookClientConfig(Fact):
    """Where a webhook is called: a Service or a URL, and the authority that its certificate is checked with."""

    service: ServiceReference | None = None
    url: str = ""
    #: PEM in base64.
    ca_bundle: str | None = None


def covers(pattern: str, resource: str) -> bool:
    """A rule's resource (`pods`, `*`, `pods/*`, `*/status`, `*/*`) means that one: `pods` or `pods/eviction`."""
    (kind, _, part), (kind_of, _, part_of) = pattern.partition("/"), resource.partition("/")
    return kind in ("*", kind_of) and part in ("*", part_of)


class MatchCondition(Fact):
    """One of `matchConditions`."""

    expression: str = ""


class WebhookRule(Fact):
    """Which requests a webhook intercepts."""

    api_groups: list[str] | None = None
    api_versions: list[str] | None = None
    operations: list[str] | None = None
    resources: list[str] | None = None
    scope: str = "*"

    def matches(self, group: str, resource: str, operations: Collection[str], *, namespaced: bool) -> bool:
        """It intercepts one of these operations on that resource in version v1, or on its subresource: `pods/eviction`.

        https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules/rules.go
        """
        listed = (self.api_groups, group), (self.api_versions, "v1")
        if not all(any(each in ("*", one) for each in values or ()) for values, one in listed):
            return False
        asked = any(each in ("*", *operations) for each in self.operations or ())
        scope = self.scope in ("*", "Namespaced" if namespaced else "Cluster")
        return asked and scope and any(covers(each, resource) for each in self.resources or ())


class AdmissionWebhook(Fact):
    """One of `webhooks`."""

    name: str = ""
    client_config: WebhookClientConfig = WebhookClientConfig()
    rules: list[WebhookRule] | None = None
    failure_policy: str = "Fail"
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    match_conditions: list[MatchCondition] | None = None
    timeout_seconds: int = 10

    @property
    def fails(self) -> bool:
        """What it does not answer is refused."""
        return self.failure_policy == "Fail"

    @property
    def service(self) -> ServiceReference | None:
        """The Service that it is behind; None for one with a URL."""
        return self.client_config.service

    @property
    def in_control_plane(self) -> bool:
        """It is called at the API server's own machine: a cloud's part of the control plane (GKE)."""
        host = self.client_config.url.partition("://")[2]
        return host.startswith(("127.0.0.1:", "localhost:", "[::1]:"))

    def selects_in(self, namespace: Mapping[str, str]) -> bool:
        """It is asked about objects in a namespace with these labels."""
        return self.namespace_selector is None or self.namespace_selector.matches(namespace)

    def selects(self, labels: Mapping[str, str]) -> bool:
        """It is asked about an object with these labels, as far as that goes."""
        return self.object_selector is None or self.object_selector.matches(labels)

    def spares(self, word: str) -> bool:
        """A condition (CEL, which is not evaluated here) negates something about that: it is believed to leave it out."""
        return any(word in each.expression and "!" in each.expression for each in self.match_conditions or ())


class WebhookConfiguration(KubernetesObject):
    """https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"""

    metadata: AnnotatedMeta
    webhooks: list[AdmissionWebhook] | None = None

    @property
    def calls(self) -> list[AdmissionWebhook]:
        """Its webhooks, without those that no rule ever calls."""
        return [each for each in self.webhooks or () if each.rules]


class ValidatingWebhookConfiguration(WebhookConfiguration):
    """Webhooks that may refuse."""


class MutatingWebhookConfiguration(WebhookConfiguration):
    """Webhooks that may change objects, and refuse."""
