"""The effective profile as YAML: every value with all defaults, `${VAR}` as it is written, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from upgate.base.redaction import redact
from upgate.profile.files import DEFAULT
from upgate.profile.model import Profile
from upgate.profile.problems import shown
from upgate.profile.tree import YamlNode, walk


def effective_profile(profile: Profile) -> str:
    """The profile as a file that would load as the same profile."""
    values = profile.model_dump(mode="json", by_alias=True, exclude={"extends"})
    parts = [heading(profile), *(part(key, value, profile.tree.child(key)) for key, value in values.items())]
    return redact("\n".join(parts), profile.secrets, by_name=False)


def heading(profile: Profile) -> str:
    """What is shown, as a comment."""
    extends = profile.extends and profile.extends != DEFAULT
    over = f", which extends {profile.extends}" if extends else ""
    return f"# The profile {profile.name}: {shown(profile.source) if profile.source else 'built in'}{over}.\n"


def part(key: str, value: Any, node: YamlNode | None) -> str:
    """One key of the profile, and where its value comes from."""
    lines = yaml.safe_dump({key: as_written(value, node)}, sort_keys=False, allow_unicode=True, width=110)
    return f"# {origin(node)}\n{lines}"


def origin(node: YamlNode | None) -> str:
    """The files that say something under a key; the profile's own before the one that it extends."""
    files = dict.fromkeys(inner.place.file for _, inner in walk(node)) if node else {}
    return f"from {' over '.join(files)}" if files else "default"


def as_written(value: Any, node: YamlNode | None) -> Any:
    """The value with the texts of the file in the place of what became of them."""
    if isinstance(value, dict):
        return {key: as_written(each, node and node.child(key)) for key, each in value.items()}
    if isinstance(value, list):
        return list(list_as_written(value, node))
    return node.value if node and isinstance(node.value, str) else value


def list_as_written(values: list[Any], node: YamlNode | None) -> Iterator[Any]:
    """The entries as they are written, without what they leave out."""
    for index, value in enumerate(values):
        entry = node.child(index) if node and isinstance(node.value, list) else node
        shown_value = as_written(value, entry)
        yield (
            {key: each for key, each in shown_value.items() if each not in (None, {})}
            if isinstance(value, dict)
            else shown_value
        )
