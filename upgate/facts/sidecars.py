"""Istio's sidecars: which pods have one, who injected it, what it runs, and which pods should have one.

https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING

import msgspec

from upgate.base.decoders import decoder
from upgate.base.versions import minor_of
from upgate.facts.meta import Fact
from upgate.facts.pod_fields import PodMarks

if TYPE_CHECKING:
    from upgate.facts.containers import Container
    from upgate.facts.pods import Pod

#: The labels that say which revision injects, and whether one does.
REVISION_LABEL, INJECTION_LABEL, INJECT_LABEL = "istio.io/rev", "istio-injection", "sidecar.istio.io/inject"
#: What makes a namespace or a pod a part of the mesh without sidecars.
MODE_LABEL, AMBIENT = "istio.io/dataplane-mode", "ambient"
PROXY = "istio-proxy"
#: The image that a gateway is written with, and that the webhook replaces.
AUTO = "auto"
#: Where nothing is injected: pkg/kube/inject/inject.go, IgnoredNamespaces.
NEVER_INJECTED = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
REFUSALS = ("false", "no", "n", "off", "0")
#: Builds of one version: https://istio.io/latest/docs/ops/configuration/security/harden-docker-images/
VARIANTS = ("-distroless", "-debug")
#: What becomes of an annotation that is not JSON.
UNFIT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
#: Characters of an annotation that are read. That of an injected pod has some 500.
LONGEST = 10_000


class Injection(Fact):
    """What the webhook notes in `sidecar.istio.io/status`."""

    revision: str = ""


def kept_marks(marks: PodMarks) -> PodMarks | None:
    """Of what the webhook notes its revision; nothing where no annotation is read."""
    if marks == PodMarks():
        return None
    status = msgspec.json.encode(injection_of(marks)).decode() if marks.status else ""
    return PodMarks(marks.inject[:20], status, marks.revision[:300])


def injection_of(marks: PodMarks) -> Injection:
    """What the webhook noted; nothing where that cannot be read."""
    try:
        found = decoder(Injection).decode(marks.status[:LONGEST])
    except UNFIT:
        return Injection()
    return Injection(found.revision[:300])


def marks_of(pod: Pod) -> PodMarks:
    """The pod's annotations, never None."""
    return pod.metadata.marks or PodMarks()


def named_revision(pod: Pod) -> str:
    """The revision, or the tag, that injected the pod or that its labels name. Empty where nothing says so."""
    marks = marks_of(pod)
    return injection_of(marks).revision or marks.revision or pod.labels.get(REVISION_LABEL, "")


def proxies_of(pod: Pod) -> list[Container]:
    """Its containers, or sidecars among its init containers, that run Istio's proxy."""
    init = (each for each in pod.spec.init_containers or () if each.restart_policy == "Always")
    return [each for each in (*init, *(pod.spec.containers or ())) if each.name == PROXY]


def was_injected(pod: Pod) -> bool:
    """A proxy is in it, or the webhook has noted what it injected: a template need not be a sidecar."""
    return bool(proxies_of(pod) or marks_of(pod).status) and not waits_for_image(pod)


def waits_for_image(pod: Pod) -> bool:
    """Its proxy, a gateway, still has the image that only the webhook can replace."""
    return any(each.image == AUTO for each in proxies_of(pod))


def wants_sidecar(pod: Pod, namespace: Mapping[str, str]) -> bool:
    """A sidecar should be in it, by its own labels and those of its namespace."""
    if pod.namespace in NEVER_INJECTED or pod.spec.host_network or pod.mirror or refuses(pod):
        return False
    if AMBIENT in (pod.labels.get(MODE_LABEL), namespace.get(MODE_LABEL)):
        return False
    if INJECTION_LABEL in namespace:
        return namespace[INJECTION_LABEL] == "enabled"
    asks = pod.labels.get(INJECT_LABEL) == "true" or REVISION_LABEL in pod.labels
    return waits_for_image(pod) or REVISION_LABEL in namespace or asks


def refuses(pod: Pod) -> bool:
    """It opts out, by its label; or by its annotation where it has no such label."""
    return (pod.labels.get(INJECT_LABEL) or marks_of(pod).inject).lower() in REFUSALS


def tagged_version(image: str) -> str:
    """The version in an image's tag, without the name of its variant. Raises ValueError where a digest alone names it."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if digest and not tag:
        raise ValueError(f"image {image} has a digest and no tag, so its version is not known: let mesh.expect name it")
    return reduce(str.removesuffix, VARIANTS, tag)


def says_version(version: str) -> bool:
    """It begins as versions do: `latest` compares with nothing."""
    return minor_of(version) is not None
