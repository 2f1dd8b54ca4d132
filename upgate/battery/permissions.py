"""The smallest ClusterRole with which a profile can be judged: what its checks list, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery.registry import Registry
from upgate.facts.kinds import KINDS, Kind
from upgate.facts.relations import lists_for

if TYPE_CHECKING:
    from upgate.profile import Profile

HEADER = """\
# What upgate needs to judge the profile {name}: `list` only, nothing is ever changed.
# The API server's health, version and "who am I" are open to everybody who is logged in (the built-in roles
# system:public-info-viewer and system:basic-user), so they are not repeated here.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: upgate
rules:
"""
RULE = "- apiGroups: [{group}]\n  resources: [{resource}]\n  verbs: [list]\n"


def render(profile: Profile, registry: Registry) -> str:
    """The ClusterRole as YAML."""
    rules = dict.fromkeys((kind.group, kind.resource) for kind in needed(profile, registry))
    text = "".join(RULE.format(group=group or '""', resource=resource) for group, resource in rules)
    return HEADER.format(name=profile.name) + (text or "[]\n")


def needed(profile: Profile, registry: Registry) -> list[Kind]:
    """The kinds that the profile's checks list, in the order of KINDS."""
    from upgate.sources.hosts.targets import needs as needs_of_hosts
    from upgate.sources.probes.targets import needs

    nouns = lists_for(registry.inputs(profile)) | needs(profile.external) | needs_of_hosts(profile.hosts)
    return [kind for noun, kind in KINDS.items() if noun in nouns]
