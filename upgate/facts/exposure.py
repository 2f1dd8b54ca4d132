"""Workloads behind Services: what their users notice when a drain moves their pods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from upgate.facts.backends import Backends
from upgate.facts.containers import PROXIES
from upgate.facts.disruption import named
from upgate.facts.owned_pods import DeploymentPods
from upgate.facts.pods import Pod
from upgate.facts.services import Service
from upgate.facts.workloads import Workload


class Exposure:
    """Which Services lead to which workloads; those that only hand out metrics aside."""

    needs = tuple(dict.fromkeys(("services", *Backends.needs, *DeploymentPods.needs)))

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        backends = Backends(lists)
        self._pods = DeploymentPods(lists)
        #: Workload → the Services that lead to it as soon as it is ready; and those that lead to no other workload.
        self._waiting: dict[str, list[str]] = defaultdict(list)
        self._only: dict[str, list[str]] = defaultdict(list)
        for service in filter(serves_users, lists["services"]):
            makers = backends.workloads(service)
            for each in makers if not service.spec.publish_not_ready_addresses else ():
                self._waiting[each.ref].append(service.name)
            for each in makers if len(makers) == 1 else ():
                self._only[each.ref].append(service.name)

    def alone(self, workload: Workload) -> str:
        """It has one replica, and nothing else is behind a Service. Else empty."""
        services = self._only.get(workload.ref, [])
        return (
            f"1 replica, and nothing else is behind Service {', '.join(services)}"
            if services and workload.desired == 1
            else ""
        )

    def unprobed(self, workload: Workload) -> str:
        """Its pods take traffic as soon as they start: nothing asks whether they are ready for it. Else empty."""
        services = self._waiting.get(workload.ref, [])
        pods = [pod for pod in self._pods.of(workload) if services and pod.active and not asked(pod)]
        return f"{named(pods)} behind Service {', '.join(services)} without a readiness probe" if pods else ""


def serves_users(service: Service) -> bool:
    """It leads to pods, and not only to what a Prometheus collects."""
    ports = service.spec.ports or []
    return service.selects_pods and not (ports and all("metrics" in each.name for each in ports))


def asked(pod: Pod) -> bool:
    """A readiness probe or a readiness gate says when it may take traffic; that of a proxy does not count."""
    probed = any(each.readiness_probe for each in pod.containers if each.name not in PROXIES)
    return probed or bool(pod.spec.readiness_gates)
