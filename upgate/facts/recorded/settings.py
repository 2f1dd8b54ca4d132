"""Settings by name: labels and annotations of namespaces; webhooks and classes."""

from __future__ import annotations

import msgspec

from upgate.facts.admission import AdmissionWebhook, WebhookConfiguration
from upgate.facts.recorded.states import Lists, kept_text
from upgate.facts.recorded.workloads import not_deleted

#: What clients and controllers keep in annotations for themselves.
OWN_NOTES = ("kubectl.kubernetes.io/", "openshift.io/", "cattle.io/", "autoscaling.alpha.kubernetes.io/")
WEBHOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")


class NamespaceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The labels and annotations of a namespace."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class NamespaceStates:
    """All namespaces that stay."""

    needs = ("namespaces",)

    def __init__(self, lists: Lists) -> None:
        self.states: dict[str, NamespaceState] = {
            each.ref: NamespaceState(each.labels, kept_notes(each.metadata.annotations or {}))
            for each in lists["namespaces"]
            if not_deleted(each)
        }


def kept_notes(annotations: dict[str, str]) -> dict[str, str]:
    """Annotations, without those that tools keep for themselves."""
    own = {key for key in annotations if any(each in key for each in OWN_NOTES)}
    return {key: kept_text(value) for key, value in annotations.items() if key not in own}


class SettingsState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object's settings in words, by name."""

    settings: dict[str, str] = {}


class ExtensionStates:
    """Admission webhooks, and the classes of storage and Ingresses."""

    needs = (*WEBHOOKS, "storageclasses", "ingressclasses")

    def __init__(self, lists: Lists) -> None:
        hooks = {each.ref: webhook_settings(each) for noun in WEBHOOKS for each in lists[noun] if not_deleted(each)}
        storage = {
            each.ref: {"default": yes(each.is_default), "provisioner": each.provisioner}
            for each in lists["storageclasses"]
        }
        classes = {
            each.ref: {"default": yes(each.is_default), "controller": each.spec.controller}
            for each in lists["ingressclasses"]
        }
        self.states: dict[str, SettingsState] = {
            ref: SettingsState(settings) for ref, settings in {**hooks, **storage, **classes}.items()
        }


def yes(value: bool) -> str:
    """A truth in words."""
    return "yes" if value else "no"


def webhook_settings(configuration: WebhookConfiguration) -> dict[str, str]:
    """What each of its webhooks intercepts, where it leads, and what happens if it does not answer."""
    return {f"webhook {each.name}": webhook_words(each) for each in configuration.webhooks or ()}


def webhook_words(hook: AdmissionWebhook) -> str:
    """A webhook in words; its authority is renewed now and then, and is not among them."""
    where = hook.service.ref if hook.service else hook.client_config.url
    rules = "; ".join(
        f"{','.join(rule.operations or ())} {','.join(rule.resources or ())} in {','.join(rule.api_groups or ()) or 'core'}"
        for rule in hook.rules or ()
    )
    chosen = f"namespaces {hook.namespace_selector or '(all)'}, objects {hook.object_selector or '(all)'}"
    return kept_text(f"failurePolicy {hook.failure_policy}, {rules}, {chosen}, {where}")
