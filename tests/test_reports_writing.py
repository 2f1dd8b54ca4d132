"""Reports on disk."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.test_reports_examples import EXAMPLES, broken, healthy
from upgate.base.errors import UsageError
from upgate.base.files import append_line, clear, write_whole
from upgate.reports.results_json import load_json
from upgate.reports.writing import write_reports

NOBODY = 65534
EVERY_REPORT = ["junit.xml", "report.html", "results.json", "summary.md"]


def test_a_file_is_written_with_its_directory(tmp_path):
    """Missing directories are made, the bytes are those given, and nothing else is left beside the file."""
    path = tmp_path / "deep" / "prod" / "junit.xml"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [it.name for it in path.parent.iterdir()] == ["junit.xml"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize(("public", "file", "folder"), [(False, 0o600, 0o700), (True, 0o644, 0o755)])
def test_only_what_is_for_everybody_is_readable_by_others(tmp_path, umask, public, file, folder):
    """A report and its folder are the owner's alone; what is public everybody reads, also under a strict umask."""
    path, before = tmp_path / "prod" / "a", os.umask(umask)
    try:
        write_whole(path, b"", public=public)
    finally:
        os.umask(before)
    assert mode(path) == file
    assert mode(path.parent) == folder & ~umask


@pytest.mark.parametrize("public", [False, True])
def test_a_stricter_mode_stays(tmp_path, public):
    """A file and a folder that somebody has closed are not opened by a new round."""
    folder = tmp_path / "prod"
    folder.mkdir(mode=0o700)
    (folder / "a").write_bytes(b"")
    (folder / "a").chmod(0o400)
    write_whole(folder / "a", b"new", public=public)
    assert (mode(folder), mode(folder / "a")) == (0o700, 0o400)


def test_what_an_earlier_version_left_open_is_closed(tmp_path):
    """A report that was readable by everybody is the owner's alone after the next run."""
    path = tmp_path / "a"
    path.touch(0o644)
    write_whole(path, b"")
    append_line(tmp_path / "rounds.jsonl", b"{}")
    assert (mode(path), mode(tmp_path / "rounds.jsonl")) == (0o600, 0o600)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """When the bytes do not fit, the error is a sentence, the earlier file stays whole and no part of the new one remains."""
    path = tmp_path / "results.json"
    write_whole(path, b"old")
    code = f"""
import resource, signal
from pathlib import Path
from upgate.base.errors import UsageError
from upgate.base.files import write_whole
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_whole(Path({str(path)!r}), b"x" * 5000)
except UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.startswith(f"Cannot write {path}: File too large.")
    assert path.read_bytes() == b"old"
    assert [it.name for it in tmp_path.iterdir()] == ["results.json"]


def test_readers_never_see_half_a_file(tmp_path):
    """While a file is replaced again and again, a reader always finds one of the whole versions."""
    path = tmp_path / "results.json"
    versions = {bytes([letter]) * 200_000 for letter in b"ab"}
    write_whole(path, b"a" * 200_000)
    writer = threading.Thread(target=lambda: [write_whole(path, data) for _ in range(20) for data in versions])
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(path.read_bytes())
    assert seen <= versions


@pytest.mark.parametrize("blocked", ["directory is a file", "name is a directory"])
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, blocked):
    """Where no report can be written, the error says what, where and what to do, and nothing is left behind."""
    directory = tmp_path / "reports"
    if blocked == "directory is a file":
        directory.write_text("")
    else:
        (directory / "junit.xml" / "inside").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        UsageError, match=r"Cannot write .*reports.*\. Choose a directory that can be written with --reports\."
    ):
        write_reports(healthy(), directory)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(
    os.geteuid() != 0, reason="becoming somebody else needs root; without it tmp_path is writable anyway"
)
def test_a_read_only_directory_is_one_sentence(tmp_path):
    """Somebody who may not write there is told so, for writing and for clearing alike."""
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(0o755)
    write_whole(tmp_path / "junit.xml", b"old")
    os.seteuid(NOBODY)
    try:
        # Making a report reads its style from the checkout, which may be closed to others; writing one does not.
        with pytest.raises(UsageError, match=r"Cannot write .*: Permission denied\."):
            write_whole(tmp_path / "junit.xml", b"new")
        with pytest.raises(UsageError, match=r"Cannot remove .*: Permission denied\."):
            clear(tmp_path)
    finally:
        os.seteuid(0)
    assert (tmp_path / "junit.xml").read_bytes() == b"old"


def test_only_what_one_run_leaves_is_cleared(tmp_path):
    """Reports and unfinished files go; the baseline, the history, the outage log and foreign files stay."""
    gone = ["junit.xml", "results.json", "report.html", "snapshot.json.gz", "rounds.jsonl"]
    gone += [".junit.xml.0a1b2c3d.upgate-unfinished"]
    kept = ["baseline.json", "history.sqlite", "disruption.jsonl", "notes.txt", "old-junit.xml", ".baseline.json.swp"]
    for name in gone + kept:
        (tmp_path / name).write_text("")
    clear(tmp_path)
    assert sorted(it.name for it in tmp_path.iterdir()) == sorted(kept)
    clear(tmp_path / "missing")


def test_a_killed_run_leaves_only_what_the_next_one_clears(tmp_path):
    """A process killed in the middle of writing leaves an unfinished file that clear() recognises."""
    code = f"""
import os
from pathlib import Path
from upgate.base import files
files.os.replace = lambda *_: os._exit(9)
files.write_whole(Path({str(tmp_path / "report.html")!r}), b"half")
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=Path.cwd())
    assert len(list(tmp_path.iterdir())) == 1
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_all_reports_are_written(tmp_path, example):
    """Every kind of result leaves four files, under the names that the contract gives them."""
    paths = write_reports(example(), tmp_path)
    assert {name: path.name for name, path in paths.items()} == {name: name for name in paths}
    assert sorted(it.name for it in tmp_path.iterdir()) == sorted(paths) == EVERY_REPORT
    assert load_json(paths["results.json"].read_bytes()).verdict == example().verdict


def test_warnings_reach_the_written_junit(tmp_path):
    """fail_on_warnings makes the warned check a failure in the file."""
    paths = write_reports(broken(), tmp_path, fail_on_warnings=True)
    assert b'failures="7"' in paths["junit.xml"].read_bytes()


def test_lines_are_added_as_they_come(tmp_path):
    """A line is added behind those that are there; where it cannot be, the error is one sentence."""
    append_line(tmp_path / "rounds.jsonl", b"{1}")
    append_line(tmp_path / "rounds.jsonl", b"{2}")
    assert (tmp_path / "rounds.jsonl").read_bytes() == b"{1}\n{2}\n"
    with pytest.raises(UsageError, match=r"Cannot append to .*: Is a directory\."):
        append_line(tmp_path, b"{3}")
