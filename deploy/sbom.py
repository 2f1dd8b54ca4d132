"""Writes the software bill of materials that the wheel carries, in CycloneDX's JSON, from the packages of the lock file.

https://cyclonedx.org/docs/1.6/json/ and https://peps.python.org/pep-0770/
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).parent
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; ([^\\]+?))? \\$", re.M)


def bill(lock: str, project: dict[str, Any]) -> dict[str, Any]:
    """The bill of materials: this project, and every package that the lock file names."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": project["name"],
                "name": project["name"],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": [component(*each) for each in PINNED.findall(lock)],
    }


def component(name: str, version: str, marker: str) -> dict[str, Any]:
    """One package. The hashes of its files, one for each platform, are in the lock file."""
    purl = f"pkg:pypi/{name}@{version}"
    found = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return found | ({"properties": [{"name": "upgate:marker", "value": marker}]} if marker else {})


def text(folder: Path = DEPLOY) -> str:
    """The file's text: it only changes when the lock file or the project does."""
    project = tomllib.loads((folder.parent / "pyproject.toml").read_text())["project"]
    return json.dumps(bill((folder / "requirements.lock").read_text(), project), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (DEPLOY / "sbom.cdx.json").write_text(text())
