"""Consecutive requests that share cookies and captured values: log in, search, order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

import httpx
import msgspec

from upgate.base.errors import Inconclusive
from upgate.facts.attempts import Attempt, Comparison
from upgate.profile.sending import AUTHORITY, HARMLESS, WORDS_ALONE
from upgate.sources.probes.answers import Answer, json_at
from upgate.sources.probes.cookies import Jars
from upgate.sources.probes.http import Report, compare_answer, exchange
from upgate.sources.probes.judging import judge_attempt
from upgate.sources.probes.searching import search_all
from upgate.sources.probes.target import ProbeStep, ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch

#: A placeholder for a captured value.
WORD = re.compile(r"\{(\w+)\}")
#: What is raised if a request cannot be sent because it is invalid.
UNSENDABLE = (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError)
#: User and password of a URL.
USERINFO = re.compile(r"(?<=://)[^/?#]*@")


async def probe_journey(target: ProbeTarget, trust: Trust, watch: Watch, report: Report) -> None:
    """Send the requests until a step is not as expected. Raises what httpx and the network raise."""
    cookies = Jars()
    captured: dict[str, str] = {}
    for step, stage in zip(target.steps, target.stages, strict=True):
        own, led = Report(), _words_in(step) & captured.keys()
        try:
            request = _request(target, step, captured)
            answer = await _sent(request, step, trust, watch, own, report, cookies)
        except UNSENDABLE:
            if not led:
                raise
            # Not quoted: what was captured may be a credential.
            report.seen += (
                Comparison(stage, False, f"{stage}: cannot be sent with what was captured as {joined_words(led)}"),
            )
            return
        await search_all((*request.patterns, *step.patterns), answer, watch)
        missing, unknown = _capture(step, answer, cookies, captured)
        request = _with_secrets(request, captured)
        compare_answer(request, answer, own)
        met, words = _verdict(request, own, missing, unknown)
        report.seen += (Comparison(stage, met, f"{stage}: {request.mask(words)}" if words else ""),)
        if not met:
            return


async def _sent(
    request: ProbeTarget, step: ProbeStep, trust: Trust, watch: Watch, own: Report, report: Report, cookies: Jars
) -> Answer:
    """The answer to one step. Raises what httpx and the network raise."""
    led = host_of(request.url) != host_of(step.url)
    try:
        return await exchange(request, trust, watch, own, cookies, led=led)
    finally:
        report.asked = own.asked or request.shown


def _words_in(step: ProbeStep) -> set[str]:
    """The placeholders in a step's request."""
    return set(WORD.findall(" ".join((step.url, step.json, *step.headers.values(), *step.form.values()))))


def joined_words(words: set[str]) -> str:
    """The words as an enumeration."""
    return ", ".join(sorted(words))


def host_of(url: str) -> str:
    """The host of a URL, which may be a placeholder."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def authority_of(url: str) -> str:
    """Host and port of a URL, which may be placeholders."""
    return AUTHORITY.match(url)[0].rpartition("@")[2]  # type: ignore[index]


def _for_strangers(request: ProbeTarget, step: ProbeStep) -> ProbeTarget:
    """The request to a host that an answer named: without credentials."""
    kept = {name for name, value in step.headers.items() if HARMLESS.fullmatch(name) or WORDS_ALONE.fullmatch(value)}
    return msgspec.structs.replace(
        request,
        url=USERINFO.sub("", request.url),
        headers={name: value for name, value in request.headers.items() if name in kept},
        content=b"",
        client_certificate="",
        client_key="",
    )


def _request(target: ProbeTarget, step: ProbeStep, captured: Mapping[str, str]) -> ProbeTarget:
    body, content_type = _body(step, captured)
    headers = {name: _filled(value, captured) for name, value in step.headers.items()}
    request = msgspec.structs.replace(
        target,
        steps=(),
        method=step.method,
        url=_filled(step.url, {word: quote(value, safe="") for word, value in captured.items()}),
        headers=content_type | headers,
        content=body.encode(),
        status=step.status,
        expectations=step.expectations,
        secrets=(*target.secrets, *_typed(target)),
    )
    if authority_of(request.url) != authority_of(step.url) and not target.address:
        request = _for_strangers(request, step)
    return _with_secrets(request, captured)


def _typed(target: ProbeTarget) -> tuple[str, ...]:
    """The captured values that are sent: an answer may repeat them."""
    return tuple(value for step in target.steps for value in step.form.values())


def _with_secrets(request: ProbeTarget, captured: Mapping[str, str]) -> ProbeTarget:
    """The same target with the captured values as secrets, so that no message shows them."""
    return msgspec.structs.replace(request, secrets=(*request.secrets, *captured.values()))


def _body(step: ProbeStep, captured: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    if step.form:
        fields = {name: _filled(value, captured) for name, value in step.form.items()}
        return urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}
    if step.json:
        quoted = {word: msgspec.json.encode(value).decode()[1:-1] for word, value in captured.items()}
        return _filled(step.json, quoted), {"Content-Type": "application/json"}
    return "", {}


def _filled(text: str, captured: Mapping[str, str]) -> str:
    """The text with each `{word}` replaced by its captured value; other braces are left unchanged."""
    return WORD.sub(lambda match: captured.get(match[1], match[0]), text)


def _verdict(request: ProbeTarget, report: Report, missing: str, unknown: str) -> tuple[bool | None, str]:
    """Whether the step is as expected, or None if that is unknown; and what is wrong, or why it is unknown."""
    try:
        wrong = _problems(request, report) or missing
    except Inconclusive as reason:
        wrong, unknown = missing, str(reason)
    if wrong:
        return False, wrong
    return (None, unknown) if unknown else (True, "")


def _problems(request: ProbeTarget, report: Report) -> str:
    now = datetime.now(UTC)
    untimed = msgspec.structs.replace(request, within=None, tls_days=None)
    seen = Attempt(id=request.id, target=request.shown, started=now, **msgspec.structs.asdict(report))
    return "; ".join(problem.observed for problem in judge_attempt(untimed, seen))


def _capture(step: ProbeStep, answer: Answer, cookies: Jars, captured: dict[str, str]) -> tuple[str, str]:
    """Capture what later steps need. Returns what is missing and what is unknown; both are empty if everything was captured."""
    for word, source in step.capture.items():
        how, _, what = source.partition(":")
        try:
            captured[word] = SOURCES[how](what, answer, cookies)
        except LookupError as missing:
            return f"nothing to capture for {word}: {missing.args[0]}", ""
        except Inconclusive as reason:
            return "", f"nothing to capture for {word}: {reason}"
    return "", ""


def _of_json(path: str, answer: Answer, _: Jars) -> str:
    value = json_at(path, answer)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _of_header(name: str, answer: Answer, _: Jars) -> str:
    if name not in answer.headers:
        raise LookupError(f"header {name} is missing")
    return answer.headers[name]


def _of_cookie(name: str, _: Answer, cookies: Jars) -> str:
    value = cookies.value(name)
    if value is None:
        raise LookupError(f"cookie {name} is missing")
    return value


def _of_regex(pattern: str, answer: Answer, _: Jars) -> str:
    """The first group, or the whole match if the pattern has no group."""
    found = answer.found(pattern)
    if found is None:
        raise LookupError(f"the body does not match /{pattern}/")
    return found


SOURCES = {"json": _of_json, "header": _of_header, "cookie": _of_cookie, "regex": _of_regex}
