"""Manifests of static pods: the subset of YAML that a pod needs, within limits, without tags and aliases."""

from __future__ import annotations

from typing import Any

import yaml

from upgate.sources.hosts.texts import encodable

#: Limits for the characters of a manifest and its nesting depth. A kube-apiserver's has 5,000 and 8.
LONGEST, DEEPEST = 2**17, 32
#: Only the parser, which does not recurse; libyaml's if PyYAML has it.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def containers_in(text: str) -> list[dict[str, Any]]:
    """The containers of a pod's manifest; empty if it is not one. Raises ValueError if it cannot be read."""
    pod = value_of(text)
    spec = pod.get("spec") if isinstance(pod, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    return [each for each in list_entries(containers) if isinstance(each, dict)]


def list_entries(value: Any) -> list[Any]:
    """The entries of a list; empty if the value is not a list."""
    return value if isinstance(value, list) else []


def value_of(text: str) -> Any:
    """The first document as dicts, lists and texts; tags are ignored. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    try:
        return built(text)
    except yaml.YAMLError as problem:
        raise ValueError(str(getattr(problem, "problem", None) or "it is not valid YAML")) from None


def built(text: str) -> Any:
    """The value of the parser's events. Raises ValueError and YAMLError."""
    above: list[list[Any]] = []
    inside: list[Any] = []
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has an alias, which is not supported")
        if isinstance(event, yaml.CollectionStartEvent):
            above.append(inside)
            inside = []
            if len(above) > DEEPEST:
                raise ValueError(f"it has more than {DEEPEST} levels")
        elif isinstance(event, yaml.ScalarEvent):
            inside.append(encodable(event.value))
        elif isinstance(event, yaml.CollectionEndEvent):
            value = mapping(inside) if isinstance(event, yaml.MappingEndEvent) else inside
            inside = above.pop()
            inside.append(value)
        elif isinstance(event, yaml.DocumentEndEvent):
            break
    return inside[0] if inside else None


def mapping(inside: list[Any]) -> dict[str, Any]:
    """Alternating keys and values as a dict; keys that are not text are ignored."""
    return {key: value for key, value in zip(inside[::2], inside[1::2], strict=True) if isinstance(key, str)}
