"""What a profile may ask for and this version cannot judge yet: said aloud in every report, never silently green.

The ids are those of the catalogue. When a check is written, its id leaves this list; a test sees to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Check
from upgate.conclude import result
from upgate.verdict import CheckResult

if TYPE_CHECKING:
    from upgate.profile import Profile

IDS = frozenset(
    """
    version.kubelet-skew version.kube-proxy-skew version.control-plane-skew version.nodes-upgraded control-plane.leases
    control-plane.logs apiservices.available webhooks.alive crds.established apis.deprecated apis.answer apis.custom-readable
    apis.kubelets-reachable rbac.addons clients.rejected webhooks.scope config.drift
    nodes.taints nodes.uniform nodes.image nodes.kured-lock nodes.headroom nodes.work nodes.stable
    jobs.failed cronjobs.on-time hpas.active pdbs.allow-drain workloads.churn
    services.load-balancer services.survivable ingresses.served dns.in-cluster storage.bound storage.attachments
    certs.api-server certs.secrets certs.client certs.csr certs.hosts
    mesh.sidecar-version mesh.sidecar-missing mesh.namespace-labels mesh.control-plane mesh.revision-tag mesh.retired
    mesh.proxies-synced conditions.false alerts.firing events.warnings
    probe.starts probe.dns probe.service probe.peers probe.api probe.metadata
    hosts.services hosts.reboot hosts.versions hosts.arguments hosts.ports hosts.disk hosts.clock hosts.journal
    changes.workloads changes.images changes.apis changes.endpoints changes.external changes.nodes changes.capacity
    changes.selectors changes.namespaces changes.addresses changes.events
    """.split()
)
#: Parts of a profile that only planned checks read.
SECTIONS = ("mesh", "resources", "hosts", "probe")
REASON = "this version of upgate cannot judge it yet: {what}. Remove that from the profile, or use a version that can"


def unjudged(profile: Profile) -> list[CheckResult]:
    """What the profile selects and no check of this version judges, each as an inconclusive result."""
    wanted = {id: f"`checks:` asks for {id}" for id, level in profile.checks.items() if id in IDS and level != "off"}
    wanted |= {section: f"`{section}:` is given" for section in SECTIONS if getattr(profile, section)}
    return [cannot(id, what) for id, what in wanted.items()]


def cannot(id: str, what: str) -> CheckResult:
    """The result of a check that there is not."""
    check = Check(id, "critical", f"What the profile says about {id} is judged.", "", "")
    return result(check, "inconclusive", REASON.format(what=what))
