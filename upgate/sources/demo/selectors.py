"""Label and field selectors, with the grammar and the refusals of the API server.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from upgate.sources.demo.recording import Resource
from upgate.sources.demo.statuses import Refusal, bad_request

Labels = Mapping[str, str]
Test = Callable[[Any], bool]

REQUIREMENT = re.compile(
    r"""(?:(?<=,)|(?<![\s\S])) \s*+(?: (?P<absent>!)\s*(?P<missing>[\w./-]++)
             | (?P<key>[\w./-]++)\s*+
               (?: (?P<word>in|notin)\s*\((?P<set>[^()]*)\) | (?P<sign>==|=|!=|>|<)\s*(?P<value>[\w.-]*) )? )
         \s*+(?:,(?!\s*$)|$)""",
    re.VERBOSE,
)
TERM = re.compile(r"^([^=!]*[^=!\s]\s*)(!=|==|=)(.*)$")
NAMES = ("metadata.name", "metadata.namespace")
INVOLVED = tuple(
    f"involvedObject.{field}"
    for field in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
)
#: Field labels beyond NAMES, by resource.
FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (*INVOLVED, "reason", "reportingComponent", "source", "type"),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "services": ("spec.clusterIP", "spec.type"),
    "secrets": ("type",),
    "replicationcontrollers": ("status.replicas",),
    "jobs.batch": ("status.successful",),
}
#: Field labels that are not paths.
ELSEWHERE = {"source": "source.component", "status.successful": "status.succeeded"}
#: What an absent field counts as, where that is not empty.
ABSENT = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.successful": "0", "status.replicas": "0"}


def label_test(selector: str) -> Callable[[Labels], bool]:
    """Whether labels meet every requirement of the selector. Raises Refusal."""
    tests, at = [], 0
    while at < len(selector):
        found = REQUIREMENT.match(selector, at)
        if not found:
            raise Refusal(bad_request(f"unable to parse requirement: found '{selector[at:].strip()}'"))
        tests.append(requirement(**found.groupdict()))
        at = found.end()
    return lambda labels: all(test(labels) for test in tests)


def requirement(
    absent: str | None,
    missing: str,
    key: str,
    word: str | None,
    set: str,
    sign: str | None,
    value: str,
) -> Test:
    """One requirement on labels."""
    if absent:
        return lambda labels: missing not in labels
    if word:
        values = {each.strip() for each in set.split(",")}
        return lambda labels: (labels.get(key) in values) == (word == "in")
    if sign in (">", "<"):
        return lambda labels: is_beyond(labels.get(key, ""), sign, value)
    if sign:
        return lambda labels: (labels.get(key) == value) == (sign != "!=")
    return lambda labels: key in labels


def is_beyond(have: str, sign: str, bound: str) -> bool:
    """Greater or less, as integers; a label that is none is neither."""
    if not (have.isdecimal() and bound.isdecimal()):
        return False
    return int(have) > int(bound) if sign == ">" else int(have) < int(bound)


def field_test(selector: str, resource: Resource) -> Test:
    """Whether an object meets every term of the selector. Raises Refusal."""
    tests = [field_term(term, selector, resource) for term in filter(None, selector.split(","))]
    return lambda item: all(test(item) for test in tests)


def field_term(term: str, selector: str, resource: Resource) -> Test:
    """One term: `path=value`, `path==value` or `path!=value`. Raises Refusal."""
    found = TERM.fullmatch(term)
    if not found:
        raise Refusal(bad_request(f"invalid selector: '{selector}'; can't understand '{term}'"))
    path, sign, value = found[1].strip(), found[2], found[3]
    refuse_unknown(path, resource)
    return lambda item: (field(item, path) == value) == (sign != "!=")


def refuse_unknown(path: str, resource: Resource) -> None:
    """Raises Refusal for a field that the API server does not index, in its words."""
    known = FIELDS.get(resource.qualified)
    names = NAMES if resource.namespaced else NAMES[:1]
    if path in NAMES[: len(names) if known else 2] or path in (known or ()):
        return
    if resource.qualified == "jobs.batch":
        raise Refusal(bad_request(f'field label "{path}" not supported for Job'))
    if known:
        raise Refusal(bad_request(f"field label not supported: {path}"))
    raise Refusal(bad_request(f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'))


def field(item: Mapping[str, Any], path: str) -> str:
    """A field as selectors see it: absent is empty, booleans are words."""
    value: Any = item
    for step in ELSEWHERE.get(path, path).split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        return ABSENT.get(path, "")
    return str(value).lower() if isinstance(value, bool) else str(value)
