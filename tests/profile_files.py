"""Writes profiles into a folder and loads them as of a fixed day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from upgate.base.errors import UsageError
from upgate.profile import Profile, load

TODAY = date(2026, 11, 21)
CHECKS = frozenset({"api.version", "nodes.ready", "nodes.uniform", "pods.bare", "pods.restarts"})


class Folder:
    """A working directory with profiles."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "profiles").mkdir()

    def write(self, text: str | bytes, name: str = "prod") -> Path:
        """Write profiles/<name>.yaml."""
        file = self.path / "profiles" / f"{name}.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def load(self, name: str = "prod", **environ: str) -> Profile:
        """Load a profile with only these variables."""
        return self.load_with(name, environ)

    def load_with(self, name: str | None, environ: Mapping[str, str]) -> Profile:
        """Load a profile with these variables."""
        search = [self.path / "profiles"]
        return load(name, search=search, known_checks=CHECKS, environ=environ, today=TODAY)

    def errors(self, text: str | bytes, name: str = "prod", **environ: str) -> list[str]:
        """The errors of this text, one in a line, and that there are some."""
        self.write(text, name)
        with pytest.raises(UsageError) as caught:
            self.load(name, **environ)
        return str(caught.value).splitlines()
