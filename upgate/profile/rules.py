"""What must be true between values of a profile. Asked of the tree, so that one wrong value elsewhere hides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from upgate.profile.external import BODY_KEYS, KINDS, METHODS, OF_EACH, ONLY_WITH, PLACES
from upgate.profile.ids import entries
from upgate.profile.parts import NodeKind
from upgate.profile.problems import Keys, Problem, at
from upgate.profile.sending import led_astray, untrusted
from upgate.profile.tree import YamlNode
from upgate.profile.watching import broken_by_budget

#: A word in braces; one behind a dollar sign is a variable.
WORDS = re.compile(r"\{(\w+)\}")
PLACES_IN = re.compile(r"(?<!\$)\{(\w+)\}")
#: Lists whose entries have names.
NAMED = ("external", "sidecars", "resources")
#: What `deny:` tells nodes by.
NODE_KINDS = tuple(NodeKind.keys())
#: Keys of `cluster:` that exclude each other's groups.
SOURCES = (("snapshot",), ("embedded",), ("kubeconfig", "context"))


def broken_rules(root: YamlNode) -> Iterator[Problem]:
    """Every rule that the profile breaks."""
    if cluster := root.child("cluster"):
        yield from one_source(cluster)
    for index, entry in enumerate(entries(root, "external")):
        yield from broken_by_entry(entry, ("external", index))
    yield from broken_by_hosts(root)
    yield from denials_without_pattern(root)
    yield from broken_by_mesh(root.child("mesh"))
    for index, entry in enumerate(entries(root, "resources")):
        yield from broken_by_resource(root, entry, ("resources", index))
    if prometheus := root.child("prometheus"):
        yield from broken_by_login(prometheus, ("prometheus",))
    for index, entry in enumerate(entries(root.child("monitor") or root, "maintenance")):
        yield from broken_by_window(entry, ("monitor", "maintenance", index))


def repeated_names(root: YamlNode) -> Iterator[Problem]:
    """Entries of one list that have the same name."""
    for key in NAMED:
        yield from repeated(entries(root, key), (key,))
    if hosts := root.child("hosts"):
        yield from repeated(entries(hosts, "groups"), ("hosts", "groups"))
    yield from repeated(entries(root.child("prometheus"), "queries"), ("prometheus", "queries"))


def repeated(named: Iterable[YamlNode], keys: Keys) -> Iterator[Problem]:
    """Entries of one list that have the same name."""
    seen: dict[str, YamlNode] = {}
    for index, entry in enumerate(named):
        name = entry.text_at("name")
        if name and name in seen:
            where = entry.child("name") or entry
            words = f"duplicate name; the first is in line {seen[name].place.line}"
            yield at(where.place, (*keys, index, "name"), words)
        seen[name] = entry


def one_source(cluster: YamlNode) -> Iterator[Problem]:
    """A cluster comes from one place only."""
    given = [[key for key in group if cluster.is_set(key)] for group in SOURCES]
    given = [keys for keys in given if keys]
    if len(given) > 1:
        wanted = " or ".join(keys[0] for keys in given)
        key = given[1][0]
        yield at(cluster.keys[key], ("cluster", key), f"only one of {wanted} can be set; set the others to null")


def broken_by_entry(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Every rule that an entry of `external:` breaks."""
    yield from exactly_one(entry, KINDS, keys)
    yield from taken_id(entry, keys)
    yield from misplaced(entry, keys)
    yield from places_of_each(entry, keys)
    yield from tls_of_plain_text(entry, keys)
    yield from contradictions(entry, keys)
    yield from expected_nulls(entry, keys)
    yield from broken_by_steps(entry, keys)
    yield from untrusted(entry, keys)
    yield from led_astray(entry, keys)
    yield from broken_by_budget(entry, keys)


def broken_by_hosts(root: YamlNode) -> Iterator[Problem]:
    """Every rule that `hosts:` breaks, and what has no effect without it."""
    expect, hosts = root.child("expect"), root.child("hosts")
    if expect and expect.is_set("hosts") and not root.is_set("hosts"):
        yield at(expect.keys["hosts"], ("expect", "hosts"), "has no effect without hosts")
    each = hosts.child("each") if hosts else None
    if each is None or each.value is None or each.value == "node":
        return
    for index, group in enumerate(entries(hosts, "groups") if hosts else ()):
        if group.is_set("labels"):
            yield at(group.keys["labels"], ("hosts", "groups", index, "labels"), "has no effect without each: node")


