"""Effective settings: component → node → setting → value. Nodes with equal settings are one group.

Values are texts. What is not set has no entry: null, an empty text, list or map. Secrets are hidden, and what belongs to one
node (its name and addresses) stands as `{node}` and `{address}`, so that a node that replaces another is compared with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from upgate.facts.hiding import hidden_value
from upgate.facts.meta import Fact

#: The nodes of what belongs to none: a Deployment, a ConfigMap.
NO_NODE = ""
#: A line of a `/flagz` page, and what stands above the flags: `kube-apiserver flagz` and `Warning: …`.
FLAG_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,100})(?:[=:] ?| )(.*)")
TITLE, HEADING = "flagz", "Warning"
#: Settings of one component, and characters of a value and of a name.
MOST, LONGEST, LONGEST_NAME = 2000, 8192, 300
#: A shorter name of a node is in too many values.
SHORTEST_NAME = 2
#: How deep settings may be nested.
DEEPEST = 12
#: What says that nothing is set; in YAML that is read as texts, null is one.
UNSET: tuple[object, ...] = (None, "", [], "null", "~")
Settings = dict[str, str]


class SettingGroup(Fact):
    """Settings that are the same on all of these nodes."""

    #: `Kubelet`, `Deployment/kube-system/coredns`, …
    component: str
    nodes: list[str]
    settings: Settings
    #: The version of Kubernetes that the component has, where that is known.
    version: str = ""


class Configuration(Fact):
    """The settings of a cluster, as far as they were read."""

    groups: list[SettingGroup] = msgspec.field(default_factory=list)
    #: Component, or how the names of several begin → why they could not be read.
    unread: dict[str, str] = msgspec.field(default_factory=dict)


def joined_configurations(*parts: Configuration | None) -> Configuration | None:
    """Several parts as one; None where none was looked at."""
    there = [each for each in parts if each is not None]
    unread = {name: why for each in there for name, why in each.unread.items()}
    return Configuration([group for each in there for group in each.groups], unread) if there else None


def with_version(configuration: Configuration | None, version: str | None) -> Configuration | None:
    """The same; what says no version of its own has this one."""
    if configuration is None:
        return None
    groups = [each if each.version else replace(each, version=version or "") for each in configuration.groups]
    return replace(configuration, groups=groups)


def grouped_by_settings(component: str, found: Mapping[str, tuple[str, Settings]]) -> list[SettingGroup]:
    """The groups of a component, by node its version and settings."""
    groups: dict[str, SettingGroup] = {}
    for node, (version, settings) in sorted(found.items()):
        key = json.dumps([version, settings], sort_keys=True)
        groups.setdefault(key, SettingGroup(component, [], settings, version)).nodes.append(node)
    return list(groups.values())


def bounded(pairs: Iterable[tuple[str, str]], own: Mapping[str, str] | None = None) -> Settings:
    """Settings without secrets and without what is a node's own, no more and no longer than they may be."""
    settings: Settings = {}
    for name, value in pairs:
        if len(settings) < MOST:
            said = hidden_value(name.rpartition("/")[2], value[:LONGEST])
            settings[name[:LONGEST_NAME]] = without_own(said, own or {}) + rest_of(value)
    return settings


def rest_of(value: str) -> str:
    """What stands for the part of a value that is too long to be kept, so that a change in it is seen. Empty for most."""
    if len(value) <= LONGEST:
        return ""
    return f" … ({len(value)} characters, {sha256(value.encode(errors='replace')).hexdigest()[:16]})"


def without_own(value: str, own: Mapping[str, str]) -> str:
    """A value with placeholders for a node's own names and addresses."""
    for text, placeholder in own.items():
        value = value.replace(text, placeholder) if len(text) >= SHORTEST_NAME and not text.isdigit() else value
    return value


def flat(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """JSON or YAML as pairs of a path and a text. A list of things with names is told apart by those."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
    elif is_list_of_named(value):
        for inner in value:
            yield from flat(
                {key: each for key, each in inner.items() if key != "name"}, f"{name}.{inner['name']}", depth + 1
            )
    elif value not in UNSET:
        yield name, as_text(value)


def is_list_of_named(value: Any) -> bool:
    """Each of the list is an object with a name."""
    return (
        isinstance(value, list) and bool(value) and all(isinstance(each, dict) and each.get("name") for each in value)
    )


def as_text(value: Any) -> str:
    """One value: of a list its parts, joined; of what is not a text its JSON."""
    if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        return ",".join(map(as_text, value))
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def flag_lines(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The flags on a `/flagz` page, or on no more than what looks so.

    Between name and value stands `=`, `:` or a blank, which each process chooses at random, so that programs do not rely on it:
    https://github.com/kubernetes/enhancements/tree/master/keps/sig-instrumentation/4828-component-flagz
    """
    for line in lines:
        match = FLAG_LINE.fullmatch(line.strip())
        if match and match[1] != HEADING and match[2] != TITLE:
            yield f"--{match[1]}", match[2].removeprefix("[").removesuffix("]")


def arguments(given: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A command line: each flag with its value, also where that is the next argument; other arguments by their place."""
    flag, place = "", 0
    repeated: dict[str, str] = {}
    for each in given:
        if flag and not each.startswith("-"):
            repeated[flag] = f"{repeated[flag]},{each}".lstrip(",")
            flag = ""
            continue
        name, equals, value = each.partition("=")
        if name.startswith("-"):
            key = f"--{name.lstrip('-')}"
            earlier = repeated.get(key)
            repeated[key] = f"{earlier},{value}" if earlier else value
            flag = "" if equals else key
        else:
            flag, place = "", place + 1
            repeated[f"argument {place}"] = each
    yield from ((name, value or "true") for name, value in repeated.items())
