"""Who may what, worked out from roles and bindings: no access review is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from upgate.base.versions import minor_of
from upgate.facts.addons import COREDNS, Addon, Installed, Minor, Reading, coredns_of, installed_by
from upgate.facts.pods import Pod
from upgate.facts.rbac import ClusterRole, ClusterRoleBinding, PolicyRule

Lists = Mapping[str, list[Any]]
#: Namespace and name of a service account.
Account = tuple[str, str]


@dataclass(frozen=True)
class AddonAccount:
    """The service account of an add-on, and the versions of that which run as it."""

    namespace: str
    name: str
    installed: frozenset[Installed]

    @property
    def ref(self) -> str:
        """As in every report."""
        return f"ServiceAccount/{self.namespace}/{self.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"namespace": self.namespace, "name": self.name}


class AddonRights:
    """The service accounts of add-ons, and what they may read in the whole cluster."""

    needs = ("pods", "clusterroles", "clusterrolebindings")

    def __init__(self, lists: Lists) -> None:
        self._roles: dict[str, ClusterRole] = {each.name: each for each in lists["clusterroles"]}
        self._bindings: list[ClusterRoleBinding] = lists["clusterrolebindings"]
        # Without a single binding it is not RBAC that decides.
        self.accounts = accounts_of(lists["pods"]) if self._bindings else []

    def missing(self, account: AddonAccount, coming: str = "") -> str:
        """What its add-ons must read and may not, now and in the Kubernetes that is coming. Empty where they may all."""
        rules = self._rules(account)
        judged = [each for each in account.installed if asks_as(account, each.addon, rules)]
        said = [lacking_rights(each, rules, minor_of(coming.lstrip("<>=! "))) for each in judged]
        return "; ".join(sorted(filter(None, said)))

    def _rules(self, account: AddonAccount) -> list[PolicyRule]:
        """What bindings to it, and to the groups that it is in, allow."""
        roles = [
            self._roles.get(each.role_ref.name)
            for each in self._bindings
            if any(who.means(account.namespace, account.name) for who in each.subjects or ())
        ]
        return [rule for role in roles if role for rule in role.rules or ()]


def asks_as(account: AddonAccount, addon: Addon, rules: list[PolicyRule]) -> bool:
    """The add-on asks as this account; where that may read nothing of what it needs, a kubeconfig may name somebody else."""
    if addon.as_itself:
        return account.name != "default"
    return any(is_granted(rules, each) for each in addon.readings)


def accounts_of(pods: Iterable[Pod]) -> list[AddonAccount]:
    """The service accounts of the pods that run an add-on."""
    found: dict[Account, set[Installed]] = defaultdict(set)
    known: dict[str, list[Installed]] = {}
    for pod in pods:
        for container in pod.spec.containers or ():
            if container.image not in known:
                known[container.image] = installed_by(container.image)
            there = [each for each in known[container.image] if each.addon.namespace in ("", pod.namespace)]
            if there and pod.active:
                found[pod.namespace, pod.spec.service_account_name].update(there)
    return [AddonAccount(*key, frozenset(each)) for key, each in found.items() if key[1]]


def lacking_rights(installed: Installed, rules: list[PolicyRule], coming: Minor | None) -> str:
    """What it must read by these rules and may not: now, else in the version that comes. Empty where it may all."""
    for when, version in versions_of(installed, coming):
        readings = (each for each in installed.addon.readings if each.asked_by(version))
        if lacks := [each.words for each in readings if not is_granted(rules, each)]:
            return f"{installed.addon.name}{when} must {' and '.join(lacks)}, and may not"
    return ""


def is_granted(rules: list[PolicyRule], reading: Reading) -> bool:
    """Each of its verbs is allowed by one of the rules."""
    return all(any(rule.allows(verb, reading.group, reading.resource) for rule in rules) for verb in reading.verbs)


def versions_of(installed: Installed, coming: Minor | None) -> list[tuple[str, Minor | None]]:
    """The version that runs, and the one that an upgrade of Kubernetes brings: each with what is said of it."""
    addon, version = installed
    now: list[tuple[str, Minor | None]] = [(f" {minor_as_text(version)}" if version else "", version)]
    brought = coredns_of(coming) if coming and addon is COREDNS else None
    if brought and version and brought > version:
        return [*now, (f" {minor_as_text(brought)}, which the upgrade brings,", brought)]
    return now


def minor_as_text(version: Minor) -> str:
    """`1.12`."""
    return f"{version[0]}.{version[1]}"
