"""The plainest client of the embedded API server: one request, one connection, the answer as it came."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.apiserver import EmbeddedCluster


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's content."""
        return json.loads(self.body)

    @property
    def names(self) -> list[str]:
        """The names of a list's objects."""
        return [item["metadata"]["name"] for item in self.json["items"]]


def ask(
    cluster: EmbeddedCluster,
    path: str,
    *,
    method: str = "GET",
    token: str | None = None,
    timeout: float = 5.0,
    headers: Mapping[str, str] = {},
) -> Answer:
    """Ask as the cluster's own user, with another token, or with none (""). Raises what http.client raises."""
    connection = http.client.HTTPConnection(cluster.url.removeprefix("http://"), timeout=timeout)
    credentials = cluster.token if token is None else token
    authorization = {"Authorization": f"Bearer {credentials}"} if credentials else {}
    try:
        connection.request(method, path, headers={**authorization, **headers})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


class Connection:
    """What can be recorded from."""

    def __init__(self, cluster: EmbeddedCluster) -> None:
        self._cluster = cluster

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """GET once."""
        return ask(self._cluster, f"{path}?{urlencode(query)}" if query else path)


def pod(
    name: str, namespace: str = "shop", node: str = "node1", phase: str = "Running", **labels: str
) -> dict[str, Any]:
    """A pod with just what selectors look at."""
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"metadata": metadata, "spec": {"nodeName": node}, "status": {"phase": phase}}
