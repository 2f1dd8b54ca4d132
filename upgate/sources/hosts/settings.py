"""The section `settings`: what an upgrade of a host may change without a word, as component → setting → value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from upgate.facts.settings import Settings, arguments, bounded, flat
from upgate.sources.hosts.commands import parsed_json, redacted_arguments
from upgate.sources.hosts.sections import Lines, field_rows, field_values

#: What systemd says of a unit beside its limits.
LOADED = "LoadState"
#: What kube-proxy calls its configuration; before 1.36 it answers with the names of its own program's fields.
KUBE_PROXY = "kubeproxy.config.k8s.io"
#: Arguments of one host that belong to it alone.
ITS_OWN = ("--node-labels", "--node-ip", "--provider-id", "--hostname-override", "--pod-cidr", "--register-with-taints")

HostSettings = dict[str, Settings]


def host_settings(lines: Lines) -> HostSettings:
    """All settings of a host, by component."""
    found: dict[str, dict[str, str]] = {}
    for component, name, value in (*field_rows(lines, "set", 3), *unit_limits(lines), *started_with(lines)):
        if value.strip(", "):
            found.setdefault(component, {})[name] = value.strip(", ")
    found |= proxy_settings(lines)
    return {component: bounded(settings.items()) for component, settings in found.items()}


def unit_limits(lines: Lines) -> Iterator[tuple[str, str, str]]:
    """The limits of units that are loaded."""
    shown: dict[str, dict[str, str]] = {}
    for unit, said in field_rows(lines, "unit", 2):
        name, _, value = said.partition("=")
        shown.setdefault(unit, {})[name] = value
    for unit, limits in shown.items():
        if limits.pop(LOADED, "") == "loaded":
            yield from (("Unit", f"{unit} {name}", value) for name, value in limits.items())


def started_with(lines: Lines) -> Iterator[tuple[str, str, str]]:
    """The arguments of the components that run; of several processes the same one each time."""
    seen: set[str] = set()
    for component, _, line in sorted(field_rows(lines, "process", 3), key=lambda row: row[2]):
        given = list(redacted_arguments(line.rstrip("\x1f").split("\x1f")))
        if component not in seen and given[0]:
            seen.add(component)
            pairs = arguments(given[1:])
            yield from (("Argument", f"{component}/{name}", value) for name, value in pairs if name not in ITS_OWN)


def proxy_settings(lines: Lines) -> dict[str, Settings]:
    """What kube-proxy answers on its own host; nothing where it does not."""
    said = parsed_json("".join(field_values(lines, "proxy"))[:60_000])
    inner = said.get(KUBE_PROXY) if isinstance(said, dict) else None
    if not isinstance(inner, dict):
        return {}
    return {"KubeProxy": {name: value for name, value in flat(with_lower_names(inner)) if name != "hostnameOverride"}}


def with_lower_names(value: Any) -> Any:
    """The same with names as they are in the configuration: `HealthzBindAddress` is healthzBindAddress."""
    if isinstance(value, dict):
        return {
            key[:1].lower() + key[1:]: with_lower_names(inner) for key, inner in value.items() if isinstance(key, str)
        }
    return value
