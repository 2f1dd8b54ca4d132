"""What has changed between two configurations of one cluster, by component and setting.

What an upgrade changes anyway is no change: versions, digests and dates inside of values, the order of lists, the settings that
a release adds with their defaults. A node that the baseline does not know is compared with the node there that is most like it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from upgate.base.harmless import Typed
from upgate.base.text import counted
from upgate.base.versions import minor_of
from upgate.facts.drift_words import look_at, value_change, where
from upgate.facts.host_settings import GRAVE, MAY_APPEAR
from upgate.facts.release_defaults import Default, default_of
from upgate.facts.settings import NO_NODE, Configuration, SettingGroup, Settings

#: Of an address only three of four numbers are like a version.
VERSION = re.compile(r"(?<![\w.])v?\d{1,6}\.\d{1,6}\.\d{1,6}(?!\w|\.\d)(?:[-+][\w.+-]{1,60})?")
#: The tag of an image that has two numbers: pause:3.10.
TAG = re.compile(r"(?<=[a-z]:)v?\d{1,6}\.\d{1,6}(?![\w.])")
DIGEST = re.compile(r"(?:@sha256:|\b)[0-9a-f]{64}\b")
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[-T][\d:-]{2,12}Z?)?")
#: Settings whose lists have an order.
ORDERED = ("clusterDNS", "--authorization-mode", "--service-cluster-ip-range", "--service-account-issuer", "command")
#: Components that tell all settings that their release knows, also those that nobody has set; kubeadm writes such ConfigMaps.
EFFECTIVE = ("Kubelet", "KubeProxy", "ConfigMap/kube-system/kubelet-config", "ConfigMap/kube-system/kube-proxy")
#: What means, of a setting that a release adds, that nothing was set.
NOTHING = ("false", "0", "0s", "{}", '"0"')
#: Components that answer with or without the version of their configuration, as their own version is.
VERSIONED, VERSION_KEY = ("KubeProxy",), "apiVersion"
#: What follows from another setting.
DOUBLES = {
    ("Socket", "tcp 10256"): ("KubeProxy", "healthzBindAddress"),
    ("Socket", "tcp 10249"): ("KubeProxy", "metricsBindAddress"),
    ("Argument", "kube-proxy/--healthz-bind-address"): ("KubeProxy", "healthzBindAddress"),
    ("Argument", "kube-proxy/--metrics-bind-address"): ("KubeProxy", "metricsBindAddress"),
}
#: Components that tell their settings themselves, and what is said where they do not any more.
SERVED = ("APIServer", "Kubelet", "KubeProxy")
NOT_SERVED = "{}: its settings are in the baseline, and it does not tell them now"


class SettingChange(NamedTuple):
    """One setting, from one value to another; None: it is not set."""

    old: str | None
    new: str | None
    #: The versions of Kubernetes that the component had and has; empty where they are not known.
    was: str = ""
    version: str = ""

    @property
    def upgraded(self) -> bool:
        """The component has another minor version than before."""
        before, now = minor_of(self.was), minor_of(self.version)
        return None not in (before, now) and before != now

    @property
    def words(self) -> str:
        """`110 → 33`."""
        return value_change(self.old, self.new)


@dataclass
class ComparedSetting:
    """One setting of a component, on all nodes that have it."""

    component: str
    name: str
    #: What changed, and on which nodes.
    changes: dict[SettingChange, list[str]] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """`Kubelet/worker-1/maxPods`; `Kubelet/*/maxPods` where several nodes changed; without nodes `APIServer/--v`."""
        node = self._nodes[0] if len(self._nodes) == 1 else "*"
        return "/".join(filter(None, (self.component, node, self.name)))

    @property
    def _nodes(self) -> list[str]:
        return [node for changed in self.changes.values() for node in changed]

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"look": Typed(look_at(self.component, next((node for node in self._nodes), NO_NODE)))}

    @property
    def changed(self) -> str:
        """Old and new values, with the nodes; and what is known of why. Empty where nothing changed."""
        return "; ".join(self._told(change, nodes) for change, nodes in self.changes.items())

    @property
    def of_release(self) -> bool:
        """A new release brought the setting, and nothing tells its default."""
        return self.component in EFFECTIVE and all(change.upgraded and change.old is None for change in self.changes)

    @property
    def grave(self) -> bool:
        """Of a host: it breaks Services, or what others ask of a node."""
        lost = any(change.old == "policy rules" for change in self.changes)
        return lost or (self.component in GRAVE and not self.of_release)

    def _told(self, change: SettingChange, nodes: list[str]) -> str:
        default = self.default_of(change)
        return change.words + where(nodes) + (f" ({default.said})" if default else "")

    def default_of(self, change: SettingChange) -> Default | None:
        """The entry of the table that explains a change."""
        kind = self.component.partition("/")[0]
        return default_of(kind, self.name, change.old, change.new, change.was, change.version)

    def counts(self, change: SettingChange) -> bool:
        """It is more than what every upgrade does."""
        if alike(self.name, change.old, change.new):
            return False
        if change.old is None and self.component in MAY_APPEAR:
            return False
        default = self.default_of(change)
        if default and default.old is None:
            return False
        appeared_or_gone = change.upgraded and None in (change.old, change.new)
        listed_always = self.component == "APIServer" or self.name.startswith("--")
        nothing = self.component in EFFECTIVE and (change.new or change.old) in NOTHING
        return not (appeared_or_gone and (listed_always or nothing))


def alike(name: str, old: str | None, new: str | None) -> bool:
    """Both values mean the same, but for what an upgrade changes anyway."""
    if old is None or new is None:
        return old == new
    return old == new or neutral(name, old) == neutral(name, new)


def neutral(name: str, value: str) -> list[str]:
    """The parts of a value, in an order of their own where they have none, without versions, digests, dates and comments."""
    for pattern in (DIGEST, DATE, VERSION, TAG):
        value = pattern.sub("…", value)
    if "\n" in value:
        lines = (each.strip() for each in value.split("\n"))
        return [each for each in lines if each and not each.startswith("#")]
    parts = [each.strip() for each in value.split(",")]
    return parts if name.rpartition("/")[2] in ORDERED else sorted(parts)


def compare_settings(before: Configuration, now: Configuration) -> list[ComparedSetting]:
    """Every setting of the components that both know, with what changed."""
    then = by_component(before.groups)
    found: dict[tuple[str, str], ComparedSetting] = {}
    for component, groups in by_component(now.groups).items():
        for old, new, nodes in paired_groups(then.get(component, []), groups):
            old, new = with_parts(old, new), with_parts(new, old)
            for name in names_of(old, new):
                compared = found.setdefault((component, name), ComparedSetting(component, name))
                change = SettingChange(old.settings.get(name), new.settings.get(name), old.version, new.version)
                if change.old != change.new and compared.counts(change):
                    compared.changes.setdefault(change, []).extend(nodes)
    return [each for each in found.values() if not is_double(each, found)]


def with_parts(group: SettingGroup, other: SettingGroup) -> SettingGroup:
    """The same; what belongs to a part that the other lacks altogether, such as a container, is told once."""
    theirs = {part_in(name) for name in other.settings}
    alone = Counter(part for name in group.settings if (part := part_in(name)) and part not in theirs)
    kept = {name: value for name, value in group.settings.items() if alone[part_in(name)] < 2}
    whole = {part: counted(count, "setting") for part, count in alone.items() if count > 1}
    return replace(group, settings=kept | whole)


def part_in(name: str) -> str:
    """`coredns` of `coredns/env/GOGC`; empty for what belongs to no part."""
    return name.rpartition("/")[0].partition("/")[0]


def names_of(old: SettingGroup, new: SettingGroup) -> list[str]:
    """The settings of either; where one answers in another form than the other, those that both know."""
    both = [name for name in new.settings if name in old.settings]
    if old.component in VERSIONED and (VERSION_KEY in old.settings) != (VERSION_KEY in new.settings):
        return both
    return [*new.settings, *(each for each in old.settings if each not in new.settings)]


def is_double(setting: ComparedSetting, found: Mapping[tuple[str, str], ComparedSetting]) -> bool:
    """Another setting tells the same: an API server's flag that its static pod has, a port that kube-proxy is told."""
    flag = ("StaticPod/kube-apiserver", f"kube-apiserver/{setting.name}")
    key = DOUBLES.get((setting.component, setting.name)) or (flag if setting.component == "APIServer" else None)
    other = found.get(key) if key else None
    return bool(setting.changes and other and other.changes)


