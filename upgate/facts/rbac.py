"""Roles and who has them."""

from __future__ import annotations

from upgate.facts.meta import Fact, KubernetesObject


class PolicyRule(Fact):
    """What a role allows."""

    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None


class RoleRef(Fact):
    """The role that a binding grants."""

    kind: str = ""
    name: str = ""


class RbacSubject(Fact):
    """Who gets the role."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class Role(KubernetesObject):
    """https://kubernetes.io/docs/reference/access-authn-authz/rbac/"""

    rules: list[PolicyRule] | None = None


class ClusterRole(KubernetesObject):
    """A role for the whole cluster."""

    rules: list[PolicyRule] | None = None


class RoleBinding(KubernetesObject):
    """Grants a role in one namespace."""

    role_ref: RoleRef = RoleRef()
    subjects: list[RbacSubject] | None = None


class ClusterRoleBinding(KubernetesObject):
    """Grants a role everywhere."""

    role_ref: RoleRef = RoleRef()
    subjects: list[RbacSubject] | None = None
