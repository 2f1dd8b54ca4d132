"""The table of pods, as the API server prints it for `kubectl get pods`.

The rules are those of Kubernetes' printPod (pkg/printers/internalversion): what they say in the columns Ready and Status is
what a brief look judges by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from upgate.sources.demo.statuses import Reply, json_reply

COLUMNS = ("Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates")
NONE, UNKNOWN = "<none>", "<unknown>"
Content = Mapping[str, Any]


def table(metadata: Content, pods: Iterable[Content]) -> Reply:
    """The answer to a list of pods that is asked for as a table without objects."""
    columns = [{"name": name, "type": "string", "format": "", "description": "", "priority": 0} for name in COLUMNS]
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns}
    return json_reply(head | {"rows": [{"cells": cells(pod), "object": None} for pod in pods]})


def cells(pod: Content) -> list[Any]:
    """One row."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    containers, sidecars = spec.get("containers") or [], list(sidecar_names(spec))
    ready = sum(is_ready(each) for each in status.get("containerStatuses") or () if not starting(pod))
    ready += sum(is_up(each, sidecars) and bool(each.get("ready")) for each in before_trouble(pod))
    gates = spec.get("readinessGates") or []
    return [
        pod["metadata"]["name"],
        f"{ready}/{len(containers) + len(sidecars)}",
        state(pod),
        str(sum(each.get("restartCount", 0) for each in status.get("containerStatuses") or ())),
        UNKNOWN,
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{sum(condition(status, each['conditionType']) for each in gates)}/{len(gates)}" if gates else NONE,
    ]


def state(pod: Content) -> str:
    """The column Status."""
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return initializing(pod) or running(status) or status.get("reason") or status.get("phase") or "Unknown"


def initializing(pod: Content) -> str:
    """How far its init containers are; empty when they are done."""
    if not starting(pod):
        return ""
    spec, status = pod["spec"], pod["status"]
    done = len(before_trouble(pod))
    now = (status["initContainerStatuses"][done].get("state")) or {}
    if ended := now.get("terminated"):
        return f"Init:{ending(ended)}"
    waits = (now.get("waiting") or {}).get("reason", "")
    return f"Init:{waits}" if waits not in ("", "PodInitializing") else f"Init:{done}/{len(spec['initContainers'])}"


def starting(pod: Content) -> bool:
    """An init container keeps its containers from running."""
    status = pod.get("status") or {}
    late = len(before_trouble(pod)) < len(status.get("initContainerStatuses") or ())
    return late and not condition(status, "Initialized")


def before_trouble(pod: Content) -> list[Content]:
    """Its init containers that are done, and its sidecars that are up, until the first that is neither."""
    spec, good = pod.get("spec") or {}, []
    sidecars = list(sidecar_names(spec))
    for each in (pod.get("status") or {}).get("initContainerStatuses") or ():
        ended = (each.get("state") or {}).get("terminated")
        if not (is_up(each, sidecars) or (ended and ended.get("exitCode") == 0)):
            break
        good.append(each)
    return good


def running(status: Content) -> str:
    """What its containers say: the first that waits or has ended; empty where all run."""
    statuses = status.get("containerStatuses") or []
    said = [word for each in statuses if (word := trouble(each.get("state") or {}))]
    if said[:1] == ["Completed"] and any(is_ready(each) for each in statuses):
        return "Running" if condition(status, "Ready") else "NotReady"
    return said[0] if said else ""


def trouble(now: Content) -> str:
    """Why a container waits, or how it ended."""
    ended = now.get("terminated")
    return ending(ended) if ended else (now.get("waiting") or {}).get("reason", "")


def ending(ended: Content) -> str:
    """How a container ended."""
    word = f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"
    return ended.get("reason") or word


def sidecar_names(spec: Content) -> Iterator[str]:
    """Its init containers that go on running."""
    yield from (each["name"] for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always")


def is_up(status: Content, sidecars: list[str]) -> bool:
    """A sidecar that has started."""
    return status.get("name") in sidecars and bool(status.get("started"))


def is_ready(status: Content) -> bool:
    """The container runs and is ready."""
    return bool(status.get("ready")) and bool((status.get("state") or {}).get("running"))


def condition(status: Content, type: str) -> bool:
    """The condition is True."""
    return any(each["type"] == type and each["status"] == "True" for each in status.get("conditions") or ())
