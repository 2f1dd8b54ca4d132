"""The commands that send the same request by hand: the words of a check's `Look first:`, without credentials. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import join
from urllib.parse import urlsplit

from upgate.base.harmless import Typed, harmless, on_one_line
from upgate.base.redaction import HIDDEN
from upgate.facts.attempts import Attempt
from upgate.sources.probes.masking import is_credential, shown_url
from upgate.sources.probes.target import UPGRADE, ProbeTarget


def hint_words(target: ProbeTarget, attempt: Attempt) -> dict[str, str]:
    """`{request}` for curl, `{host}` and `{port}` for nc, `{question}` for dig, `{server}` for openssl s_client."""
    parts = urlsplit(target.url)
    host, port = on_one_line(target.address or parts.hostname or ""), str(parts.port or "")
    return {
        "url": target.shown,
        "name": target.id,
        "request": request(target, attempt),
        "host": typed(target, host),
        "port": port,
        "question": typed(target, *question(target)),
        "server": typed(target, f"{bracketed(host)}:{port}", "-servername", target.server_name or parts.hostname or ""),
    }


def typed(target: ProbeTarget, *words: str) -> Typed:
    """The words quoted for a shell, without credentials."""
    return Typed(join(harmless(target.mask(word)).replace("\n", "\\n") for word in words))


def request(target: ProbeTarget, attempt: Attempt) -> str:
    """curl's options and the URL; for a journey those of the step at which it ended."""
    number = len(attempt.seen) - (attempt.failure is None)
    step = target.steps[max(number, 0)] if target.steps else target
    scheme, _, rest = shown_url(step.url).partition("://")
    plain = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    return typed(target, *curl_options(target), f"{plain}://{rest}")


def curl_options(target: ProbeTarget) -> Iterator[str]:
    """The options of curl besides the URL."""
    flags = {"--head": target.method == "HEAD", "--location": target.follow, "--http2": target.http2}
    yield from (flag for flag, given in flags.items() if given)
    files = {"--cacert": target.ca, "--cert": target.client_certificate, "--key": target.client_key}
    for option, path in files.items():
        yield from (option, path) if path else ()
    if target.address:
        yield from ("--connect-to", f"::{bracketed(target.address)}:")
    if target.proxy:
        yield from ("--noproxy", "*") if target.proxy == "none" else ("--proxy", shown_url(target.proxy))
    upgrade = UPGRADE if target.scheme in ("ws", "wss") else {}
    for name, value in (upgrade | target.headers).items():
        yield from ("--header", f"{name}: {HIDDEN if is_credential(name) else value}")


def question(target: ProbeTarget) -> list[str]:
    """The arguments of dig."""
    server, _, port = target.resolver.rpartition(":") if is_with_port(target.resolver) else (target.resolver, "", "")
    given = [f"@{server.strip('[]')}"] if server else []
    kind = [target.record] if target.record else []
    return [*given, *(["-p", port] if port else []), on_one_line(target.url.removeprefix("dns://")), *kind]


def is_with_port(resolver: str) -> bool:
    """The text is `address:port`, not an address alone, which may be an IPv6 address."""
    return resolver.count(":") == 1 or resolver.startswith("[")


def bracketed(host: str) -> str:
    """An IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
