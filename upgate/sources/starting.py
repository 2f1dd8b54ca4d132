"""`upgate profile init`: a first profile from what a cluster shows, with comments, and what could not be seen."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from upgate.base.errors import Inconclusive, UsageError
from upgate.base.files import write_whole
from upgate.base.harmless import on_one_line
from upgate.base.text import counted
from upgate.facts.nodes import Node
from upgate.facts.pools import POOL_LABELS
from upgate.profile.files import DEFAULT
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.facts.ingresses import Ingress
    from upgate.profile.model import Profile

#: What is looked at.
LISTS = (
    "nodes",
    "namespaces",
    "pods",
    "ingresses",
    "services",
    "deployments",
    "statefulsets",
    "daemonsets",
    "cronjobs",
)
#: Where a provider shows: in the version of the API server, or in a label that it gives its nodes.
VERSIONS = {"-eks-": "EKS", "-gke.": "GKE", "+k3s": "k3s", "+rke2": "RKE2", "-aliyun": "ACK"}
LABELS = {
    "eks.amazonaws.com/": "EKS",
    "cloud.google.com/gke-": "GKE",
    "kubernetes.azure.com/": "AKS",
    "node.openshift.io/": "OpenShift",
    "doks.digitalocean.com/": "DigitalOcean",
    "kops.k8s.io/": "kops",
    "rke.cattle.io/": "RKE2",
}
#: So many entries of `external:` are proposed.
MOST_HOSTS = 20
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
#: No version has it: least of all what a profile would read as a variable.
UNFIT_IN_VERSION = re.compile(r"[^\w.+-]")
UNFIT_IN_NAME = re.compile("[^A-Za-z0-9.-]+")
MINOR = re.compile(r"v?(\d{1,3}\.\d{1,3})(?!\d)")


def write_profile(name: str | None, kubeconfig: Path | None, context: str | None) -> int:
    """`upgate profile init`: write `profiles/NAME.yaml`. Raises UsageError, and Inconclusive if nothing could be seen."""
    from upgate.profile import load

    context = context or current_context(kubeconfig)
    cluster = {"kubeconfig": str(kubeconfig) if kubeconfig else "", "context": context or ""}
    named = {key: value for key, value in cluster.items() if value}
    path = Path("profiles", f"{name or name_for(context)}.yaml")
    if path.exists():
        raise UsageError(f"{path} is there already: give another name, or remove it")
    plain = load(DEFAULT, environ={})
    chosen = plain.model_copy(update={"cluster": plain.cluster.model_copy(update=named)})
    snapshot = see_for_profile(chosen)
    if not snapshot.version:
        raise Inconclusive(f"no profile was written: {'; '.join(dict.fromkeys(snapshot.gaps.values()))[:500]}")
    write_whole(path, first_profile(snapshot, named).encode())
    print(f"{path}: written; next: upgate profile check {path.stem}, then upgate run --profile={path.stem}")
    for noun, reason in sorted(snapshot.gaps.items()):
        print(f"could not be seen: {noun}: {on_one_line(reason)[:200]}")
    return 0


def current_context(kubeconfig: Path | None) -> str | None:
    """The kubeconfig's current context; None where there is none, as in a pod. What is wrong with it a login says."""
    from upgate.sources.cluster.login import source_of

    for part in filter(None, source_of(kubeconfig).split(":")):
        path = Path(part).expanduser()
        content = yaml.safe_load(path.read_text()) if path.is_file() else None
        if isinstance(content, dict) and content.get("current-context"):
            return str(content["current-context"])
    return None


def name_for(context: str | None) -> str:
    """A profile's name made of a context's: the last part of an ARN or of GKE's names, as far as it fits in a file name."""
    last = (context or "").replace(":", "/").rpartition("/")[2]
    return UNFIT_IN_NAME.sub("-", last).strip("-.")[:60] or "first"


def see_for_profile(profile: Profile) -> Snapshot:
    """Look at the profile's cluster as far as a first profile needs it. Raises UsageError."""
    from upgate.sources.look import looking

    with looking(profile, lambda taken: taken - profile.window) as look:
        return look(LISTS, lambda noun, have, left: None, False)


def first_profile(snapshot: Snapshot, cluster: dict[str, str]) -> str:
    """The profile as commented YAML. Everything that the cluster wrote is quoted."""
    return "\n".join(profile_lines(snapshot, cluster)) + "\n"


