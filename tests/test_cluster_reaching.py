"""Clusters that cannot be reached, and logins that fail: one cause, one sentence, all reports, in time."""

from __future__ import annotations

import json
import socket
import warnings
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.apiserver import EmbeddedCluster
from tests.running import REPOSITORY, Run, profile, run, runs
from tests.servers import Authority, free_port, serving, tls_with
from upgate.sources.cluster.login import first_context

#: Tokens that no output may hold: one as kubeconfigs have them, one as plugins let slip, and one from the environment.
TOKEN = "plain-token-of-a-kubeconfig"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
VARIABLE = "value-of-a-variable"
EXEC = "client.authentication.k8s.io/v1"


def kubeconfig(folder: Path, server: str, user: dict, **cluster: str) -> Path:
    """A kubeconfig with one user."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(document))
    return folder / "kubeconfig"


def plugin(folder: Path, script: str) -> dict:
    """A user whose credentials come from a program."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "plugin").chmod(0o755)
    return {"exec": {"apiVersion": EXEC, "command": str(folder / "plugin"), "interactiveMode": "Never"}}


@contextmanager
def silent():
    """A port that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def full():
    """A port that does not even accept: its queue is full, further packets are dropped."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def unreached(tmp_path_factory):
    """Runs against addresses where no API server answers."""
    folder = tmp_path_factory.mktemp("unreached")
    with ExitStack() as stack:
        certificate = Authority(folder).issue("127.0.0.1")
        tls = stack.enter_context(serving(tls=tls_with(certificate)))
        servers = {
            "refused": f"http://127.0.0.1:{free_port()}",
            "name": "http://no-such-host.invalid:6443",
            "full": f"http://127.0.0.1:{stack.enter_context(full())}",
            "silent": f"https://127.0.0.1:{stack.enter_context(silent())}",
            "untrusted": f"https://127.0.0.1:{tls.port}",
        }
        profiles = {
            name: profile(folder / name, kubeconfig=kubeconfig(folder / name, server, {"token": TOKEN}))
            for name, server in servers.items()
        }
        return runs(**{name: partial(run, path, "-q") for name, path in profiles.items()})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refused", "connection refused at 127.0.0.1:"),
        ("name", "the name no-such-host.invalid does not resolve"),
        ("full", "no connection to 127.0.0.1:"),
        ("silent", "sent nothing for 1 s"),
        ("untrusted", "is not accepted: "),
    ],
)
def test_an_api_server_that_cannot_be_reached_fails_one_check(unreached, name, words):
    """`api.ready` fails and says why, all others are inconclusive for one reason, the reports are whole, and it is over soon."""
    result: Run = unreached[name].whole()
    assert result.code == 1
    assert result.ids("failed") == {"api.ready"}
    assert words in result.check("api.ready")["findings"][0]["observed"]
    (reason,) = result.reasons
    assert words in reason
    assert not result.ids("passed")
    assert result.seconds < 20  # once per check would be 25 times one second and more
    assert TOKEN not in result.texts()


@pytest.fixture(scope="module")
def logins(tmp_path_factory):
    """Runs as nobody that the API server knows."""
    folder = tmp_path_factory.mktemp("logins")
    credential = {"apiVersion": EXEC, "kind": "ExecCredential"}
    with EmbeddedCluster("healthy") as cluster:
        good = json.dumps(credential | {"status": {"token": cluster.token}})
        users = {
            "expired": {"token": TOKEN},
            "anonymous": {},
            "failing": plugin(
                folder / "failing", f"echo 'AccessDenied: run aws sso login; {JWT}; Bearer {TOKEN}' >&2; exit 3"
            ),
            "garbage": plugin(folder / "garbage", f"echo not json {TOKEN}"),
            "tokenless": plugin(folder / "tokenless", f"echo '{json.dumps(credential | {'status': {}})}'"),
            "missing": {"exec": {"apiVersion": EXEC, "command": "no-such-plugin", "interactiveMode": "Never"}},
            "hanging": plugin(folder / "hanging", "sleep 600"),
            "good": plugin(folder / "good", f"echo a warning >&2; echo '{good}'"),
        }
        calls = {
            name: partial(run, profile(folder / name, kubeconfig=kubeconfig(folder / name, cluster.url, user)), "-q")
            for name, user in users.items()
        }
        done = runs(**calls)
        assert cluster.token not in done["good"].texts()
        return done


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expired", "the API server does not accept our credentials (401 Unauthorized)"),
        ("anonymous", "system:anonymous. The kubeconfig gives no credentials."),
        ("failing", "AccessDenied: run aws sso login; [hidden]; Bearer [hidden]"),
        ("garbage", "failed to decode process output"),
        ("tokenless", "missing token or clientCertificateData"),
        ("missing", "No such file or directory: 'no-such-plugin'"),
        ("hanging", "the kubeconfig's credential plugin did not finish within 3 s"),
    ],
)
def test_a_login_that_fails_is_inconclusive(logins, name, words):
    """Nothing is judged, the plugin's own words are the reason, and no token is told."""
    result: Run = logins[name].whole()
    assert result.code == 75
    (reason,) = result.reasons
    assert words in reason
    assert not result.ids("passed") | result.ids("failed")
    assert TOKEN not in result.texts()
    assert JWT not in result.texts()
    assert result.seconds < 30


