"""The API server's certificates, and what we log in with ourselves: what is public of them, and when they end."""

from __future__ import annotations

from datetime import datetime

import msgspec

from upgate.facts.attempts import Certificate
from upgate.facts.certificates import expiry


class ServingCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that the connection to the API server rests on."""

    #: The API server's host and port, as they are connected to.
    server: str
    certificate: Certificate
    #: It is that of the authority in the kubeconfig, which the API server's own is checked with.
    authority: bool = False

    @property
    def ref(self) -> str:
        """`APIServer/host:port`, or the authority behind it."""
        return f"{'CertificateAuthority' if self.authority else 'APIServer'}/{self.server}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.server}

    def problem(self, moment: datetime, days: int) -> str:
        """Why it is of no use soon. Empty where it is."""
        seen = self.certificate
        if seen.not_after is None:
            return f"its certificate cannot be read: {seen.problem}"
        ends = expiry(seen.not_before, seen.not_after, moment, days)
        return ends and f"certificate {seen.subject}, issued by {seen.issuer}, {ends}"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A client certificate or a token that stands in the kubeconfig: nothing renews it by itself."""

    #: `client certificate` or `token`.
    type: str
    #: Whom it is for.
    subject: str = ""
    not_before: datetime | None = None
    #: None for one that does not end, or does not say so.
    not_after: datetime | None = None

    @property
    def ref(self) -> str:
        """`ClientCertificate/subject` or `Token/subject`."""
        return f"{self.type.title().replace(' ', '')}/{self.subject or 'ours'}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.subject}

    def problem(self, moment: datetime, days: int) -> str:
        """Why it is of no use soon. Empty where it is."""
        ends = expiry(self.not_before, self.not_after, moment, days)
        return ends and f"the {self.type} that we log in with {ends}"
