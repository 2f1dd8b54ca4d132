"""The order in which people read the battery: from the API server outwards."""

from __future__ import annotations

from collections.abc import Iterable

from upgate.battery.check import Check

#: Chapter → the subjects of its checks, in their order.
CHAPTERS: dict[str, tuple[str, ...]] = {
    "API server and control plane": ("api", "control-plane", "apiservices", "webhooks", "crds", "rbac", "clients"),
    "Versions and APIs": ("version", "release", "apis"),
    "Nodes": ("nodes",),
    "Pods": ("pods",),
    "Workloads": (
        *("deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs"),
        *("hpas", "pdbs", "workloads", "namespaces"),
    ),
    "Services and storage": ("services", "ingresses", "gateways", "dns", "storage"),
    "Certificates": ("certs",),
    "Events and alerts": ("events", "alerts"),
    "Any object": ("expect", "conditions"),
    "From outside": ("external",),
    "While the upgrade ran": ("disruption",),
    "On the hosts": ("hosts",),
    "Mesh and sidecars": ("mesh", "sidecars"),
}
#: Checks that are not of the battery, and whatever has no place above.
OTHERS = "Others"
PLACES = {
    subject: (chapter, number)
    for number, (chapter, subject) in enumerate(
        (chapter, subject) for chapter, subjects in CHAPTERS.items() for subject in subjects
    )
}


def chapter_of(check: Check) -> str:
    """The chapter that a check stands in."""
    return PLACES.get(check.subject, (OTHERS, 0))[0]


def in_order(checks: Iterable[Check]) -> list[Check]:
    """The checks as people read them; those of one subject stay as they are written."""
    return sorted(checks, key=lambda check: PLACES.get(check.subject, (OTHERS, len(PLACES)))[1])


def by_chapter(checks: Iterable[Check]) -> dict[str, list[Check]]:
    """The chapters that have checks, in order."""
    chapters: dict[str, list[Check]] = {}
    for check in in_order(checks):
        chapters.setdefault(chapter_of(check), []).append(check)
    return chapters
