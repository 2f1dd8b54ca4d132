"""Reads the effective settings of what runs in the cluster, bounded: of the API server, of static pods, and of workloads and
ConfigMaps of the namespaces that hold the cluster's own components.

https://kubernetes.io/docs/reference/instrumentation/zpages/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import Any

from upgate.base.errors import Inconclusive
from upgate.base.text import counted
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.deployments import Deployment
from upgate.facts.joining import ConfigMap
from upgate.facts.kinds import Kind, with_raw
from upgate.facts.meta import KubernetesObject
from upgate.facts.pods import Pod
from upgate.facts.settings import (
    NO_NODE,
    Configuration,
    SettingGroup,
    Settings,
    bounded,
    flag_lines,
    grouped_by_settings,
)
from upgate.facts.statefulsets import StatefulSet
from upgate.sources.cluster.bounded import SMALL_BYTES
from upgate.sources.cluster.connection import PLAIN, Connection, NoAnswer, status_message
from upgate.sources.cluster.listing import Listing, list_all
from upgate.sources.cluster.pod_settings import GENERATED, configmap_settings, mounted_configmaps, template_settings
from upgate.sources.cluster.retrying import again

SYSTEM = "kube-system"
#: Namespaces of what belongs to a cluster, as projects and clouds name them; those that users name are not guessed at.
ADDONS = (
    *("kube-*", "calico-*", "tigera-operator", "cilium*", "istio-system", "linkerd*", "ingress-nginx", "traefik"),
    *(
        "cert-manager",
        "metallb-system",
        "gatekeeper-system",
        "kyverno",
        "external-dns",
        "external-secrets",
        "karpenter",
    ),
    *("longhorn-system", "rook-ceph", "cattle-*", "gke-managed-*", "gmp-system", "amazon-*", "openshift-*"),
    *("node-feature-discovery", "gpu-operator"),
)
#: Namespaces that are read at most.
MOST_NAMESPACES = 50
WORKLOADS: tuple[tuple[str, type[KubernetesObject]], ...] = (
    ("deployments", Deployment),
    ("daemonsets", DaemonSet),
    ("statefulsets", StatefulSet),
)
#: The label of the pods of a control plane that kubeadm and RKE2 make.
CONTROL_PLANE = "tier=control-plane"
#: ConfigMaps that count although nothing may mount them, such as the kubelet's configuration of kubeadm; and one that only
#: holds a certificate.
NAMED = ("coredns", "kube-proxy", "kubelet-config")
CERTIFICATE = "kube-root-ca.crt"
FLAGZ = "/flagz"
#: What one of several API servers says of itself alone.
ITS_OWN = ("--advertise-address", "--etcd-servers")
#: Components: what is read → what it is called where it cannot be read.
API_SERVER, STATIC_POD, CONFIG_MAP = "APIServer", "StaticPod", "ConfigMap"


def read_configuration(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> Configuration:
    """All of it; what cannot be read is said. Raises Inconclusive where the workloads could not be listed."""
    if missing := [noun for noun, _ in WORKLOADS if noun not in listed]:
        raise Inconclusive(f"settings were not read: {', '.join(missing)} could not be listed")
    homes, left = addon_namespaces(listed)
    answers = concurrently(setting_requests(connection, deadline, homes))
    unread = {name: str(got) for name, got in answers.items() if isinstance(got, Inconclusive)}
    got = {name: each for name, each in answers.items() if not isinstance(each, Inconclusive)}
    if left:
        unread["Namespace"] = f"{counted(left, 'more namespace')} of add-ons were not read"
    return Configuration(list(groups_of(got)), unread)


def setting_requests(connection: Connection, deadline: Deadline, homes: Iterable[str]) -> dict[str, Callable[[], Any]]:
    """All that is asked, by what it is called where it cannot be read."""
    ask = partial(listing_of, connection, deadline)
    workloads = {
        f"{kind.__name__}/{home}": partial(ask, noun, kind, home) for noun, kind in WORKLOADS for home in homes
    }
    return workloads | {
        API_SERVER: partial(api_server_settings, connection, deadline),
        STATIC_POD: partial(ask, "pods", Pod, SYSTEM, CONTROL_PLANE),
        f"{CONFIG_MAP}/{SYSTEM}": partial(ask, "configmaps", ConfigMap, SYSTEM),
    }


def groups_of(got: Mapping[str, Any]) -> Iterator[SettingGroup]:
    """The settings in all answers."""
    if got.get(API_SERVER):
        yield SettingGroup(API_SERVER, [NO_NODE], got[API_SERVER])
    yield from static_pods(got.get(STATIC_POD, ()))
    makers = [
        each for noun, kind in WORKLOADS for name in got if name.startswith(f"{kind.__name__}/") for each in got[name]
    ]
    distinct = {each.ref: each for each in makers}
    for ref, each in distinct.items():
        yield SettingGroup(ref, [NO_NODE], template_settings(template_of(each.raw)))
    own = (each for each in distinct.values() if each.namespace == SYSTEM)
    mounted = {name for each in own for name in mounted_configmaps(template_of(each.raw))} - {CERTIFICATE}
    if (found := got.get(f"{CONFIG_MAP}/{SYSTEM}")) is not None:
        yield from configmaps(found, mounted)


def addon_namespaces(listed: Mapping[str, Listing]) -> tuple[list[str], int]:
    """The namespaces of add-ons that have workloads, and how many more there are."""
    found = {each.namespace for noun, _ in WORKLOADS for each in listed[noun].items}
    ours = sorted(name for name in found if any(fnmatchcase(name, pattern) for pattern in ADDONS))
    return list(islice(ours, MOST_NAMESPACES)), max(0, len(ours) - MOST_NAMESPACES)


def listing_of(
    connection: Connection, deadline: Deadline, noun: str, type: type[KubernetesObject], home: str, labels: str = ""
) -> list[Any]:
    """The objects of a kind in one namespace; all but ConfigMaps whole, without secrets. Raises Inconclusive."""
    version = "v1" if type in (Pod, ConfigMap) else "apps/v1"
    kind = Kind(
        noun, type if type is ConfigMap else with_raw(type), version, noun, namespace=home, label_selector=labels
    )
    return [each for each in list_all(connection, kind, deadline=deadline).items if each.namespace == home]


def template_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`spec.template.spec` of a workload."""
    found: Any = raw
    for key in ("spec", "template", "spec"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def static_pods(pods: Iterable[Any]) -> Iterator[SettingGroup]:
    """The static pods of the control plane, by their names without the node's, and by node."""
    found: dict[str, dict[str, tuple[str, Settings]]] = {}
    for pod in pods:
        node = pod.spec.node_name
        if any(each.kind == "Node" for each in pod.metadata.owner_references or ()):
            name = pod.name.removesuffix(f"-{node}")
            own = dict.fromkeys(filter(None, (pod.raw.get("status", {}).get("hostIP"),)), "{address}")
            settings = template_settings(pod.raw.get("spec", {}))
            said = bounded(settings.items(), own | {node: "{node}"})
            found.setdefault(f"{STATIC_POD}/{name}", {})[node] = ("", said)
    for component, by_node in found.items():
        yield from grouped_by_settings(component, by_node)


def configmaps(found: Iterable[ConfigMap], mounted: set[str]) -> Iterator[SettingGroup]:
    """The ConfigMaps that workloads mount, those that are not there without a setting, and those with a meaning of their own."""
    there = {each.name: each.data or {} for each in found}
    for name in sorted({*mounted, *(each for each in NAMED if each in there)}):
        ref = f"{CONFIG_MAP}/{SYSTEM}/{GENERATED.sub('', name)}"
        yield SettingGroup(ref, [NO_NODE], configmap_settings(there.get(name, {})))


def api_server_settings(connection: Connection, deadline: Deadline) -> Settings:
    """The API server's flags; none where it does not serve them. Raises Inconclusive."""
    return again(connection, lambda: ask_flags(connection, FLAGZ, deadline, ITS_OWN))


def ask_flags(connection: Connection, path: str, deadline: Deadline, own: tuple[str, ...] = ()) -> Settings:
    """The flags on a `/flagz` page, asked for once. Raises Inconclusive, and NoAnswer where another try may help."""
    answer = connection.get(path, accept=PLAIN, deadline=deadline, most=SMALL_BYTES)
    said = f"status {answer.status}, {status_message(answer)}" if answer.status != 200 else ""
    if answer.status in (404, 405, 406):
        return {}
    if answer.status in (401, 403):
        raise Inconclusive(f"cannot read {path}: not permitted; needs `get` on the non-resource URL `{path}` ({said})")
    if said:
        raise NoAnswer(f"cannot read {path}: {said}", connected=True)
    found = flag_lines(answer.body.decode(errors="replace").splitlines())
    return bounded((name, value) for name, value in found if value and name not in own)
