"""Check ids in a profile: known ones, and patterns that match known ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import filter as filter_names
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from upgate.profile.external import KINDS, external_id
from upgate.profile.problems import nearest
from upgate.profile.tree import YamlNode


def declared(root: YamlNode) -> Iterator[str]:
    """The ids of the checks that a profile itself declares, as far as its entries have names."""
    for query in entries(root.child("prometheus"), "queries"):
        if query.text_at("name"):
            yield f"alerts.query.{query.text_at('name')}"
    for entry in entries(root, "resources"):
        if entry.text_at("name"):
            yield f"expect.{entry.text_at('name')}"
    for entry in entries(root, "external"):
        if entry.text_at("name") and entry.is_set("budget"):
            yield f"disruption.{entry.text_at('name')}"
        for kind in KINDS:
            if entry.text_at("name") and entry.child(kind):
                yield from external_ids(entry, external_id(entry.text_at("name"), kind))


def external_ids(entry: YamlNode, id: str) -> Iterator[str]:
    """The ids of one entry of `external:`."""
    each = entry.child("each")
    yield f"{id}[{each.value}]" if each else id
    yield id


def entries(root: YamlNode | None, key: str) -> list[YamlNode]:
    """The entries of a list of the profile; none where there is no such list."""
    node = root.child(key) if root and isinstance(root.value, dict) else None
    return node.entries() if node else []


@dataclass
class KnownIds:
    """All check ids that there are."""

    ids: Collection[str]
    #: Finding what was meant takes long where there are many: the first mistakes get a hint.
    hints: int = 20

    def meant(self, value: str) -> str:
        """` did you mean "…"?` for the first mistakes that resemble an id, else nothing."""
        self.hints -= 1
        return nearest(value, self.ids) if self.hints >= 0 else ""


def known_ids(info: ValidationInfo) -> KnownIds | None:
    """All ids that there are; None where the caller gave none."""
    return (info.context or {}).get("known")


def check_id(value: str, info: ValidationInfo) -> str:
    """The id of a check that there is. Raises ValueError."""
    known = known_ids(info)
    if known and value not in known.ids:
        raise ValueError(f"no check has this id{known.meant(value)}")
    return value


def check_pattern(value: str, info: ValidationInfo) -> str:
    """An id or a pattern that at least one check matches. Raises ValueError."""
    known = known_ids(info)
    if known and value not in known.ids and not filter_names(known.ids, value):
        raise ValueError(f"no check matches this pattern{known.meant(value)}")
    return value


CheckId = Annotated[str, AfterValidator(check_id)]
CheckPattern = Annotated[str, AfterValidator(check_pattern)]
