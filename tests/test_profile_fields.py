"""Nothing in a profile is accepted and ignored."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import upgate
from upgate.profile.external import METHODS
from upgate.profile.schema import all_sections
from upgate.profile.section import Section

SOURCE = Path(upgate.__file__).parent
CHECKS = SOURCE.parent / "checks"
#: Fields that do their work while the profile is read, that are for people, or that are read by the names in a tuple.
READ_INSIDE = {("Profile", "description"), ("Profile", "extends"), ("External", "trust_nodes")} | {
    ("JourneyStep", method) for method in METHODS
}
FIELDS = [
    (section.__name__, name)
    for section in all_sections(Section)
    for name in section.__annotations__
    if not name.startswith("_") and (section.__name__, name) not in READ_INSIDE
]


def attributes(path: Path) -> Iterator[str]:
    """The names of attributes that a module asks for."""
    yield from (node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))


OUTSIDE = [path for path in (*SOURCE.rglob("*.py"), *CHECKS.rglob("*.py")) if path.parent != SOURCE / "profile"]
READ = {name for path in OUTSIDE for name in attributes(path)}


@pytest.mark.parametrize(("section", "name"), FIELDS)
def test_every_field_is_read(section, name):
    """Code outside `upgate/profile/` asks for each field of the model: what nothing judges is an unknown key."""
    assert name in READ, f"{section}.{name} is accepted and ignored"
