"""Nothing in a profile is accepted and ignored."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from mypy.build import BuildResult, BuildSource, build
from mypy.nodes import TypeInfo
from mypy.options import Options
from mypy.traverser import NameAndMemberCollector
from mypy.types import Instance, Type, UnionType, get_proper_type

import upgate
from upgate.profile.external import METHODS
from upgate.profile.schema import all_sections
from upgate.profile.section import Section

SOURCE = Path(upgate.__file__).parent
ROOT = SOURCE.parent
#: Fields that do their work while the profile is read, that are for people, or that are read by the names in a tuple.
READ_INSIDE = {("Profile", "description"), ("Profile", "extends"), ("External", "trust_nodes"), ("Sidecar", "name")} | {
    ("JourneyStep", method) for method in METHODS
}
FIELDS = [
    pytest.param(section, name, id=f"{section.__name__}.{name}")
    for section in all_sections(Section)
    for name in section.__annotations__
    if not name.startswith("_") and (section.__name__, name) not in READ_INSIDE
]


class Read(NamedTuple):
    """An attribute that code asks for, and the type that mypy finds before the dot."""

    #: Its full name, or that of a class above it.
    owner: str
    #: What an object must have to be of this type, if it is a protocol.
    members: frozenset[str]
    attribute: str


@pytest.fixture(scope="module")
def reads() -> set[Read]:
    """All attributes that code outside `upgate/profile/` asks for."""
    result = typed([*SOURCE.rglob("*.py"), *(ROOT / "checks").rglob("*.py")])
    outside = (name for name in result.graph if not name.startswith("upgate.profile."))
    return {read for name in outside for read in reads_in(name, result)}


def typed(paths: list[Path]) -> BuildResult:
    """These modules with the type of every expression; other imports are not followed."""
    options = Options()
    options.export_types = options.preserve_asts = options.ignore_errors = options.check_untyped_defs = True
    options.incremental, options.cache_dir, options.follow_imports = False, os.devnull, "skip"
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return build([BuildSource(str(path), name) for path, name in zip(paths, names, strict=True)], options)


def reads_in(module: str, result: BuildResult) -> Iterator[Read]:
    """What one module asks for."""
    collector = NameAndMemberCollector()
    tree = result.graph[module].tree
    if tree is None:
        return
    tree.accept(collector)
    for each in collector.member_exprs:
        for info in classes(result.types.get(each.expr)):
            members = frozenset(info.protocol_members if info.is_protocol else ())
            yield from (Read(base.fullname, members, each.name) for base in info.mro)


def classes(type: Type | None) -> Iterator[TypeInfo]:
    """The classes of which an object of this type may be."""
    proper = get_proper_type(type)
    if isinstance(proper, UnionType):
        for item in proper.items:
            yield from classes(item)
    elif isinstance(proper, Instance):
        yield proper.type


def fits(section: type[Section], members: frozenset[str]) -> bool:
    """The section can be what this protocol asks for."""
    return bool(members) and all(name in section.model_fields or hasattr(section, name) for name in members)


@pytest.mark.parametrize(("section", "name"), FIELDS)
def test_every_field_is_read(section: type[Section], name: str, reads: set[Read]) -> None:
    """Code outside `upgate/profile/` asks for each field of the model: what nothing judges is an unknown key."""
    full_name = f"{section.__module__}.{section.__qualname__}"
    assert any(read.attribute == name and (read.owner == full_name or fits(section, read.members)) for read in reads), (
        f"{full_name}.{name} is accepted and ignored"
    )