def profile_lines(snapshot: Snapshot, cluster: dict[str, str]) -> Iterator[str]:
    """The profile, line by line."""
    nodes: list[Node] = facts_or_none(snapshot, "nodes")
    about = [
        provider_of(snapshot.version or "", nodes),
        UNFIT_IN_VERSION.sub("", snapshot.version or "")[:40],
        counted(len(nodes), "node"),
    ]
    yield f"# A first profile, from what the cluster showed at {snapshot.taken:%Y-%m-%d %H:%M} UTC."
    yield "# `upgate profile check` names errors, `upgate profile show` all values, `upgate checks` all checks."
    yield f"description: {quoted(', '.join(filter(None, about)))}"
    yield "cluster:"
    yield from (f"  {key}: {quoted(value)}" for key, value in cluster.items())
    yield ""
    yield from expected_lines(snapshot, nodes)
    yield ""
    yield from external_lines(facts_or_none(snapshot, "ingresses"))
    yield ""
    yield from unseen_lines(snapshot)


def expected_lines(snapshot: Snapshot, nodes: Collection[Node]) -> Iterator[str]:
    """What the cluster is now; after an upgrade it is to be something else."""
    minor = MINOR.match(snapshot.version or "")
    yield "# What the cluster must be after the upgrade: these are its values of today. Quote versions: YAML reads 1.30 as 1.3."
    found = {"min": str(len(nodes)) if nodes else "", "pool-label": pool_label(nodes)}
    of_nodes = ", ".join(f"{key}: {value}" for key, value in found.items() if value)
    lines = [f"  version: {quoted(minor[1])}"] if minor else []
    lines += [f"  nodes: {{{of_nodes}}}"] if of_nodes else []
    yield "expect:" if lines else "# expect: neither version nor nodes could be seen"
    yield from lines


def provider_of(version: str, nodes: Collection[Node]) -> str:
    """Who runs the cluster, as far as its version or the labels of its nodes tell."""
    of_version = (name for part, name in VERSIONS.items() if part in version)
    of_labels = (
        name for start, name in LABELS.items() for node in nodes if any(key.startswith(start) for key in node.labels)
    )
    return next(chain(of_version, of_labels), "")


def pool_label(nodes: Collection[Node]) -> str:
    """The known label that most nodes have; empty where none has one."""
    found = Counter(label for node in nodes for label in POOL_LABELS if node.labels.get(label))
    return found.most_common(1)[0][0] if found else ""


def external_lines(ingresses: Collection[Ingress]) -> Iterator[str]:
    """The hosts of all Ingresses, as entries that are asked from outside."""
    hosts: dict[str, str] = {}
    for each in ingresses:
        secured = {host for tls in each.spec.tls or () for host in tls.hosts or ()}
        for rule in each.spec.rules or ():
            if HOST.fullmatch(rule.host):
                hosts[rule.host] = "https" if rule.host in secured else hosts.get(rule.host, "http")
    yield "# What users see: each is asked from here. Add a status or a text that the answer must have."
    yield "external:" if hosts else "# external: no Ingress names a host"
    for host, scheme in sorted(hosts.items())[:MOST_HOSTS]:
        yield f"  - {{name: {quoted(host.replace('.', '-'))}, url: {quoted(f'{scheme}://{host}/')}}}"
    if len(hosts) > MOST_HOSTS:
        yield f"  # and {counted(len(hosts) - MOST_HOSTS, 'more host')} of Ingresses"


def unseen_lines(snapshot: Snapshot) -> Iterator[str]:
    """What could not be looked at, and what is not there."""
    for noun, reason in sorted(snapshot.gaps.items()):
        yield f"# Could not be seen: {on_one_line(noun)}: {on_one_line(reason)[:300]}"
    missing = [noun for noun in LISTS if noun not in snapshot.gaps and not facts_or_none(snapshot, noun)]
    if missing:
        yield f"# Not in this cluster: {', '.join(missing)}. A check that finds nothing to judge is inconclusive;"
        yield "# where that is as it should be, say expect: {may-be-empty: [check ids]}."


def facts_or_none(snapshot: Snapshot, noun: str) -> list[Any]:
    """The facts of a kind; none where they could not be looked at."""
    try:
        return snapshot.facts(noun)
    except Inconclusive:
        return []


def quoted(text: str) -> str:
    """The text as a double-quoted YAML string: JSON's are YAML's."""
    return json.dumps(on_one_line(text))
