"""The smallest roles with which a profile can be judged: what its checks list, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from upgate.battery.registry import Registry
from upgate.facts.kinds import DEFINITIONS, KINDS, Kind
from upgate.facts.relations import lists_for
from upgate.facts.whole import WholeObject, query_of

if TYPE_CHECKING:
    from upgate.profile import Profile

HEADER = """\
# What upgate needs to judge the profile {name}: `list` only, nothing is ever changed.
# The API server's health, version and "who am I" are open to everybody who is logged in (the built-in roles
# system:public-info-viewer and system:basic-user), so they are not repeated here.
"""
CLUSTER_ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: upgate
rules:
"""
ROLE = """\
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: upgate
  namespace: {namespace}
rules:
"""
RULE = "- apiGroups: [{group}]\n  resources: [{resource}]\n  verbs: [list]\n"


def roles_as_yaml(profile: Profile, registry: Registry) -> str:
    """The roles as YAML: what is listed in one namespace alone is granted there."""
    kinds = needed(profile, registry)
    roles = [
        ROLE.format(namespace=namespace) + role_rules(each for each in kinds if each.namespace == namespace)
        for namespace in dict.fromkeys(each.namespace for each in kinds if each.namespace)
    ]
    everywhere = CLUSTER_ROLE + role_rules(each for each in kinds if not each.namespace)
    return HEADER.format(name=profile.name) + everywhere + "".join(roles)


def role_rules(kinds: Iterable[Kind]) -> str:
    """The rules of one role."""
    granted = dict.fromkeys((kind.group, kind.resource) for kind in kinds)
    return "".join(RULE.format(group=group or '""', resource=resource) for group, resource in granted) or "[]\n"


def needed(profile: Profile, registry: Registry) -> list[Kind]:
    """The kinds that the profile's checks list, in the order of KINDS."""
    from upgate.sources.hosts.targets import lists_for_hosts as needs_of_hosts
    from upgate.sources.probes.targets import lists_for_probes

    nouns = lists_for(registry.inputs(profile)) | lists_for_probes(profile.external) | needs_of_hosts(profile.hosts)
    named = dict.fromkeys(query_of(each).usual_kind for each in profile.resources)
    groups = profile.conditions.groups if profile.conditions else ()
    swept = [Kind(each, WholeObject, f"{each}/", '"*"') for each in groups if not set("*?[!") & {*each}]
    nouns |= {DEFINITIONS} if profile.conditions else set()
    return [*(kind for noun, kind in KINDS.items() if noun in nouns), *named, *swept]
