"""The smallest roles with which a profile can be judged: what its checks list, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from upgate.battery.registry import Registry
from upgate.facts.joining import ConfigMap
from upgate.facts.kinds import DEFINITIONS, KINDS, Kind
from upgate.facts.relations import lists_for
from upgate.facts.whole import WholeObject, query_of

if TYPE_CHECKING:
    from upgate.profile import Profile

#: API group and resource of what is listed only where the profile's `allow:` names a word.
ALLOWED_RESOURCES = {("", "secrets")}
HEADER = """\
# What upgate needs to judge the profile {name}: `list`, and `get` for what is not a list; nothing is ever changed{but}.
# The API server's health, version and "who am I" are open to everybody who is logged in (the built-in roles
# system:public-info-viewer and system:basic-user), so they are not repeated here.
"""
#: What a header adds where objects are created.
BUT = " but in the namespace of the probe"
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
LOG_RULE = '- apiGroups: [""]\n  resources: [pods/log]\n  verbs: [get]\n'
#: The rules of what is asked beside lists.
BESIDE = {
    "metrics": "- nonResourceURLs: [/metrics]\n  verbs: [get]\n",
    "configuration": "- nonResourceURLs: [/flagz]\n  verbs: [get]\n",
    "kubelet_settings": '- apiGroups: [""]\n  resources: [nodes/proxy]\n  verbs: [get]\n',
    "proxies": '- apiGroups: [""]\n  resources: [pods/proxy]\n  verbs: [get]\n',
    "kubelet_answers": '- apiGroups: [""]\n  resources: [nodes/proxy]\n  verbs: [get]\n',
    "crash_logs": LOG_RULE,
    "control_logs": LOG_RULE,
}
#: The ConfigMaps whose settings are compared with the baseline.
SYSTEM_CONFIGMAPS = Kind("configmaps", ConfigMap, "v1", "configmaps", namespace="kube-system")
#: No rule can name the custom resources of a cluster that is not known.
CUSTOM = """\
# apis.custom-readable also lists each custom resource of the cluster. Which there are is not known here: add `list` on them, or
# bind the built-in role `view`, where the operators add their resources to it.
"""
#: What stands above a rule that is there only because the profile's `allow:` asks for it. RBAC cannot narrow it down further.
ALLOWED_RULE = """\
# Because the profile's `allow:` names secrets: RBAC knows neither types nor parts of Secrets, so this rule lets upgate read
# all of each. It asks for those of type kubernetes.io/tls, keeps of them what their certificates say to everybody, and of
# the others it asks for names and labels alone. Take the word out of `allow:` to do without.
"""
#: The namespace of the probe, and what is created, read and deleted there: nothing of it reaches beyond.
PROBE_ROLE = """\
---
# Because the profile has `probe:`, the only thing that creates objects. A run uses this namespace and leaves it. Where it does
# not exist a run makes it and deletes it again, for which it needs `create` on namespaces and the rules below cluster-wide.
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
  labels:
    app.kubernetes.io/managed-by: upgate
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: upgate-probe
  namespace: {namespace}
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [create, list, deletecollection]
- apiGroups: [""]
  resources: [services]
  verbs: [create, list, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list]
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [{namespace}]
  verbs: [get]
"""
RULE = "- apiGroups: [{group}]\n  resources: [{resource}]\n{named}  verbs: [list]\n"


def roles_as_yaml(profile: Profile, registry: Registry) -> str:
    """The roles as YAML: what is listed in one namespace alone is granted there. `-m preflight` needs no more."""
    kinds, nouns = needed(profile, registry), lists_for(registry.inputs(profile, preflight=True))
    roles = [
        ROLE.format(namespace=namespace) + role_rules(each for each in kinds if each.namespace == namespace)
        for namespace in dict.fromkeys(each.namespace for each in kinds if each.namespace)
    ]
    beside = "".join(dict.fromkeys(rule for name, rule in BESIDE.items() if name in nouns))
    everywhere = CLUSTER_ROLE + role_rules((each for each in kinds if not each.namespace), beside)
    custom = CUSTOM if "custom_reads" in nouns else ""
    probe = PROBE_ROLE.format(namespace=profile.probe.namespace) if profile.probe else ""
    return (
        HEADER.format(name=profile.name, but=BUT if profile.probe else "")
        + custom
        + everywhere
        + "".join(roles)
        + probe
    )


def role_rules(kinds: Iterable[Kind], more: str = "") -> str:
    """The rules of one role, and `more` of them."""
    granted = dict.fromkeys((kind.group, kind.resource, kind.only) for kind in kinds)
    return "".join(list_rule(*each) for each in granted) + more or "[]\n"


def list_rule(group: str, resource: str, name: str) -> str:
    """One rule; one that the profile allows on top says so."""
    words = ALLOWED_RULE if (group, resource) in ALLOWED_RESOURCES else ""
    named = f"  resourceNames: [{name}]\n" if name else ""
    return words + RULE.format(group=group or '""', resource=resource, named=named)


def needed(profile: Profile, registry: Registry) -> list[Kind]:
    """The kinds that the profile's checks list, before an upgrade too, in the order of KINDS."""
    from upgate.sources.hosts.targets import lists_for_hosts as needs_of_hosts
    from upgate.sources.inside.planning import LISTS
    from upgate.sources.probes.targets import lists_for_probes

    nouns = lists_for(registry.inputs(profile, preflight=True))
    nouns |= lists_for_probes(profile.external) | needs_of_hosts(profile.hosts)
    nouns |= {DEFINITIONS} if profile.conditions else set()
    nouns |= set(LISTS) if profile.probe else set()
    named = dict.fromkeys(query_of(each).usual_kind for each in profile.resources)
    groups = profile.conditions.groups if profile.conditions else ()
    swept = [Kind(each, WholeObject, f"{each}/", '"*"') for each in groups if not set("*?[!") & {*each}]
    settings = [SYSTEM_CONFIGMAPS] if "configuration" in nouns else []
    return [*(kind for noun, kind in KINDS.items() if noun in nouns), *settings, *named, *swept]
