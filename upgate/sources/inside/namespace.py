"""The probe's own namespace: claimed, written to, and emptied on every way out.

A namespace that is not ours is refused. What a killed run has left is deleted by the next one, whoever started it; until
then its pods end by themselves.
"""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

from upgate.base.errors import Inconclusive
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.meta import AnnotatedMeta, KubernetesObject
from upgate.sources.cluster.connection import NOT_JSON, ApiResponse, Connection, NoAnswer, status_message
from upgate.sources.inside.manifests import MADE, MANAGED, OURS, Manifest, namespace_manifest
from upgate.sources.inside.pods import ProbePod, last_words, probe_pods_in

#: Seconds that may be spent on cleaning up, and on waiting for what an earlier run left to go.
CLEANING, GOING = 20.0, 60.0
#: Requests at once.
WORKERS = 16
OWN = urlencode({"labelSelector": ",".join(f"{key}={value}" for key, value in OURS.items())})
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies"


class ClaimedNamespace(KubernetesObject):
    """The namespace, as far as it says whose it is."""

    metadata: AnnotatedMeta

    @property
    def ours(self) -> bool:
        """A run has made it, or somebody has made it for upgate."""
        return self.labels.get(MANAGED) == OURS[MANAGED]

    @property
    def made_by_run(self) -> bool:
        """A run has made it, so that a run deletes it."""
        return MADE in (self.metadata.annotations or {})


