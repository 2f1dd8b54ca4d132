"""One profile over another: `extends`.

Mappings merge, lists whose entries have a `name` merge by it (the base's order, then what is new), any other value
replaces the base's. `key: null` takes the base's value away, so that the default holds again.
"""

from __future__ import annotations

from dataclasses import replace

from upgate.profile.tree import YamlNode


def merge(base: YamlNode, over: YamlNode) -> YamlNode:
    """The base with the other one laid over it. Every value keeps its place in its own file."""
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return merge_mappings(base, over)
    if is_named_list(base) and is_named_list(over):
        return merge_lists(base, over)
    return replace(over, hides=True) if over.value is None and base.value is not None else over


def merge_mappings(base: YamlNode, over: YamlNode) -> YamlNode:
    """Key by key."""
    value = base.value | {
        key: merge(base.value[key], node) if key in base.value else node for key, node in over.value.items()
    }
    return YamlNode(value, over.place, keys=base.keys | over.keys)


def merge_lists(base: YamlNode, over: YamlNode) -> YamlNode:
    """Name by name."""
    entries = {node.text_at("name"): node for node in base.value}
    for node in over.value:
        name = node.text_at("name")
        entries[name] = merge(entries[name], node) if name in entries else node
    return YamlNode(list(entries.values()), over.place)


def is_named_list(node: YamlNode) -> bool:
    """A list whose entries all have different names. An empty list has none: it replaces the base's."""
    names = [entry.text_at("name") for entry in node.entries()]
    return bool(names) and all(names) and len(set(names)) == len(names)
