"""Records a live cluster, so that the demo can answer as it did: `python -m tests.apiserver.record OUT.json.gz`.

Only reads. Secrets are not even asked for, nor ConfigMaps but one; what else could be secret or is never read is left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from upgate.base.errors import Inconclusive
from upgate.base.redaction import redact

#: Plain-text endpoints, as they are asked for.
TEXTS = ("/readyz?verbose", "/livez?verbose", "/healthz?verbose", "/metrics")
#: Metric families worth keeping; an API server has some 20,000 lines of others.
METRICS = (
    "apiserver_requested_deprecated_apis",
    "apiserver_storage_objects",
    "kubernetes_build_info",
    "serviceaccount_stale_tokens_total",
    "serviceaccount_legacy_tokens_total",
)
#: May hold secrets.
CONFIDENTIAL = ("secrets", "configmaps")
#: Of the ConfigMaps only this one is asked for.
CONFIGMAPS, AUTOSCALER_STATUS = "/api/v1/configmaps", "metadata.name=cluster-autoscaler-status"
#: The same objects under a second name, or deprecated and computed on request.
DOUBLES = ("/apis/events.k8s.io/v1/events", "/api/v1/componentstatuses", "/api/v1/endpoints")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
#: Of a node: long, and of no use to any check.
NODE_BALLAST = ("images", "volumesInUse", "volumesAttached")


class Answer(Protocol):
    """What the API server answered."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Connection(Protocol):
    """Asks one API server."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer: ...


def record(connection: Connection, out: Path) -> None:
    """Record everything that the embedded cluster answers, into a gzipped JSON file. Raises Inconclusive."""
    version = ask(connection, "/version")
    discovery = {path: json.loads(ask(connection, path).body) for path in ("/api", "/apis", "/api/v1")}
    discovery |= {path: json.loads(ask(connection, path).body) for path in group_versions(discovery["/apis"])}
    write(
        out,
        {
            "recorded": parsedate_to_datetime(version.headers["Date"]).isoformat(),
            "version": json.loads(version.body),
            "texts": {path: text(connection, path) for path in TEXTS},
            "discovery": discovery,
            "lists": {path: listing(connection, path) for path in listable(discovery)}
            | {CONFIGMAPS: listing(connection, CONFIGMAPS, {"fieldSelector": AUTOSCALER_STATUS})},
        },
    )


def ask(connection: Connection, path: str, query: Mapping[str, str] | None = None) -> Answer:
    """One answer with status 200. Raises Inconclusive."""
    answer = connection.get(path, query)
    if answer.status != 200:
        said = redact(answer.body[:200].decode(errors="replace"))
        raise Inconclusive(f"recording {path}: status {answer.status} ({said}). Record as somebody who may read it.")
    return answer


def text(connection: Connection, path: str) -> str:
    """A plain-text endpoint; of metrics only the families that are worth keeping."""
    plain, _, question = path.partition("?")
    body = ask(connection, plain, {question: ""} if question else None).body.decode()
    return "".join(metric_lines(body)) if plain == "/metrics" else body


def metric_lines(exposition: str) -> Iterator[str]:
    """The lines of the families in METRICS, with their HELP and TYPE."""
    for line in exposition.splitlines(keepends=True):
        name = line.split(" ", 3)[2] if line.startswith("#") else line.partition("{")[0].partition(" ")[0]
        if name in METRICS:
            yield line


def group_versions(groups: dict[str, Any]) -> list[str]:
    """The discovery path of every version of every API group."""
    return [f"/apis/{version['groupVersion']}" for group in groups["groups"] for version in group["versions"]]


def preferred(discovery: Mapping[str, Any]) -> list[str]:
    """The discovery path of each group's preferred version, the core group first."""
    return [
        "/api/v1",
        *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in discovery["/apis"]["groups"]),
    ]


def listable(discovery: Mapping[str, Any]) -> list[str]:
    """The cluster-wide paths of all that can be listed and is no secret, each at its preferred version."""
    paths = [
        f"{version}/{resource['name']}"
        for version in preferred(discovery)
        for resource in discovery[version]["resources"]
        if "list" in resource["verbs"] and "/" not in resource["name"] and resource["name"] not in CONFIDENTIAL
    ]
    return [path for path in paths if path not in DOUBLES]


def listing(connection: Connection, path: str, query: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """A whole list, page by page, its items stripped."""
    token, items = "", []
    while True:
        asked = {"limit": "500", **query} | ({"continue": token} if token else {})
        page = json.loads(ask(connection, path, asked).body)
        items += [stripped(item, page["kind"]) for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            version = page["metadata"].get("resourceVersion", "")
            return {"kind": page["kind"], "apiVersion": page["apiVersion"], "resourceVersion": version, "items": items}


def stripped(item: dict[str, Any], kind: str) -> dict[str, Any]:
    """The object without what could be secret or is never read."""
    if kind == "NodeList":
        for key in NODE_BALLAST:
            item["status"].pop(key, None)
    else:
        item["metadata"].pop("managedFields", None)
    item["metadata"].get("annotations", {}).pop(LAST_APPLIED, None)
    return mapped(without_environment(item), redact)


def without_environment(value: Any) -> Any:
    """Without the values of environment variables, wherever containers are described."""
    if isinstance(value, list):
        return [without_environment(each) for each in value]
    if isinstance(value, dict):
        return {key: names_only(each) if key == "env" else without_environment(each) for key, each in value.items()}
    return value


def names_only(env: Any) -> Any:
    """Environment variables with their names and sources, not their values."""
    if not isinstance(env, list):
        return env
    return [{key: each[key] for key in each if key != "value"} if isinstance(each, dict) else each for each in env]


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same value with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    if isinstance(value, dict):
        return {key: mapped(each, change) for key, each in value.items()}
    return value


def write(out: Path, recording: dict[str, Any]) -> None:
    """Write it whole or not at all, and the same content always as the same bytes."""
    content = json.dumps(recording, sort_keys=True, indent=0, ensure_ascii=False).encode()
    draft = out.with_name(out.name + ".part")
    draft.write_bytes(gzip.compress(content, mtime=0))
    draft.replace(out)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line: [--kubeconfig FILE] [--context NAME] OUT.json.gz"""
    parser = argparse.ArgumentParser(
        prog="python -m tests.apiserver.record", description="Record a cluster for the demo."
    )
    parser.add_argument("--kubeconfig", help="default: $KUBECONFIG, then ~/.kube/config")
    parser.add_argument("--context", help="default: the current one")
    parser.add_argument("out", type=Path, metavar="OUT.json.gz")
    options = parser.parse_args(argv)

    from upgate.sources.cluster.login import connect

    record(connect(options.kubeconfig, options.context).connection, options.out)
    print(f"recorded {options.out} ({options.out.stat().st_size // 1024} KiB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
