"""What a check judges of settings: those of the baseline and those of now, compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from upgate.base.errors import Inconclusive
from upgate.base.scope import matches_scope
from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.drift import ComparedSetting, compare_settings, uncomparable
from upgate.facts.host_settings import COMPONENTS
from upgate.facts.settings import Configuration

#: The component whose settings are read where the profile's `allow:` names nodes-proxy.
KUBELET = "Kubelet"


def of_cluster(kind: str) -> bool:
    """A component is neither a kubelet nor a host's."""
    return kind != KUBELET and not of_host(kind)


def of_host(kind: str) -> bool:
    """A component of a host."""
    return kind in COMPONENTS


def compared_settings(
    before: Configuration | None,
    now: Configuration,
    counts: Callable[[str], bool],
    namespaces: Sequence[str],
    judgement: Judgement,
) -> Subjects[ComparedSetting]:
    """The settings of these components. Raises Inconclusive where the baseline has none at all."""
    if before is None:
        raise Inconclusive("the baseline does not hold any settings: save a new one with --save-baseline")

    def ours(component: str) -> bool:
        return counts(component.partition("/")[0]) and in_namespaces(component, namespaces)

    then, here = part_of(before, ours), part_of(now, ours)
    judgement.gaps += uncomparable(then, here)
    return Subjects("settings", compare_settings(then, here), judgement)


def part_of(configuration: Configuration, ours: Callable[[str], bool]) -> Configuration:
    """Some of its components."""
    groups = [each for each in configuration.groups if ours(each.component)]
    return Configuration(groups, {name: why for name, why in configuration.unread.items() if ours(name)})


def in_namespaces(component: str, namespaces: Sequence[str]) -> bool:
    """It belongs to no namespace, or to one in scope: `Deployment/kube-system/coredns`."""
    _, *rest = component.split("/")
    return len(rest) < 2 or matches_scope(rest[0], namespaces)
