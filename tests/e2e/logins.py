"""Kubeconfigs for the real cluster, with one way or another to log in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.cluster import RealCluster


def kubeconfig(cluster: RealCluster, path: Path, context: str = "real", server: str = "", **user: Any) -> Path:
    """Write a kubeconfig whose user has these credentials: `token=…`, `exec=…`."""
    place = address(cluster) | ({"server": server} if server else {})
    return write(
        path,
        clusters=[{"name": context, "cluster": place}],
        users=[{"name": context, "user": user}],
        contexts=[{"name": context, "context": {"cluster": context, "user": context}}],
        current=context,
    )


def write(path: Path, current: str = "", **parts: Any) -> Path:
    """Write a kubeconfig of these parts."""
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": current, **parts}))
    return path


def address(cluster: RealCluster) -> dict[str, Any]:
    """The API server's URL and authority."""
    return yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]


def certificate(cluster: RealCluster) -> dict[str, Any]:
    """The administrator's client certificate and key."""
    return yaml.safe_load(cluster.kubeconfig.read_text())["users"][0]["user"]


def plugin(folder: Path, script: str) -> dict[str, Any]:
    """An exec credential plugin that runs this shell script."""
    path = folder / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    return {"apiVersion": version, "command": str(path), "interactiveMode": "Never", "provideClusterInfo": False}


def credential(token: str) -> str:
    """What an exec plugin answers when it has a token."""
    return json.dumps(
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    )
