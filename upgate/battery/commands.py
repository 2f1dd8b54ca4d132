"""`upgate checks`, `upgate explain` and `upgate nouns`: what the battery asks, and of what."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from upgate.base.errors import UsageError
from upgate.base.text import nearest

if TYPE_CHECKING:
    from upgate.battery.check import Check
    from upgate.battery.registry import Registry
    from upgate.profile import Profile

FORMATS = ("table", "markdown", "json")


def add_battery_commands(
    commands: argparse._SubParsersAction, load_profile: Callable[[str, Registry], Profile]
) -> None:
    """Declare them."""
    listing = commands.add_parser("checks", help="list what the battery asks, a line each")
    listing.add_argument(
        "--format", choices=FORMATS, default="table", help="default: table; docs/checks.md is markdown"
    )
    listing.add_argument("--profile", metavar="NAME|PATH", help="also show which checks this profile selects")
    of_paths(listing, list_checks)
    one = commands.add_parser("explain", help="explain one check: what it asks, why, permissions, how to silence it")
    one.add_argument("id", metavar="ID", help="the id of a check, such as nodes.ready")
    of_paths(one, explain_check)
    nouns = commands.add_parser("nouns", help="list the inputs that checks can take, or the fields of one")
    nouns.add_argument("noun", metavar="NAME", nargs="?", help="an input, such as pods")
    nouns.set_defaults(command=list_nouns, paths=[])
    for each in (listing, one, nouns):
        each.set_defaults(load_profile=load_profile)


def of_paths(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    """A command that also reads checks of one's own."""
    parser.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="where your own checks are")
    parser.set_defaults(command=command)


def load_registry(paths: list[Path]) -> Registry:
    """The checks of the battery, of installed packages, and below these paths. Raises UsageError."""
    from upgate.battery import registry

    found = registry.load_checks([registry.battery(), *registry.installed(), *paths])
    if found.broken:
        raise UsageError("cannot load the checks:\n" + "\n".join(found.broken))
    return found


def list_checks(options: argparse.Namespace) -> int:
    """`upgate checks`. Raises UsageError."""
    from upgate.battery import catalogue

    registry = load_registry(options.paths)
    profile = options.load_profile(options.profile, registry) if options.profile else None
    print(getattr(catalogue, f"checks_as_{options.format}")(registry.checks, profile), end="")
    return 0


def explain_check(options: argparse.Namespace) -> int:
    """`upgate explain ID`. Raises UsageError."""
    from upgate.battery.catalogue import check_in_full

    print(check_in_full(check_of(load_registry(options.paths), options.id)), end="")
    return 0


def check_of(registry: Registry, id: str) -> Check:
    """The check with this id; one that is made for entries of a profile goes by its pattern too. Raises UsageError."""
    if id in registry.by_id:
        return registry.by_id[id]
    subject = id.rpartition(".")[0]
    for pattern, check in registry.by_id.items():
        if "{name}" in pattern and subject == pattern.removesuffix(".{name}"):
            return check
    raise UsageError(f"there is no check {id}{nearest(id, registry.by_id) or '. `upgate checks` lists them'}")


def list_nouns(options: argparse.Namespace) -> int:
    """`upgate nouns [NAME]`. Raises UsageError."""
    from upgate.battery.nouns import described, overview

    load_registry(options.paths)
    print(described(options.noun) if options.noun else overview(), end="")
    return 0
