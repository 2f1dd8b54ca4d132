"""Certificates that the cluster is asked to sign."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.base.text import duration
from upgate.facts.meta import Condition, Fact, KubernetesObject

#: How long an approval may take: people give some of them.
UNDECIDED = timedelta(hours=1)
#: How long signing may take. The control plane removes a request an hour after its approval.
UNSIGNED = timedelta(minutes=15)


class SigningRequestSpec(Fact):
    """`spec` of a CertificateSigningRequest, without the request itself."""

    signer_name: str = ""
    username: str = ""


class SigningRequestStatus(Fact):
    """`status` of a CertificateSigningRequest. Its certificate is public."""

    conditions: list[Condition] | None = None
    certificate: str = ""


class CertificateSigningRequest(KubernetesObject):
    """https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/"""

    spec: SigningRequestSpec = SigningRequestSpec()
    status: SigningRequestStatus = SigningRequestStatus()

    def waiting(self, moment: datetime) -> str:
        """For what it has waited too long: to be approved, or to be signed. One that was denied, or failed, waits for nothing."""
        said = {each.type: each for each in self.status.conditions or () if each.is_true}
        what = f"{self.spec.signer_name} for {self.spec.username or 'an unknown user'}"
        if self.status.certificate or not said.keys() <= {"Approved"}:
            return ""
        if not said and self.age(moment) > UNDECIDED:
            return f"pending for {duration(self.age(moment))}: {what}"
        approved = moment - (said["Approved"].last_transition_time or moment) if said else UNSIGNED
        return f"approved {duration(approved)} ago and not signed: {what}" if approved > UNSIGNED else ""

    @property
    def asker(self) -> tuple[str, str]:
        """Who asks for what: a later request of the same asker is another try."""
        return self.spec.signer_name, self.spec.username


class SigningRequests:
    """All requests: where a later request of the same user was signed, the earlier ones are litter."""

    needs = ("certificatesigningrequests",)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._signed: dict[tuple[str, str], datetime] = {}
        for each in lists["certificatesigningrequests"]:
            made = each.metadata.creation_timestamp
            if each.status.certificate and made:
                self._signed[each.asker] = max(made, self._signed.get(each.asker, made))

    def replaced(self, request: CertificateSigningRequest) -> bool:
        """A later request of the same user, to the same signer, is signed."""
        made, last = request.metadata.creation_timestamp, self._signed.get(request.asker)
        return made is not None and last is not None and last > made