class ProbeNamespace:
    """The namespace while a run holds it."""

    def __init__(self, connection: Connection, name: str, deadline: Deadline) -> None:
        self.name, self.run = name, secrets.token_hex(4)
        self.path = f"/api/v1/namespaces/{name}"
        self.created = 0  #: How many pods were created.
        self._connection, self._deadline = connection, deadline
        #: There may be something of ours in it.
        self.touched = False
        self._removable = False

    def claim(self) -> None:
        """Take the namespace, or make it; delete what an earlier run has left there. Raises Inconclusive."""
        found = self._found()
        if found and found.ours and found.metadata.deletion_timestamp:
            found = self._until_gone()
        if found and not found.ours:
            raise Inconclusive(
                f"nothing was asked from inside: the namespace {self.name} exists and does not have the label "
                f"{MANAGED}={OURS[MANAGED]}, so it is not upgate's; name another one in probe.namespace"
            )
        self._removable, self.touched = found is None or found.made_by_run, True
        if found is None:
            self._make()
        else:
            self.empty(self._deadline)

    def _make(self) -> None:
        try:
            self._change("POST", "/api/v1/namespaces", namespace_manifest(self.name, self.run))
        except NoAnswer:
            raise  # it may be there
        except Inconclusive:
            self.touched = False
            raise

    def create(self, resource: str, manifest: Manifest) -> ApiResponse:
        """Create one object in it. Raises Inconclusive."""
        return self._change("POST", f"{self.path}/{resource}", manifest)

    def create_pods(self, manifests: Mapping[str, Manifest]) -> dict[str, str]:
        """Create pods, several at once; why those that could not be created were refused, by key."""
        tasks = {key: partial(self.create, "pods", each) for key, each in manifests.items()}
        answers = concurrently(tasks, WORKERS)
        refused = {key: str(each) for key, each in answers.items() if isinstance(each, Inconclusive)}
        self.created += len(manifests) - len(refused)
        return refused

    def pods(self, role: str) -> dict[str, ProbePod]:
        """The pods of a role, by name. Raises Inconclusive."""
        query = {"labelSelector": f"{MANAGED}={OURS[MANAGED]},upgate.dev/role={role}"}
        return probe_pods_in(self._read(f"{self.path}/pods", query))

    def policies(self) -> list[str]:
        """The NetworkPolicies in it. Raises Inconclusive."""
        answer = self._read(POLICIES.format(name=self.name))
        try:
            items = msgspec.json.decode(answer.body).get("items") or []
            return [str(each["metadata"]["name"])[:100] for each in items[:10]]
        except (*NOT_JSON, AttributeError, KeyError, TypeError):
            return []

    def warnings(self) -> dict[str, str]:
        """The latest warning about each pod; none where the events cannot be read: they only explain."""
        try:
            return last_words(self._read(f"{self.path}/events", {"fieldSelector": "type=Warning"}))
        except Inconclusive:
            return {}

    def delete_pods(self, deadline: Deadline) -> None:
        """Delete all pods of ours. Raises Inconclusive."""
        self._change("DELETE", f"{self.path}/pods?{OWN}", deadline=deadline)

    def empty(self, deadline: Deadline) -> None:
        """Delete all that is ours in it, and wait until the pods are gone. Raises Inconclusive."""
        for service in self._services(deadline):
            self._change("DELETE", f"{self.path}/services/{service}", deadline=deadline)
        self.empty_pods(deadline)

    def empty_pods(self, deadline: Deadline) -> None:
        """Delete all pods of ours, and wait until they are gone. Raises Inconclusive."""
        self.delete_pods(deadline)
        while self._left(deadline):
            if not deadline.pause(0.3):
                raise Inconclusive(f"pods of the probe are still there, in the namespace {self.name}")
            self.delete_pods(deadline)

    def leave(self) -> str:
        """Delete all that is ours, the namespace too if a run has made it. What could not be deleted, in words."""
        deadline = Deadline(CLEANING)
        try:
            if not self._removable:
                self.empty(deadline)
            else:
                self.delete_pods(deadline)
                self._change("DELETE", self.path, deadline=deadline)
        except Inconclusive as problem:
            return f"could not be removed, the next run tries again: {problem}"
        return "were removed"

    def _found(self) -> ClaimedNamespace | None:
        answer = self._connection.get(self.path, deadline=self._deadline)
        if answer.status == 404:
            return None
        try:
            return msgspec.json.decode(self._accepted("GET", self.path, answer).body, type=ClaimedNamespace)
        except NOT_JSON as problem:
            raise Inconclusive(f"the namespace {self.name} cannot be read: {problem}") from problem

    def _until_gone(self) -> ClaimedNamespace | None:
        """Wait for the deletion that an earlier run asked for. Raises Inconclusive."""
        deadline = Deadline(min(GOING, self._deadline.remaining))
        while (found := self._found()) and found.metadata.deletion_timestamp:
            if not deadline.pause(0.5):
                raise Inconclusive(f"nothing was asked from inside: the namespace {self.name} is still being deleted")
        return found

    def _services(self, deadline: Deadline) -> list[str]:
        answer = self._read(f"{self.path}/services", {"labelSelector": f"{MANAGED}={OURS[MANAGED]}"}, deadline)
        try:
            return [each["metadata"]["name"] for each in msgspec.json.decode(answer.body).get("items") or ()]
        except (*NOT_JSON, AttributeError, KeyError, TypeError):
            return []

    def _left(self, deadline: Deadline) -> bool:
        query = {"labelSelector": f"{MANAGED}={OURS[MANAGED]}", "limit": "1"}
        return bool(probe_pods_in(self._read(f"{self.path}/pods", query, deadline)))

    def _read(self, path: str, query: Mapping[str, str] | None = None, deadline: Deadline | None = None) -> ApiResponse:
        return self._accepted("GET", path, self._connection.get(path, query, deadline=deadline or self._deadline))

    def _change(self, method: str, path: str, body: Any = None, deadline: Deadline | None = None) -> ApiResponse:
        answer = self._connection.write(method, path, body, deadline or self._deadline)
        return answer if method == "DELETE" and answer.status == 404 else self._accepted(method, path, answer)

    def _accepted(self, method: str, path: str, answer: ApiResponse) -> ApiResponse:
        if not 200 <= answer.status < 300:
            why = f"status {answer.status}, {status_message(answer)}"
            need = "; `upgate profile rbac` prints the Role that the probe needs" if answer.status == 403 else ""
            raise Inconclusive(f"nothing was asked from inside: {method} {path.partition('?')[0]}: {why}{need}")
        return answer


@contextmanager
def claimed(namespace: ProbeNamespace, told: Callable[[str], None]) -> Iterator[ProbeNamespace]:
    """The namespace, emptied on every way out: the end, an error, Ctrl-C and SIGTERM. `told` learns what became of it."""
    with ended_by_sigterm():
        try:
            namespace.claim()
            yield namespace
        finally:
            with undisturbed():
                told(namespace.leave() if namespace.touched else "")


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends what is inside as Ctrl-C does. Only the main thread can say so."""
    with handled({signal.SIGTERM: interrupt}):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """No signal ends what is inside, which ends by itself."""
    with handled({signal.SIGTERM: signal.SIG_IGN, signal.SIGINT: signal.SIG_IGN}):
        yield


@contextmanager
def handled(handlers: Mapping[signal.Signals, Any]) -> Iterator[None]:
    """These handlers for a while."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, handler) for each, handler in handlers.items()}
    try:
        yield
    finally:
        for each, handler in before.items():
            with suppress(TypeError):  # one that was not set by Python cannot be set again
                signal.signal(each, handler)


def interrupt(number: int, frame: object) -> None:
    """End as Ctrl-C does. Raises KeyboardInterrupt."""
    raise KeyboardInterrupt(f"ended by signal {number}")
