"""One attempt to deliver a message: apprise for every service that it knows, a JSON post for other webhooks. The only importer
of apprise.

URLs hold tokens: no error repeats one, and nothing is logged meanwhile.
"""

from __future__ import annotations

import logging
import re
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from upgate.base.errors import UpgateError, UsageError
from upgate.base.redaction import redact
from upgate.base.threads import run_with_timeout
from upgate.monitor.message import Message

#: Seconds to wait for the next byte, and for one attempt as a whole: an answer may come slowly.
TIMEOUT, PATIENCE = 8, 20
AGENT = "upgate"
#: What stands between the parts of a URL.
PARTS = re.compile(r"[/:@?&=#]+")


class Undelivered(UpgateError):
    """A message did not arrive. The text says why, without the URL."""


def send(url: str, message: Message) -> None:
    """Deliver a message. Raises Undelivered."""
    with unlogged() as said:
        service = service_for(url)
        if service is None:
            post(url, msgspec.json.encode(message))
        elif not notify_service(service, message):
            raise Undelivered(hidden("; ".join(said[-1:]) or "the service did not take it", url))


def notify_service(service: Any, message: Message) -> bool:
    """Let apprise deliver it, as plain text. Raises Undelivered."""
    from apprise import Apprise

    kind = "failure" if message.new or message.more or message.ongoing else "success"
    notify = partial(Apprise(service).notify, message.text, message.title, kind, body_format="text")
    try:
        return bool(run_with_timeout(PATIENCE, notify))
    except TimeoutError:
        raise Undelivered(f"no answer within {PATIENCE} s") from None
    except Exception as problem:  # its plugins are many, and what one of them raises must not stop the others
        raise Undelivered(f"apprise failed with {type(problem).__name__}") from None


def service_for(url: str) -> Any:
    """The service of apprise for a URL; None for a webhook that apprise does not know. Raises Undelivered."""
    from apprise import Apprise

    service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is not None:
        service.socket_connect_timeout = service.socket_read_timeout = TIMEOUT
        if "overflow=" not in url.lower():
            setattr(service, "overflow_mode", "truncate")  # noqa: B010 - apprise declares an enum, and takes its value; else what is longer than a service takes never arrives
    elif not url.startswith(("https://", "http://")):
        raise Undelivered("apprise does not know this kind of URL, or a part of it is missing")
    elif "@" in urlsplit(url).netloc:
        raise Undelivered("a webhook with user and password is written jsons://user:password@host/path")
    return service


def check_urls(urls: Sequence[str]) -> None:
    """Check that all of them can be used. Raises UsageError."""
    for number, url in enumerate(urls):
        try:
            with unlogged():
                service_for(url)
        except Undelivered as problem:
            raise UsageError(
                f"monitor.notify[{number}]: {problem}. See https://github.com/caronc/apprise for the URLs of services"
            ) from None


def post(url: str, body: bytes) -> None:
    """Post JSON to a webhook. Raises Undelivered."""
    send_request(url, urllib.request.Request(url, body, {"Content-Type": "application/json", "User-Agent": AGENT}))  # noqa: S310 - the profile allows only http(s) here


def ping(url: str) -> None:
    """Call a dead-man's switch. Raises Undelivered."""
    send_request(url, urllib.request.Request(url, headers={"User-Agent": AGENT}))  # noqa: S310 - the same


def send_request(url: str, request: urllib.request.Request) -> None:
    """Send a request whose answer must be a success. Raises Undelivered."""
    try:
        run_with_timeout(PATIENCE, partial(answered, request))
    except urllib.error.HTTPError as problem:
        problem.close()
        raise Undelivered(f"it answered with status {problem.code}") from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "reason", problem)
        raise Undelivered(hidden(str(reason) or type(reason).__name__, url)) from None
    except Exception as problem:  # http.client's errors are not OSErrors, and repeat what the server sent
        raise Undelivered(f"it gave no HTTP answer ({type(problem).__name__})") from None


def answered(request: urllib.request.Request) -> None:
    """Send a request, and read the beginning of what is answered."""
    with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT) as answer:
        answer.read(1)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: a login page behind one has not accepted the message."""

    def redirect_request(self, *_: object) -> None:
        """Do not follow."""


def hidden(text: str, url: str) -> str:
    """The text without any part of a URL."""
    return redact(text, [url, *PARTS.split(url)[1:]])


@contextmanager
def unlogged() -> Iterator[list[str]]:
    """Keep what libraries log, which may name URLs, and what they warn of, which does not matter here, out of the output."""
    said: list[str] = []
    logger, handler = logging.getLogger("apprise"), Kept(said)
    before = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(action="ignore"), quiet("urllib3", "requests"):
            yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate, level = before
        logger.setLevel(level)


@contextmanager
def quiet(*names: str) -> Iterator[None]:
    """Silence these loggers in this block."""
    loggers = [logging.getLogger(name) for name in names]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.setLevel(level)


class Kept(logging.Handler):
    """Keeps lines in a list."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self._lines.append(record.getMessage())
