"""Every way to log in, and what is said when one fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.battery import Battery, Run
from tests.e2e.cluster import RealCluster
from tests.e2e.logins import address, certificate, credential, kubeconfig, plugin, write

SECRET = "not-a-token-at-all-0123456789"


@pytest.fixture(scope="module")
def token(cluster: RealCluster) -> Iterator[str]:
    """A token of a service account that may do everything."""
    cluster.kubectl("create", "serviceaccount", "robot", "--namespace=default")
    bind = ("--clusterrole=cluster-admin", "--serviceaccount=default:robot")
    cluster.kubectl("create", "clusterrolebinding", "robot", *bind)
    yield cluster.token("robot", "default")
    cluster.kubectl("delete", "clusterrolebinding/robot")
    cluster.kubectl("delete", "serviceaccount/robot", "--namespace=default")


def must_leak_nothing(run: Run, secret: str) -> None:
    """No output and no report holds the secret."""
    texts = [run.output, *(path.read_text(errors="replace") for path in run.reports.iterdir() if path.suffix != ".gz")]
    assert not any(secret in text for text in texts)


def test_a_token(cluster: RealCluster, battery: Battery, token: str, tmp_path: Path) -> None:
    """A token in the kubeconfig logs in, and appears nowhere."""
    run = battery.run(kubeconfig=kubeconfig(cluster, tmp_path / "config", token=token))
    run.must_be_clear()
    must_leak_nothing(run, token)


def test_a_token_in_a_file(cluster: RealCluster, battery: Battery, token: str, tmp_path: Path) -> None:
    """A token in a file of its own logs in."""
    (tmp_path / "token").write_text(token)
    battery.run(kubeconfig=kubeconfig(cluster, tmp_path / "config", tokenFile=str(tmp_path / "token"))).must_be_clear()


def test_an_exec_plugin(cluster: RealCluster, battery: Battery, token: str, tmp_path: Path) -> None:
    """A credential plugin's token logs in, and appears nowhere."""
    works = plugin(tmp_path, f"echo '{credential(token)}'")
    run = battery.run(kubeconfig=kubeconfig(cluster, tmp_path / "config", exec=works))
    run.must_be_clear()
    must_leak_nothing(run, token)


def test_a_failing_exec_plugin_is_quoted(cluster: RealCluster, battery: Battery, tmp_path: Path) -> None:
    """A plugin that fails makes everything inconclusive, in the plugin's own words."""
    fails = plugin(tmp_path, "echo 'your session has expired: run corp-login' >&2; exit 1")
    run = battery.run(kubeconfig=kubeconfig(cluster, tmp_path / "config", exec=fails))
    must_have_judged_nothing(run)
    assert "your session has expired: run corp-login" in run.reason("nodes.ready")


def test_a_missing_exec_plugin_is_named(cluster: RealCluster, battery: Battery, tmp_path: Path) -> None:
    """A plugin that is not installed makes everything inconclusive, and is named."""
    absent = plugin(tmp_path, "true") | {"command": "corp-login-helper"}
    run = battery.run(kubeconfig=kubeconfig(cluster, tmp_path / "config", exec=absent))
    must_have_judged_nothing(run)
    assert "corp-login-helper" in run.reason("nodes.ready")


def test_an_expired_login(cluster: RealCluster, battery: Battery, tmp_path: Path) -> None:
    """A token that the API server does not accept makes everything inconclusive, and is not told."""
    run = battery.run(kubeconfig=kubeconfig(cluster, tmp_path / "config", token=SECRET))
    must_have_judged_nothing(run)
    assert "401" in run.reason("nodes.ready")
    must_leak_nothing(run, SECRET)


def test_no_credentials(cluster: RealCluster, battery: Battery, tmp_path: Path) -> None:
    """Without credentials the API server knows us as nobody, and nothing in the cluster is judged."""
    run = battery.run(kubeconfig=kubeconfig(cluster, tmp_path / "config"))
    must_have_judged_nothing(run)
    assert "system:anonymous" in run.reason("nodes.ready")


def must_have_judged_nothing(run: Run) -> None:
    """Exit code 75, no finding, and nothing of the cluster has passed."""
    assert (run.code, run.findings) == (75, []), run.output
    assert run.having("passed") <= {"external.shop"}
    assert "Traceback" not in run.output


def test_several_kubeconfig_files(cluster: RealCluster, battery: Battery, tmp_path: Path) -> None:
    """KUBECONFIG may name several files: here the cluster, the user and the context come from three."""
    context = {"name": "joined", "context": {"cluster": "place", "user": "person"}}
    files = [
        write(tmp_path / "1", current="joined", contexts=[context], clusters=[], users=[]),
        write(tmp_path / "2", clusters=[{"name": "place", "cluster": address(cluster)}], users=[], contexts=[]),
        write(tmp_path / "3", users=[{"name": "person", "user": certificate(cluster)}], clusters=[], contexts=[]),
    ]
    run = battery.run(cluster={}, environ={"KUBECONFIG": ":".join(map(str, files))})
    run.must_be_clear()


def test_a_context_by_name(cluster: RealCluster, battery: Battery, tmp_path: Path) -> None:
    """The profile's context is used, whatever the kubeconfig's current one is; another one is refused with those there are."""
    parts = {
        "clusters": [
            {"name": "gone", "cluster": {"server": "https://127.0.0.1:1"}},
            {"name": "real", "cluster": address(cluster)},
        ],
        "users": [{"name": "admin", "user": certificate(cluster)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}} for name in ("gone", "real")],
    }
    path = str(write(tmp_path / "config", current="gone", **parts))
    battery.run(cluster={"kubeconfig": path, "context": "real"}).must_be_clear()
    wrong = battery.run(cluster={"kubeconfig": path, "context": "rael"})
    assert wrong.code == 4
    assert "gone, real" in wrong.output


def test_inside_a_pod(cluster: RealCluster, battery: Battery, token: str, tmp_path: Path) -> None:
    """Without a kubeconfig the service account that a pod has is used: environment, token and authority as a pod sees them."""
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(token)
    (account / "ca.crt").write_bytes((cluster.home / "pki/ca.crt").read_bytes())
    place = "/run/secrets/kubernetes.io"
    mount = f"mount -t tmpfs none /run && mkdir -p {place} && ln -s $0 {place}/serviceaccount"
    home = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}
    as_a_pod = ("unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', str(account))
    battery.run(cluster={}, environ=home, under=as_a_pod).must_be_clear()


def test_no_way_to_a_cluster(battery: Battery, tmp_path: Path) -> None:
    """Without a kubeconfig and outside a pod nothing is run: exit code 4, and one sentence on what to do."""
    run = battery.run(cluster={}, environ={"HOME": str(tmp_path)})
    assert run.code == 4
    assert "Set KUBECONFIG" in run.output
