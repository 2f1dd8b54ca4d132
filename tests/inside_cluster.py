"""A cluster in memory, as far as the probe creates, reads and deletes in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from upgate.sources.cluster.connection import ApiResponse

Object = dict[str, Any]
HOME = "/api/v1/namespaces/upgate-probe"


def running(pod: Object) -> Object:
    """It listens, or has asked and got every answer."""
    if pod["metadata"]["labels"]["upgate.dev/role"] == "listen":
        return {
            "phase": "Running",
            "podIP": f"10.1.0.{len(pod['spec']['nodeName'])}",
            "containerStatuses": [{"state": {"running": {}}}],
        }
    asked = next(each["value"] for each in pod["spec"]["containers"][0]["env"] if each["name"] == "ASK")
    said = "".join(f"{line.split()[0]}=1\n" for line in asked.splitlines())
    return {
        "phase": "Succeeded",
        "containerStatuses": [{"state": {"terminated": {"exitCode": 0, "message": said + "end\n"}}}],
    }


def waiting(reason: str, message: str = "") -> Callable[[Object], Object]:
    """A pod whose container waits for that reason."""
    state = {"waiting": {"reason": reason, "message": message}}
    return lambda pod: {"phase": "Pending", "containerStatuses": [{"state": state}]}


def failed(reason: str) -> Callable[[Object], Object]:
    """A pod that the kubelet turned down."""
    return lambda pod: {"phase": "Failed", "reason": reason, "message": "Node did not have enough resource"}


class InsideCluster:
    """Answers as an API server does; `nodes`: what becomes of pods on a node; `refuses`: a method and the end of a path."""

    server = "https://cluster.test"

    def __init__(
        self,
        nodes: Mapping[str, Callable[[Object], Object]] = {},
        refuses: tuple[str, str] | None = None,
        namespace: Object | None = None,
    ) -> None:
        self.nodes, self.refuses, self.namespace = nodes, refuses, namespace
        self.pods: dict[str, Object] = {}
        self.services: dict[str, Object] = {}
        self.asked: list[tuple[str, str]] = []
        self.most = 0

    def get(self, path: str, query: Mapping[str, str] | None = None, **_: Any) -> ApiResponse:
        """A list, or the namespace."""
        return self._refused("GET", path) or self._got(path, query or {})

    def write(self, method: str, path: str, body: Any = None, deadline: object = None) -> ApiResponse:
        """Create or delete."""
        return self._refused(method, path) or self._written(method, path.partition("?")[0], body)

    def _got(self, path: str, query: Mapping[str, str]) -> ApiResponse:
        if path == HOME:
            return answer(200, self.namespace) if self.namespace else answer(404, {"message": "not found"})
        role = query.get("labelSelector", "").partition("upgate.dev/role=")[2]
        found = {"pods": self.pods, "services": self.services}.get(path.rpartition("/")[2], {})
        items = [
            each for each in found.values() if not role or each["metadata"]["labels"].get("upgate.dev/role") == role
        ]
        return answer(200, {"items": items})

    def _written(self, method: str, path: str, body: Any) -> ApiResponse:
        kind = path.rpartition("/")[2]
        if method == "POST" and kind == "namespaces":
            self.namespace = body
        elif method == "POST" and kind == "pods":
            self.pods[body["metadata"]["name"]] = body | {
                "status": self.nodes.get(body["spec"]["nodeName"], running)(body)
            }
            self.most = max(self.most, len(self.pods))
        elif method == "POST":
            self.services[body["metadata"]["name"]] = body
            return answer(201, body | {"spec": {"clusterIP": "10.96.0.9"}})
        elif path == HOME:
            self.namespace = None
            self.pods, self.services = {}, {}
        elif kind == "pods":
            self.pods = {}
        else:
            self.services.pop(kind, None)
        return answer(200, body)

    def _refused(self, method: str, path: str) -> ApiResponse | None:
        self.asked.append((method, path))
        if self.refuses and method == self.refuses[0] and path.partition("?")[0].endswith(self.refuses[1]):
            return answer(403, {"message": f"cannot {method} {path}"})
        return None


def answer(status: int, body: Any) -> ApiResponse:
    """An answer in JSON."""
    return ApiResponse(status, {}, json.dumps(body).encode())
