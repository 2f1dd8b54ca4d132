"""Which names and namespaces a profile's patterns mean: `shop-*`, and `!shop-test` for all but that."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Protocol, TypeVar

#: The kinds whose namespace a profile's scope does not mean.
UNSCOPED = ("Lease",)


class Scopable(Protocol):
    """An object of the cluster, as far as its scope goes."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def namespace(self) -> str: ...


S = TypeVar("S", bound=Scopable)


def matches_scope(name: str, patterns: Sequence[str]) -> bool:
    """The name matches a pattern, and none that begins with `!`. Where there are only exclusions: all but those."""
    wanted = [each for each in patterns if not each.startswith("!")] or ["*"]
    excluded = [each[1:] for each in patterns if each.startswith("!")]
    return any(fnmatchcase(name, each) for each in wanted) and not any(fnmatchcase(name, each) for each in excluded)


def scoped(items: Sequence[S], patterns: Sequence[str]) -> list[S]:
    """The objects in the namespaces that the patterns mean, each namespace asked about once, and cluster-wide ones."""
    if tuple(patterns) == ("*",):
        return list(items)
    admitted = cache(lambda namespace: matches_scope(namespace, patterns))
    return [each for each in items if each.kind in UNSCOPED or not _home(each) or admitted(_home(each))]


def _home(item: Scopable) -> str:
    """The namespace that it is in; a namespace is in itself."""
    return item.name if item.kind == "Namespace" else item.namespace
