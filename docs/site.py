"""Lays out what the documentation's site is made of: the same files at the same places, so that their links are the same.

python docs/site.py && mkdocs build
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "build" / "site-source"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)")


def main() -> None:
    """Copy every page, every picture, and each file that a page links to."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for page in pages():
        copy(page)
        for target in linked(page):
            copy(target)
    for picture in (ROOT / "docs" / "pictures").glob("*"):
        copy(picture)


def pages() -> list[Path]:
    """All pages that git knows, without those of tests and of the reports' folder."""
    known = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    left_out = ("tests/", "reports/")
    return [ROOT / name for name in known.stdout.splitlines() if not name.startswith(left_out)]


def linked(page: Path) -> list[Path]:
    """The files in the repository that a page links to."""
    targets = [(page.parent / target).resolve() for target in LINK.findall(page.read_text()) if "://" not in target]
    return [target for target in targets if target.is_file() and target.is_relative_to(ROOT)]


def copy(file: Path) -> None:
    """Put a file where it lies in the repository."""
    place = SOURCE / file.relative_to(ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, place)


if __name__ == "__main__":
    main()
