"""Texts that others wrote: what is shown of them, what is kept of them, and what a shell makes of them."""

from __future__ import annotations

import io
import stat
import subprocess
import time

import pytest

from tests.hostile.objects import BREAKS, COMMANDS, SECRETS
from tests.worlds import condition, daemonset, good, pod, snapshot, warning
from upgate.base.harmless import Typed, fill, harmless, shell_word
from upgate.base.redaction import HIDDEN, redact
from upgate.monitor.markup import without_markup
from upgate.monitor.storage import transaction
from upgate.plugin.guard import Guarded
from upgate.snapshot import dump_snapshot

TOKEN = next(iter(SECRETS))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("end", [*BREAKS, ""])
def test_a_command_of_a_ci_system_is_broken(end, command):
    """Wherever a line may begin, no command stands there any more, and it can still be read."""
    anywhere = "\n" if end == " " and command[0] in "-+^" else end
    safe = harmless(f"image{anywhere}{command}" if end else command)
    assert command.split()[0] not in safe.split()
    assert harmless(safe) == safe


@pytest.mark.parametrize(
    "text",
    [
        "dial tcp [::1]:6443: connect: connection refused",
        "no route to fd00::1, ::1 or ::ffff:10.0.0.1",
        "arn:aws:iam::123456789012:role/x",
        "tests/test_a.py::TestB::test_c[d]",
        "## heading, #1, C# [1]",
        "kubectl --all -o yaml -- name",
        "a--b +++b ---c",
        "日本語 ünïcödé ⚠️ 🚀",
    ],
)
def test_what_only_looks_like_a_command_stays(text):
    """Addresses, node ids and options are as they were."""
    assert harmless(text) == text


@pytest.mark.parametrize(
    "character",
    "\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\xad\U000e0041\u2028\x85\u3164\u061c\u034f\x00\x7f",
)
def test_what_cannot_be_seen_becomes_visible(character):
    """Zero widths, directions, tags and controls are shown as escapes."""
    assert harmless(f"a{character}b") == f"a{character.encode('unicode_escape').decode()}b"


@pytest.mark.parametrize(
    "parts", [("##", "vso[x]"), ("::", "error::x"), ("::err", "or::x"), ("---", " x"), ("\x1b[31m::error", "::x")]
)
def test_a_command_in_parts_is_broken_too(parts):
    """What is written to pytest's reporter piece by piece is read as the line that it becomes."""
    guarded = Guarded(written := io.StringIO())
    for part in parts:
        guarded.write(part)
    shown = written.getvalue().replace("\x1b[31m", "")
    assert shown != "".join(parts).replace("\x1b[31m", "")
    assert not shown.startswith(("##vso[", "::error", "--- "))


def test_colours_and_rewritten_lines_of_pytest_stay():
    """pytest's own sequences pass; a carriage return within a text does not."""
    guarded = Guarded(written := io.StringIO())
    for text in ("\r\x1b[32mcollecting\x1b[0m", " 3 items\n", "said\rPASSED \x1b[2J\n"):
        guarded.write(text)
    assert written.getvalue() == "\r\x1b[32mcollecting\x1b[0m 3 items\nsaid\\rPASSED \n"


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_hidden(text):
    """Whatever kind it is, nothing of it is left, and what stands around it is."""
    safe = redact(f"pulling failed: {text} try again")
    assert SECRETS[text] not in safe
    assert safe.startswith("pulling failed: ")
    assert safe.endswith(" try again")


