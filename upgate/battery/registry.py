"""The registry of checks: which there are, where they are written, and what they need.

Checks come from files below folders, and from installed packages that declare the entry point group `upgate.checks`.
Whoever wants to know about checks asks here: profiles for ids, the catalogue, permissions, xdist's controller.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from upgate.base.errors import UsageError
from upgate.base.text import shown
from upgate.battery.check import Check, before_upgrade, parameters
from upgate.battery.secrets import ALLOWED, OPTIONAL
from upgate.battery.selection import why_unselected
from upgate.facts.relations import ALLOWED_ASIDES

if TYPE_CHECKING:
    from upgate.profile.model import Profile

PACKAGE = Path(__file__).parents[1]
#: Installed packages name the module or package that holds their checks.
ENTRY_POINTS = "upgate.checks"
#: Folders that pytest leaves out by default, beside hidden ones.
ASIDE = ("build", "dist", "node_modules", "venv")


@dataclass(frozen=True)
class Registry:
    """All checks below some paths, in the order of their files."""

    checks: tuple[Check, ...]
    #: Whatever other functions take: plain tests, and fixtures for them.
    other_inputs: frozenset[str] = frozenset()
    #: Files that cannot be loaded, each with the reason: pytest will say so too, and the rest is judged.
    broken: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Check]:
        """The checks by their ids."""
        return {check.id: check for check in self.checks}

    @property
    def ids(self) -> set[str] | None:
        """The ids that a profile may name; None where a file could not be loaded: then not all are known."""
        return None if self.broken else set(self.by_id)

    def selected(self, profile: Profile, *, preflight: bool = False) -> list[Check]:
        """The checks that the profile asks for, one for each entry where they are made for entries.

        With `preflight` also those that are asked before an upgrade only.
        """
        checks = map(before_upgrade, self.checks) if preflight else self.checks
        made = (each for check in checks for each in check.for_entries(profile))
        return [check for check in made if not why_unselected(check, profile)]

    def inputs(self, profile: Profile, *, preflight: bool = False) -> set[str]:
        """Whatever the checks that the profile asks for may take, and other functions beside them."""
        checks = self.selected(profile, preflight=preflight)
        return allowed_inputs({*self.other_inputs, *(name for check in checks for name in check.inputs)}, profile)


def allowed_inputs(names: Iterable[str], profile: Profile) -> set[str]:
    """Of these inputs those that the profile allows to look at, and what is listed for them only where it allows that."""
    allowed = {name for name in names if ALLOWED_ASIDES.get(name, name) in (name, *profile.allow)}
    more = OPTIONAL if ALLOWED in profile.allow else {}
    return allowed | {noun for name, noun in more.items() if name in allowed}


def load_checks(paths: Iterable[Path]) -> Registry:
    """The checks in the test files below the paths. Raises UsageError where two checks have one id."""
    checks: dict[str, Check] = {}
    other: set[str] = set()
    broken: list[str] = []
    for file in test_files(paths):
        for function in functions_of(file, broken):
            if declared := getattr(function, "__check__", None):
                refuse_twin(checks.setdefault(declared.id, declared), declared)
            else:
                other.update(parameters(function))
    return Registry(tuple(checks.values()), frozenset(other), tuple(broken))


def functions_of(file: Path, broken: list[str]) -> list[Callable[..., Any]]:
    """The functions of a file; why it cannot be loaded is added to `broken`. Raises UsageError for a wrong `@check`."""
    try:
        return list(functions(imported(file)))
    except UsageError as problem:
        raise UsageError(f"{shown(file)}: {problem}") from problem
    except (Exception, SystemExit) as problem:  # whatever a user's file does when it is imported: pytest reports it too
        broken.append(f"{shown(file)}: {type(problem).__name__}: {problem}")
        return []


def refuse_twin(first: Check, second: Check) -> None:
    """Two checks must not have one id: one result would be lost. Raises UsageError."""
    if first is not second:
        places = (shown(Path(each.place)) for each in (second, first))
        raise UsageError("{}: the id {id} is taken: {}".format(*places, id=first.id))


def battery() -> Path:
    """The folder of the checks that come with the package: in it when installed, beside it in a checkout."""
    inside = PACKAGE / "checks"
    return inside if inside.is_dir() else PACKAGE.parent / "checks"


def installed() -> list[Path]:
    """The files and folders of checks in installed packages. Raises UsageError for one that cannot be found."""
    return [module_path(each.value) for each in entry_points(group=ENTRY_POINTS)]


def module_path(module: str) -> Path:
    """The file of a module, or the folder of a package. Raises UsageError."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not (spec.origin or spec.submodule_search_locations):
        raise UsageError(f"the entry point {module} in group {ENTRY_POINTS} names a module that cannot be found")
    folders = list(spec.submodule_search_locations or ())
    return Path(folders[0] if folders else str(spec.origin))


def test_files(paths: Iterable[Path]) -> list[Path]:
    """The files that pytest would collect from the paths; `file.py::test` stands for its file. Raises UsageError."""
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
    """Pytest does not look into this folder."""
    return any(folder.startswith(".") or folder in ASIDE for folder in path.parts[:-1])


def imported(file: Path) -> ModuleType:
    """The file as a module; one in a package is imported as a part of it. Raises whatever the file raises."""
    if (file.parent / "__init__.py").exists():
        return imported_from_package(file.resolve())
    spec = importlib.util.spec_from_file_location(f"upgate_checks_{abs(hash(file.resolve()))}_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise UsageError("not a Python file")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def imported_from_package(file: Path) -> ModuleType:
    """The module under its full name, so that its relative imports work."""
    root = next(folder for folder in file.parents if not (folder / "__init__.py").exists())
    name = ".".join(file.relative_to(root).with_suffix("").parts)
    with importable(root):
        return importlib.import_module(name)


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Packages in the folder can be imported meanwhile."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def functions(module: ModuleType) -> Iterator[Callable[..., Any]]:
    """The functions and fixtures that are written in the module, methods of its classes included."""
    for value in vars(module).values():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            yield from filter(inspect.isfunction, vars(value).values())
        elif inspect.isfunction(inspect.unwrap(value)):
            yield value
