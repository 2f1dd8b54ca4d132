"""What a demanded socket or argument means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from upgate.facts.hosts import Socket

#: What listens on such an address is reached at more than its own; `*` is a socket of IPv6 that takes IPv4 as well.
WILDCARDS = ("0.0.0.0", "::", "*")  # noqa: S104 - nothing is bound here


def reaches(demanded: str, sockets: Iterable[Socket]) -> list[str]:
    """The sockets at which a demanded `address:port/protocol` is listened on, in words."""
    place, _, protocol = demanded.partition("/")
    address, _, port = place.rpartition(":")
    found = [each for each in sockets if each.port == int(port) and each.protocol == (protocol or "tcp")]
    return [socket_in_words(each) for each in found if listens_at(each.address, spelled(address.strip("[]")))]


def spelled(address: str) -> str:
    """An address as ss writes it, without its zone: 0:0:0:0:0:0:0:1 is ::1."""
    return str(ip_address(address.partition("%")[0])) if ":" in address else address


def listens_at(address: str, demanded: str) -> bool:
    """What listens there is reached at the demanded address. Without one any will do; `*` means every one of its family."""
    if not demanded or address in (demanded, "*"):
        return True
    if demanded == "*":
        return address in WILDCARDS
    return address == ("::" if ":" in demanded else "0.0.0.0")  # noqa: S104


def socket_in_words(socket: Socket) -> str:
    """A socket as people write it."""
    address = f"[{socket.address}]" if ":" in socket.address else socket.address
    protocol = "" if socket.protocol == "tcp" else f"/{socket.protocol}"
    return f"{address}:{socket.port}{protocol}" + (f" ({socket.owner})" if socket.owner else "")


def lacking(have: Sequence[str], wanted: Iterable[str]) -> str:
    """The demanded arguments that a command line does not hold, and what it holds instead."""
    given = flags(have)
    return ", ".join(filter(None, (missing(each, given, have) for each in wanted)))


def missing(demanded: str, given: dict[str, str], have: Sequence[str]) -> str:
    """Why one demanded argument is not met; empty where it is."""
    flag, equals, value = demanded.partition("=")
    name = flag.lstrip("-").replace("_", "-")
    if not flag.startswith("-"):
        return "" if demanded in have else f"{demanded} is not given"
    if name not in given:
        return f"{flag} is not set" + (" (it may be in the file of --config)" if "config" in given else "")
    return "" if not equals or normalized_value(given[name]) == normalized_value(value) else f"{flag}={given[name]}"


def normalized_value(value: str) -> str:
    """A flag's value, so that True is true, as Go reads it."""
    return value.lower() if value.lower() in ("true", "false") else value


def flags(arguments: Sequence[str]) -> dict[str, str]:
    """The flags as Kubernetes reads them: one or two hyphens, `=` or the next argument, true where there is neither.

    The last one wins, and `_` is as good as `-` inside of a name.
    """
    found: dict[str, str] = {}
    for number, each in enumerate(arguments):
        if each.startswith("-"):
            name, equals, value = each.lstrip("-").partition("=")
            following = arguments[number + 1] if number + 1 < len(arguments) else "-"
            found[name.replace("_", "-")] = value if equals else "true" if following.startswith("-") else following
    return found
