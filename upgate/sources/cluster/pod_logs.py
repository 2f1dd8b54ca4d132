"""Reads logs of containers through the API server: the last lines of those that crash, the errors of the control plane.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.redaction import redact
from upgate.base.text import one_line_excerpt
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.control_plane import HOME, component_of
from upgate.facts.pod_logs import FATAL, ComponentLog, ContainerLog, ErrorLine
from upgate.facts.pods import Pod
from upgate.sources.cluster.connection import PLAIN, Connection, status_message
from upgate.sources.cluster.listing import Listing

#: Crashing containers whose last lines are read, how many lines, and pods of the control plane.
CRASHING, LAST, PODS = 20, 8, 30
#: Bytes of a log, and of its end that is read of a component; characters of a line; errors that are kept.
BYTES, LONGEST, MOST = 2**20, 300, 300
#: The beginning of a line that tells of an error: klog's, and that of structured logs.
ERROR = re.compile(r'[EF]\d{4} |.{0,80}"level":"(?:error|fatal|panic)"')


def crash_logs_of(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> list[ContainerLog]:
    """What the containers that crash wrote last. Raises Inconclusive where pods were not listed."""
    crashing = list(crashing_in(listed_pods(listed), connection.moment))[:CRASHING]
    query = {"tailLines": str(LAST), "limitBytes": str(BYTES)}
    tasks = {
        f"{pod.ref} {name}": partial(last_lines, connection, pod, name, query | previous, deadline)
        for pod, name, previous in crashing
    }
    return list(concurrently(tasks).values())


def control_logs_of(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> list[ComponentLog]:
    """The errors that the pods of the control plane wrote. Raises Inconclusive."""
    pods = [each for each in listed_pods(listed) if of_control_plane(each)][:PODS]
    tasks = {
        f"{pod.ref} {name}": partial(errors_of, connection, pod, name, deadline)
        for pod, name in containers_to_read(pods)
    }
    return list(concurrently(tasks).values())


def listed_pods(listed: Mapping[str, Listing]) -> list[Pod]:
    """The pods. Raises Inconclusive."""
    if "pods" not in listed:
        raise Inconclusive("no logs were read: pods could not be listed")
    return listed["pods"].items


def of_control_plane(pod: Pod) -> bool:
    """It runs a component of the control plane, or is a static pod beside them."""
    return pod.status.phase == "Running" and (
        bool(component_of(pod)) or (pod.namespace == HOME and pod.labels.get("tier") == "control-plane")
    )


def containers_to_read(pods: list[Pod]) -> Iterator[tuple[Pod, str]]:
    """The containers of the pods, by name."""
    yield from ((pod, each.name) for pod in pods for each in pod.spec.containers or ())


def crashing_in(pods: list[Pod], moment: datetime) -> Iterator[tuple[Pod, str, dict[str, str]]]:
    """The containers that crash, each with the run that is asked for: the one that ended."""
    for pod in (each for each in pods if each.active and each.crash_for_good(moment)):
        for status in pod.statuses:
            if status.trouble(moment, True) and status.ends:
                yield pod, status.name, {"previous": "true"} if not status.now.terminated else {}


def last_lines(
    connection: Connection, pod: Pod, container: str, query: Mapping[str, str], deadline: Deadline
) -> ContainerLog:
    """The last lines of a container, without secrets."""
    try:
        text = log_of(connection, pod, container, query, deadline)
    except Inconclusive as problem:
        return ContainerLog(pod.ref, container, problem=str(problem))
    return ContainerLog(
        pod.ref, container, tuple(kept_line(each) for each in text.splitlines()[-LAST:] if each.strip())
    )


def errors_of(connection: Connection, pod: Pod, container: str, deadline: Deadline) -> ComponentLog:
    """The latest errors of a container, each with its time."""
    query = {"timestamps": "true", "tailLines": "5000", "limitBytes": str(4 * BYTES)}
    try:
        text = log_of(connection, pod, container, query, deadline)
    except Inconclusive as problem:
        return ComponentLog(pod.ref, container, problem=str(problem))
    found = [error for each in text.splitlines() if (error := error_in(each))]
    return ComponentLog(pod.ref, container, errors=tuple(found[-MOST:]))


def error_in(line: str) -> ErrorLine | None:
    """The error that a line tells of, if it does."""
    stamp, _, text = line[:4000].partition(" ")
    if not (ERROR.match(text) or FATAL.search(text)):
        return None
    return ErrorLine(kept_line(text), log_time(stamp))


def log_time(stamp: str) -> datetime | None:
    """The time that the kubelet wrote before a line; None where there is none."""
    try:
        time = decoder(datetime).decode(f'"{stamp[:40]}"'.encode())
    except (ValueError, UnicodeEncodeError):
        return None
    return time if time.tzinfo else None


def kept_line(line: str) -> str:
    """A line as it is kept."""
    return one_line_excerpt(redact(line[: 4 * LONGEST]), LONGEST)


def log_of(connection: Connection, pod: Pod, container: str, query: Mapping[str, Any], deadline: Deadline) -> str:
    """The text of a log. Raises Inconclusive."""
    path = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/log"
    answer = connection.get(path, {**query, "container": container}, PLAIN, deadline, 8 * BYTES)
    if answer.status != 200:
        need = "; needs `get` on `pods/log`" if answer.status == 403 else ""
        raise Inconclusive(f"cannot read {path}: status {answer.status}, {status_message(answer)}{need}")
    return answer.body.decode(errors="replace")
