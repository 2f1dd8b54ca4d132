"""Names of profiles → files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from upgate.base.errors import UsageError
from upgate.profile.problems import nearest, shown

PACKAGE = Path(__file__).parents[1]
#: Where a user's own profiles are, from the working directory.
SEARCH = (Path("profiles"),)
#: The profile without a file: every default, the kubeconfig's current context.
DEFAULT = "default"
#: Files that come with the package.
DEMOS = ("demo", "demo-broken")
ENDINGS = (".yaml", ".yml")
#: A profile's name becomes the name of a folder of reports.
NAME = re.compile(r"\w[\w.-]*")


def find(name_or_path: str, search: Sequence[Path] = SEARCH) -> Path | None:
    """The file of a profile; None for the built-in default. Raises UsageError."""
    path = Path(name_or_path).expanduser() if is_path(name_or_path) else find_name(name_or_path, search)
    if path is None and name_or_path == DEFAULT:
        return None
    if path is None or not path.exists():
        raise UsageError(
            f"there is no profile {name_or_path}{nearest(name_or_path, available(search)) or '.'} {listing(search)}"
        )
    if not NAME.fullmatch(path.stem):
        raise UsageError(f"{shown(path)}: a profile's name begins with a letter or digit: it names a folder of reports")
    return path


def is_path(name_or_path: str) -> bool:
    """A path has a folder or one of the endings of profiles."""
    return "/" in name_or_path or name_or_path.endswith(ENDINGS)


def find_name(name: str, search: Sequence[Path]) -> Path | None:
    """The first file with this name."""
    return next((path for path in profile_files(search) if path.stem == name), None)


def profile_files(search: Sequence[Path]) -> Iterator[Path]:
    """All profiles' files, the user's own before those of the package."""
    for folder in search:
        yield from (path for ending in ENDINGS for path in sorted(folder.glob(f"*{ending}")) if path.is_file())
    yield from (built_in() / f"{name}.yaml" for name in DEMOS)


def built_in() -> Path:
    """The folder of the profiles that come with the package: in it when installed, beside it in a checkout."""
    inside = PACKAGE / "profiles"
    return inside if inside.is_dir() else PACKAGE.parent / "profiles"


def available(search: Sequence[Path] = SEARCH) -> list[str]:
    """The names of all profiles there are."""
    return sorted({DEFAULT, *(path.stem for path in profile_files(search))})


def listing(search: Sequence[Path]) -> str:
    """What there is, in sentences."""
    folders = " or ".join(dict.fromkeys(f"{shown(folder)}/" for folder in search))
    return f"There are: {', '.join(available(search))}. Profiles are looked for in {folders or 'the package'}; a path works too."
