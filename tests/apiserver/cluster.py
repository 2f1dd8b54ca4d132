"""The API server of the tests as they see it: a context manager with a URL."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.apiserver.api import FullApi
from tests.apiserver.faults import Fault, Plan
from tests.apiserver.server import FaultyServer
from tests.apiserver.tls import serving_context
from tests.apiserver.world import world
from upgate.sources.demo.api import Request
from upgate.sources.demo.cluster import EmbeddedCluster as DemoCluster
from upgate.sources.demo.recording import Recording, load_recording, shipped

State = str | Path | Recording | Mapping[str, Any]


class EmbeddedCluster(DemoCluster):
    """An API server on loopback, with faults to order.

    `state` is "healthy" or "broken", the path of a recording, or a world of plain dicts: `{"pods": [{…}], "nodes": [{…}]}`.
    `forbid` names what is answered with 403: resources ("pods"), paths ("/metrics"), patterns ("*").
    `tls` is for kubectl, which sends its token over TLS only.
    """

    _server: FaultyServer

    def __init__(
        self,
        state: State = "healthy",
        faults: Sequence[Fault] = (),
        forbid: Collection[str] = (),
        *,
        port: int = 0,
        tls: bool = False,
    ) -> None:
        super().__init__()
        #: What clients must trust, as PEM; empty without TLS.
        self.certificate = b""
        self._api = FullApi(recording_of(state), forbid)
        self._plan = Plan(faults)
        self._port = port
        self._tls = tls

    def new_server(self) -> FaultyServer:
        """The server that listens from now on."""
        context = None
        if self._tls:
            context, self.certificate = serving_context()
        return FaultyServer(self._api, self.token, self._plan, self._port, context)

    @property
    def url(self) -> str:
        """Where it answers."""
        return super().url.replace("http:", "https:") if self.certificate else super().url

    @property
    def trust(self) -> dict[str, str]:
        """What a kubeconfig says of its certificate."""
        return {"certificate-authority-data": b64encode(self.certificate).decode()} if self.certificate else {}

    @property
    def requests(self) -> list[Request]:
        """What it was asked so far: method, path, query, user."""
        return list(self._server.asked)

    def expire_tokens(self) -> None:
        """Let all continue tokens that it gave out be too old from now on."""
        self._api.expire_tokens()


def recording_of(state: State) -> Recording:
    """The recording behind a state. Raises UsageError, ValueError."""
    if isinstance(state, Mapping):
        return world(state)
    if isinstance(state, Recording):
        return state
    return shipped(state) if state in ("healthy", "broken") else load_recording(Path(state))
