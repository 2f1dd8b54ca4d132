"""The control planes of a mesh: each revision has an istiod and a webhook that injects for it; tags are other names of one.

https://istio.io/latest/docs/setup/upgrade/canary/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from upgate.facts.admission import MutatingWebhookConfiguration, ServiceReference
from upgate.facts.deployments import Deployment
from upgate.facts.mesh_objects import DEFAULT, IstioOperator
from upgate.facts.meta import KubernetesObject
from upgate.facts.pods import Pod
from upgate.facts.services import Service
from upgate.facts.sidecars import REVISION_LABEL, named_revision, tagged_version

Lists = Mapping[str, list[Any]]
TAG_LABEL, INJECTOR, ISTIOD, DISCOVERY = "istio.io/tag", "sidecar-injector", "istiod", "discovery"
#: The namespace of control planes, unless webhooks lead to another.
HOME = "istio-system"
#: What `istioctl tag set default` writes into selectors that must not match any more.
DEACTIVATED = "istio.io/deactivated"
#: Objects of a revision have its name behind one of these.
PREFIXES = ("istiod", "istio-sidecar-injector", "istio-validator", "istio-operator", "installed-state")


class Revisions:
    """All revisions and tags of the cluster."""

    needs = ("namespaces", "deployments", "services", "mutatingwebhookconfigurations", "controlplanerevisions")

    def __init__(self, lists: Lists) -> None:
        webhooks: list[MutatingWebhookConfiguration] = lists["mutatingwebhookconfigurations"]
        injecting = [each for each in webhooks if each.labels.get("app") == INJECTOR]
        #: Tag → its webhook; revision → its own webhooks, those aside that match nothing any more.
        self.tags = {each.labels[TAG_LABEL]: each for each in injecting if TAG_LABEL in each.labels}
        self.injectors = grouped_by_revision(each for each in injecting if TAG_LABEL not in each.labels and acts(each))
        #: The namespaces of control planes: whoever may write a Deployment elsewhere makes no revision.
        self.homes = {HOME, *(each.namespace for hook in injecting for each in services_of(hook))}
        self.istiods = grouped_by_revision(each for each in lists["deployments"] if self.is_istiod(each))
        self.managed = {each.name for each in lists["controlplanerevisions"]}
        self.namespaces = {each.name: each for each in lists["namespaces"]}
        self.services: dict[tuple[str, str], Service] = {
            each.key: each for each in lists["services"] if each.namespace in self.homes
        }

    def is_istiod(self, item: KubernetesObject) -> bool:
        """It is a Deployment, or a pod, of a control plane."""
        return item.labels.get("app") == ISTIOD and item.namespace in self.homes

    def alive(self, revision: str) -> bool:
        """Its control plane is there: in the cluster, or where its webhooks lead."""
        return any(each.desired for each in self.istiods.get(revision, ())) or self.elsewhere(revision)

    def elsewhere(self, revision: str) -> bool:
        """Its control plane is run by somebody else: Google, or another cluster."""
        return revision in self.managed or any(map(self._leads_out, self.injectors.get(revision, ())))

    @property
    def living(self) -> list[str]:
        """All revisions that have a control plane."""
        known = {*self.istiods, *self.managed, *self.injectors}
        return sorted(filter(self.alive, known))

    def meant_by(self, name: str) -> str:
        """The revision of a tag, or of that name."""
        return revision_of(self.tags[name]) if name in self.tags else name

    @property
    def default(self) -> str:
        """The revision of whatever names none; empty where that is not known."""
        if DEFAULT in self.tags or self.alive(DEFAULT):
            return self.meant_by(DEFAULT)
        return self.living[0] if len(self.living) == 1 else ""

    @property
    def injects_by_default(self) -> bool:
        """`istio-injection=enabled` means something."""
        return DEFAULT in self.tags or DEFAULT in self.injectors or self.elsewhere(DEFAULT)

    def of_pod(self, pod: Pod) -> str:
        """The revision of its proxy; empty where nothing says so."""
        return self.meant_by(named_revision(pod))

    def version(self, revision: str) -> str:
        """The version of its istiod; empty where that does not run here. Raises ValueError where its image does not say."""
        images = [image_of(each) for each in self.istiods.get(revision, ()) if each.desired]
        return next((tagged_version(image) for image in images if image), "")

    def selected_by(self, service: Service | None) -> set[str]:
        """The revisions whose istiods a Service leads to."""
        selector = service.spec.selector if service else None
        return {
            revision
            for revision, istiods in self.istiods.items()
            for each in istiods
            if service and selector and each.namespace == service.namespace and each.makes(selector)
        }

    def called_by(self, webhook: MutatingWebhookConfiguration) -> set[str]:
        """The revisions whose istiods a webhook calls, as far as they are here."""
        called = (self.services.get((each.namespace, each.name)) for each in services_of(webhook))
        return {revision for service in called for revision in self.selected_by(service)}

    def _leads_out(self, webhook: MutatingWebhookConfiguration) -> bool:
        """It is called at a URL, or through a Service that selects no pods."""
        services = [self.services.get((each.namespace, each.name)) for each in services_of(webhook)]
        urls = any(each.client_config.url for each in webhook.webhooks or ())
        return urls or any(each is not None and not each.spec.selector for each in services)


class RevisionObjects:
    """Whatever belongs to a revision of a control plane, tags aside."""

    needs = (
        *("deployments", "services", "horizontalpodautoscalers", "poddisruptionbudgets"),
        *("mutatingwebhookconfigurations", "validatingwebhookconfigurations", "istiooperators"),
    )

    def __init__(self, lists: Lists) -> None:
        listed: list[KubernetesObject] = [each for noun in self.needs for each in lists[noun]]
        self.items = [each for each in listed if is_of_some_revision(each)]


def is_of_some_revision(item: KubernetesObject) -> bool:
    """It is one of a revision's own. Tags, and the Service of the default revision, are moved and not removed."""
    moved = TAG_LABEL in item.labels or (item.kind == "Service" and item.name == ISTIOD)
    named = REVISION_LABEL in item.labels or item.name.startswith(PREFIXES)
    return isinstance(item, IstioOperator) or (named and not moved)


