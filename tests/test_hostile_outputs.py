"""Hostile worlds through every output: no script runs, no line is forged, nothing secret appears, nobody is mentioned."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import stat
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.apiserver import EmbeddedCluster
from tests.hostile.objects import ATTACK, COMMANDS, SECRETS, WORLDS
from tests.running import REPOSITORY, profile_of, run
from tests.test_reports_browser import CHROMIUM, QUIET
from tests.test_settling import served
from tests.webhooks import webhook

#: What each reader of lines takes for the beginning of a command.
FORGED = re.compile(
    r"##\w*\[|section_(?:start|end):|travis_\w+:|^\s*::\w[\w -]*?(?:=.*)?::|^(?:---|\+\+\+|~~~|\^\^\^)(?:\s|$)",
    re.MULTILINE,
)
UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\U000e0000-\U000e007f]"
)
MENTION = re.compile(r"<[!@]|(?<!\w)@\w|\]\(|```|<\w")
COLOUR = re.compile("\x1b\\[[0-9;]*m")
#: A check of somebody's own, which says what it likes in every way that pytest has.
OWN = f"""
import warnings, pytest
TEXT = {ATTACK!r}

@pytest.mark.parametrize("text", [TEXT], ids=[TEXT.encode("ascii", "ignore").decode()])
def test_own(text):
    print(text)
    warnings.warn(text)
    assert text == "", text

def test_broken():
    raise RuntimeError(TEXT)

def test_skipped():
    pytest.skip(TEXT)
"""


@pytest.fixture(scope="module", params=WORLDS)
def done(request, tmp_path_factory):
    """A round of monitoring in that world, with what it sent."""
    folder = tmp_path_factory.mktemp(request.param)
    own = folder / "own"
    own.mkdir()
    (own / "test_own.py").write_text(OWN)
    with EmbeddedCluster(served(**WORLDS[request.param]())) as cluster, webhook() as hook:
        text = f"monitor: {{fail-after: 1 of 1, notify: ['{hook.url('/hook')}'], textfile: '{folder}/upgate.prom'}}\n"
        path = profile_of(cluster, folder, text)
        places = ("-c", REPOSITORY / "pyproject.toml", f"--rootdir={REPOSITORY}", REPOSITORY / "checks", own)
        ended = run(path, *places, "-v", "-rA", "-W", "default", "--monitor")
        again = run(path, *places, "-s", "-vv", "-n", "2", reports=folder / "again")
    return ended, again, hook.at("/hook"), folder


class Elements(HTMLParser):
    """Keeps the elements that neither page has by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag, attrs):
        links = [
            value for name, value in attrs if name in ("href", "src") and not re.match(r"#|report\.html", value or "")
        ]
        if tag in ("img", "iframe", "object", "embed") or links or any(name.startswith("on") for name, _ in attrs):
            self.bad.append(self.get_starttag_text())


def lines_of(text: str) -> str:
    """The text as those see it who take each break for the end of a line."""
    return "\n".join(COLOUR.sub("", text).splitlines())


def test_no_line_is_forged_on_stdout(done):
    """Whatever a reader takes for a line break, behind none of them stands a command; with captured output, ids and -n too."""
    for ended in done[:2]:
        assert ended.code == 1, ended.out[-2000:]
        assert FORGED.findall(lines_of(ended.out)) == []
        assert UNSEEN.findall(COLOUR.sub("", ended.out).replace("\r\n", "\n")) == []
        assert "INTERNALERROR" not in ended.out


def texts_of(ended, folder: Path) -> dict[str, str]:
    """Every output in words; the history as SQL."""
    files = {path.name: path for path in ended.reports.iterdir() if path.suffix in (".html", ".xml", ".json", ".jsonl")}
    texts = {name: path.read_text() for name, path in files.items()}
    if (ended.reports / "history.sqlite").exists():
        with sqlite3.connect(ended.reports / "history.sqlite") as db:
            texts["history"] = "\n".join(db.iterdump())
        texts["metrics"] = (folder / "upgate.prom").read_text()
    return texts


