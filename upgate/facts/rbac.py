"""Roles and who has them."""

from __future__ import annotations

from upgate.facts.meta import Fact, KubernetesObject


class PolicyRule(Fact):
    """What a role allows."""

    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """It allows that for every object of the resource: one that names objects does not.

        https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
        """
        parts = ("*", resource, f"*/{resource.partition('/')[2]}") if "/" in resource else ("*", resource)
        wanted = (self.verbs, ("*", verb)), (self.api_groups, ("*", group)), (self.resources, parts)
        return not self.resource_names and all(any(each in fits for each in have or ()) for have, fits in wanted)


class RoleRef(Fact):
    """The role that a binding grants."""

    kind: str = ""
    name: str = ""


class RbacSubject(Fact):
    """Who gets the role."""

    kind: str = ""
    name: str = ""
    namespace: str = ""

    def means(self, namespace: str, account: str) -> bool:
        """It is that service account, the user that it is, or one of the groups that it is in."""
        groups = ("system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}")
        users = (f"system:serviceaccount:{namespace}:{account}", "*")
        match self.kind:
            case "ServiceAccount":
                return (self.namespace, self.name) == (namespace, account)
            case "User":
                return self.name in users
        return self.kind == "Group" and self.name in groups

    @property
    def is_group(self) -> bool:
        """It is a group: many are in it."""
        return self.kind == "Group"


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
