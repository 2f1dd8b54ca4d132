"""The JSON Schema of profiles, for editors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from upgate.base.durations import format_duration
from upgate.profile.model import Profile
from upgate.profile.section import Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def profile_schema() -> dict[str, Any]:
    """Draft 2020-12, with the keys as profiles write them and a description of each."""
    whole = Profile.model_json_schema(by_alias=True)
    described = {section.__name__: section for section in all_sections(Section)}
    for name, definition in [(Profile.__name__, whole), *whole["$defs"].items()]:
        describe(definition, described[name])
    return {"$schema": DIALECT, **whole, "title": "A profile of upgate"}


def all_sections(base: type[Section]) -> list[type[Section]]:
    """All parts that a profile can have."""
    return [each for section in base.__subclasses__() for each in (section, *all_sections(section))]


def describe(definition: dict[str, Any], section: type[Section]) -> None:
    """Leave out titles that repeat a key, and give default durations as profiles write them."""
    for key, name in section.keys().items():
        described = definition["properties"][key]
        described.pop("title", None)
        if isinstance(default := section.model_fields[name].default, timedelta):
            described["default"] = format_duration(default)
