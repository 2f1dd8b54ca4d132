"""The smallest roles with which a profile can be judged: what its checks list, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from upgate.facts.kinds import KINDS, Kind
from upgate.facts.relations import lists_for
from upgate.profile.known import battery, is_check, literal, parse, test_files

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


def render(profile: Profile, paths: Iterable[Path] = ()) -> str:
    """The roles as YAML: what is listed in one namespace alone is granted there. `paths` hold further checks of one's own."""
    kinds = needed(profile, paths)
    roles = [
        ROLE.format(namespace=namespace) + rules(each for each in kinds if each.namespace == namespace)
        for namespace in dict.fromkeys(each.namespace for each in kinds if each.namespace)
    ]
    everywhere = CLUSTER_ROLE + rules(each for each in kinds if not each.namespace)
    return HEADER.format(name=profile.name) + everywhere + "".join(roles)


def rules(kinds: Iterable[Kind]) -> str:
    """The rules of one role."""
    granted = dict.fromkeys((kind.group, kind.resource) for kind in kinds)
    return "".join(RULE.format(group=group or '""', resource=resource) for group, resource in granted) or "[]\n"


def needed(profile: Profile, paths: Iterable[Path] = ()) -> list[Kind]:
    """The kinds that the profile's checks list, in the order of KINDS."""
    from upgate.hosts.targets import needs as needs_of_hosts
    from upgate.probes.targets import needs

    wanted = {
        name for id, names in parameters([battery(), *paths]) if profile.checks.get(id) != "off" for name in names
    }
    nouns = lists_for(wanted) | needs(profile.external) | needs_of_hosts(profile.hosts)
    return [kind for noun, kind in KINDS.items() if noun in nouns]


def parameters(paths: Iterable[Path]) -> Iterator[tuple[str, list[str]]]:
    """The id of each check in the files below the paths, and the nouns that it takes."""
    for file in test_files(paths):
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.FunctionDef):
                calls = (each for each in node.decorator_list if isinstance(each, ast.Call) and is_check(each.func))
                id = next(filter(None, map(literal, calls)), "")
                yield id, [argument.arg for argument in node.args.args]
