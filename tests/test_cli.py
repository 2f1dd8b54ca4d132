from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from upgate.cli import main

ROOT = Path(__file__).parents[1]
OWN_CHECK = '''
from upgate.battery import check

@check("own.always", severity="critical")
def test_always():
    """Always."""
'''


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles").mkdir()
    return tmp_path


def write(folder: Path, text: str, name: str = "prod") -> None:
    """Write a profile."""
    (folder / "profiles" / f"{name}.yaml").write_text(text)


def test_check_is_silent_about_a_good_profile(folder, capsys):
    """`profile check` of a good profile is one line and exit code 0."""
    write(folder, "description: a")
    assert main(["profile", "check", "prod"]) == 0
    assert capsys.readouterr() == ("profiles/prod.yaml: no errors\n", "")


def test_check_tells_all_errors(folder, capsys):
    """`profile check` of a bad profile is all of its errors and exit code 4."""
    write(folder, "description: 7\nwindow: 30")
    assert main(["profile", "check", "prod"]) == 4
    out, err = capsys.readouterr()
    assert not out
    assert [line.partition(": ")[0] for line in err.splitlines()] == [
        "profiles/prod.yaml:1:14",
        "profiles/prod.yaml:2:9",
    ]


def test_own_checks_are_known_by_their_path(folder, capsys):
    """Ids of a user's own checks are known where their folder is named."""
    write(folder, "checks: {own.always: warning}")
    (folder / "mine").mkdir()
    (folder / "mine" / "test_mine.py").write_text(OWN_CHECK)
    assert main(["profile", "check", "prod"]) == 4
    assert main(["profile", "check", "prod", "mine"]) == 0
    assert main(["profile", "check", "prod", "elsewhere"]) == 4
    assert "there is no file or folder elsewhere" in capsys.readouterr().err


def test_show_keeps_variables_as_they_are_written(folder, capsys, monkeypatch):
    """`profile show` prints `${VAR}`, never its value."""
    monkeypatch.setenv("HEARTBEAT", "https://beat.example.com/token-of-mine")
    write(folder, "monitor: {heartbeat: '${HEARTBEAT}'}")
    assert main(["profile", "show", "prod"]) == 0
    out = capsys.readouterr().out
    assert "heartbeat: ${HEARTBEAT}" in out
    assert "token-of-mine" not in out


def test_schema_is_json(capsys):
    """`profile schema` prints a JSON Schema."""
    assert main(["profile", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


@pytest.mark.parametrize("arguments", [["profile", "show"], ["profile", "check"], ["profile", "show", "nope"]])
def test_without_a_known_name_the_profiles_are_listed(folder, capsys, arguments):
    """No name, or an unknown one, is a usage error that lists the profiles there are."""
    write(folder, "description: a", "tokyo")
    assert main(arguments) == 4
    assert "There are: default, demo, demo-broken, tokyo." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["profile"], ["profile", "nope"], ["nope"], ["profile", "show", "--nope"]])
def test_a_wrong_call_is_a_usage_error(capsys, arguments):
    """A call that argparse refuses ends with the exit code of usage errors, and says how it is called."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 4
    assert "usage: upgate" in capsys.readouterr().err


def test_a_reader_that_stops_early_is_no_error():
    """`upgate profile schema | head -1` ends without a traceback."""
    script = "import sys; from upgate.cli import main; sys.exit(main(['profile', 'schema']))"
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    process.stdout.close()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (141, b"")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`upgate run` in a folder, in a process of its own."""
    script = "import sys; from upgate.cli import main; sys.exit(main(['run', *sys.argv[1:]]))"
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_run_is_the_battery_from_anywhere(folder):
    """`upgate run` collects the battery and the checks behind it, whatever pytest configuration lies around."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (folder / "test_unrelated.py").write_text("def test_unrelated(): ...")
    (folder / "mine").mkdir()
    (folder / "mine" / "test_mine.py").write_text(OWN_CHECK)
    done = run(folder, "--profile=demo", "--collect-only", "-q", "mine/")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_nodes.py" in done.stdout
    assert "test_mine.py" in done.stdout
    assert "unrelated" not in done.stdout


def test_run_without_a_profile_is_a_usage_error(folder):
    """`upgate run` alone asks for a profile."""
    done = run(folder)
    assert done.returncode == 4
    assert "There are: default, demo, demo-broken." in done.stdout + done.stderr


KUBECONFIG = {
    "contexts": [{"name": "tokyo", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/plugin"}}}],
}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("cluster: {kubeconfig: ../config, context: tokyo}", ""),
        ("cluster: {kubeconfig: ../config, context: osaka}", "Its contexts: tokyo."),
        ("cluster: {kubeconfig: ../none}", "there is no such file"),
        ("cluster: {kubeconfig: ../empty}", "cannot use kubeconfig"),
        ("cluster: {kubeconfig: ../broken}", "cannot use kubeconfig"),
        ("cluster: {context: osaka}", "cannot use kubeconfig"),
        ("cluster: {snapshot: ../none.json.gz}", "none.json.gz"),
        ("monitor: {notify: ['slak://a/b']}", "monitor.notify[0]: apprise does not know"),
        ("monitor: {notify: ['slack://a/b']}", "monitor.notify[0]: "),
        ("monitor: {notify: ['mailto://user:password@example.com']}", ""),
        ("gate: {settle: 1m, clean: 9, every: 30s}", "9 clean rounds, 30s apart, do not fit into 1m"),
    ],
)
def test_check_accepts_what_a_run_accepts(folder, capsys, monkeypatch, text, error):
    """Files, contexts, URLs of services: what a run would refuse is an error; no login plugin is run for that."""
    monkeypatch.setattr("kubernetes.config.KUBE_CONFIG_DEFAULT_LOCATION", str(folder / "nowhere"))
    (folder / "config").write_text(json.dumps(KUBECONFIG))
    (folder / "broken").write_text("a: [")
    (folder / "empty").touch()
    write(folder, text)
    assert main(["profile", "check", "prod"]) == (4 if error else 0)
    err = capsys.readouterr().err
    assert error in err
    assert "Traceback" not in err


def test_check_tells_all_that_a_run_would_refuse(folder, capsys):
    """One line for each."""
    write(folder, "cluster: {kubeconfig: ../none}\nmonitor: {notify: ['slak://a/b']}")
    assert main(["profile", "check", "prod"]) == 4
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_severity_that_does_not_exist_is_one_sentence(folder):
    """Nothing is run, and pytest's own machinery is not to be seen."""
    (folder / "mine").mkdir()
    (folder / "mine" / "test_mine.py").write_text(OWN_CHECK.replace('"critical"', '"hard"'))
    done = run(folder, "--profile=demo", "mine/")
    assert done.returncode == 4
    assert (done.stdout + done.stderr).count("severity must be critical or warning, not 'hard'") == 1
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_an_expired_waiver_is_an_error_of_the_profile_and_ends_no_run(folder, capsys):
    """`profile check` names it; the run goes on without it, and a note says so."""
    waiver = "{check: nodes.ready, object: Node/x, reason: old, until: 2020-01-01}"
    write(folder, f"cluster: {{embedded: healthy}}\nwaivers: [{waiver}]")
    assert main(["profile", "check", "prod"]) == 4
    assert "waivers[0].until: this waiver has expired" in capsys.readouterr().err
    done = run(folder, "--profile=prod", "-q")
    assert done.returncode == 0, done.stdout
    note = "waiver expired on 2020-01-01 and no longer applies: nodes.ready for Node/x (old); renew it or remove it"
    assert note in " ".join(done.stdout.split())
