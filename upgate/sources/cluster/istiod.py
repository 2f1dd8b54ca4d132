"""Asks every istiod of the cluster which proxies it knows, through the API server's proxy of pods.

Asked is what answers `istioctl proxy-status` too: https://istio.io/latest/docs/ops/diagnostic-tools/proxy-cmd/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec

from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.text import counted
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.pods import Pod
from upgate.facts.proxies import ProxyStatus, ProxySync
from upgate.facts.revisions import Revisions
from upgate.sources.cluster.connection import NOT_JSON, SAYING, Connection, status_message
from upgate.sources.cluster.listing import Listing

#: The port of istiod's own metrics and debug pages.
PORT = 15014
#: Istiods that are asked at most: what scales them out has no more by default (5 for each revision).
MOST = 100
#: Seconds until those are asked again that had something to acknowledge: a push takes less.
PAUSE = 3.0
#: Bytes of one answer, and objects in it: 10,000 proxies have less.
BYTES, OBJECTS = 8 * 2**20, 200_000
#: In istiod's answer before it had `resources`: the name of a type, and what its fields begin with.
TYPES = {"CDS": "cluster", "LDS": "listener", "RDS": "route", "EDS": "endpoint", "ECDS": "extensionconfig"}


class Acknowledged(msgspec.Struct):
    """What was sent of one type, and what of it was acknowledged."""

    sent: str = ""
    acked: str = ""

    @property
    def stale(self) -> bool:
        """Something was sent, and the latest of it not acknowledged."""
        return bool(self.sent) and self.sent != self.acked


class Entry(msgspec.Struct):
    """One proxy in the answer. pilot/pkg/xds/debug.go, SyncStatus."""

    proxy: str = ""
    istio_version: str = ""
    resources: dict[str, Acknowledged] | None = None
    cluster_sent: str = ""
    cluster_acked: str = ""
    listener_sent: str = ""
    listener_acked: str = ""
    route_sent: str = ""
    route_acked: str = ""
    endpoint_sent: str = ""
    endpoint_acked: str = ""
    extensionconfig_sent: str = ""
    extensionconfig_acked: str = ""

    @property
    def types(self) -> dict[str, Acknowledged]:
        """What was sent and acknowledged, by type."""
        if self.resources is not None:
            return self.resources
        fields = {name: (getattr(self, f"{each}_sent"), getattr(self, f"{each}_acked")) for name, each in TYPES.items()}
        return {name: Acknowledged(*values) for name, values in fields.items()}

    def still_stale(self, before: Entry) -> tuple[str, ...]:
        """The types of which nothing was acknowledged since then either."""
        then = before.types
        waiting = {name: each for name, each in self.types.items() if each.stale and name in then}
        return tuple(
            sorted(name for name, each in waiting.items() if then[name].stale and then[name].acked == each.acked)
        )


Entries = dict[str, Entry]


def ask_istiods(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> ProxyStatus:
    """What all istiods that run answer. Raises Inconclusive where there is none to ask."""
    if missing := [noun for noun in ("pods", *Revisions.needs) if noun not in listed]:
        raise Inconclusive(f"istiod was not asked: {', '.join(missing)} could not be listed")
    pods = istiods_in({noun: each.items for noun, each in listed.items()})
    if not pods:
        raise Inconclusive("istiod was not asked: no pod of it runs in this cluster")
    tasks = {f"{pod.namespace}/{pod.name}": partial(proxies_known_to, connection, pod, deadline) for pod in pods[:MOST]}
    answers = concurrently(tasks)
    refused = [str(each) for each in answers.values() if isinstance(each, Inconclusive)]
    left = [f"{counted(len(pods) - MOST, 'more istiod')} were not asked"] if len(pods) > MOST else []
    given = [each for each in answers.values() if not isinstance(each, Inconclusive)]
    return ProxyStatus([proxy for each in given for proxy in each], refused + left)


def istiods_in(lists: Mapping[str, list[Any]]) -> list[Pod]:
    """The pods of control planes that run."""
    revisions = Revisions(lists)
    return [
        each for each in lists["pods"] if each.active and each.status.phase == "Running" and revisions.is_istiod(each)
    ]


def proxies_known_to(connection: Connection, pod: Pod, deadline: Deadline) -> list[ProxySync]:
    """The proxies of one istiod; those with something to acknowledge are looked at twice. Raises Inconclusive."""
    first = entries_known_to(connection, pod, deadline)
    waiting = any(each.stale for entry in first.values() for each in entry.types.values())
    second = entries_known_to(connection, pod, deadline) if waiting and deadline.pause(PAUSE) else first
    return [
        ProxySync(name, f"{pod.namespace}/{pod.name}", entry.istio_version[:SAYING], entry.still_stale(first[name]))
        for name, entry in second.items()
        if name in first
    ]


def entries_known_to(connection: Connection, pod: Pod, deadline: Deadline) -> Entries:
    """What one istiod answers, by proxy. Raises Inconclusive."""
    place = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}:{PORT}"
    answer = connection.get(f"{place}/proxy/debug/syncz", deadline=deadline, most=BYTES)
    if answer.status != 200:
        why = f"status {answer.status}, {status_message(answer)}"
        need = "; `get` on `pods/proxy` is needed, and from Istio 1.29 on its ENABLE_DEBUG_ENDPOINT_AUTH=false"
        raise Inconclusive(f"istiod {pod.name} did not say which proxies it knows ({why}{need})")
    if answer.body.count(b"{") > OBJECTS:
        raise Inconclusive(f"istiod {pod.name}: its answer has more than {OBJECTS} objects")
    try:
        entries = decoder(list[Entry]).decode(answer.body)
    except NOT_JSON as problem:
        raise Inconclusive(f"istiod {pod.name}: what it says of its proxies cannot be read ({problem})") from problem
    return {each.proxy[:SAYING]: each for each in entries if each.proxy}
