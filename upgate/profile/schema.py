"""The JSON Schema of profiles, for editors."""

from __future__ import annotations

import ast
import inspect
from datetime import timedelta
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from upgate.profile.model import Profile
from upgate.profile.quantities import format_duration
from upgate.profile.section import Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Draft 2020-12, with the keys as profiles write them and a description of each."""
    whole = Profile.model_json_schema(by_alias=True)
    described = {section.__name__: section for section in sections(Section)}
    for name, definition in [(Profile.__name__, whole), *whole["$defs"].items()]:
        describe(definition, described[name])
    return {"$schema": DIALECT, **whole, "title": "A profile of upgate"}


def sections(base: type[Section]) -> list[type[Section]]:
    """All parts that a profile can have."""
    return [each for section in base.__subclasses__() for each in (section, *sections(section))]


def describe(definition: dict[str, Any], section: type[Section]) -> None:
    """Give each key its field's docstring instead of a title that repeats its name, and durations as profiles say them."""
    texts = docstrings(section)
    for key, name in section.keys().items():
        described = definition["properties"][key]
        described.pop("title", None)
        if name in texts:
            described["description"] = texts[name]
        if isinstance(default := section.model_fields[name].default, timedelta):
            described["default"] = format_duration(default)


def docstrings(section: type[Section]) -> dict[str, str]:
    """The text below each field, those that it inherits included."""
    inherited = docstrings(base) if (base := section.__base__) and base not in (Section, BaseModel) else {}
    body = ast.parse(inspect.getsource(section)).body[0].body  # type: ignore[attr-defined]
    return inherited | {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
