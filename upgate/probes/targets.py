"""The profile's entries joined with the snapshot: what to ask, and what was seen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec

from upgate.errors import Inconclusive
from upgate.probes.attempt import Attempt
from upgate.probes.explaining import known
from upgate.probes.judging import Problem, judge
from upgate.probes.target import Expectation, Step, Target
from upgate.profile.external import METHODS
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.external import External
    from upgate.profile.external import Step as ProfileStep

#: The answer to the key of upgate.probes.http.UPGRADE, by RFC 6455.
ACCEPTED = Expectation("header", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Accept")


@dataclass(frozen=True)
class Endpoint:
    """One target and what was seen of it, as a check judges it."""

    target: Target
    attempt: Attempt
    #: What the cluster knows about the address, for when it does not answer.
    known: str = ""

    @property
    def ref(self) -> str:
        """The URL or `host:port`, without credentials."""
        return self.attempt.target

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"url": self.target.shown, "name": self.target.id}

    @property
    def gap(self) -> str:
        """Why it could not be judged; empty when it could."""
        try:
            judge(self.target, self.attempt)
        except Inconclusive as reason:
            return str(reason)
        return ""

    @property
    def problems(self) -> str:
        """All that is wrong with it; empty when nothing is. Raises Inconclusive."""
        found = self._judged()
        return "; ".join([*(problem.observed for problem in found), *filter(None, [self.known if found else ""])])

    @property
    def expected(self) -> str:
        """What was expected where it is wrong. Raises Inconclusive."""
        return "; ".join(dict.fromkeys(problem.expected for problem in self._judged()))

    @property
    def flaky(self) -> str:
        """It passed after attempts that did not; empty otherwise."""
        return f"passed after: {'; '.join(self.attempt.earlier)}" if self.attempt.flaky_after else ""

    def _judged(self) -> list[Problem]:
        return judge(self.target, self.attempt)


def needs(entries: Iterable[External]) -> set[str]:
    """The nouns of the snapshot without which these entries cannot be asked."""
    return {noun for entry in entries for noun in NEEDED.get(entry.each or "", ())}


def targets(entries: Iterable[External], snapshot: Snapshot, secrets: Sequence[str] = ()) -> list[Target]:
    """Everything that can be asked. Entries that cannot be expanded are left to `seen`, which says why."""
    return [target for entry in entries for target in _possible(entry, snapshot, secrets)]


def seen(entry: External, snapshot: Snapshot, secrets: Sequence[str] = ()) -> list[Endpoint]:
    """What the snapshot holds about one entry. Raises Inconclusive where it was not asked."""
    attempts = {attempt.id: attempt for attempt in snapshot.attempts}
    return [_endpoint(target, attempts, snapshot) for target in _expanded(entry, snapshot, secrets)]


def _possible(entry: External, snapshot: Snapshot, secrets: Sequence[str]) -> Iterator[Target]:
    try:
        yield from _expanded(entry, snapshot, secrets)
    except Inconclusive:
        return  # `seen` raises the same, as the result of this entry's check


def _endpoint(target: Target, attempts: dict[str, Attempt], snapshot: Snapshot) -> Endpoint:
    if target.id not in attempts:
        raise Inconclusive(f"{target.shown} was not asked when this snapshot was taken")
    return Endpoint(target, attempts[target.id], known(target, attempts[target.id], snapshot))


def _expanded(entry: External, snapshot: Snapshot, secrets: Sequence[str]) -> list[Target]:
    if entry.each is None:
        return [_target(entry, entry.id, _url(entry), secrets)]
    if entry.each not in EACH:
        raise Inconclusive(f"the addresses of each {entry.each} are not among the facts of this snapshot")
    return [_at(entry, name, address, secrets) for name, address in EACH[entry.each](snapshot)]


def _at(entry: External, name: str, address: str, secrets: Sequence[str]) -> Target:
    host = f"[{address}]" if ":" in address else address
    return _target(entry, f"{entry.id}[{name}]", _url(entry).replace("{address}", host), secrets)


def _nodes(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Name and address of each node; one that tells no address is asked for by its name."""
    for node in snapshot.facts("nodes"):
        yield node.name, node.address("InternalIP", "ExternalIP", "Hostname") or node.name


EACH: dict[str, Callable[[Snapshot], Iterable[tuple[str, str]]]] = {"node": _nodes}
NEEDED = {"node": ("nodes",)}


def _target(entry: External, id: str, url: str, secrets: Sequence[str]) -> Target:
    return Target(
        id=id,
        url=url,
        method=entry.method,
        headers=dict(entry.headers),
        status=(101,) if entry.websocket else entry.status or (),
        expectations=tuple(_expectations(entry, url)),
        within=entry.within and entry.within.total_seconds(),
        timeout=entry.timeout.total_seconds(),
        tls_days=entry.tls_days,
        ca=entry.ca or "",
        client_certificate=entry.client_certificate or "",
        client_key=entry.client_key or "",
        proxy=entry.proxy or "",
        address=entry.address or "",
        follow=entry.follow,
        http2=entry.http2,
        steps=tuple(map(_step, entry.journey or ())),
        closed=entry.closed is not None,
        attempts=getattr(entry, "attempts", 1),
        secrets=tuple(secrets),
    )


def _url(entry: External) -> str:
    if entry.websocket:
        return "ws" + entry.websocket.removeprefix("ws").removeprefix("http")
    if entry.journey:
        return _request(entry.journey[0])[1]
    if entry.dns:
        return f"dns://{entry.dns}"
    place = entry.tcp or entry.closed
    return entry.url or (place if "://" in place else f"tcp://{place}")


def _step(step: ProfileStep) -> Step:
    method, url = _request(step)
    return Step(
        method=method,
        url=url,
        headers=dict(step.headers),
        form=dict(step.form),
        json="" if step.json_body is None else _json(step.json_body),
        status=step.status or (),
        expectations=(Expectation("contains", step.body),) if step.body else (),
        capture=dict(step.capture),
    )


def _request(step: ProfileStep) -> tuple[str, str]:
    """The method and the URL of a step: the profile checked that there is exactly one."""
    return next((method.upper(), url) for method in METHODS if (url := getattr(step, method)))


def _expectations(entry: External, url: str) -> Iterator[Expectation]:
    if entry.websocket:
        yield ACCEPTED
    if entry.resolves_to:
        yield Expectation("resolves", ", ".join(sorted(entry.resolves_to)))
    if entry.body:
        yield Expectation("contains", entry.body)
    if entry.matches:
        yield Expectation("matches", entry.matches)
    if entry.location:
        yield Expectation("location", urljoin(url, entry.location))
    yield from (Expectation("json", _json(value), path) for path, value in entry.json_values.items())
    yield from (Expectation("header", value, name) for name, value in entry.header.items())


def _json(value: Any) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
