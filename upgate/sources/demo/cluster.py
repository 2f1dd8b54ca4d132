"""The demo cluster as its users see it: a context manager with a URL."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from upgate.sources.demo.api import USER, Api
from upgate.sources.demo.recording import shipped
from upgate.sources.demo.server import LoopbackServer

#: Seconds after which a closed server notices, at most.
POLL = 0.02


class EmbeddedCluster:
    """An API server on loopback. `state` is "healthy" or "broken"."""

    _server: LoopbackServer

    def __init__(self, state: str = "healthy") -> None:
        self.token = secrets.token_urlsafe(24)
        self._state = state

    def __enter__(self) -> Self:
        self._server = self.new_server()
        threading.Thread(target=self._server.serve_forever, args=[POLL], daemon=True, name="embedded").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def new_server(self) -> LoopbackServer:
        """The server that listens from now on."""
        return LoopbackServer(Api(shipped(self._state)), self.token)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def trust(self) -> dict[str, str]:
        """What a kubeconfig says of its certificate."""
        return {}

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig with a token that it accepts; only its owner may read it."""
        name = "embedded"
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": self.url} | self.trust}],
            "users": [{"name": USER, "user": {"token": self.token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": USER}}],
        }
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(document)))  # JSON is YAML
        return path
