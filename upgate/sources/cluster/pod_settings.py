"""What the pod template of a workload sets, and what is in a ConfigMap that it mounts. Images are not settings here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from upgate.facts.certificates import BEGIN, END
from upgate.facts.hiding import hidden_value
from upgate.facts.settings import Settings, arguments, as_text, bounded, flat
from upgate.sources.hosts.manifests import value_of

#: What is compared of a pod and of a container; their environment and arguments beside it.
OF_POD = (
    *("securityContext", "hostNetwork", "hostPID", "hostIPC", "dnsPolicy", "dnsConfig", "nodeSelector"),
    *("serviceAccountName", "priorityClassName", "runtimeClassName"),
)
#: Resources are not: what resizes add-ons with the cluster writes them (addon-resizer).
OF_CONTAINER = ("securityContext", "envFrom")
#: Lists of objects, of which each is one setting, and what tells them apart.
VOLUMES, LISTS = ("volumes", "name"), (("volumeMounts", "mountPath"), ("ports", "containerPort"))
#: The suffix that kustomize gives the names of what it generates:
#: https://github.com/kubernetes-sigs/kustomize/blob/master/api/hasher/hasher.go
GENERATED = re.compile(r"-[bcdfghkmt2456789]{10}(?=\"|$)")
#: Certificates are renewed: that they change is no difference.
CERTIFICATES = re.compile(f"{BEGIN}[^-]*{END}")
#: Endings of keys of ConfigMaps whose values are YAML; kubeadm keeps the configuration of kubelets under `kubelet`.
YAML_KEYS = (".yaml", ".yml", ".conf", ".json", "kubelet")
#: More lines of YAML than this are compared as a text.
YAML_LINES = 500


def template_settings(spec: Mapping[str, Any]) -> Settings:
    """The settings of a pod template's `spec`, or of a pod's."""
    return bounded([*of_pod(spec), *of_containers(spec)])


def of_pod(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is set for the pod as a whole."""
    for name, value in list_settings(spec, *VOLUMES):
        yield name, GENERATED.sub("", value)
    for key in OF_POD:
        yield from flat(spec.get(key), key)


def list_settings(holder: Mapping[str, Any], key: str, told_by: str) -> Iterator[tuple[str, str]]:
    """Each entry of a list as one setting; those that one field does not tell apart are one together."""
    found: dict[str, list[str]] = {}
    for each in objects_in(holder, key):
        rest = {name: value for name, value in each.items() if name != told_by}
        found.setdefault(f"{key}.{each.get(told_by)}", []).append(as_text(rest))
    yield from ((name, "; ".join(sorted(values))) for name, values in found.items())


def of_containers(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is set for its containers, by their names."""
    for key in ("initContainers", "containers"):
        for container in objects_in(spec, key):
            for name, value in container_settings(container):
                yield f"{container.get('name')}/{name}", value


def container_settings(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Arguments, environment, mounts, ports and security context."""
    given = [str(each) for key in ("command", "args") for each in container.get(key) or ()]
    yield from arguments(given)
    for variable in objects_in(container, "env"):
        name = str(variable.get("name"))
        said = variable.get("value")
        value = hidden_value(name, str(said)) if said else ",".join(text for _, text in flat(variable.get("valueFrom")))
        yield f"env/{name}", value
    for key, told_by in LISTS:
        yield from list_settings(container, key, told_by)
    for key in OF_CONTAINER:
        yield from flat(container.get(key), key)


def objects_in(holder: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects; what else is in it is left out."""
    found = holder.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def mounted_configmaps(spec: Mapping[str, Any]) -> set[str]:
    """The names of the ConfigMaps that a pod mounts or takes its environment from."""
    volumes = objects_in(spec, "volumes")
    sources = [each.get("configMap") for each in volumes]
    projected = [each.get("projected") for each in volumes]
    sources += [
        each.get("configMap") for held in projected if isinstance(held, dict) for each in objects_in(held, "sources")
    ]
    containers = [each for key in ("initContainers", "containers") for each in objects_in(spec, key)]
    sources += [each.get("configMapRef") for container in containers for each in objects_in(container, "envFrom")]
    named = (each.get("name") for each in sources if isinstance(each, dict))
    return {name for name in named if isinstance(name, str) and name}


def configmap_settings(data: Mapping[str, Any]) -> Settings:
    """The settings of a ConfigMap: keys that hold YAML or JSON by their fields, others as a whole."""
    pairs = ((key, value) for key, value in data.items() if isinstance(value, str))
    return bounded(each for key, value in pairs for each in of_key(key, value))


def of_key(key: str, value: str) -> Iterator[tuple[str, str]]:
    """One key of a ConfigMap."""
    fields = yaml_fields(value) if key.endswith(YAML_KEYS) and value.count("\n") <= YAML_LINES else None
    if fields is None:
        yield key, CERTIFICATES.sub("(certificate)", value.strip())
    else:
        yield from ((f"{key}/{name}", text) for name, text in flat(fields))


def yaml_fields(text: str) -> dict[str, Any] | None:
    """A mapping in YAML or JSON; None where it is none."""
    try:
        found = value_of(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
