"""What must be true between values of a profile. Asked of the tree, so that one wrong value elsewhere hides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from upgate.profile.external import KINDS, METHODS, OF_NODES, ONLY_WITH, PLACES
from upgate.profile.ids import entries
from upgate.profile.merging import name_of
from upgate.profile.problems import Keys, Problem, at
from upgate.profile.tree import Node

#: Lists whose entries have names.
NAMED = ("external", "resources", "sidecars")
#: Keys of `cluster:` that exclude each other's groups.
SOURCES = (("snapshot",), ("embedded",), ("kubeconfig", "context"))


def broken_rules(root: Node) -> Iterator[Problem]:
    """Every rule that the profile breaks."""
    if cluster := root.child("cluster"):
        yield from one_source(cluster)
    for index, entry in enumerate(entries(root, "external")):
        yield from broken_by_entry(entry, ("external", index))
    yield from broken_by_hosts(root)
    for index, entry in enumerate(entries(root.child("monitor") or root, "maintenance")):
        yield from broken_by_window(entry, ("monitor", "maintenance", index))


def repeated_names(root: Node) -> Iterator[Problem]:
    """Entries of one list that have the same name."""
    for key in NAMED:
        yield from repeated(entries(root, key), (key,))
    if hosts := root.child("hosts"):
        yield from repeated(entries(hosts, "groups"), ("hosts", "groups"))


def repeated(named: Iterable[Node], keys: Keys) -> Iterator[Problem]:
    """Entries of one list that have the same name."""
    seen: dict[str, Node] = {}
    for index, entry in enumerate(named):
        name = name_of(entry)
        if name and name in seen:
            where = entry.child("name") or entry
            words = f"duplicate name; the first is in line {seen[name].place.line}"
            yield at(where.place, (*keys, index, "name"), words)
        seen[name] = entry


def one_source(cluster: Node) -> Iterator[Problem]:
    """A cluster comes from one place only."""
    given = [[key for key in group if is_set(cluster, key)] for group in SOURCES]
    given = [keys for keys in given if keys]
    if len(given) > 1:
        wanted = " or ".join(keys[0] for keys in given)
        key = given[1][0]
        yield at(cluster.keys[key], ("cluster", key), f"only one of {wanted} can be; set the others to null")


def broken_by_entry(entry: Node, keys: Keys) -> Iterator[Problem]:
    """Every rule that an entry of `external:` breaks."""
    yield from exactly_one(entry, KINDS, keys)
    yield from taken_id(entry, keys)
    yield from misplaced(entry, keys)
    yield from places_of_each(entry, keys)
    yield from tls_of_plain_text(entry, keys)
    for index, step in enumerate(entries(entry, "journey")):
        yield from exactly_one(step, METHODS, (*keys, "journey", index))


def broken_by_hosts(root: Node) -> Iterator[Problem]:
    """Every rule that `hosts:` breaks, and what means nothing without it."""
    expect, hosts = root.child("expect"), root.child("hosts")
    if expect and is_set(expect, "hosts") and not is_set(root, "hosts"):
        yield at(expect.keys["hosts"], ("expect", "hosts"), "means nothing without hosts")
    each = hosts.child("each") if hosts else None
    if each is None or each.value is None or each.value == "node":
        return
    for index, group in enumerate(entries(hosts, "groups")):
        if is_set(group, "labels"):
            yield at(group.keys["labels"], ("hosts", "groups", index, "labels"), "means nothing without each: node")


def exactly_one(node: Node, choices: Iterable[str], keys: Keys) -> Iterator[Problem]:
    """One of these keys must be there, and no second one."""
    given = [key for key in choices if is_set(node, key)]
    if isinstance(node.value, dict) and len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "has none"
        yield at(node.place, keys, f"needs exactly one of {', '.join(choices)}; {found}")


def taken_id(entry: Node, keys: Keys) -> Iterator[Problem]:
    """The id of a URL's check is its name alone, which must not make it another kind's."""
    kind = text(entry, "name").partition(".")[0]
    if is_set(entry, "url") and kind in KINDS.values() and text(entry, "name") != kind:
        said = f"external.{kind}.… are the ids of {kind} entries; choose a name that does not begin with {kind}."
        yield at(entry.child("name").place, (*keys, "name"), said)


def misplaced(entry: Node, keys: Keys) -> Iterator[Problem]:
    """Keys that mean nothing without another one."""
    for name, kinds in ONLY_WITH.items():
        if is_set(entry, name) and not any(is_set(entry, kind) for kind in kinds):
            yield at(entry.keys[name], (*keys, name), f"means nothing without {' or '.join(kinds)}")
    for name in OF_NODES:
        if is_set(entry, name) and text(entry, "each") != "node":
            yield at(entry.keys[name], (*keys, name), "means nothing without each: node")


def places_of_each(entry: Node, keys: Keys) -> Iterator[Problem]:
    """`each` and the words that it stands for need each other."""
    each = text(entry, "each")
    for key in ("url", "tcp", "tls", "dns", "websocket", "closed"):
        words = set(re.findall(r"(?<!\$)\{(\w+)\}", text(entry, key)))
        if words and not each:
            yield at(entry.child(key).place, (*keys, key), f"has {{{min(words)}}}, but there is no each")
        elif unknown := words - set(PLACES.get(each, words)):
            said = f"{{{min(unknown)}}} stands for nothing of each {each}; what does: {braced(PLACES[each])}"
            yield at(entry.child(key).place, (*keys, key), said)
        elif text(entry, key) and each in PLACES and not words & {"address", "host"}:
            wanted = braced(word for word in PLACES[each] if word in ("address", "host"))
            yield at(entry.child(key).place, (*keys, key), f"needs {wanted} where that of each {each} belongs")


def braced(words: Iterable[str]) -> str:
    """`{address} or {host}`."""
    return " or ".join(f"{{{word}}}" for word in words)


def broken_by_window(entry: Node, keys: Keys) -> Iterator[Problem]:
    """Every rule that an entry of `monitor.maintenance:` breaks: it is once, or again and again."""
    yield from exactly_one(entry, ("from", "every"), keys)
    once, again = is_set(entry, "from"), is_set(entry, "every")
    if once != again:
        yield from together(entry, ("from", "to") if once else ("every", "at", "for"), keys)
        yield from meaningless(entry, ("at", "for", "zone") if once else ("to",), "every" if once else "from", keys)


def meaningless(entry: Node, names: Iterable[str], with_key: str, keys: Keys) -> Iterator[Problem]:
    """Keys that mean nothing without another one."""
    for name in names:
        if is_set(entry, name):
            yield at(entry.keys[name], (*keys, name), f"means nothing without {with_key}")


def together(entry: Node, names: tuple[str, ...], keys: Keys) -> Iterator[Problem]:
    """Keys of which none means anything without the others."""
    for name in names:
        if not is_set(entry, name):
            yield at(entry.place, keys, f"needs the key {name} beside {names[0]}")


def tls_of_plain_text(entry: Node, keys: Keys) -> Iterator[Problem]:
    """Without TLS there is no certificate, and no HTTP/2 as servers of users speak it."""
    for key in ("tls-days", "http2"):
        if text(entry, "url").startswith("http:") and is_set(entry, key) and entry.child(key).value is not False:
            said = "an http:// URL has no certificate" if key == "tls-days" else "HTTP/2 needs an https:// URL"
            yield at(entry.keys[key], (*keys, key), said)


def text(node: Node, key: str) -> str:
    """The text under this key; empty where there is none."""
    child = node.child(key) if isinstance(node.value, dict) else None
    return child.value if child and isinstance(child.value, str) else ""


def is_set(node: Node, key: str) -> bool:
    """The mapping has this key, and it is not null."""
    child = node.child(key) if isinstance(node.value, dict) else None
    return child is not None and child.value is not None
