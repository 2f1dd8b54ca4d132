"""TLS certificates in Secrets, where the profile lets us look: what is public of them, and never a key."""

from __future__ import annotations

from datetime import datetime

import msgspec

from upgate.facts.attempts import Certificate
from upgate.facts.certificates import decode_base64, expiry, first_to_end, read_chain
from upgate.facts.meta import Fact, KubernetesObject, ObjectMeta


class SecretData(Fact):
    """`data` of a Secret of type kubernetes.io/tls, as far as it is decoded: nothing but the certificates."""

    certificates: str = msgspec.field(default="", name="tls.crt")


class Secret(KubernetesObject):
    """https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets"""

    #: Only while it is decoded; in no snapshot.
    data: SecretData | None = None
    #: The certificate of its chain that ends first.
    certificate: Certificate | None = None

    def trouble(self, moment: datetime, days: int) -> str:
        """Why its certificate is of no use now, or will not be soon. Empty where all is well."""
        seen = self.certificate
        if seen is None:
            return "tls.crt holds no certificate"
        if seen.not_after is None:
            return f"tls.crt cannot be read: {seen.problem}"
        ends = expiry(seen.not_before, seen.not_after, moment, days)
        return ends and f"its certificate {seen.subject} {ends}"

    def useless(self, moment: datetime) -> bool:
        """It cannot be used now, whatever is still to come."""
        return bool(self.trouble(moment, 0))


def without_contents(secret: Secret) -> Secret:
    """The Secret with its name, and what is public of its certificate; nothing else of it leaves the decoder."""
    meta = secret.metadata
    kept = ObjectMeta(name=meta.name, namespace=meta.namespace, creation_timestamp=meta.creation_timestamp)
    chain = read_chain(decode_base64(secret.data.certificates)) if secret.data else []
    return Secret(metadata=kept, certificate=first_to_end(chain))
