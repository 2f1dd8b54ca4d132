"""What extends the API: CustomResourceDefinitions and APIServices."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.facts.admission import ServiceReference, WebhookClientConfig
from upgate.facts.meta import Condition, Fact, KubernetesObject, condition, lately


class ResourceNames(Fact):
    """`spec.names` of a CustomResourceDefinition."""

    plural: str = ""
    kind: str = ""


class ServedVersion(Fact):
    """One of `spec.versions`, without its schema."""

    name: str = ""
    served: bool = False
    storage: bool = False
    deprecated: bool = False


class ConversionWebhook(Fact):
    """`spec.conversion.webhook`."""

    client_config: WebhookClientConfig = WebhookClientConfig()


class Conversion(Fact):
    """`spec.conversion`: how objects become those of another version."""

    strategy: str = "None"
    webhook: ConversionWebhook | None = None


class DefinitionSpec(Fact):
    """`spec` of a CustomResourceDefinition."""

    group: str = ""
    scope: str = "Namespaced"
    names: ResourceNames = ResourceNames()
    versions: list[ServedVersion] | None = None
    conversion: Conversion = Conversion()


class DefinitionStatus(Fact):
    """`status` of a CustomResourceDefinition."""

    conditions: list[Condition] | None = None
    stored_versions: list[str] | None = None


class CustomResourceDefinition(KubernetesObject):
    """https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/"""

    spec: DefinitionSpec = DefinitionSpec()
    status: DefinitionStatus = DefinitionStatus()

    @property
    def converter(self) -> WebhookClientConfig | None:
        """The webhook that converts its objects; None where none is asked: with one version there is nothing to convert."""
        conversion, webhook = self.spec.conversion, self.spec.conversion.webhook
        several = len({each.name for each in self.spec.versions or ()} | set(self.status.stored_versions or ())) > 1
        return webhook.client_config if conversion.strategy == "Webhook" and webhook and several else None

    @property
    def faults(self) -> list[str]:
        """What is wrong with it, its conversion aside."""
        return [*self._refused, *(f"stored version {each} is not served" for each in self._unserved)]

    @property
    def broken(self) -> bool:
        """More is wrong than that a stored version which had been deprecated is not served any more."""
        deprecated = {each.name for each in self.spec.versions or () if each.deprecated}
        return bool(self._refused or set(self._unserved) - deprecated)

    @property
    def _refused(self) -> list[str]:
        said = (condition(self.status.conditions, each) for each in ("Established", "NamesAccepted"))
        return [str(each) for each in said if not each.is_true]

    @property
    def _unserved(self) -> list[str]:
        served = {each.name for each in self.spec.versions or () if each.served}
        return [each for each in self.status.stored_versions or () if each not in served]

    @property
    def established(self) -> bool:
        """The API server serves it, and it is not being deleted."""
        return condition(self.status.conditions, "Established").is_true and not self.metadata.deletion_timestamp

    @property
    def served_versions(self) -> list[str]:
        """The names of the versions that the API server should serve."""
        return [each.name for each in self.spec.versions or () if each.served]


class APIServiceSpec(Fact):
    """`spec` of an APIService."""

    group: str = ""
    version: str = ""
    service: ServiceReference | None = None


class APIServiceStatus(Fact):
    """`status` of an APIService."""

    conditions: list[Condition] | None = None


class APIService(KubernetesObject):
    """https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/"""

    spec: APIServiceSpec = APIServiceSpec()
    status: APIServiceStatus = APIServiceStatus()

    @property
    def available(self) -> Condition:
        """The Available condition."""
        return condition(self.status.conditions, "Available")

    def settling(self, moment: datetime, start_up: timedelta) -> bool:
        """It was made, or became unavailable, moments ago: the API server asks again every 30 seconds or less."""
        return self.age(moment) < start_up or lately(self.available.last_transition_time, moment, start_up)
