"""An image with the battery in it, without a registry: Debian's own Python, the wheel, and what it depends on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.cluster import CHECKOUT, SCRIPTS, RealCluster

NAME = "upgate:0.1.0"
#: Debian 12, whose Python is this one.
SUITE, PYTHON = "bookworm", "3.11"
ENTRY = """#!/usr/bin/python3
import sys
from upgate.cli import main
sys.exit(main())
"""


def debian(home: Path) -> Path:
    """A Debian with Python, made once: some minutes, from wherever this machine's own packages come."""
    tree = home / f"debian-{SUITE}-python"
    if not tree.exists():
        site = subprocess.check_output(
            ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"], text=True
        )
        unfinished = Path(tempfile.mkdtemp(dir=home))
        command = ["debootstrap", "--variant=minbase", "--include=python3", SUITE, unfinished, site.split()[0]]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for leftovers in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(unfinished / leftovers)
        unfinished.chmod(0o755)
        unfinished.rename(tree)
    return tree


def build(home: Path, folder: Path) -> Path:
    """An archive of the image, made from this checkout as deploy/Containerfile would."""
    wheel, root = folder / "wheel", folder / "root"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", f"--wheel-dir={wheel}", CHECKOUT], check=True)
    subprocess.run(["cp", "--archive", debian(home), root], check=True)
    site = root / "usr/local/lib" / f"python{PYTHON}" / "dist-packages"
    made_for = [f"--python-version={PYTHON}", "--only-binary=:all:", "--root-user-action=ignore"]
    subprocess.run([*pip, "install", *made_for, f"--target={site}", *wheel.glob("*.whl")], check=True)
    entry = root / "usr/local/bin/upgate"
    entry.write_text(ENTRY)
    entry.chmod(0o755)
    archive = folder / "upgate.tar"
    subprocess.run(
        [sys.executable, SCRIPTS / "mkimage.py", archive, NAME, '["upgate"]', "[]", f"--rootfs={root}"], check=True
    )
    shutil.rmtree(root)
    return archive


def bring(cluster: RealCluster, folder: Path, node: str) -> None:
    """Give a node the image."""
    archive = build(cluster.home, folder)
    cluster.shell(f"$B/ctr -a $R/{node}/containerd.sock -n k8s.io images import --local {archive}")
    archive.unlink()
