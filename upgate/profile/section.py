"""What every part of a profile has in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


def kebab(name: str) -> str:
    """A Python name as a key of a profile."""
    return name.replace("_", "-")


class Section(BaseModel):
    """A mapping of a profile. Frozen; its text form never shows values, for they may come from `${VAR}`."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=kebab,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nothing(cls, data: Any) -> Any:
        """`key:` and `key: null` mean the default, wherever the key is known."""
        if not isinstance(data, dict):
            return data
        known = cls.keys()
        return {key: value for key, value in data.items() if value is not None or key not in known}

    @classmethod
    def keys(cls) -> dict[str, str]:
        """The keys that it may have, and the attribute of each."""
        return {field.alias or name: name for name, field in cls.model_fields.items()}

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        if "name" in type(self).model_fields:
            yield "name", self.name  # type: ignore[attr-defined]