@pytest.mark.parametrize(
    "text",
    [
        "failed to fetch oauth token: unexpected status from GET request: 403 Forbidden",
        'MountVolume.SetUp failed for volume "api-token" : secret "x" not found',
        "User system:serviceaccount:external-secrets:external-secrets cannot list secrets",
        "image registry.example.com/secret-operator:v1.2.3 cannot be pulled",
        "couldn't find key password in Secret shop/db",
        "secretName=db --token-ttl=24h --token-file=/run/token tokens=5",
        "sk-my-service-7d9f8c6b5-abcde, glance-api-7d9f8c6b5-abcdef",
        "https://10.0.0.1:6443/readyz, ssh://root@worker-1",
    ],
)
def test_ordinary_messages_can_be_read(text):
    """Nothing is hidden from those who look for a cause."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "name", ["$(x)", "a;b", "a b", "'", '"', "`x`", "a\nb", "-rf", "{logs}", "\\", "!x", "$HOME", ""]
)
@pytest.mark.parametrize("hint", ["describe {name}", "describe '{name}'", 'describe "{name}"', "describe --app={name}"])
def test_a_name_is_one_word_of_a_command(hint, name):
    """However a hint is quoted, the name is a part of one word, on one line, and no option."""
    command = fill(hint, {"name": name, "logs": Typed("rm -rf /")})
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True)
    words = done.stdout.split("\0")[:-1]
    assert len(words) == 2
    assert words[1].removeprefix("--app=") in (name.replace("\n", "\\n"), f"\\{name}")


def test_a_word_that_is_typed_already_stays():
    """A command within a hint is not quoted as one word."""
    assert fill("{logs}", {"logs": Typed("kubectl logs 'a b'")}) == "kubectl logs 'a b'"
    assert shell_word("worker-1") == "worker-1"


@pytest.mark.parametrize(
    "text",
    [
        "<!channel>",
        "<@U1>",
        "<http://evil|prod>",
        "@channel",
        "x@everyone",
        "@ops",
        "[a](http://b)",
        "```",
        "<img src=x>",
    ],
)
def test_markup_of_chats_is_broken(text):
    """A space stands where it began to mean something; twice is as good as once."""
    assert without_markup(text) != text
    assert without_markup(text).replace(" ", "") == text.replace(" ", "")
    assert without_markup(without_markup(text)) == without_markup(text)


@pytest.mark.parametrize(
    "text", ["app@sha256:0a1b", "https://shop.example.com/a?b=1&c=2", "3 < 4", "ops@example.com", "a [1] (2)"]
)
def test_what_is_no_markup_stays(text):
    """Digests, URLs and addresses are as they were."""
    assert without_markup(text) == text


def test_the_facts_hold_no_secret():
    """Messages, reasons, annotations, labels and images are redacted when they are decoded, also of pods that are ready."""
    said = {"phase": "Running", "message": TOKEN, "conditions": [condition("Ready", "False", message=TOKEN)]}
    ready = {
        "containerStatuses": [
            {"name": "app", "ready": True, "restartCount": 1, "state": {"waiting": {"message": TOKEN}}}
        ]
    }
    pods = [
        pod(status=said),
        pod("web-2", metadata={"labels": {"x": TOKEN}}, spec={"containers": [{"name": "a", "image": TOKEN}]}),
    ]
    seen = snapshot(good(pods=[*pods, pod("web-3", status=ready)], warnings=[warning(pods[0], message=f"x {TOKEN}")]))
    assert TOKEN[:20] not in repr(seen)
    assert seen.facts("warnings")[0].message == f"x {HIDDEN}"


def test_the_snapshot_holds_no_secret_of_the_profile():
    """A value of the profile's own that came back in a message is not in the file."""
    import gzip

    seen = snapshot(good(warnings=[warning(pod(), message="login with hunt3r2 failed")]))
    assert b"hunt3r2" not in gzip.decompress(dump_snapshot(seen, ["hunt3r2"]))


def test_a_long_message_is_cut_before_anything_reads_it():
    """Of a megabyte of token-like text about ten thousand characters are kept, at once."""
    began = time.process_time()
    seen = snapshot(good(warnings=[warning(pod(), message="eyJ" * 350_000)]))
    assert len(seen.facts("warnings")[0].message) < 11_000
    assert time.process_time() - began < 1


@pytest.mark.parametrize("before", [None, 0o644, 0o600])
def test_the_history_is_its_owners_alone(tmp_path, before):
    """Also one that an earlier version left open, and the files that SQLite puts beside it."""
    path = tmp_path / "prod" / "history.sqlite"
    if before:
        path.parent.mkdir()
        path.touch(before)
    with transaction(path):
        modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("unit", ["pwd", "token", "token: ", "pwd" * 13 + "= /"])
def test_what_a_tenant_writes_costs_no_minutes(unit):
    """Of an object's texts no more than its share is looked at, the short ones first: one of 256 KB is read at once."""
    long = {f"a{number}": (unit * 14_000)[:14_000] for number in range(18)}
    world = good(daemonsets=[daemonset("x", metadata={"annotations": {**long, "weave.works/kured-node-lock": "{}"}})])
    began = time.process_time()
    (seen,) = snapshot(world).facts("daemonsets")
    assert time.process_time() - began < 1
    assert seen.metadata.annotations["weave.works/kured-node-lock"] == "{}"
    assert seen.metadata.annotations["a17"] == "(14,000 characters: the object has more than are read)"


@pytest.mark.parametrize("name", ["password-file", "tokenName", "secret_names", "api_key.path", "pwd-dir"])
def test_the_name_of_a_file_or_a_secret_is_shown(name):
    """What names a Secret or a file is told, what is a secret is not."""
    assert redact(f"{name}=hunt3r2hunt3r2 {name}: hunt3r2hunt3r2") == f"{name}=hunt3r2hunt3r2 {name}: hunt3r2hunt3r2"
    assert "hunt3r2" not in redact(f"{name}-x=hunt3r2hunt3r2 {name}-x: hunt3r2hunt3r2")
