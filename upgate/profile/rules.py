"""What must be true between values of a profile. Asked of the tree, so that one wrong value elsewhere hides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from upgate.profile.external import HTTP_KEYS, KINDS, METHODS
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
    for index, entry in enumerate(entries(root.child("monitor") or root, "maintenance")):
        yield from broken_by_window(entry, ("monitor", "maintenance", index))


def repeated_names(root: Node) -> Iterator[Problem]:
    """Entries of one list that have the same name."""
    for key in NAMED:
        seen: dict[str, Node] = {}
        for index, entry in enumerate(entries(root, key)):
            name = name_of(entry)
            if name and name in seen:
                where = entry.child("name") or entry
                yield at(
                    where.place, (key, index, "name"), f"duplicate name; the first is in line {seen[name].place.line}"
                )
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
    if not is_set(entry, "url"):
        yield from misplaced(entry, HTTP_KEYS, "url", keys)
    if not is_set(entry, "dns"):
        yield from misplaced(entry, ("resolves-to",), "dns", keys)
    yield from address_of_each(entry, keys)
    yield from tls_of_plain_text(entry, keys)
    for index, step in enumerate(entries(entry, "journey")):
        yield from exactly_one(step, METHODS, (*keys, "journey", index))


def exactly_one(node: Node, choices: Iterable[str], keys: Keys) -> Iterator[Problem]:
    """One of these keys must be there, and no second one."""
    given = [key for key in choices if is_set(node, key)]
    if isinstance(node.value, dict) and len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "has none"
        yield at(node.place, keys, f"needs exactly one of {', '.join(choices)}; {found}")


def misplaced(entry: Node, names: Iterable[str], with_key: str, keys: Keys) -> Iterator[Problem]:
    """Keys that mean nothing without another one."""
    for name in names:
        if is_set(entry, name):
            yield at(entry.keys[name], (*keys, name), f"means nothing without {with_key}")


def address_of_each(entry: Node, keys: Keys) -> Iterator[Problem]:
    """`each` and `{address}` need each other."""
    each = is_set(entry, "each")
    for key in ("url", "tcp", "websocket", "closed"):
        node = entry.child(key) if is_set(entry, key) else None
        if node and isinstance(node.value, str) and ("{address}" in node.value) != each:
            words = (
                "needs {address} where the address of each belongs"
                if each
                else "has an {address}, but there is no each"
            )
            yield at(node.place, (*keys, key), words)


def broken_by_window(entry: Node, keys: Keys) -> Iterator[Problem]:
    """Every rule that an entry of `monitor.maintenance:` breaks: it is once, or again and again."""
    yield from exactly_one(entry, ("from", "every"), keys)
    once, again = is_set(entry, "from"), is_set(entry, "every")
    if once != again:
        yield from together(entry, ("from", "to") if once else ("every", "at", "for"), keys)
        yield from misplaced(entry, ("at", "for", "zone") if once else ("to",), "every" if once else "from", keys)


def together(entry: Node, names: tuple[str, ...], keys: Keys) -> Iterator[Problem]:
    """Keys of which none means anything without the others."""
    for name in names:
        if not is_set(entry, name):
            yield at(entry.place, keys, f"needs the key {name} beside {names[0]}")


def tls_of_plain_text(entry: Node, keys: Keys) -> Iterator[Problem]:
    """Without TLS there is no certificate."""
    url = entry.child("url")
    if url and str(url.value).startswith("http:") and is_set(entry, "tls-days"):
        yield at(entry.keys["tls-days"], (*keys, "tls-days"), "an http:// URL has no certificate")


def is_set(node: Node, key: str) -> bool:
    """The mapping has this key, and it is not null."""
    child = node.child(key) if isinstance(node.value, dict) else None
    return child is not None and child.value is not None
