"""`upgate profile init` and `upgate notify test`: a newcomer's first hour."""

from __future__ import annotations

import pytest
import yaml

from tests.apiserver import EmbeddedCluster
from tests.test_reports_browser import ear  # noqa: F401 - a fixture
from tests.worlds import good, ingress, node, snapshot
from upgate.cli import main
from upgate.profile import load
from upgate.sources.starting import current_context, first_profile, name_for, provider_of


def first(world=None, **fields):
    """The first profile of a world, as text and as data."""
    text = first_profile(snapshot(world or good(), **fields), {"context": "prod"})
    return text, yaml.safe_load(text)


def test_a_first_profile_of_a_cluster(tmp_path, monkeypatch, capsys):
    """From the demo cluster: version, number of nodes, the context, and a file that a run accepts; a second one is refused."""
    monkeypatch.chdir(tmp_path)
    with EmbeddedCluster("healthy") as cluster:
        kubeconfig = cluster.kubeconfig(tmp_path / "kubeconfig")
        assert main(["profile", "init", "mine", f"--kubeconfig={kubeconfig}"]) == 0
        assert main(["profile", "check", "profiles/mine.yaml"]) == 0
        assert main(["profile", "init", "mine", f"--kubeconfig={kubeconfig}"]) == 4
    assert "is there already" in capsys.readouterr().err
    made = load("profiles/mine.yaml", environ={})
    assert made.expect.version == "1.36"
    assert made.cluster.context


def test_nothing_is_written_where_nothing_can_be_seen(tmp_path, monkeypatch, capsys):
    """A cluster that does not answer gives exit code 75, its reason, and no file."""
    monkeypatch.chdir(tmp_path)
    with EmbeddedCluster("healthy") as cluster:
        kubeconfig = cluster.kubeconfig(tmp_path / "kubeconfig")
    assert main(["profile", "init", "mine", f"--kubeconfig={kubeconfig}"]) == 75
    assert "no profile was written: " in capsys.readouterr().err
    assert not (tmp_path / "profiles").exists()


def test_it_says_what_the_cluster_is_now():
    """Provider, version, the number of nodes, the pool label that most have, and the hosts of Ingresses."""
    labelled = [node(f"w{number}", metadata={"labels": {"eks.amazonaws.com/nodegroup": "a"}}) for number in range(3)]
    text, said = first(good(nodes=labelled), version="v1.33.4-eks-0123456")
    assert said["description"] == "EKS, v1.33.4-eks-0123456, 3 nodes"
    assert said["expect"] == {"version": "1.33", "nodes": {"min": 3, "pool-label": "eks.amazonaws.com/nodegroup"}}
    assert said["external"] == [{"name": "shop-example-com", "url": "https://shop.example.com/"}]
    assert said["cluster"] == {"context": "prod"}
    assert "# Not in this cluster: " not in text


def test_it_says_what_it_could_not_see():
    """A list that may not be read, and kinds of which there is nothing, are named in comments."""
    text, said = first(good(ingresses=[], cronjobs=[]), gaps={"nodes": "cannot list nodes: not permitted"})
    assert "# Could not be seen: nodes: cannot list nodes: not permitted" in text
    assert "# Not in this cluster: ingresses, cronjobs." in text
    assert said["expect"] == {"version": "1.36"}
    assert "external" not in said


@pytest.mark.parametrize("host", ["*.example.com", "${HOME}.example.com", 'a"}\nchecks: off', "", "x" * 300 + ".com"])
def test_hostile_hosts_stay_out(host):
    """Wildcards, variables and what is no name become no entry."""
    assert "external" not in first(good(ingresses=[ingress(host=host)]))[1]


def test_a_hostile_version_is_text():
    """What an API server says of itself brings no variable and no key into the profile."""
    _, said = first(version='v1.36.3${HOME}"\nchecks: {nodes.ready: off}')
    assert set(said) == {"description", "cluster", "expect", "external"}
    assert "$" not in said["description"]


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("arn:aws:eks:eu-west-1:123456789012:cluster/prod-tokyo", "prod-tokyo"),
        ("gke_project_europe-west1_prod", "gke-project-europe-west1-prod"),
        ("../../etc/passwd", "passwd"),
        ("...", "first"),
        (None, "first"),
    ],
)
def test_a_name_for_a_context(context, name):
    """The profile is named after its context, as far as that can be a file's name."""
    assert name_for(context) == name


def test_providers_are_known_by_version_and_labels():
    """The version tells first; else labels of nodes do; else nothing is claimed."""
    azure = snapshot(good(nodes=[node(metadata={"labels": {"kubernetes.azure.com/agentpool": "a"}})])).facts("nodes")
    assert [provider_of("v1.33.1+k3s1", azure), provider_of("v1.33.1", azure), provider_of("v1", [])] == [
        "k3s",
        "AKS",
        "",
    ]


def test_the_context_is_named(tmp_path):
    """A profile names its context, so that it is not another one tomorrow; a file without one names none."""
    (tmp_path / "one").write_text("current-context: prod\n")
    (tmp_path / "none").write_text("[]\n")
    assert [current_context(tmp_path / name) for name in ("one", "none", "missing")] == ["prod", None, None]


def test_a_test_message_goes_to_every_recipient(tmp_path, capsys, ear):  # noqa: F811
    """Each recipient is tried and named without its URL; one that does not take the message makes exit code 1."""
    url, _ = ear
    path = tmp_path / "mine.yaml"
    path.write_text(f"monitor: {{notify: ['{url}/secret-token']}}\n")
    assert main(["notify", "test", f"--profile={path}"]) == 1
    out = capsys.readouterr().out
    assert "monitor.notify[0] (http): not delivered: it answered with status 501" in out
    assert "secret-token" not in out
    path.write_text("description: none\n")
    assert main(["notify", "test", f"--profile={path}"]) == 4
    assert "has no recipient" in capsys.readouterr().err