def denials_without_pattern(root: YamlNode) -> Iterator[Problem]:
    """Entries of `deny:` that would deny every node."""
    expect = root.child("expect")
    nodes = expect.child("nodes") if expect else None
    for index, entry in enumerate(entries(nodes, "deny") if nodes else ()):
        if isinstance(entry.value, dict) and not any(map(entry.is_set, NODE_KINDS)):
            yield at(entry.place, ("expect", "nodes", "deny", index), f"needs one of {', '.join(NODE_KINDS)}")


def broken_by_mesh(mesh: YamlNode | None) -> Iterator[Problem]:
    """A revision is to be, or is retired."""
    if mesh is None:
        return
    targets = [value.value for _, value in (mesh.child("tags") or YamlNode({}, mesh.place)).items()]
    for index, retired in enumerate(entries(mesh, "retired")):
        if retired.value in (*targets, mesh.text_at("revision") or None):
            said = "this revision is expected, as mesh.revision or in mesh.tags, so it cannot be retired"
            yield at(retired.place, ("mesh", "retired", index), said)


def broken_by_resource(root: YamlNode, entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Every rule that an entry of `resources:` breaks."""
    if isinstance(entry.value, dict) and entry.is_set("object"):
        yield from unwanted(entry, ("selector",), "only one of object and selector can be set", keys)
    allowed = [each.value for each in entries(root, "allow")]
    if entry.text_at("kind") == "Secret" and entry.text_at("apiVersion") == "v1" and "secrets" not in allowed:
        said = "Secrets are only listed with allow: [secrets]; their data is never kept"
        yield at(entry.present("kind").place, (*keys, "kind"), said)


def exactly_one(node: YamlNode, choices: Iterable[str], keys: Keys) -> Iterator[Problem]:
    """One of these keys must be there, and no second one."""
    given = [key for key in choices if node.is_set(key)]
    if isinstance(node.value, dict) and len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "has none"
        yield at(node.place, keys, f"needs exactly one of {', '.join(choices)}; {found}")


def taken_id(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """The id of a URL's check is its name alone, which must not make it another kind's."""
    kind = entry.text_at("name").partition(".")[0]
    if entry.is_set("url") and kind in KINDS.values() and entry.text_at("name") != kind:
        said = f"external.{kind}.… are the ids of {kind} entries; choose a name that does not begin with {kind}."
        yield at(entry.present("name").place, (*keys, "name"), said)


def contradictions(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Keys that no answer could satisfy together, or of which one would go unheard."""
    if entry.text_at("method") == "HEAD":
        yield from unwanted(entry, BODY_KEYS, "an answer to HEAD has no body", keys)
    if follows := entry.child("follow"):
        wanted = ("location",) if follows.value is True else ()
        yield from unwanted(entry, wanted, "with follow: true no redirect is left to look at", keys)
    yield from broken_by_login(entry, keys)


def broken_by_login(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Every rule that what proves who we are breaks."""
    if entry.is_set("basic"):
        yield from unwanted(entry, ("bearer",), "only one of basic and bearer can be set", keys)
    if not entry.is_set("client-certificate"):
        yield from unwanted(entry, ("client-key",), "has no effect without client-certificate", keys)


def unwanted(node: YamlNode, names: Iterable[str], why: str, keys: Keys) -> Iterator[Problem]:
    """Keys that must not be there."""
    yield from (at(node.keys[name], (*keys, name), why) for name in names if node.is_set(name))


def expected_nulls(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """null sets nothing, so an entry that expects null would never check for it."""
    for kind in ("json", "header"):
        for name, value in (entry.child(kind) or entry).items() if entry.is_set(kind) else ():
            if value.value is None and not value.hides:
                said = "null sets nothing, so nothing would be expected" + (
                    f"; to expect null, say matches: '\"{name.rpartition('.')[2]}\": *null'" if kind == "json" else ""
                )
                yield at(value.place, (*keys, kind, name), said)


def broken_by_steps(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Every rule that a journey breaks: each step is one request, and uses only what was captured before it."""
    known = set(PLACES.get(entry.text_at("each"), ()))
    for index, step in enumerate(entries(entry, "journey")):
        where = (*keys, "journey", index)
        yield from exactly_one(step, METHODS, where)
        yield from uncaptured(step, known, where)
        if step.is_set("head"):
            yield from unwanted(step, ("body",), "an answer to HEAD has no body", where)
        if step.is_set("form"):
            yield from unwanted(step, ("json",), "only one of form and json can be set", where)
        known |= {word for word, _ in (step.child("capture") or YamlNode({}, step.place)).items()}


def uncaptured(step: YamlNode, known: set[str], keys: Keys) -> Iterator[Problem]:
    """Words that no step before this one captures."""
    sent = [(key, step.present(key)) for key in METHODS if step.is_set(key)]
    sent += [
        (kind, value) for kind in ("headers", "form") if step.is_set(kind) for _, value in step.present(kind).items()
    ]
    for key, value in sent:
        unknown = set(WORDS.findall(str(value.value))) - known
        if unknown:
            yield at(value.place, (*keys, key), f"has {{{min(unknown)}}}, which no step before this one captures")


def misplaced(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Keys that mean nothing without another one."""
    for name, kinds in ONLY_WITH.items():
        if entry.is_set(name) and not any(entry.is_set(kind) for kind in kinds):
            yield at(entry.keys[name], (*keys, name), f"has no effect without {' or '.join(kinds)}")
    for name, kinds in OF_EACH.items():
        if entry.is_set(name) and entry.text_at("each") not in kinds:
            yield at(entry.keys[name], (*keys, name), f"has no effect without each: {' or '.join(kinds)}")


def places_of_each(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """`each` and the words that it stands for need each other."""
    each = entry.text_at("each")
    for key in ("url", "tcp", "tls", "dns", "websocket", "closed"):
        words = set(PLACES_IN.findall(entry.text_at(key)))
        if words and not each:
            yield at(entry.present(key).place, (*keys, key), f"has {{{min(words)}}}, but each is not set")
        elif unknown := words - set(PLACES.get(each, words)):
            said = f"{{{min(unknown)}}} is not available with each: {each}; available: {braced(PLACES[each])}"
            yield at(entry.present(key).place, (*keys, key), said)
        elif entry.text_at(key) and each in PLACES and not words & {"address", "host"}:
            wanted = braced(word for word in PLACES[each] if word in ("address", "host"))
            yield at(entry.present(key).place, (*keys, key), f"needs {wanted} where that of each {each} belongs")


def braced(words: Iterable[str]) -> str:
    """`{address} or {host}`."""
    return " or ".join(f"{{{word}}}" for word in words)


def broken_by_window(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Every rule that an entry of `monitor.maintenance:` breaks: it is once, or again and again."""
    yield from exactly_one(entry, ("from", "every"), keys)
    once, again = entry.is_set("from"), entry.is_set("every")
    if once != again:
        yield from needed_together(entry, ("from", "to") if once else ("every", "at", "for"), keys)
        yield from meaningless(entry, ("at", "for", "zone") if once else ("to",), "every" if once else "from", keys)


def meaningless(entry: YamlNode, names: Iterable[str], with_key: str, keys: Keys) -> Iterator[Problem]:
    """Keys that mean nothing without another one."""
    for name in names:
        if entry.is_set(name):
            yield at(entry.keys[name], (*keys, name), f"has no effect without {with_key}")


def needed_together(entry: YamlNode, names: tuple[str, ...], keys: Keys) -> Iterator[Problem]:
    """Keys of which none means anything without the others."""
    for name in names:
        if not entry.is_set(name):
            yield at(entry.place, keys, f"needs the key {name} together with {names[0]}")


def tls_of_plain_text(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Without TLS there is no certificate, and no HTTP/2 as servers of users speak it."""
    for key in ("tls-days", "http2"):
        plain = entry.text_at("url").startswith("http:") or entry.text_at("websocket").startswith(("ws:", "http:"))
        if plain and entry.is_set(key) and entry.present(key).value is not False:
            said = "without https:// there is no certificate" if key == "tls-days" else "HTTP/2 needs an https:// URL"
            yield at(entry.keys[key], (*keys, key), said)
