"""Certificates that the cluster is asked to sign."""

from __future__ import annotations

from upgate.facts.meta import Condition, Fact, KubernetesObject


class SigningRequestSpec(Fact):
    """`spec` of a CertificateSigningRequest, without the request itself."""

    signer_name: str = ""
    username: str = ""


class SigningRequestStatus(Fact):
    """`status` of a CertificateSigningRequest, without the certificate."""

    conditions: list[Condition] | None = None


class CertificateSigningRequest(KubernetesObject):
    """https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/"""

    spec: SigningRequestSpec = SigningRequestSpec()
    status: SigningRequestStatus = SigningRequestStatus()