def test_a_plugin_that_warns_and_gives_a_token_is_a_login(logins):
    """What it says beside is no error."""
    assert logins["good"].whole().code == 0


def test_no_value_of_a_variable_is_told(tmp_path):
    """Neither by checks nor by the progress line, the rounds, the snapshot or any report."""
    outside = f'external:\n- {{name: shop, url: "http://127.0.0.1:{free_port()}/${{SECRET}}", timeout: 1s}}\n'
    with EmbeddedCluster("healthy", forbid=["pods"]) as cluster:
        path = profile(tmp_path, outside, kubeconfig=cluster.kubeconfig(tmp_path / "kubeconfig"))
        result = run(path, "-v", "--settle=1s", "--every=1s", SECRET=VARIABLE).whole()
        assert cluster.token not in result.texts()
    assert result.outcomes["external.shop"] == "failed"
    assert VARIABLE not in result.texts()
    assert "127.0.0.1" in (result.reports / "rounds.jsonl").read_text()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["current-context: ''", "current-context: tokyo", "current-context: osaka"], "tokyo"),
        (["", "users: []"], None),
        (["current-context: osaka"], None),  # of a single file the client reads it itself
    ],
)
def test_of_several_kubeconfigs_the_first_current_context_holds(tmp_path, files, expected):
    """KUBECONFIG may name several files: as with kubectl, an empty value in a later one takes nothing away."""
    paths = [tmp_path / str(number) for number, _ in enumerate(files)]
    for path, text in zip(paths, files, strict=True):
        path.write_text(text)
    assert first_context(":".join(map(str, [*paths, tmp_path / "missing"]))) == expected


@pytest.fixture(scope="module")
def unproven(tmp_path_factory):
    """Runs against an API server that nothing proves to be the right one; warnings would end them."""
    folder = tmp_path_factory.mktemp("unproven")
    with ExitStack() as stack:
        certificate = Authority(folder).issue("127.0.0.1")
        tls = stack.enter_context(serving(tls=tls_with(certificate)))
        cluster = stack.enter_context(EmbeddedCluster("healthy"))
        files = {
            "skipped": kubeconfig(
                folder / "skipped",
                f"https://127.0.0.1:{tls.port}",
                {"token": TOKEN},
                **{"insecure-skip-tls-verify": True},
            ),
            "plain": kubeconfig(folder / "plain", cluster.url, {"token": cluster.token}),
        }
        calls = {
            name: partial(run, profile(folder / name, kubeconfig=path), "-q", "-W", "error")
            for name, path in files.items()
        }
        return runs(**calls)


@pytest.mark.parametrize(
    ("name", "words"), [("skipped", "insecure-skip-tls-verify"), ("plain", "asked through plain http://")]
)
def test_a_verdict_that_can_be_forged_says_so(unproven, name, words):
    """Where TLS is not checked, or there is none, every report has a note of it, and no warning ends the run."""
    result: Run = unproven[name].whole()
    (note,) = [each for each in result.results["notes"] if "can be forged on the way" in each]
    assert words in note
    assert words in result.out
    assert words in (result.reports / "report.html").read_text()


def test_the_embedded_cluster_is_nobody_elses(tmp_path):
    """Nothing is between us and the embedded cluster."""
    result = run(profile(tmp_path, embedded="healthy"), "-q").whole()
    assert not [each for each in result.results.get("notes", []) if "forged" in each]


WARNING = '''
import warnings
from upgate.battery import check


@check("own.nodes", severity="critical")
def test_there_are_nodes(nodes):
    """There are nodes."""
    warnings.warn("a library warns", DeprecationWarning)
    nodes.all(lambda node: node.name, observed="nameless")
'''


def test_a_warning_ends_no_run_of_a_user(tmp_path):
    """In a checkout, too, a warning in a check is no error: only the suite's own tests are that strict."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_own.py").write_text(WARNING)
    result = run(
        profile(tmp_path, embedded="healthy"), "-q", "-c", REPOSITORY / "pyproject.toml", tmp_path / "own"
    ).whole()
    assert result.outcomes["own.nodes"] == "passed"


def test_a_warning_is_an_error_in_the_suites_own_tests():
    """tests/conftest.py says so."""
    with pytest.raises(DeprecationWarning):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
