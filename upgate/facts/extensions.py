"""What extends the API: CustomResourceDefinitions and APIServices."""

from __future__ import annotations

from upgate.facts.admission import ServiceReference, WebhookClientConfig
from upgate.facts.meta import Condition, Fact, KubernetesObject, condition


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
