"""The embedded cluster as its users see it: a context manager with a URL."""

from __future__ import annotations

import secrets
import threading
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from upgate.sources.demo.api import USER, Api, Request
from upgate.sources.demo.faults import Fault, Plan
from upgate.sources.demo.recording import Recording, load, shipped, world
from upgate.sources.demo.server import Server

#: Seconds after which a closed server notices, at most.
POLL = 0.02
State = str | Path | Mapping[str, Any]


class EmbeddedCluster:
    """An API server on loopback.

    `state` is "healthy" or "broken", the path of a recording, or a world of plain dicts: `{"pods": [{…}], "nodes": [{…}]}`.
    `forbid` names what is answered with 403: resources ("pods"), paths ("/metrics"), patterns ("*").
    `tls` is for kubectl, which sends its token over TLS only.
    """

    def __init__(
        self,
        state: State = "healthy",
        faults: Sequence[Fault] = (),
        forbid: Collection[str] = (),
        *,
        port: int = 0,
        tls: bool = False,
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        #: What clients must trust, as PEM; empty without TLS.
        self.certificate = b""
        self._api = Api(recording_of(state), forbid)
        self._plan = Plan(faults)
        self._port = port
        self._tls = tls
        self._server: Server

    def __enter__(self) -> Self:
        context = None
        if self._tls:
            from upgate.sources.demo.tls import serving_context

            context, self.certificate = serving_context()
        self._server = Server(self._api, self._plan, self.token, self._port, context)
        threading.Thread(target=self._server.serve_forever, args=[POLL], daemon=True, name="embedded").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> list[Request]:
        """What it was asked so far: method, path, query, user."""
        return list(self._server.asked)

    def expire_tokens(self) -> None:
        """Let all continue tokens that it gave out be too old from now on."""
        self._api.expire_tokens()

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig with a token that it accepts, readable by nobody else."""
        name = "embedded"
        trust = {"certificate-authority-data": b64encode(self.certificate).decode()} if self.certificate else {}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": self.url} | trust}],
            "users": [{"name": USER, "user": {"token": self.token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": USER}}],
        }
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(document)))  # JSON is YAML
        return path


def recording_of(state: State) -> Recording:
    """The recording behind a state. Raises UsageError, ValueError."""
    if isinstance(state, Mapping):
        return world(state)
    return shipped(state) if state in ("healthy", "broken") else load(Path(state))
