"""The kinds of Istio's operator and of Google's managed control plane."""

from __future__ import annotations

from upgate.facts.meta import Fact, KubernetesObject

#: The revision that has no name, and the tag that `istio-injection=enabled` means.
DEFAULT = "default"


class IstioOperatorSpec(Fact):
    """`spec` of an IstioOperator, as far as it says which revision it is."""

    revision: str = ""


class IstioOperator(KubernetesObject):
    """https://istio.io/latest/docs/reference/config/istio.operator.v1alpha1/"""

    spec: IstioOperatorSpec = IstioOperatorSpec()

    @property
    def revision(self) -> str:
        """The revision that it installs."""
        return self.spec.revision or DEFAULT


class ControlPlaneRevision(KubernetesObject):
    """A control plane that Google runs: its name is that of its revision.

    https://cloud.google.com/service-mesh/docs/managed/provision-managed-anthos-service-mesh
    """