def by_component(groups: Iterable[SettingGroup]) -> dict[str, list[SettingGroup]]:
    """The groups of each component."""
    found: dict[str, list[SettingGroup]] = {}
    for group in groups:
        found.setdefault(group.component, []).append(group)
    return found


def paired_groups(
    before: list[SettingGroup], now: list[SettingGroup]
) -> Iterator[tuple[SettingGroup, SettingGroup, list[str]]]:
    """Which group was which, and the nodes that went from one to the other."""
    home = {node: number for number, group in enumerate(before) for node in group.nodes}
    for group in now if before else ():
        nodes: dict[int, list[str]] = {}
        unknown = [node for node in group.nodes if node not in home]
        for node in group.nodes:
            if node in home:
                nodes.setdefault(home[node], []).append(node)
        if unknown:
            nodes.setdefault(most_like(before, group.settings), []).extend(unknown)
        yield from ((before[number], group, sorted(members)) for number, members in nodes.items())


def most_like(groups: list[SettingGroup], settings: Settings) -> int:
    """The group with the fewest differences."""

    def differences(number: int) -> int:
        theirs = groups[number].settings
        return sum(not alike(name, theirs.get(name), settings.get(name)) for name in {*theirs, *settings})

    return min(range(len(groups)), key=differences)


def uncomparable(before: Configuration, now: Configuration) -> list[str]:
    """What cannot be compared, and why: a sentence each."""
    missing = {each.component for each in before.groups} - {each.component for each in now.groups} - now.unread.keys()
    unread = [f"{name}: {why}" for name, why in now.unread.items()]
    then = [f"{name}: not in the baseline: {why}" for name, why in before.unread.items() if name not in now.unread]
    return [*unread, *then, *(NOT_SERVED.format(each) for each in SERVED if each in missing)]
