"""Secrets by name, where the profile lets us look: elsewhere nothing is said of them."""

from __future__ import annotations

from collections.abc import Iterable

from upgate.facts.ingresses import Ingress
from upgate.facts.secrets import Secret

#: The word of the profile's `allow:`.
ALLOWED = "secrets"
#: What is listed for the input `secret_names`, where it is allowed.
OPTIONAL = {"secret_names": "secret_metadata"}


class SecretNames:
    """Which Secrets exist; None: the profile does not allow it to look."""

    def __init__(self, secrets: Iterable[Secret] | None) -> None:
        self._names = None if secrets is None else {each.key for each in secrets}

    def missing(self, ingress: Ingress) -> str:
        """The TLS Secrets of an Ingress that do not exist. Empty where all exist, or the profile does not allow it to look."""
        if self._names is None:
            return ""
        lost = [name for name in dict.fromkeys(ingress.secrets) if (ingress.namespace, name) not in self._names]
        return "; ".join(f"its TLS Secret {name} does not exist" for name in lost)
