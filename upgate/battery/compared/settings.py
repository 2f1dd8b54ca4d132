"""Settings, selectors and APIs, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from upgate.battery.compared.changed import (
    ChangedObject,
    kind_in,
    old_to_new,
    replaced,
    stems_of_new,
)
from upgate.facts.recorded.apis import ApiState
from upgate.facts.recorded.selectors import SelectorState
from upgate.facts.recorded.settings import NamespaceState, SettingsState
from upgate.facts.recorded.states import stem
from upgate.results import Severity

#: Labels that say which version of a chart or a program made an object.
OF_VERSION = ("helm.sh/chart", "chart", "*version*")
#: A label that names the revision of a mesh: another number is an upgrade of the mesh, which `mesh:` judges.
REVISION = "istio.io/rev"
NOTHING = "(none)"


@dataclass(frozen=True)
class ChangedNamespace(ChangedObject[NamespaceState]):
    """The labels and annotations of a namespace that is still there."""

    @property
    def changes(self) -> str:
        """Labels that are lost, new or have another value, and annotations that are lost or changed. Empty where none are."""
        return "; ".join([*self._labels(), *self._annotations()])

    def _labels(self) -> Iterator[str]:
        old, new = self.before.labels, self.now.labels if self.now else {}
        for key in {**old, **new}:
            if old.get(key) != new.get(key) and not (of_version(key) or another_revision(key, old, new)):
                yield old_to_new(f"label {key}", old.get(key, NOTHING), new.get(key, NOTHING))

    def _annotations(self) -> Iterator[str]:
        old, new = self.before.annotations, self.now.annotations if self.now else {}
        for key, value in old.items():
            if stem(value) != stem(new.get(key, NOTHING)):
                yield old_to_new(f"annotation {key}", value, new.get(key, NOTHING))


def of_version(key: str) -> bool:
    """A label of that key says which version of something made the object."""
    return any(fnmatchcase(key, each) for each in OF_VERSION)


def another_revision(key: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """The label names another revision of the same mesh."""
    return key == REVISION and key in old and key in new and stem(old[key]) == stem(new[key])


def changed_namespaces(
    before: Mapping[str, NamespaceState], now: Mapping[str, NamespaceState]
) -> Iterator[ChangedNamespace]:
    """Those of the baseline that are still there."""
    yield from (ChangedNamespace(ref, state, now[ref]) for ref, state in before.items() if ref in now)


@dataclass(frozen=True)
class ChangedExtension(ChangedObject[SettingsState]):
    """A webhook configuration, or a class of storage or Ingresses."""

    #: There is a default of its kind now.
    has_default: bool = True

    @property
    def changes(self) -> str:
        """It is gone, new, or set otherwise: old → new. Empty where it is as before."""
        if self.now is None:
            return "gone"
        old, new = self.before.settings, self.now.settings
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return "; ".join(old_to_new(name, old.get(name, NOTHING), new.get(name, NOTHING)) for name in names)

    @property
    def severity(self) -> Severity | None:
        """A class that is gone, and a default without another one, are missed at once."""
        lost = self.now is None or self.now.settings.get("default") == "no" != self.before.settings.get("default")
        return None if lost and (self.now is None or not self.has_default) else "warning"


def changed_extensions(
    before: Mapping[str, SettingsState], now: Mapping[str, SettingsState]
) -> Iterator[ChangedExtension]:
    """All of the baseline, and what is new since: a webhook intercepts what nothing did before."""
    new, old = stems_of_new(before, now), stems_of_new(now, before)
    defaults = {kind_in(ref) for ref, state in now.items() if state.settings.get("default") == "yes"}
    for ref, state in before.items():
        if ref in now or not replaced(ref, new):
            yield ChangedExtension(ref, state, now.get(ref), kind_in(ref) in defaults)
    for ref in now.keys() - before.keys():
        matters = kind_in(ref).endswith("WebhookConfiguration") or now[ref].settings.get("default") == "yes"
        if matters and not replaced(ref, old):
            yield ChangedExtension(ref, SettingsState(), now[ref])


@dataclass(frozen=True)
class ChangedApi(ChangedObject[ApiState]):
    """A version of an API group, or a CustomResourceDefinition."""

    #: Another version of its group is served.
    group_served: bool = False

    @property
    def unserved(self) -> str:
        """What is not served any more, and has objects as far as that is known. Empty where nothing is lost."""
        before = self.before
        if self.now is None:
            empty = before.objects == 0 or (before.objects is None and self.group_served and not before.versions)
            number = "" if before.objects is None else f", it had {before.objects} objects"
            return "" if empty and not before.aggregated else f"no longer served{number}"
        lost = [each for each in before.versions if each not in self.now.versions]
        return (
            old_to_new("versions", ", ".join(before.versions), ", ".join(self.now.versions) or NOTHING) if lost else ""
        )

    @property
    def severity(self) -> Severity | None:
        """Where it is not known whether there were objects, it may be that nobody asks for them."""
        known = self.before.objects or self.before.aggregated or self.before.versions
        return None if known else "warning"


def changed_apis(before: Mapping[str, ApiState], now: Mapping[str, ApiState]) -> Iterator[ChangedApi]:
    """All of the baseline; a version of a custom group is told with its CustomResourceDefinitions."""
    custom = {state.group for state in before.values() if state.versions}
    served = {state.group for state in now.values()}
    for ref, state in before.items():
        if state.versions or state.aggregated or state.group not in custom:
            yield ChangedApi(ref, state, now.get(ref), state.group in served)


@dataclass(frozen=True)
class ChangedSelectors(ChangedObject[dict[str, SelectorState]]):
    """The selectors of an object that is still there."""

    nodes_lost: int = 0

    @property
    def blind(self) -> str:
        """Those that matched something and match nothing now. Empty where each still does."""
        return "; ".join(self._blind(self.now or {}))

    def _blind(self, now: Mapping[str, SelectorState]) -> Iterator[str]:
        for field, had in self.before.items():
            have = now.get(field)
            # Nodes that are gone are counted elsewhere, and come back with an autoscaler.
            removed = had.of_nodes and self.nodes_lost >= had.matched
            if have and had.matched and not have.matched and not removed:
                changed = "" if have.selector == had.selector else f" (was {had.selector})"
                yield f"{field} {have.selector}{changed} matches nothing, in the baseline {had.matched}"


def changed_selectors(
    before: Mapping[str, dict[str, SelectorState]], now: Mapping[str, dict[str, SelectorState]], nodes_lost: int
) -> Iterator[ChangedSelectors]:
    """Those of the baseline that are still there."""
    for ref, fields in before.items():
        if ref in now:
            yield ChangedSelectors(ref, fields, now[ref], nodes_lost)
