"""One connection to one API server.

Transport and login are the official client's. It is told not to retry by itself (urllib3 would, three times and in
silence), and every answer is bounded in time: connecting, each read, and the answer as a whole.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from upgate.base.errors import Inconclusive
from upgate.base.redaction import redact
from upgate.base.waiting import Deadline

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

USER_AGENT = "upgate"
JSON = "application/json"


class Answer(NamedTuple):
    """What the API server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Inconclusive):
    """The API server gave no whole answer. `connected` tells whether it was reached at all."""

    def __init__(self, words: str, *, connected: bool) -> None:
        super().__init__(words)
        self.connected = connected


@dataclass(frozen=True)
class Patience:
    """How long to wait for the API server, in seconds."""

    connect: float = 5.0
    read: float = 30.0
    #: For everything that belongs to one question, retries and further pages included.
    deadline: float = 120.0


class Connection:
    """Asks one API server."""

    def __init__(self, client: ApiClient, patience: Patience = Patience()) -> None:
        self.patience = patience
        #: The moment of its latest answer, by its own clock; ours before that, and where a proxy drops the Date header.
        self.moment = datetime.now(UTC)
        self._client = client
        client.user_agent = USER_AGENT

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._client.configuration.host

    def get(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON, deadline: Deadline | None = None
    ) -> Answer:
        """GET once. Raises NoAnswer; any status is an answer."""
        headers = {"Accept": accept} | ({} if self._is_local else {"Accept-Encoding": "gzip"})
        return self._ask("GET", path, query, headers, None, deadline)

    def post(self, path: str, body: object, deadline: Deadline | None = None) -> Answer:
        """POST once, for reviews that create nothing. Raises NoAnswer."""
        return self._ask("POST", path, None, {"Accept": JSON, "Content-Type": JSON}, body, deadline)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    @property
    def _is_local(self) -> bool:
        """On loopback, packing costs the server more time than it saves."""
        return "://127." in self.server or "://localhost" in self.server

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: dict[str, str],
        body: object,
        deadline: Deadline | None,
    ) -> Answer:
        import urllib3.exceptions
        from kubernetes.client.exceptions import ApiException

        deadline = deadline or Deadline(self.patience.deadline)
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        timeout = (
            min(self.patience.connect, deadline.remaining or 0.001),
            min(self.patience.read, deadline.remaining or 0.001),
        )
        try:
            response = self._client.call_api(*request, _request_timeout=timeout).response
            self.moment = clock(response.headers)
            with cut_off_after(deadline, response):
                return Answer(response.status, response.headers, response.read(decode_content=True))
        except (urllib3.exceptions.HTTPError, ApiException, OSError, ValueError) as problem:
            raise self._no_answer(f"{method} {path}", problem, deadline) from problem

    def _no_answer(self, question: str, problem: Exception, deadline: Deadline) -> NoAnswer:
        from upgate.sources.cluster.trouble import explain

        words, connected = explain(problem, self.server, self.patience)
        if deadline.passed and connected:
            words = f"no whole answer within {deadline.seconds:g} s"
        return NoAnswer(redact(f"{question}: {words}" if connected else words), connected=connected)


class cut_off_after:  # noqa: N801 - reads as a sentence: with cut_off_after(deadline, response)
    """Ends a response that is still being read when the deadline comes: a server that drips bytes passes every read timeout."""

    def __init__(self, deadline: Deadline, response: Any) -> None:
        self._timer = threading.Timer(deadline.remaining, self._cut, [response])
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()

    @staticmethod
    def _cut(response: Any) -> None:
        sock: socket.socket | None = getattr(response.connection, "sock", None)
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)


def clock(headers: Mapping[str, str]) -> datetime:
    """The moment at which a server answered, by its own clock where it says so."""
    said: Any = headers.get("Date")
    try:
        return parsedate_to_datetime(said).astimezone(UTC)
    except (TypeError, ValueError):
        return datetime.now(UTC)


def status_message(answer: Answer) -> str:
    """The message of a Kubernetes Status, or the beginning of whatever came instead."""
    try:
        message = json.loads(answer.body)["message"]
    except (ValueError, TypeError, KeyError):
        message = answer.body[:200].decode(errors="replace")
    return redact(" ".join(str(message).split()))
