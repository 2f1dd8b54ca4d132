"""One connection to one API server.

Transport and login are the official client's. It must not retry (urllib3 would, three times and without
a message), and every answer is bounded in time: connecting, each read, and the answer as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from upgate.base.errors import Inconclusive
from upgate.base.redaction import redact
from upgate.base.threads import run_with_timeout
from upgate.base.waiting import Deadline
from upgate.sources.cluster.bounded import (
    CHUNK,
    PAGE_BYTES,
    SMALL_BYTES,
    TooLarge,
    cut_off_after,
    read_body,
    read_lines,
)
from upgate.sources.cluster.peers import presented

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.client.api_client import RequestSerialized

USER_AGENT = "upgate"
JSON, PLAIN = "application/json", "text/plain"
#: Characters of a message, a name or a version that somebody else's server says.
SAYING = 1000
#: The years of clocks: ages and limits are added to a moment and subtracted from it.
YEARS = range(2000, 2200)
#: What cannot be read as JSON: no JSON, not UTF-8, or too many brackets.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


#: Takes the body out of a response, within a bound.
Reader = Callable[[Any], bytes | bytearray]


class ApiRequest(NamedTuple):
    """What the API server is asked."""

    method: str
    path: str
    headers: dict[str, str]
    query: Mapping[str, str] = {}
    body: object = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class ApiResponse(NamedTuple):
    """What the API server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


class OpenAnswer:
    """An answer that goes on, such as a watch."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.status: int = response.status

    def parts(self) -> Iterator[bytes]:
        """The body as it comes."""
        yield from self._response.stream(CHUNK, decode_content=False)

    def close(self) -> None:
        """End it."""
        self._response.close()


class NoAnswer(Inconclusive):
    """The API server gave no complete answer; `connected`: it was reached; `too_large`: it sent more than may be read."""

    def __init__(self, words: str, *, connected: bool, too_large: bool = False) -> None:
        super().__init__(words)
        self.connected = connected
        self.too_large = too_large


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for the API server, in seconds."""

    connect: float = 5.0
    read: float = 30.0
    #: For everything that belongs to one question, retries and further pages included.
    deadline: float = 120.0


