"""What the demo's API does not need: refusals to order, tables, continue tokens that expire."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from tests.apiserver import tables
from upgate.sources.demo import statuses
from upgate.sources.demo.api import TABLE, Api, Request, ResourcePath
from upgate.sources.demo.listing import Objects
from upgate.sources.demo.recording import Recording
from upgate.sources.demo.statuses import Refusal, Reply, json_reply

#: In the Accept header of a client that asks for names and labels alone.
METADATA_ONLY = "PartialObjectMetadataList"


class FullApi(Api):
    """`forbid` holds patterns of resources (`pods`, `leases.coordination.k8s.io`) and paths."""

    def __init__(self, recording: Recording, forbid: Collection[str] = ()) -> None:
        super().__init__(recording)
        self._forbid = tuple(forbid)
        self._epoch = 0

    def expire_tokens(self) -> None:
        """Let every continue token that was given out be too old, as after a compaction of etcd."""
        self._epoch += 1

    def permits(self, request: Request, target: ResourcePath | None) -> bool:
        """Whether who asks may have it, and no pattern of `forbid` names it."""
        names = [request.path, *((target.resource.plural, target.resource.qualified) if target else ())]
        forbidden = any(fnmatchcase(name, pattern) for name in names for pattern in self._forbid)
        return super().permits(request, target) and not forbidden

    def listed(self, objects: Objects, namespace: str, request: Request) -> Reply:
        """The answer to LIST, as a table where that is asked for; only pods have one. Raises Refusal."""
        if METADATA_ONLY in request.accept:
            metadata, page = objects.page(namespace, request.query, self._epoch)
            items = [{"metadata": item.content["metadata"]} for item in page]
            return json_reply({"kind": METADATA_ONLY, "metadata": metadata, "items": items})
        if TABLE not in request.accept:
            return objects.reply(*objects.page(namespace, request.query, self._epoch))
        if objects.resource.plural != "pods":
            raise Refusal(statuses.not_acceptable())
        metadata, page = objects.page(namespace, request.query, self._epoch)
        return tables.table(metadata, (item.content for item in page))