def is_of(item: KubernetesObject, revision: str) -> bool:
    """It is of that revision: by its label, its spec, or its name."""
    said = item.revision if isinstance(item, IstioOperator) else item.labels.get(REVISION_LABEL, "")
    if said or revision == DEFAULT:
        return said == revision
    ends = (revision, f"{revision}-{item.namespace or HOME}")
    return item.name in {f"{prefix}-{end}" for prefix in PREFIXES for end in ends}


def revision_of(item: KubernetesObject) -> str:
    """The revision that it is labelled with."""
    return item.labels.get(REVISION_LABEL) or DEFAULT


def grouped_by_revision(items: Any) -> dict[str, list[Any]]:
    """The objects of each revision."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for each in items:
        groups[revision_of(each)].append(each)
    return dict(groups)


def acts(webhook: MutatingWebhookConfiguration) -> bool:
    """Its selectors were not replaced by one that matches nothing."""
    selectors = [f"{each.namespace_selector} {each.object_selector}" for each in webhook.webhooks or ()]
    return any(DEACTIVATED not in each for each in selectors)


def services_of(webhook: MutatingWebhookConfiguration) -> list[ServiceReference]:
    """The Services that it is called through."""
    configs = (each.client_config for each in webhook.webhooks or ())
    return [config.service for config in configs if config.service]


def image_of(istiod: Deployment) -> str:
    """The image of its container `discovery`; empty where it has none."""
    containers = istiod.spec.template.spec.containers or ()
    return next((each.image for each in containers if each.name == DISCOVERY), "")
