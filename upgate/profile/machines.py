"""The words of a profile about machines: host specs, sockets, units. Nothing that a shell would read may be in them.

No message quotes the value: it may hold what a `${VAR}` stood for.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from upgate.base.addresses import is_ip
from upgate.profile.quantities import Text, json_type, some

WORD = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
#: A name or an address; IPv6 in brackets, with its zone where it needs one.
HOST = rf"(?:{WORD}|\[(?P<ipv6>[0-9A-Fa-f:.]+)(?:%\w{{1,20}})?\]|\{{address\}}|\{{name\}})"
SPEC = re.compile(rf"(?:{WORD}@)?{HOST}(?::(?P<port>\d{{1,5}}))?", re.ASCII)
#: A file; what ssh would fill in (%h), decode once more, or take for an option is none.
FILE = re.compile(r"(?!-)[^%]+")
#: What may stand behind the `?` of a host spec, and its form; others would reach a shell unquoted.
OPTIONS = {
    "sudo": re.compile(r"true|false", re.IGNORECASE),
    "sudo_user": re.compile(WORD, re.ASCII),
    "ssh_config": FILE,
    "ssh_identity_file": FILE,
    "timeout": re.compile(r"\d{1,5}", re.ASCII),
}
SOCKET = re.compile(r"^(?:(\*|\[[0-9A-Fa-f:.]+\]|[0-9.]+|\{address\}):)?(\d{1,5})(?:/(tcp|udp))?", re.ASCII)
UNIT = re.compile(r"[A-Za-z0-9_][\w@:.-]*(\|[A-Za-z0-9_][\w@:.-]*)*", re.ASCII)
PACKAGE = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
PATH = re.compile(r"/[\w.@+/*?\[\]-]*", re.ASCII)
#: What would end the `?` of a host spec, or hide what stands behind it.
HIDDEN = re.compile(r"[\s#]")
#: The braces of {address} and {name}.
BRACES = re.compile(r"[{}]")
PERCENT = re.compile(r"(\d{1,2}|100)%", re.ASCII)
#: What people write by mistake for `node`.
LIKE_NODE = ("nodes", "Node", "Nodes")


def check_host(value: str) -> str:
    """`user@host:port`, without anything that a shell would read. Raises ValueError."""
    user, at, _ = value.rpartition("@")
    if at and ":" in user:
        raise ValueError("do not put a password into a profile: use a key (`key`, `ssh-config`) or an agent")
    match = SPEC.fullmatch(value)
    if not match or not is_ip(match["ipv6"] or "::") or not 1 <= int(match["port"] or 22) <= 65535:
        raise ValueError(
            "not a host such as worker-1, ops@10.0.0.1:22 or ops@[2001:db8::1]; a shell's characters are refused"
        )
    return value


def check_spec(value: str) -> str:
    """One of testinfra's host specs, or a bare host. Raises ValueError."""
    scheme, given, rest = value.rpartition("://")
    host, _, query = rest.partition("?")
    if not given:
        return check_host(value)
    if scheme not in ("ssh", "local"):
        raise ValueError("the connection must be ssh://… or local://")
    check_query(query)
    if scheme == "local" and host:
        raise ValueError("local:// is this machine, and takes no host")
    if scheme == "ssh":
        check_host(host)
    return value


def check_query(query: str) -> None:
    """What stands behind the `?` of a host spec: the author's own words alone, in which nothing is hidden. Raises ValueError."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if HIDDEN.search(query) or any(key not in OPTIONS for key, _ in pairs):
        raise ValueError(f"only {', '.join(OPTIONS)} can stand behind the ?")
    if BRACES.search(query):
        raise ValueError("{address} and {name} come from the cluster, and cannot stand behind the ?")
    for key, said in pairs:
        if not OPTIONS[key].fullmatch(said) or not said.isprintable():
            raise ValueError(
                f"{key} has a value that cannot stand behind the ?: no control character, no %, no leading -"
            )


def check_connection(value: str) -> str:
    """A host spec with a place for the host. Raises ValueError."""
    if "{address}" not in value and "{name}" not in value:
        raise ValueError('needs {address} or {name} where the host belongs, such as "ssh://ops@{address}"')
    return check_spec(value)


def check_each(value: tuple[str, ...]) -> tuple[str, ...]:
    """`node`, or host specs. Raises ValueError."""
    if any(each in LIKE_NODE for each in value):
        raise ValueError('did you mean "node"?')
    if "node" in value and len(value) > 1:
        raise ValueError("either node, for every node of the cluster, or a list of hosts")
    return tuple(map(check_spec, value))


def check_socket(value: str) -> str:
    """`address:port`, a port alone for any address, `/udp` behind it. Raises ValueError."""
    match = SOCKET.fullmatch(value)
    address = (match[1] or "*").strip("[]") if match else ""
    if not match or not 1 <= int(match[2]) <= 65535 or not (address in ("*", "{address}") or is_ip(address)):
        raise ValueError("not a socket such as 0.0.0.0:10256, 127.0.0.1:10248, [::]:443, 10250 or 0.0.0.0:8472/udp")
    return value


def matching(pattern: re.Pattern[str], words: str) -> AfterValidator:
    """What checks that a text is of a form."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


def parse_percent(value: object) -> object:
    """`10%` as 10. Raises ValueError."""
    match = PERCENT.fullmatch(value) if isinstance(value, str) else None
    if not match and not (type(value) is int and 0 <= value <= 100):
        raise ValueError("not a percentage such as 10%")
    return int(match[1]) if match else value


Spec = Annotated[str, AfterValidator(check_spec)]
Host = Annotated[str, AfterValidator(check_host)]
Connection = Annotated[str, AfterValidator(check_connection)]
Specs = Annotated[
    tuple[Text, ...],
    Field(min_length=1),
    BeforeValidator(some, json_schema_input_type=Text | tuple[Text, ...]),
    AfterValidator(check_each),
]
Socket = Annotated[str, AfterValidator(check_socket)]
Unit = Annotated[str, matching(UNIT, "not a unit such as kubelet, or one of several: containerd|docker")]
Component = Annotated[str, matching(PACKAGE, "not the name of a component such as kube-proxy")]
Package = Annotated[str, matching(PACKAGE, "not the name of a component or a package such as kubelet")]
HostPath = Annotated[str, matching(PATH, "not an absolute path or pattern such as /etc/pki/*.crt")]
Percent = Annotated[
    int,
    BeforeValidator(parse_percent),
    PlainSerializer(lambda share: f"{share}%"),
    json_type("string", pattern=r"^\d{1,3}%$", examples=["10%"]),
]