class Connection:
    """Asks one API server."""

    def __init__(self, client: ApiClient, patience: Timeouts = Timeouts(), *, renews: bool = True) -> None:
        self.patience = patience
        self.renews = renews  #: What we log in with is renewed by itself.
        self.api_servers: tuple[str, ...] = ()  #: Further addresses (`host:port`) that the profile names.
        self.peer: bytes | None = None  #: The certificate that the API server presented, as DER.
        #: The moment of its latest answer, by its own clock; ours before that, and where a proxy drops the Date header.
        self.moment = datetime.now(UTC)
        #: What all lists of one look may hold beyond what was announced.
        self.room = Room()
        self._client = client
        client.user_agent = USER_AGENT

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._client.configuration.host

    @property
    def configuration(self) -> Configuration:
        """How it is connected to, and what we log in with."""
        return self._client.configuration

    @property
    def forgeable(self) -> list[str]:
        """Why what is read here may have been changed on the way, a sentence each."""
        return list(doubts(self._client.configuration))

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        accept: str = JSON,
        deadline: Deadline | None = None,
        most: int = PAGE_BYTES,
    ) -> ApiResponse:
        """GET once, and read at most so many bytes. Raises NoAnswer; any status is an answer."""
        headers = {"Accept": accept, "Accept-Encoding": "identity" if self._is_local else "gzip"}
        return self._ask(ApiRequest("GET", path, headers, query or {}), deadline, partial(read_body, most=most))

    def get_lines(self, path: str, prefixes: tuple[bytes, ...], deadline: Deadline | None = None) -> ApiResponse:
        """GET a long text once, and keep the lines that begin with one of these. Raises NoAnswer; any status is an answer."""
        headers = {"Accept": PLAIN, "Accept-Encoding": "identity" if self._is_local else "gzip"}
        return self._ask(ApiRequest("GET", path, headers), deadline, partial(read_lines, prefixes=prefixes))

    def post(self, path: str, body: object, deadline: Deadline | None = None) -> ApiResponse:
        """POST once, for reviews that create nothing. Raises NoAnswer."""
        return self.write("POST", path, body, deadline)

    def write(self, method: str, path: str, body: object = None, deadline: Deadline | None = None) -> ApiResponse:
        """Ask once with a body; only `upgate/sources/inside` creates or deletes with it. Raises NoAnswer."""
        request = ApiRequest(method, path, {"Accept": JSON, "Content-Type": JSON}, body=body)
        return self._ask(request, deadline, partial(read_body, most=SMALL_BYTES))

    def stream(self, path: str, query: Mapping[str, str], silence: float) -> OpenAnswer:
        """GET an answer that goes on, with no more than so many seconds of silence. Raises NoAnswer; any status is an answer."""
        request = ApiRequest("GET", path, {"Accept": JSON, "Accept-Encoding": "identity"}, query)
        limits = (self.patience.connect, silence)
        deadline = Deadline(silence)
        try:
            serialized = self._serialize(request)
            return OpenAnswer(self._client.call_api(*serialized, _request_timeout=limits).response)
        except Exception as problem:  # urllib3's and the client's own: all of them mean that there is no answer
            raise self._no_answer(str(request), problem, deadline) from problem

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    @property
    def _is_local(self) -> bool:
        """On loopback, packing costs the server more time than it saves."""
        return "://127." in self.server or "://localhost" in self.server

    def _ask(self, request: ApiRequest, deadline: Deadline | None, read: Reader) -> ApiResponse:
        import urllib3.exceptions
        from kubernetes.client.exceptions import ApiException

        deadline = deadline or Deadline(self.patience.deadline)
        serialized = self._serialize(request)
        try:
            return self._send(serialized, deadline, read)
        except TooLarge as problem:
            raise NoAnswer(f"{request}: {problem}", connected=True, too_large=True) from problem
        except (urllib3.exceptions.HTTPError, ApiException, OSError, ValueError) as problem:
            raise self._no_answer(str(request), problem, deadline) from problem

    def _serialize(self, request: ApiRequest) -> RequestSerialized:
        """The request with the login's token, as the client sends it."""
        return self._client.param_serialize(
            request.method,
            request.path,
            query_params=list(request.query.items()),
            header_params=request.headers,
            body=request.body,
            auth_settings=["BearerToken"],
        )

    def _send(self, serialized: RequestSerialized, deadline: Deadline, read: Reader) -> ApiResponse:
        limits = [min(each, deadline.remaining or 0.001) for each in (self.patience.connect, self.patience.read)]
        # A second more: if no answer comes, these limits give the better message.
        response = run_with_timeout(
            deadline.remaining + 1, lambda: self._client.call_api(*serialized, _request_timeout=tuple(limits)).response
        )
        self.moment = server_time(response.headers)
        self.peer = self.peer or presented(response)
        with cut_off_after(deadline, response):
            return ApiResponse(response.status, response.headers, read(response))

    def _no_answer(self, question: str, problem: Exception, deadline: Deadline) -> NoAnswer:
        from upgate.sources.cluster.trouble import explain

        words, connected = explain(problem, self.server, self.patience)
        if deadline.passed and connected:
            words = f"no complete answer within {deadline.seconds:g} s"
        return NoAnswer(redact(f"{question}: {words}" if connected else words), connected=connected)


def server_time(headers: Mapping[str, str]) -> datetime:
    """The moment at which a server answered, by its own clock where it says one that can be; by ours otherwise."""
    said: Any = headers.get("Date")
    try:
        moment = parsedate_to_datetime(said).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return datetime.now(UTC)
    return moment if moment.year in YEARS else datetime.now(UTC)


class Room:
    """The bytes that lists may still hold of what the API server did not announce: a list without an end uses it up."""

    #: 160,000 warning events.
    BYTES = 192 * 2**20

    def __init__(self) -> None:
        self._left = self.BYTES

    def take(self, size: int) -> bool:
        """Take so many bytes of it; False where it is used up."""
        self._left -= size
        return self._left >= 0


def doubts(configuration: Any) -> Iterator[str]:
    """Why the answers to such a configuration may have been changed on the way."""
    server = urlsplit(configuration.host)
    if server.scheme != "https":
        yield (
            f"this verdict can be forged on the way: the API server is asked through plain {server.scheme or 'http'}://, "
            "and our credentials can be read"
        )
    elif not configuration.verify_ssl:
        yield (
            "this verdict can be forged on the way: the kubeconfig says insecure-skip-tls-verify, "
            "so the API server's certificate is not checked"
        )
    if urlsplit(configuration.proxy or "").scheme == "http":
        yield (
            "the kubeconfig's proxy-url is plain http://: what the proxy is told, a password for it too, can be read on the way"
        )


def text_member(body: bytes | bytearray, *path: str) -> str | None:
    """A text in a small JSON answer; None where there is none."""
    try:
        value = msgspec.json.decode(body)
    except NOT_JSON:
        return None
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def status_message(answer: ApiResponse) -> str:
    """The message of a Kubernetes Status, or the beginning of whatever came instead."""
    message = text_member(answer.body, "message")
    text = answer.body[:200].decode(errors="replace") if message is None else message
    return redact(" ".join(text.split()))[:SAYING]
