"""What an entry of `external:` sends that proves who we are, and who may get it.

Tenants write Ingresses and load balancers, and a kubelet writes the addresses of its node: with `each:` they decide who receives
what the entry sends. An entry with credentials must say which objects it trusts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from upgate.profile.ids import entries
from upgate.profile.problems import Keys, Position, Problem, at
from upgate.profile.tree import YamlNode

if TYPE_CHECKING:
    from upgate.profile.model import Profile

#: Headers that may be sent to any host; all others may hold a credential.
HARMLESS = re.compile(
    r"host|user-agent|accept(-\w+)?|cache-control|pragma|content-type|origin|referer|range|connection|upgrade|date|via|dnt"
    r"|forwarded|x-forwarded-\w+|x-real-ip|x-request-id|x-correlation-id|traceparent|if-[\w-]+|sec-websocket-protocol",
    re.I,
)
#: A header whose value is made of the words of `each` alone holds nothing of ours.
WORDS_ALONE = re.compile(r"(\{\w+\}|[\s:/.,;=-])*")
#: Parameters of a URL that hold a credential by their name.
CREDENTIAL = re.compile(
    r"auth|token|secret|password|passwd|pwd|signature|\bsig\b|session|key|jwt|credential|sid\b", re.I
)
METHODS = ("get", "post", "put", "patch", "delete", "head")
URLS = ("url", "websocket", "closed")
#: Who writes where the request goes, and what says that they are trusted.
TRUST = {
    "ingress": ("namespaces", "anyone who can write an Ingress"),
    "load-balancer": ("namespaces", "anyone who can write a Service"),
    "node": ("trust-nodes", "a node's kubelet, which writes its addresses,"),
}
#: Scheme, host and port of a URL: a variable there leads somewhere, and proves nothing.
PLACE = re.compile(r"\A\w+://[^/@?#]*(?=[/?#]|\Z)")
#: The same with user and password, of whatever is written there.
AUTHORITY = re.compile(r"[^/?#]*(?://[^/?#]*)?")
#: A word that stands for a captured value.
PLACEHOLDER = re.compile(r"\{(\w{1,100})\}")
#: Schemes without TLS.
PLAIN = ("http://", "ws://")


def untrusted(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Credentials that would go to a host that an object of the cluster names, where the profile does not allow it."""
    each = entry.text_at("each")
    if each not in TRUST:
        return
    key, who = TRUST[each]
    said = entry.child(key)
    if said is not None and said.value not in (None, False, []):
        return
    wanted = f"{key}: true" if key == "trust-nodes" else f"{key}: [those that are trusted]"
    for path, place, what in credentials(entry):
        yield at(place, (*keys, *path), f"{who} would receive {what}: needs {wanted} with each: {each}")


def led_astray(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Credentials of a step that would go to the host that an answer before it names."""
    journey, address = entry.child("journey"), entry.child("address")
    if address is not None and address.value:
        return  # wherever the URL leads, that is what is connected to
    steps = list(journey.entries()) if journey else []
    captures = [step.child("capture") for step in steps if isinstance(step.value, dict)]
    words = {word for each in captures if each and isinstance(each.value, dict) for word in each.value}
    for index, step in enumerate(steps):
        for word in words & words_in_place(step):
            for path, place, what in of_step(step, ("journey", index)):
                if path[-1] != "capture":
                    told = f"the host that an earlier answer names as {{{word}}} would receive {what}: write the host itself here"
                    yield at(place, (*keys, *path), told)


def words_in_place(step: YamlNode) -> set[str]:
    """The words that say where a step of a journey goes: in the scheme, host or port of its URL."""
    children = (step.child(method) for method in METHODS) if isinstance(step.value, dict) else ()
    urls = [child.value for child in children if child is not None and isinstance(child.value, str)]
    return {word for url in urls for word in PLACEHOLDER.findall(AUTHORITY.match(url)[0])}  # type: ignore[index]


def in_plain_text(profile: Profile) -> list[str]:
    """The entries that send credentials without TLS, one sentence each."""
    pairs = zip(entries(profile.tree, "external"), profile.external, strict=False)
    asked = [(entry.id, node, urls_of(entry)) for node, entry in pairs]
    if profile.prometheus and (node := profile.tree.child("prometheus")):
        asked.append(("prometheus", node, [profile.prometheus.url]))
    return [
        f"{name} sends credentials over plain http: on the way there they can be read, and the answer, and with it this"
        " verdict, can be forged"
        for name, node, urls in asked
        if any(credentials(node)) and any(url.lower().startswith(PLAIN) for url in urls)
    ]


def urls_of(entry: object) -> list[str]:
    """The URLs that an entry of the model asks."""
    steps = [getattr(step, method) for step in getattr(entry, "journey", None) or () for method in METHODS]
    return [url for url in (*(getattr(entry, key) for key in URLS), *steps) if url]


def credentials(entry: YamlNode) -> Iterator[tuple[Keys, Position, str]]:
    """What an entry sends that proves who we are: under which keys, where in the file, and what it is in words."""
    if not isinstance(entry.value, dict):
        return
    for key, what in {
        "basic": "a password",
        "bearer": "a token",
        "client-certificate": "a client certificate",
    }.items():
        if (child := entry.child(key)) and child.value is not None:
            yield (key,), child.place, what
    for key in URLS:
        yield from of_url(entry, key, (key,))
    yield from of_headers(entry, ())
    journey = entry.child("journey")
    for index, step in enumerate(journey.entries() if journey else ()):
        yield from of_step(step, ("journey", index))


def of_step(step: YamlNode, keys: Keys) -> Iterator[tuple[Keys, Position, str]]:
    """What a step of a journey sends: what is typed, and what was captured before."""
    for method in METHODS:
        yield from of_url(step, method, (*keys, method))
    yield from of_headers(step, keys)
    for key, what in {"form": "a form", "json": "a body", "capture": "captured values"}.items():
        child = step.child(key)
        if child is not None and child.value not in (None, {}):
            yield (*keys, key), child.place, what


def of_headers(node: YamlNode, keys: Keys) -> Iterator[tuple[Keys, Position, str]]:
    """Headers that are not known to be harmless."""
    headers = node.child("headers")
    for name, value in headers.items() if headers else ():
        text = str(value.value)
        harmless = bool(HARMLESS.fullmatch(name)) and not is_secret(value)
        if value.value is not None and not harmless and not WORDS_ALONE.fullmatch(text):
            yield (*keys, "headers", name), value.place, f"the header {name}"


def of_url(node: YamlNode, key: str, keys: Keys) -> Iterator[tuple[Keys, Position, str]]:
    """User and password in a URL, and credentials in its path or query."""
    child = node.child(key)
    if child is None or not isinstance(child.value, str):
        return
    try:
        parts = urlsplit(child.value)
        named = any(
            CREDENTIAL.search(name) and not WORDS_ALONE.fullmatch(value) for name, value in parse_qsl(parts.query)
        )
        found = "@" in parts.netloc or named
    except ValueError:
        return  # the profile's model says that it is not a URL
    if found or "${" in PLACE.sub("", child.text).replace("$${", ""):
        yield keys, child.place, "the credentials in this URL"


def is_secret(node: YamlNode) -> bool:
    """The text holds what a `${VAR}` stands for."""
    return "${" in node.text.replace("$${", "")
