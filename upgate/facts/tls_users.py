"""Who uses a TLS Secret: Ingresses, Gateways, and the servers of webhooks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from upgate.facts.admission import WebhookConfiguration
from upgate.facts.secrets import Secret

Lists = Mapping[str, list[Any]]
WEBHOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")


class TlsUsers:
    """The objects that TLS Secrets are for."""

    needs = ("ingresses", "gateways", *WEBHOOKS)

    def __init__(self, lists: Lists) -> None:
        #: By namespace and name of the Secret.
        self._named: dict[tuple[str, str], list[str]] = defaultdict(list)
        for ingress in lists["ingresses"]:
            for name in ingress.secrets:
                self._named[ingress.namespace, name].append(ingress.ref)
        for gateway in lists["gateways"]:
            for key in gateway.secrets:
                self._named[key].append(gateway.ref)
        #: A webhook's certificate is for the name of its Service, by which the API server calls it.
        self._served = {key: ref for noun in WEBHOOKS for each in lists[noun] for key, ref in server_names(each)}

    def of(self, secret: Secret) -> list[str]:
        """The objects that use it, each once."""
        names = secret.certificate.names if secret.certificate else ()
        calls = [ref for name in names if (ref := self._served.get((secret.namespace, name)))]
        return list(dict.fromkeys([*self._named.get(secret.key, ()), *calls]))

    def trouble(self, secret: Secret, moment: datetime, days: int) -> str:
        """Why its certificate is of no use now, or soon, and who uses it. Empty where all is well."""
        said, users = secret.trouble(moment, days), self.of(secret)
        more = f" and {len(users) - 3} more" if len(users) > 3 else ""
        return said and f"{said}; used by {', '.join(users[:3])}{more}"


def server_names(configuration: WebhookConfiguration) -> Iterator[tuple[tuple[str, str], str]]:
    """Namespace and DNS name of each Service that a configuration calls, and the configuration."""
    for webhook in configuration.webhooks or ():
        if service := webhook.client_config.service:
            yield (service.namespace, f"{service.name}.{service.namespace}.svc"), configuration.ref
