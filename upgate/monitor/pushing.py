"""To a Pushgateway: one group for each profile, replaced as a whole, so that nothing stale is left in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from upgate.base.redaction import redact
from upgate.base.threads import run_with_timeout
from upgate.reports.cleaning import harmless, one_line
from upgate.sources.probes.masking import secrets_of, shown_url

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

JOB = "upgate"
#: Seconds for all of it, the name's resolution included.
PATIENCE = 10.0
LONGEST_ANSWER = 300


def push(registry: CollectorRegistry, url: str, profile: str, secrets: Sequence[str] = ()) -> str:
    """Replace the profile's group; a note if that did not work."""
    try:
        run_with_timeout(PATIENCE, partial(replace_group, registry, url, profile))
    except (OSError, HTTPException, ValueError) as problem:
        note = (
            f"the metrics were not pushed to the Pushgateway at {shown_url(url)}: {reason(problem)}. "
            "The verdict does not change; Prometheus still shows the previous round."
        )
        return redact(note, [*secrets, *secrets_of(url, {})])
    return ""


def replace_group(registry: CollectorRegistry, url: str, profile: str) -> None:
    """Put the metrics in the place of what the profile's group held. Raises OSError, HTTPException, ValueError."""
    from prometheus_client import push_to_gateway

    parts = urlsplit(url)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    send, group = request_handler(parts.netloc), {"profile": profile}
    try:
        push_to_gateway(plain, JOB, registry, grouping_key=group, timeout=PATIENCE, handler=send)
    except HTTPError as problem:
        with problem:
            said = one_line(harmless(problem.read(LONGEST_ANSWER).decode(errors="replace")))
        raise OSError(f"it answered {problem.code} {said}".strip()) from problem


def request_handler(netloc: str) -> Callable[..., Any]:
    """How to send: with the user and the password that the URL has, if it has any."""
    from prometheus_client.exposition import basic_auth_handler, default_handler

    user, _, password = netloc.rpartition("@")[0].partition(":")
    return partial(basic_auth_handler, username=unquote(user), password=unquote(password)) if user else default_handler


def reason(problem: Exception) -> str:
    """Why it did not work."""
    return str(problem.reason if isinstance(problem, URLError) else problem) or type(problem).__name__
