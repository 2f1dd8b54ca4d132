"""`upgate diff`: two baselines or snapshots, also of two clusters."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import NOW, World, cronjob, good, load_balancer, namespace, replicated, service, snapshot
from upgate.baseline import dump_baseline, take_baseline
from upgate.cli import main
from upgate.snapshot import dump_snapshot


def world(uid: str = "a", **changes: list[dict[str, Any]]) -> World:
    """The good world of the cluster with that UID."""
    system = namespace("kube-system", metadata={"uid": uid})
    return good(**{"namespaces": [namespace(), system], **changes})


@pytest.fixture
def saved(tmp_path: Path):
    """Writes a world into a file: a baseline, or a snapshot."""

    def save(name: str, seen: World, *, whole: bool = False, **more: Any) -> str:
        looked = snapshot(seen, server=f"https://{name}", taken=NOW - timedelta(hours=1), **more)
        path = tmp_path / name
        path.write_bytes(dump_snapshot(looked) if whole else dump_baseline(take_baseline(looked, None)))
        return str(path)

    return save


@pytest.mark.parametrize("whole", [False, True])
def test_the_same_is_no_difference(saved, capsys, whole):
    """A baseline and a snapshot of one world are alike: exit code 0."""
    assert main(["diff", saved("a", world()), saved("b", world(), whole=whole)]) == 0
    assert capsys.readouterr().out.endswith("\nno difference\n")


def test_what_differs_is_told_in_both_directions(saved, capsys):
    """What is only in one of them, and each field: exit code 1."""
    then = world(deployments=[replicated("web", 3)])
    now = world(cronjobs=[cronjob("other")], deployments=[replicated("web", 2)])
    assert main(["diff", saved("a", then), saved("b", now)]) == 1
    out = capsys.readouterr().out
    assert "  CronJob/shop/backup there → (not there)\n" in out
    assert "  CronJob/shop/other (not there) → there\n" in out
    assert "  Deployment/shop/web wanted: 3 → 2\n" in out
    assert out.endswith(" objects\n")


def test_two_clusters_have_addresses_of_their_own(saved, capsys):
    """Blue and green: addresses and what is answered outside are left out; all else is compared."""
    blue, green = world("a"), world("b", services=[service(), load_balancer("edge", "192.0.2.99")])
    assert main(["diff", saved("a", blue), saved("b", green)]) == 0
    assert main(["diff", saved("a", blue), saved("c", world("a", services=green["services"]))]) == 1
    assert "edge addresses: 192.0.2.20 → 192.0.2.99" in capsys.readouterr().out


def test_what_could_not_be_seen_is_not_the_same(saved, capsys):
    """A part that one of them does not know is named: exit code 75."""
    blind = saved("b", world(), gaps={"storageclasses": "cannot list: not permitted"})
    assert main(["diff", saved("a", world()), blind]) == 75
    assert "not compared: Webhooks and classes: cannot list: not permitted" in capsys.readouterr().out


def test_the_formats(saved, capsys):
    """JSON for scripts; a page that asks for nothing and escapes what is in it."""
    a, b = saved("a", world()), saved("b", world(cronjobs=[cronjob("<script>")]))
    assert main(["diff", "--format=json", a, b]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert {"part", "object", "field", "a", "b"} == document["differences"][0].keys()
    assert main(["diff", "--format=html", a, b]) == 1
    page = capsys.readouterr().out
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_a_file_that_cannot_be_read_is_a_usage_error(saved, capsys, tmp_path):
    """Exit code 4, and one sentence."""
    assert main(["diff", saved("a", world()), str(tmp_path / "none")]) == 4
    assert "cannot read baseline" in capsys.readouterr().err
