"""Whether the API server can reach the webhooks that it calls: admission and conversion, by one rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from upgate.base.text import counted
from upgate.facts.admission import AdmissionWebhook, ServiceReference, WebhookClientConfig, WebhookConfiguration
from upgate.facts.backends import Backends, grouped
from upgate.facts.bundles import bundle_fault
from upgate.facts.extensions import CustomResourceDefinition
from upgate.facts.services import EndpointSlice, Service, ServicePort

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]


class CallFault(NamedTuple):
    """Why a webhook cannot be called."""

    said: str
    #: It may be that it can be called all the same.
    mild: bool = False
    #: The Service that has no endpoint, where that is why.
    empty: ServiceReference | None = None


class WebhookCalls:
    """Webhooks joined with the Services that they are behind."""

    needs = ("services", "endpointslices")

    def __init__(self, lists: Lists) -> None:
        self._services: dict[tuple[str, str], Service] = {each.key: each for each in lists["services"]}
        self._slices: dict[tuple[str, str], list[EndpointSlice]] = grouped(
            lists["endpointslices"], lambda each: each.service
        )
        self._bundles: dict[tuple[str, datetime], str] = {}

    def fault(self, configuration: WebhookConfiguration, moment: datetime) -> str:
        """Why some of its webhooks cannot be called, each reason once. Empty where all can."""
        said: dict[str, list[str]] = {}
        for webhook, fault in self._faults(configuration, moment):
            said.setdefault(fault.said, []).append(webhook.name)
        return "; ".join(f"{first_of(names)}: {why}" for why, names in said.items())

    def refuses(self, configuration: WebhookConfiguration, moment: datetime) -> bool:
        """What one of those webhooks should be asked about is refused."""
        return any(webhook.fails and not fault.mild for webhook, fault in self._faults(configuration, moment))

    def uncallable(self, configurations: Iterable[WebhookConfiguration], moment: datetime) -> dict[str, set[str]]:
        """The names of webhooks that cannot be called, and the names of the configurations in which that is so."""
        found: dict[str, set[str]] = {}
        for each in configurations:
            for webhook, fault in self._faults(each, moment):
                if not fault.mild:
                    found.setdefault(webhook.name, set()).add(each.name)
        return found

    def conversion_fault(self, definition: CustomResourceDefinition, moment: datetime) -> str:
        """Why its objects cannot be converted. Empty where they can, or need not be."""
        call = definition.converter
        said = [fault.said for fault in self._call_faults(call, moment) if not fault.mild] if call else []
        return f"conversion webhook: {'; '.join(said)}" if said else ""

    def service(self, reference: ServiceReference) -> Service | None:
        """The Service that a webhook is behind."""
        return self._services.get((reference.namespace, reference.name))

    def backends(self, reference: ServiceReference) -> set[str]:
        """What is ready behind a Service: a pod of two IP families once, else addresses."""
        slices = self._slices.get((reference.namespace, reference.name), ())
        ready = [endpoint for each in slices for endpoint in each.ready]
        named = {each.target_ref.name for each in ready if each.target_ref}
        return named | {ip for each in ready if not each.target_ref for ip in each.addresses or ()}

    def starting(
        self, references: Sequence[ServiceReference], backends: Backends, moment: datetime, patience: Patience
    ) -> bool:
        """Nothing is missing but these Services' endpoints, and the pods behind each of them are starting."""
        services = [self.service(each) for each in references]
        return bool(services) and all(each and backends.coming(each, moment, patience) for each in services)

    def unanswered(self, configuration: WebhookConfiguration, moment: datetime) -> list[ServiceReference]:
        """The Services without an endpoint that all its faults come from; none where one comes from something else."""
        faults = [fault for _, fault in self._faults(configuration, moment)]
        empty = [fault.empty for fault in faults if fault.empty]
        return empty if len(empty) == len(faults) else []

    def unconverted(self, definition: CustomResourceDefinition, moment: datetime) -> list[ServiceReference]:
        """The same of a conversion, where nothing else is wrong with the definition."""
        call = definition.converter if not definition.faults else None
        faults = list(self._call_faults(call, moment)) if call else []
        empty = [fault.empty for fault in faults if fault.empty]
        return empty if len(empty) == len(faults) else []

    def _faults(
        self, configuration: WebhookConfiguration, moment: datetime
    ) -> Iterator[tuple[AdmissionWebhook, CallFault]]:
        for webhook in configuration.calls:
            for fault in self._call_faults(webhook.client_config, moment):
                yield webhook, fault

    def _call_faults(self, call: WebhookClientConfig, moment: datetime) -> Iterator[CallFault]:
        if call.service and (missing := self._unreachable(call.service)):
            yield missing
        if call.ca_bundle and (spoilt := self._bundle_fault(call.ca_bundle, moment)):
            yield CallFault(spoilt)
        if call.service and not call.ca_bundle:
            yield CallFault("no caBundle: the API server's own trust store has to know its authority", mild=True)

    def _unreachable(self, reference: ServiceReference) -> CallFault | None:
        """Why the API server does not come through to it. The port is the Service's own; an ExternalName leads elsewhere."""
        name, service = f"Service {reference.namespace}/{reference.name}", self.service(reference)
        if service is None:
            return CallFault(f"{name} does not exist")
        if service.spec.type == "ExternalName":
            return None
        port = next((each for each in service.spec.ports or () if each.port == reference.port), None)
        if port is None:
            return CallFault(f"{name} has no port {reference.port}")
        if self._leads_to(reference, port):
            return None
        said = f"{name} has no ready endpoint for port {reference.port}"
        return CallFault(said, empty=None if self.backends(reference) else reference)

    def _leads_to(self, reference: ServiceReference, port: ServicePort) -> bool:
        slices = self._slices.get((reference.namespace, reference.name), ())
        return any(each.ready and each.carries(port) for each in slices)

    def _bundle_fault(self, bundle: str, moment: datetime) -> str:
        if (bundle, moment) not in self._bundles:
            self._bundles[bundle, moment] = bundle_fault(bundle, moment)
        return self._bundles[bundle, moment]


def first_of(names: list[str]) -> str:
    """The first of some webhooks, and how many more there are."""
    more = f" and {counted(len(names) - 1, 'other')}" if len(names) > 1 else ""
    return f"webhook {names[0]}{more}"
