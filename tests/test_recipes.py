"""docs/recipes.md: what can be proven of it here is proven, with the text as it stands in the document."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import REPOSITORY
from tests.test_deploy import JOB, pod
from upgate.results import EXIT_CODES

DOCUMENT = REPOSITORY / "docs" / "recipes.md"
TEXT = DOCUMENT.read_text()
BLOCKS = [(language, text) for language, text in re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S)]
RETRY = EXIT_CODES["inconclusive"]


def block(language: str, having: str) -> str:
    """The one block that says so."""
    (found,) = [text for of, text in BLOCKS if of == language and having in text]
    return found


def document(having: str) -> Any:
    return yaml.safe_load(block("yaml", having))


@pytest.fixture
def fake(tmp_path):
    """A program `upgate` that answers with these exit codes in turn; runs a script with it, and says how that ended."""

    def run(script: str, *codes: int, shell: tuple[str, ...] = ("bash", "-e", "-c")) -> tuple[int, int]:
        program, calls = tmp_path / "upgate", tmp_path / "calls"
        calls.write_text("")
        program.write_text(
            f"#!/bin/bash\necho >> {calls}\ncodes=({' '.join(map(str, codes))})\nexit ${{codes[$(wc -l < {calls}) - 1]}}\n"
        )
        program.chmod(0o755)
        environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run([*shell, script], env=environ, cwd=tmp_path, capture_output=True, check=False)
        return done.returncode, len(calls.read_text().splitlines())

    return run


def test_every_yaml_is_one():
    """Each block of YAML can be read, and says something."""
    read = [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml"]
    assert len(read) >= 4
    assert all(isinstance(each, dict) for each in read)


def test_every_option_is_one():
    """Each option of each `upgate run` in the document is an option of the battery."""
    command = [sys.executable, "-m", "upgate", "run", "--help"]
    known = set(re.findall(r"--[a-z-]+", subprocess.check_output(command, cwd=REPOSITORY, text=True)))
    used = {
        option for line in TEXT.splitlines() if "upgate run" in line for option in re.findall(r" (--[a-z-]+)", line)
    }
    used |= {each.partition("=")[0] for each in analysis()["containers"][0]["args"] if each.startswith("--")}
    assert len(used) > 5
    assert used <= known


def test_every_link_leads_somewhere():
    """Links within the checkout lead to files that are there."""
    assert [to for to in re.findall(r"\]\(([^):]+)\)", TEXT) if not (DOCUMENT.parent / to).exists()] == []


def test_the_exit_codes_are_those_of_the_gate():
    """The table at the top has exactly the codes that the gate gives."""
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.M)} == {*EXIT_CODES.values(), 4}


@pytest.mark.parametrize(
    ("codes", "ended"),
    [((0,), (0, 1)), ((1,), (1, 1)), ((4,), (4, 1)), ((75, 75, 0), (0, 3)), ((75, 1), (1, 2)), ((75, 75, 75), (75, 3))],
)
def test_github_tries_again_what_could_not_be_judged(fake, codes, ended):
    """The step's script ends with the gate's answer, after at most three attempts, and tries nothing else again."""
    steps = document("upload-artifact")["jobs"]["gate"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == "gate"]
    assert fake(script, *codes) == ended
    assert next(step for step in steps if "upload-artifact" in step.get("uses", ""))["if"] == "always()"


def test_actions_are_pinned_by_commit():
    """No recipe runs what a moved tag would bring: each action is a commit, with its version beside it."""
    used = re.findall(r"uses: (\S+)(.*)", TEXT)
    assert len(used) >= 3
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action, _ in used)
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", version) for _, version in used)


def test_gitlab_shows_the_report_of_every_gate():
    """JUnit is where the battery writes it, artifacts are kept when the gate is red, and only 75 is tried again."""
    job = document("artifacts:")["gate"]
    assert job["artifacts"]["reports"]["junit"] == "reports/prod/junit.xml"
    assert job["artifacts"]["when"] == "always"
    assert job["retry"]["exit_codes"] == job["allow_failure"]["exit_codes"] == [RETRY]


def analysis() -> dict[str, Any]:
    """The pod of the AnalysisTemplate."""
    return argo()["template"]["spec"]


def argo() -> dict[str, Any]:
    (metric,) = document("AnalysisTemplate")["spec"]["metrics"]
    return metric["provider"]["job"]["spec"]


def test_argo_tolerates_no_doubt():
    """No failed, inconclusive or broken measurement lets a rollout go on, and a pod that never starts ends the Job."""
    (metric,) = document("AnalysisTemplate")["spec"]["metrics"]
    assert {metric[key] for key in ("failureLimit", "inconclusiveLimit", "consecutiveErrorLimit")} == {0}
    assert argo()["activeDeadlineSeconds"] > 0
    assert argo()["podFailurePolicy"] == JOB["spec"]["podFailurePolicy"]


def test_argo_runs_a_pod_like_the_gate():
    """The same rights as the gate's Job, and its reports where it can write."""
    (mine,), (gate,) = analysis()["containers"], pod(JOB)["containers"]
    assert mine["securityContext"] == gate["securityContext"]
    assert analysis()["securityContext"].items() <= pod(JOB)["securityContext"].items()
    writable = [each["mountPath"] for each in mine["volumeMounts"] if not each.get("readOnly")]
    (reports,) = [each.partition("=")[2] for each in mine["args"] if each.startswith("--reports=")]
    assert any(reports.startswith(f"{path}/") for path in writable)


