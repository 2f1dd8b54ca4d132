"""Admission webhooks."""

from __future__ import annotations

from upgate.facts.meta import AnnotatedMeta, Fact, KubernetesObject


class ServiceReference(Fact):
    """The Service that a webhook, an aggregated API or a conversion is behind."""

    namespace: str = ""
    name: str = ""
    port: int = 443
    path: str = ""


class WebhookClientConfig(Fact):
    """Where a webhook is called: a Service or a URL, and the authority that its certificate is checked with."""

    service: ServiceReference | None = None
    url: str = ""
    ca_bundle: str = ""


class WebhookRule(Fact):
    """Which requests a webhook intercepts."""

    api_groups: list[str] | None = None
    api_versions: list[str] | None = None
    operations: list[str] | None = None
    resources: list[str] | None = None
    scope: str = "*"


class AdmissionWebhook(Fact):
    """One of `webhooks`."""

    name: str = ""
    client_config: WebhookClientConfig = WebhookClientConfig()
    rules: list[WebhookRule] | None = None
    failure_policy: str = "Fail"
    namespace_selector: dict[str, object] | None = None
    object_selector: dict[str, object] | None = None
    timeout_seconds: int = 10


class WebhookConfiguration(KubernetesObject):
    """https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"""

    metadata: AnnotatedMeta
    webhooks: list[AdmissionWebhook] | None = None


class ValidatingWebhookConfiguration(WebhookConfiguration):
    """Webhooks that may refuse."""


class MutatingWebhookConfiguration(WebhookConfiguration):
    """Webhooks that may change objects, and refuse."""