def test_nothing_secret_appears(done):
    """Neither in what is said, nor in what is written, sent or kept: the snapshot has no more than the reports."""
    ended, again, sent, folder = done
    for each in (ended, again):
        outputs = {"stdout": each.out, "sent": json.dumps(sent), "all": each.texts(), **texts_of(each, folder)}
        assert [(name, secret) for name, told in outputs.items() for secret in SECRETS.values() if secret in told] == []


def test_files_hold_no_commands_and_nothing_unseen(done):
    """Also who prints a report into a log is safe."""
    ended, _, _, folder = done
    for name, text in texts_of(ended, folder).items():
        assert FORGED.findall(lines_of(text)) == [], name
        assert UNSEEN.findall(text) == [], name


def test_metrics_are_lines_of_prometheus(done):
    """Each line of the textfile is a comment or a sample, and no label is the cluster's."""
    for line in (done[3] / "upgate.prom").read_text().splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) upgate_\w+ .*|upgate_\w+(\{(\w+="(?:[^"\\]|\\.)*",?)+\})? [-+.e\d]+', line)
        assert "evil" not in line or 'check="own.' in line


def test_alerts_mention_nobody(done):
    """No markup of a chat is in a message, neither in its text nor in its data, and it can still be read."""
    (message,) = done[2]
    told = json.dumps(message, ensure_ascii=False)
    assert MENTION.findall(told) == []
    assert FORGED.findall(told) == []
    assert "web" in message["text"]


def test_commands_are_safe_to_copy(done, tmp_path):
    """A shell that runs a suggested command calls the programs that it names, and nothing that a name holds."""
    ended = done[0]
    findings = [each for check in ended.results["checks"] for each in check["findings"]]
    hints = {each["hint"] for each in findings if each["hint"].startswith(("kubectl ", "ssh "))}
    assert hints
    for program in ("kubectl", "ssh"):
        (tmp_path / program).write_text(
            "#!/bin/sh\nfor each; do case $each in -oProxy*|--all) touch owned;; esac; done\n"
        )
        (tmp_path / program).chmod(0o755)
    script = "\n".join(sorted(hints))
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    assert {each.name for each in tmp_path.iterdir()} == {"kubectl", "ssh"}
    assert all(shlex.split(hint, comments=True) for hint in hints)


def test_junit_is_whole(done):
    """An XML parser reads it."""
    assert ET.parse(done[0].reports / "junit.xml").getroot().tag == "testsuites"


def test_only_what_is_for_everybody_can_be_read_by_others(done):
    """The status page, its badge and the textfile are; nothing else, and nobody else can look into the folder."""
    ended, _, _, folder = done
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in [*ended.reports.iterdir(), folder / "upgate.prom"]
    }
    public = {"status.html", "status.svg", "upgate.prom"}
    assert {name: mode for name, mode in modes.items() if name in public} == dict.fromkeys(public, 0o644)
    assert {mode for name, mode in modes.items() if name not in public} == {0o600}
    assert stat.S_IMODE(ended.reports.stat().st_mode) == 0o700


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
@pytest.mark.parametrize("page", ["report.html", "status.html"])
def test_no_script_runs_in_a_browser(done, page, tmp_path):
    """A browser builds no element from the cluster's texts: the page's own script is the only one."""
    path = done[0].reports / page
    command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path}", "--enable-logging=stderr", "--dump-dom", path.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.lower().count("<script") == 1
    elements = Elements()
    elements.feed(shown.stdout)
    assert elements.bad == []
    assert "Refused to" not in shown.stderr


def test_the_worlds_hold_each_command():
    """The attack is one: each command stands behind each break in it."""
    assert len(FORGED.findall(lines_of(ATTACK))) > 5 * len(COMMANDS)
