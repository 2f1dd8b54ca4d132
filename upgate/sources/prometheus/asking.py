"""One question to a Prometheus: credentials go to this address only, and its answer is bounded in time and size."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from upgate import __version__
from upgate.base.errors import Inconclusive
from upgate.base.redaction import redact
from upgate.base.threads import run_with_timeout
from upgate.base.waiting import Deadline
from upgate.sources.cluster.bounded import is_dense
from upgate.sources.probes.answers import one_line_excerpt
from upgate.sources.probes.bodies import WINDOWS, Plain, Unpacked, codings_of
from upgate.sources.probes.masking import forms, secrets_of, shown_url
from upgate.sources.probes.proxies import proxy_for
from upgate.sources.probes.trust import Trust

if TYPE_CHECKING:
    from upgate.profile.prometheus import Prometheus

#: Bytes of an answer. A thousand alerting rules with their annotations have about two million.
MOST_BYTES = 16 * 2**20
#: A longer query is sent as a form: servers and proxies limit URLs.
LONGEST_IN_URL = 2000
#: Characters of an answer that is not what was expected.
EXCERPT = 200


class NotOffered(Inconclusive):
    """The server has no such endpoint."""


class Client:
    """Asks one Prometheus."""

    def __init__(self, prometheus: Prometheus, secrets: Sequence[str] = ()) -> None:
        self._base = prometheus.url.rstrip("/")
        self._headers = login_headers(prometheus)
        self._prometheus, self._secrets = prometheus, secrets
        self.url = self.mask(shown_url(self._base))

    def ask(self, path: str, parameters: Mapping[str, str]) -> bytes:
        """The body of the answer, of status 200 or one that Prometheus explains in it. Raises NotOffered, Inconclusive."""
        seconds = self._prometheus.timeout.total_seconds()
        deadline = Deadline(seconds)
        try:
            return run_with_timeout(seconds + 1, lambda: self._asked(path, parameters, deadline))
        except Inconclusive as problem:
            raise type(problem)(f"cannot ask {self.url}{path}: {self.mask(str(problem))}") from None
        except TimeoutError:
            raise Inconclusive(f"cannot ask {self.url}{path}: no complete answer within {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
            raise Inconclusive(f"cannot ask {self.url}{path}: {self.mask(words_of_cause(problem))}") from None

    def mask(self, text: str) -> str:
        """The text without our credentials."""
        own = [*self._secrets, *secrets_of(self._base, self._headers)]
        return redact(text, {form for secret in own for form in forms(secret)})

    def _asked(self, path: str, parameters: Mapping[str, str], deadline: Deadline) -> bytes:
        with self._transport() as transport:
            response = transport.handle_request(self._request(path, parameters))
            refuse_status(response)
            body = bounded_answer(response, deadline)
        if response.status_code in MISSING and not body.lstrip().startswith(b'{"status"'):
            raise NotOffered(f"status {response.status_code}")
        if response.status_code != httpx.codes.OK and not body.lstrip().startswith(b"{"):
            said = one_line_excerpt(self.mask(body[: 2**14].decode(errors="replace")), EXCERPT)
            raise Inconclusive(f"status {response.status_code}, {said or 'without a message'}")
        return body

    def _transport(self) -> httpx.HTTPTransport:
        """Nothing of the environment but its proxies; no redirects, no retries."""
        given, parts = self._prometheus, urlsplit(self._base)
        context: ssl.SSLContext = Trust().context(
            given.ca or "", given.client_certificate or "", given.client_key or "", False
        )
        proxy = proxy_for(parts.scheme, parts.hostname or "", given.proxy or "")
        return httpx.HTTPTransport(verify=context, proxy=proxy, trust_env=False)

    def _request(self, path: str, parameters: Mapping[str, str]) -> httpx.Request:
        seconds = self._prometheus.timeout.total_seconds()
        timeout = httpx.Timeout(seconds, connect=min(seconds, 5.0)).as_dict()
        long = sum(map(len, parameters.values())) > LONGEST_IN_URL
        sent = {"data": dict(parameters)} if long else {"params": dict(parameters)}
        method = "POST" if long else "GET"
        return httpx.Request(
            method,
            self._base.partition("?")[0] + path,
            headers=self._headers,
            extensions={"timeout": timeout},
            **sent,  # type: ignore[arg-type]
        )


#: The endpoint is not there, or not for this method.
MISSING = (404, 405, 501)


def login_headers(prometheus: Prometheus) -> dict[str, str]:
    """The headers to send, including credentials."""
    user = urlsplit(prometheus.url).netloc.rpartition("@")[0]
    basic = prometheus.basic or user
    headers = {"User-Agent": f"upgate/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
    headers |= {"Authorization": "Basic " + b64encode(basic.encode()).decode()} if basic else {}
    headers |= {"Authorization": f"Bearer {prometheus.bearer}"} if prometheus.bearer else {}
    return {**headers, **prometheus.headers}


def refuse_status(response: httpx.Response) -> None:
    """What the status alone says. Raises Inconclusive."""
    status = response.status_code
    if status in (401, 403):
        raise Inconclusive(f"not permitted (status {status}): see bearer, basic and headers of prometheus:")
    if 300 <= status < 400:
        place = one_line_excerpt(shown_url(response.headers.get("location", "")[:1000]), EXCERPT)
        raise Inconclusive(f"it redirects to {place or 'nothing'} (status {status}), maybe to a login; not followed")


def bounded_answer(response: httpx.Response, deadline: Deadline) -> bytes:
    """The whole body. Raises Inconclusive for one that is too large, too slow, or encoded in a way that was not asked for."""
    codings = codings_of(response)
    if codings and (len(codings) > 1 or codings[0] not in WINDOWS):
        raise Inconclusive(f"its answer is encoded as {', '.join(codings)[:80]}, which was not asked for")
    unpack = Unpacked(WINDOWS[codings[0]]) if codings else Plain()
    body = bytearray()
    for chunk in chunks_until(response, deadline):
        body += unpack(chunk, MOST_BYTES + 1 - len(body))
        if len(body) > MOST_BYTES:
            raise Inconclusive(f"its answer is larger than {MOST_BYTES >> 20} MiB")
        if unpack.ended:
            break
    if is_dense(body):
        raise Inconclusive("its answer has too many elements for its size")
    return bytes(body)


def chunks_until(response: httpx.Response, deadline: Deadline) -> Iterator[bytes]:
    """The body as it comes. Raises Inconclusive when the deadline comes first."""
    for chunk in response.iter_raw():
        if deadline.passed:
            raise Inconclusive(f"no complete answer within {deadline.seconds:g} s")
        yield chunk


def words_of_cause(problem: BaseException) -> str:
    """What is behind an error of httpx, whose own words are few."""
    causes = [problem]
    while deeper := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(deeper)
    if isinstance(problem, httpx.TimeoutException):
        return "no connection in time" if isinstance(problem, httpx.ConnectTimeout) else "no answer in time"
    own = next((each for each in causes if isinstance(each, OSError) and each.strerror), problem)
    said = getattr(own, "verify_message", "") or getattr(own, "strerror", "") or str(own) or type(own).__name__
    return one_line_excerpt(str(said), EXCERPT)
