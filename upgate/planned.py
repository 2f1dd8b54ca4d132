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

#: Subject → the names of its checks.
NAMES = {
    "version": "kubelet-skew kube-proxy-skew control-plane-skew nodes-upgraded",
    "control-plane": "leases logs",
    "apiservices": "available",
    "webhooks": "alive scope",
    "crds": "established",
    "apis": "deprecated answer custom-readable kubelets-reachable",
    "rbac": "addons",
    "clients": "rejected",
    "config": "drift",
    "nodes": "taints uniform image kured-lock headroom work stable",
    "cronjobs": "on-time",
    "hpas": "active",
    "pdbs": "allow-drain",
    "workloads": "churn",
    "services": "load-balancer survivable",
    "ingresses": "served",
    "dns": "in-cluster",
    "storage": "bound attachments",
    "certs": "api-server secrets client csr",
    "mesh": "sidecar-version sidecar-missing namespace-labels control-plane revision-tag retired proxies-synced",
    "conditions": "false",
    "alerts": "firing",
    "events": "warnings",
    "probe": "starts dns service peers api metadata",
    "changes": "workloads images apis endpoints external nodes capacity selectors namespaces addresses events",
}
IDS = frozenset(f"{subject}.{name}" for subject, names in NAMES.items() for name in names.split())
#: Parts of a profile that only planned checks read.
SECTIONS = ("mesh", "resources", "probe")
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
