"""What istiod knows of the proxies that are connected to it; and the rollouts that replace pods, which keep their sidecars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upgate.facts.backends import controller_of
from upgate.facts.deployments import Deployment
from upgate.facts.meta import Fact
from upgate.facts.owned_pods import DeploymentPods
from upgate.facts.pods import Pod
from upgate.facts.workloads import Workload

if TYPE_CHECKING:
    from upgate.profile.parts import Patience


class ProxySync(Fact):
    """One proxy, as one istiod sees it."""

    #: `web-1.shop`: the name of its pod, or of its WorkloadEntry, and the namespace.
    proxy: str
    #: The pod of the istiod, as `namespace/name`.
    istiod: str = ""
    #: The version that the proxy itself names.
    version: str = ""
    #: The types of configuration that it was sent, and did not acknowledge: CDS, LDS, …
    stale: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The pod's name: it may have dots, a namespace has none."""
        return self.proxy.rpartition(".")[0]

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return self.proxy.rpartition(".")[2]


class ProxyStatus(Fact):
    """The answers of all istiods."""

    proxies: list[ProxySync]
    #: Which of them gave no answer, and why, a sentence each.
    unanswered: list[str]


class PodRollouts(DeploymentPods):
    """The workloads that are replacing their pods."""

    needs: tuple[str, ...] = ("pods", "replicasets", "deployments", "statefulsets", "daemonsets")

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        super().__init__(lists)
        self._by_uid: dict[tuple[str, str], Workload] = {
            (each.namespace, each.metadata.uid): each for noun in self.needs[1:] for each in lists[noun]
        }

    def replace(self, pod: Pod, moment: datetime, patience: Patience) -> bool:
        """Its workload makes new pods in the place of old ones, within its own deadlines; a Job's pod ends by itself."""
        if pod.of_job:
            return True
        workload = self._maker(pod)
        if workload is None or self.never_done(workload, moment, patience.terminating):
            return False
        if isinstance(workload, Deployment):
            return self.progresses(workload, moment, patience)
        return workload.updating and self.advances(workload, moment)

    def _maker(self, pod: Pod) -> Workload | None:
        owner = controller_of(pod)
        workload = self._by_uid.get(owner) if owner else None
        above = controller_of(workload) if workload else None
        return self._by_uid.get(above, workload) if above else workload
