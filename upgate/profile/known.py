"""Which checks there are, read from their source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from upgate.base.errors import UsageError
from upgate.profile.files import PACKAGE
from upgate.profile.problems import Place, Problem, refuse, shown

#: Folders that pytest leaves out by itself, beside hidden ones.
ASIDE = ("build", "dist", "node_modules", "venv")


def battery() -> Path:
    """The folder of the checks that come with the package: in it when installed, beside it in a checkout."""
    inside = PACKAGE / "checks"
    return inside if inside.is_dir() else PACKAGE.parent / "checks"


def known_checks(paths: Iterable[Path]) -> dict[str, str]:
    """Each id given to `@check` in the test_*.py files below the paths, with its `file:line`.

    Raises UsageError where two checks have one id, and for a file that cannot be read.
    """
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    for id, place in (found for file in test_files(paths) for found in declarations(file)):
        if id in places:
            problems.append(Problem(place, f"the id {id} is taken: {places[id].file}:{places[id].line}"))
        places.setdefault(id, place)
    refuse(problems)
    return {id: f"{place.file}:{place.line}" for id, place in places.items()}


def test_files(paths: Iterable[Path]) -> list[Path]:
    """The files that pytest would collect from the paths; `file.py::test` stands for its file."""
    files = [file for path in paths for file in files_of(Path(str(path).partition("::")[0]))]
    return list({file.resolve(): file for file in files}.values())


def files_of(path: Path) -> list[Path]:
    """The file itself, or those below the folder. Raises UsageError where there is neither."""
    if not path.exists():
        raise UsageError(f"there is no file or folder {shown(path)} to read checks from")
    if path.is_dir():
        return sorted(file for file in path.rglob("test_*.py") if not is_aside(file.relative_to(path)))
    return [path] if path.suffix == ".py" else []


def is_aside(path: Path) -> bool:
    """Pytest looks into no such folder."""
    return any(folder.startswith(".") or folder in ASIDE for folder in path.parts[:-1])


def declarations(file: Path) -> Iterator[tuple[str, Place]]:
    """The ids that one file declares. Raises UsageError."""
    for node in ast.walk(parse(file)):
        for call in getattr(node, "decorator_list", ()):
            if isinstance(call, ast.Call) and is_check(call.func) and (id := literal(call)):
                yield id, Place(shown(file), call.lineno, call.col_offset + 1)


def parse(file: Path) -> ast.Module:
    """A file's syntax tree. Raises UsageError."""
    try:
        return ast.parse(file.read_bytes(), str(file))
    except OSError as problem:
        raise UsageError(f"cannot read the checks in {shown(file)}: {problem.strerror}") from None
    except (SyntaxError, ValueError, RecursionError) as problem:
        line = getattr(problem, "lineno", None) or 1
        raise UsageError(f"{shown(file)}:{line}: cannot read the checks: {getattr(problem, 'msg', problem)}") from None


def is_check(function: ast.expr) -> bool:
    """`check` itself, or as an attribute of a module."""
    return getattr(function, "id", getattr(function, "attr", "")) == "check"


def literal(call: ast.Call) -> str | None:
    """The id, where it is written as text."""
    first = next(iter(call.args or (word.value for word in call.keywords if word.arg == "id")), None)
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
