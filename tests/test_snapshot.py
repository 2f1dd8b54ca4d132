"""Snapshots: what was seen, saved and loaded, is judged the same; what is no snapshot is refused."""

from __future__ import annotations

import gzip
import json
from functools import partial

import pytest

from tests.running import profile, run, runs
from tests.worlds import battery, empty, good, snapshot
from tests.worlds import profile as expecting
from tests.worlds import run as judge
from upgate.base.errors import Inconclusive, UsageError
from upgate.facts.decoding import Malformed
from upgate.facts.kinds import KINDS
from upgate.snapshot import Snapshot, dump_snapshot, load_snapshot

PROFILE = expecting(expect={"version": "1.36"}, sidecars=[{"container": "app", "image": "app:1"}])
INSIDE = [id for id in battery() if not id.startswith("external.")]
DEEP = b"[" * 100_000 + b"]" * 100_000
WHOLE = dump_snapshot(snapshot(good()))


def loaded(tmp_path, data: bytes) -> Snapshot:
    """The snapshot in a file with these bytes."""
    (tmp_path / "snapshot.json.gz").write_bytes(data)
    return load_snapshot(tmp_path / "snapshot.json.gz")


@pytest.mark.parametrize(
    "world", [good(), empty(), good(nodes=[]), good(pods=[])], ids=["good", "empty", "no-nodes", "no-pods"]
)
def test_what_was_saved_is_judged_as_what_was_seen(tmp_path, world):
    """All checks say the same of a snapshot and of what comes back from its file."""
    seen = snapshot(world)
    assert judge(INSIDE, loaded(tmp_path, dump_snapshot(seen)), PROFILE) == judge(INSIDE, seen, PROFILE)


def test_gaps_and_unreadable_objects_are_saved(tmp_path):
    """A list that was refused is not an empty one afterwards, and what could not be read is still known."""
    bad = {"leases": [Malformed("Lease/kube-node-lease/a", "no")]}
    seen = snapshot(good(), gaps={"pods": "refused"}, malformed=bad)
    again = loaded(tmp_path, dump_snapshot(seen))
    assert again.unreadable("leases") == ["Lease/kube-node-lease/a could not be read: no"]
    with pytest.raises(Inconclusive, match="refused"):
        again.facts("pods")


def test_a_list_that_was_not_looked_at_is_a_gap(tmp_path):
    """A snapshot that lacks a list says so."""
    seen = loaded(tmp_path, dump_snapshot(Snapshot(taken=snapshot(good()).taken, lists={"nodes": []})))
    assert seen.facts("nodes") == []
    for noun in KINDS.keys() - {"nodes"}:
        with pytest.raises(Inconclusive, match=f"{noun} were not looked at when this snapshot was taken"):
            seen.facts(noun)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is corrupt, or not a snapshot"),
        (b"hello", "it is corrupt, or not a snapshot"),
        (WHOLE[: len(WHOLE) // 2], "it is corrupt, or not a snapshot"),
        (WHOLE[:100] + b"xxxx" + WHOLE[104:], "it is corrupt, or not a snapshot"),
        (gzip.compress(b"null"), "it is corrupt, or not a snapshot"),
        (gzip.compress(b'{"a": 1}'), "it is corrupt, or not a snapshot"),
        (gzip.compress(b"\xff\xfe"), "it is corrupt, or not a snapshot"),
        (gzip.compress(DEEP), "it is corrupt, or not a snapshot"),
        (
            gzip.compress(b'{"taken": "2026-11-21T01:00:00Z", "more": ' + DEEP + b"}"),
            "it is corrupt, or not a snapshot",
        ),
        (gzip.compress(b'{"schema": 2}'), "it has schema 2, this version reads 1"),
        (gzip.compress(b'{"schema": 0, "lists": 17}'), "it has schema 0, this version reads 1"),
    ],
    ids=["empty", "text", "half", "flipped", "null", "foreign", "utf-16", "deep", "deep-inside", "newer", "older"],
)
def test_what_is_no_snapshot_is_refused(tmp_path, data, words):
    """One sentence names the file, what is wrong with it and what to do."""
    with pytest.raises(UsageError, match=words) as refusal:
        loaded(tmp_path, data)
    assert str(tmp_path) in str(refusal.value)
    assert str(refusal.value).endswith("Take a new one.")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """The sentence says who writes snapshots."""
    with pytest.raises(UsageError, match="A run of the battery writes one"):
        load_snapshot(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    """Live runs of the demo, and runs offline on what they left."""
    folder = tmp_path_factory.mktemp("demos")
    live = runs(
        healthy=lambda: run(profile(folder / "healthy", embedded="healthy"), "-q"),
        broken=lambda: run(profile(folder / "broken", embedded="broken"), "-q"),
        nodes=lambda: run(profile(folder / "nodes", embedded="healthy"), "-q", "-k", "pressure"),
    )
    saved = {name: each.reports / "snapshot.json.gz" for name, each in live.items()}
    calls = {name: partial(run, profile(folder / f"{name}-later", snapshot=path), "-q") for name, path in saved.items()}
    calls["workers"] = partial(run, profile(folder / "workers", snapshot=saved["broken"]), "-q", "-n", "2")
    later = runs(**calls)
    return live, later


def told(result) -> list:
    """All that a run found, but for how long it took."""
    return [each | {"duration": 0} for each in result.whole().results["checks"]]


@pytest.mark.parametrize("name", ["healthy", "broken"])
def test_a_run_offline_gives_the_same_verdict_as_live(demos, name):
    """Every check, finding, hint and cause; cluster and reference time too. The file itself stays the same."""
    live, later = demos[0][name], demos[1][name]
    assert told(later) == told(live)
    assert later.code == live.code
    assert [later.results[key] for key in ("cluster", "reference")] == [
        live.results[key] for key in ("cluster", "reference")
    ]
    again = gzip.decompress((later.reports / "snapshot.json.gz").read_bytes())
    assert json.loads(again) == json.loads(gzip.decompress((live.reports / "snapshot.json.gz").read_bytes()))


def test_workers_judge_a_snapshot_as_well(demos):
    """With -n the same findings come out of the same file."""
    assert told(demos[1]["workers"]) == told(demos[0]["broken"])


def test_a_snapshot_of_a_few_lists_is_inconclusive_where_it_lacks_one(demos):
    """What -k did not look at cannot be judged later; what it saw can."""
    later = demos[1]["nodes"].whole()
    assert later.code == 75
    assert later.ids("passed") == {"api.ready", "nodes.pressure", "nodes.ready", "nodes.taints", "nodes.uniform"}
    assert "pods were not looked at when this snapshot was taken" in later.reasons
