"""How a setting that has changed is told: from what to what, on which nodes, and where to look."""

from __future__ import annotations

from upgate.base.harmless import shell_word
from upgate.base.text import counted, one_line_excerpt
from upgate.facts.host_settings import COMPONENTS
from upgate.facts.settings import NO_NODE

FLAGZ = "kubectl get --raw /flagz"
#: So many nodes, and parts of a text, are told.
FEW = 3
#: A value that is longer is told by what differs in it.
SHORT = 100


def value_change(old: str | None, new: str | None) -> str:
    """`110 → 33`; of long texts what differs in them."""
    if old is not None and new is not None and max(len(old), len(new)) > SHORT:
        return parts_that_differ(old, new)
    return f"{quoted_value(old)} → {quoted_value(new)}"


def look_at(component: str, node: str) -> str:
    """The command that shows the settings."""
    kind, _, name = component.partition("/")
    namespace, _, own = name.partition("/")
    if kind in COMPONENTS:
        return f"ssh {shell_word(node)}"
    if kind == "Kubelet":
        return f"kubectl get --raw {shell_word(f'/api/v1/nodes/{node}/proxy/configz')}"
    if kind == "StaticPod":
        return f"kubectl -n kube-system get pod {shell_word(f'{name}-{node}')} -o yaml"
    return f"kubectl -n {shell_word(namespace)} get {kind.lower()} {shell_word(own)} -o yaml" if own else FLAGZ


def where(nodes: list[str]) -> str:
    """Which nodes, in words."""
    if nodes == [NO_NODE]:
        return ""
    if len(nodes) <= FEW:
        return f" on {', '.join(nodes)}"
    return f" on {counted(len(nodes), 'node')} ({', '.join(nodes[:FEW])}, …)"


def quoted_value(value: str | None) -> str:
    """A value in a sentence."""
    return "not set" if value is None else one_line_excerpt(value, SHORT)


def parts_that_differ(old: str, new: str) -> str:
    """Of two long texts the lines, or the parts between commas, that only one of them has."""
    mark = "\n" if "\n" in old + new else ","
    before, after = ([each.strip() for each in text.split(mark)] for text in (old, new))
    gone = [each for each in before if each and each not in {*after}]
    came = [each for each in after if each and each not in {*before}]
    if not gone and not came:
        return "the order changed"
    told = [f"{word} {each}" for word, parts in (("without", gone), ("with", came)) if (each := few_parts(parts))]
    return "now " + ", ".join(told)


def few_parts(parts: list[str]) -> str:
    """Some parts, and how many there are beside them."""
    more = f" and {counted(len(parts) - FEW, 'more part')}" if len(parts) > FEW else ""
    return ", ".join(f"`{one_line_excerpt(each, SHORT)}`" for each in parts[:FEW]) + more