@pytest.mark.parametrize("code", [0, 1, 4, 75])
def test_flagger_and_cron_get_the_answer_as_it_is(fake, code):
    """What their line runs ends with the gate's own exit code."""
    (webhook,) = document("flagger.app")["spec"]["analysis"]["webhooks"]
    assert webhook["type"] == "rollout"
    line = block("crontab", "upgate").strip()
    times, command = line.split()[:5], " ".join(line.split()[6:])
    assert times == ["*/5", "*", "*", "*", "*"]
    assert "%" not in command  # a line break for cron
    here = command.replace("/opt/upgate/bin/", "").replace("/etc/upgate", ".")
    assert fake(webhook["metadata"]["cmd"], code) == fake(here, code, shell=("sh", "-c")) == (code, 1)


def unit(name: str) -> str:
    return block("ini", f"/etc/systemd/system/{name}")


def test_systemd_takes_an_answer_for_an_answer():
    """Of the gate's exit codes only that of a usage error is a failure of the unit."""
    service = configparser.ConfigParser(strict=False)
    service.optionxform = str
    service.read_string(unit("upgate.service"))
    assert service["Service"]["SuccessExitStatus"].split() == ["1", "75"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_units(tmp_path):
    """systemd's own check finds nothing wrong, with a program that is there."""
    for name in ("upgate.service", "upgate.timer"):
        (tmp_path / name).write_text(unit(name).replace("/opt/upgate/bin/upgate", shutil.which("true")))
    command = ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "upgate" in line]) == (0, [])


def test_a_usage_error_is_heard_from_cron(tmp_path):
    """With its output thrown away a wrong profile is still said, where cron finds it to mail it."""
    command = [sys.executable, "-m", "upgate", "run", "--profile=prod", "--monitor", "-q"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 4
    assert "prod" in done.stderr
    assert Path(tmp_path, "reports").exists() is False


def test_the_action_is_one_with_its_arguments():
    """action.yml asks for a profile, pins what it uses by commit, and its script retries what is inconclusive."""
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    assert action["inputs"]["profile"]["required"]
    steps = action["runs"]["steps"]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)


@pytest.mark.parametrize(
    ("codes", "code", "calls"), [((75, 75, 0), 0, 3), ((1,), 1, 1), ((75, 75, 75), 75, 3), ((4,), 4, 1)]
)
def test_the_action_tries_again_what_is_inconclusive(fake, tmp_path, codes, code, calls):
    """An inconclusive run is tried as often as it is asked for; any other answer is the step's own at once."""
    steps = yaml.safe_load((REPOSITORY / "action.yml").read_text())["runs"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "gate"]
    inputs = f"PROFILE=prod ARGUMENTS='-m preflight' ATTEMPTS=3 GITHUB_OUTPUT={tmp_path}/output"
    assert fake(f"export {inputs}\n{script}", *codes, shell=("bash", "-eo", "pipefail", "-c")) == (code, calls)
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n"


def test_the_gitlab_template_keeps_inconclusive_from_passing():
    """The template retries exit code 75 alone, and lets nothing fail silently."""
    (job,) = yaml.safe_load((REPOSITORY / "deploy" / "ci" / "gitlab.yml").read_text()).values()
    assert job["retry"]["exit_codes"] == [RETRY]
    assert "allow_failure" not in job
    assert job["artifacts"]["reports"]["junit"]
