"""LIST and GET over the recorded objects: namespaces, selectors, pages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from upgate.sources.demo import statuses
from upgate.sources.demo.recording import RecordedList, Resource, key_of
from upgate.sources.demo.selectors import field_test, label_test
from upgate.sources.demo.statuses import Refusal, Reply

Query = Mapping[str, str]
INTEGER = re.compile(r"[+-]?\d+")
#: The resource version of tokens that go on with a list that is no longer consistent.
INCONSISTENT = -1


class Token(msgspec.Struct, omit_defaults=True):
    """A continue token: where the next page starts. `page` is ours, so that faults can be ordered for one page."""

    v: str
    rv: int
    start: str
    page: int = 2

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


class Item(NamedTuple):
    """An object: its key, its bytes, and what selectors look at."""

    key: str
    raw: msgspec.Raw
    content: dict[str, Any]


class Objects:
    """The objects of one resource."""

    def __init__(self, resource: Resource, recorded: RecordedList) -> None:
        self.resource = resource
        self._list = recorded
        self._items: list[Item] = []

    def get(self, namespace: str, name: str) -> Reply:
        """GET one object. Raises Refusal."""
        wanted = f"{namespace}/{name}" if namespace else name
        for item in self.items:
            if item.key == wanted:
                kind = self._list.kind.removesuffix("List")
                return statuses.json_reply({"kind": kind, "apiVersion": self._list.api_version} | item.content)
        raise Refusal(statuses.not_found(self.resource, name))

    def page(self, namespace: str, query: Query, epoch: int = 0) -> tuple[dict[str, Any], list[Item]]:
        """The metadata and objects of one page; `epoch` counts how often all continue tokens have expired. Raises Refusal."""
        version = int(self._list.resource_version) + epoch
        token = read_token(query.get("continue", ""), version)
        items = [item for item in self._selected(namespace, query) if not token or item.key >= token.start]
        limit = limit_of(query)
        page = items[:limit] if limit else items
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if len(page) < len(items):
            following = Token("meta.k8s.io/v1", version, page[-1].key + "\0", token.page + 1 if token else 2)
            metadata["continue"] = str(following)
            if not (query.get("labelSelector") or query.get("fieldSelector")):
                metadata["remainingItemCount"] = len(items) - len(page)
        return metadata, page

    def reply(self, metadata: Mapping[str, Any], page: list[Item]) -> Reply:
        """The answer with one page."""
        head = {"kind": self._list.kind, "apiVersion": self._list.api_version, "metadata": metadata}
        items = b",".join(bytes(item.raw) for item in page)
        return Reply(200, msgspec.json.encode(head)[:-1] + b',"items":[' + items + b"]}\n")

    @property
    def items(self) -> list[Item]:
        """All of them, decoded when they are asked for the first time."""
        if not self._items:
            contents = ((raw, msgspec.json.decode(raw)) for raw in self._list.items)
            self._items = [Item(key_of(content), raw, content) for raw, content in contents]
        return self._items

    def renew_leases(self, recorded: datetime, elapsed: timedelta) -> Objects:
        """The same leases later: those that were alive when they were recorded have been renewed since."""
        living = [renewed(msgspec.json.decode(raw), recorded, elapsed) for raw in self._list.items]
        items = [msgspec.Raw(msgspec.json.encode(lease)) for lease in living]
        return Objects(self.resource, msgspec.structs.replace(self._list, items=items))

    def _selected(self, namespace: str, query: Query) -> list[Item]:
        fields = field_test(query.get("fieldSelector", ""), self.resource)
        labels = label_test(query.get("labelSelector", ""))
        return [
            item
            for item in self.items
            if (not namespace or item.key.startswith(namespace + "/"))
            and labels((item.content.get("metadata") or {}).get("labels") or {})
            and fields(item.content)
        ]


def read_token(text: str, version: int) -> Token | None:
    """The continue token of a query. Raises Refusal where it is none, and where it has expired."""
    token = parse_token(text) if text else None
    if token and token.rv not in (version, INCONSISTENT):
        raise Refusal(gone(token))
    return token


def parse_token(text: str) -> Token:
    """A continue token, whatever its age. Raises Refusal."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Token)
    except (binascii.Error, msgspec.DecodeError) as problem:
        message = f"invalid continue token: continue key is not valid: {problem}"
        raise Refusal(statuses.bad_request(message)) from problem


def gone(token: Token) -> Reply:
    """410 Gone, with a token for those who prefer an inconsistent list."""
    inconsistent = str(msgspec.structs.replace(token, rv=INCONSISTENT))
    return statuses.status(410, "Expired", statuses.EXPIRED, metadata={"continue": inconsistent})


def limit_of(query: Query) -> int:
    """The page size, 0 for all. Raises Refusal."""
    text = query.get("limit", "0")
    if not INTEGER.fullmatch(text):
        raise Refusal(statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax'))
    from_cache = query.get("resourceVersion") == "0" and not query.get("continue")
    return 0 if from_cache else max(int(text), 0)


def renewed(lease: dict[str, Any], recorded: datetime, elapsed: timedelta) -> dict[str, Any]:
    """The lease, renewed if it was alive: within twice its duration."""
    spec = lease.get("spec") or {}
    if not spec.get("renewTime") or not spec.get("leaseDurationSeconds"):
        return lease
    renewal = datetime.fromisoformat(spec["renewTime"])
    if recorded - renewal > 2 * timedelta(seconds=spec["leaseDurationSeconds"]):
        return lease
    return lease | {"spec": spec | {"renewTime": f"{renewal + elapsed:%Y-%m-%dT%H:%M:%S.%fZ}"}}
