from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.profile_files import TODAY, Folder
from upgate.base.errors import UsageError
from upgate.battery.registry import battery, load_checks
from upgate.profile import available, load
from upgate.profile.schema import profile_schema
from upgate.profile.showing import effective_profile

ROOT = Path(__file__).parents[1]
SHIPPED = sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))
#: The contract with users, every key that is judged.
WHOLE = """
description: Production, Tokyo
cluster:
  kubeconfig: ~/.kube/config
  context: prod-tokyo
expect:
  version: "1.36"
  nodes:
    {min: 12, pool-label: eks.amazonaws.com/nodegroup, kubelet: "1.36", kernel: ">=6.1", runtime: "containerd://2.*",
     image: "*20261101*", image-label: eks.amazonaws.com/nodegroup-image, taints: ["dedicated=*"],
     deny: [{kernel: "5.4.0-1043*", reason: "AKS#2292: SMB mounts fail"}]}
  may-be-empty: [pods.bare]
scope:
  namespaces: ["*", "!sandbox-*"]
checks: {"nodes.uniform": critical, "pods.bare": off}
waivers:
  - {check: pods.restarts, object: "Pod/batch/legacy-*", reason: "OPS-812: leaks by design", until: 2026-12-31}
external:
  - {name: shop, url: "https://shop.example.com/healthz", status: 200, body: ok, within: 800ms, timeout: 5s, tls-days: 21,
     ca: corp.pem}
  - {name: kube-proxy, each: node, url: "http://{address}:10256/healthz", status: 200}
  - {name: login, journey: [
      {post: "https://example.com/login", form: {user: "${SYNTH_USER}", password: "${SYNTH_PASSWORD}"},
       capture: {token: "json:token"}},
      {get: "https://example.com/orders", headers: {Authorization: "Bearer {token}"}, status: 200}]}
sidecars:
  - {container: vault-agent, namespaces: [app-*], image: "hashicorp/vault:1.17.*"}
hosts:
  each: node
  connection: "ssh://ops@{address}"
  services: [kubelet, containerd]
  listening: ["0.0.0.0:10256"]
  not-listening: ["0.0.0.0:10255"]
  arguments: {kube-proxy: ["--healthz-bind-address=0.0.0.0"], kube-apiserver: ["--anonymous-auth=true"]}
gate: {settle: 10m, clean: 3, every: 30s}
patience: {start-up: 1m, pending: 5m, terminating: 2m}
monitor: {fail-after: 2 of 3, remind: 4h, notify: ["${SLACK_URL}"], heartbeat: "${HEARTBEAT_URL}",
  textfile: /var/lib/node_exporter/upgate.prom, pushgateway: "http://push.example.com:9091"}
since: 2026-11-21T01:30:00+09:00
window: 1h30m
restarts: {allowed: 1}
kured: {max-lock-age: 4h}
"""
VARIABLES = {
    "SYNTH_USER": "synthia",
    "SYNTH_PASSWORD": "hunter2!",
    "SLACK_URL": "https://hooks.example.com/T0/SLACKTOKEN",
    "HEARTBEAT_URL": "https://beat.example.com/BEATTOKEN",
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


def loaded(folder: Folder, text: str, **environ: str):
    """The profile of this text."""
    folder.write(text)
    return folder.load(**environ)


def test_the_whole_contract_is_accepted(folder):
    """Every key of the contract with users is read, with its type."""
    profile = loaded(folder, WHOLE, **VARIABLES)
    assert (profile.name, profile.source) == ("prod", folder.path / "profiles" / "prod.yaml")
    assert profile.cluster.kubeconfig == str(Path.home() / ".kube/config")
    assert profile.checks == {"nodes.uniform": "critical", "pods.bare": "off"}
    assert profile.waivers[0].until == date(2026, 12, 31)
    assert profile.external[0].within == timedelta(milliseconds=800)
    assert profile.external[0].ca == str(folder.path / "profiles" / "corp.pem")
    assert [entry.id for entry in profile.external] == [
        "external.shop",
        "external.kube-proxy",
        "external.journey.login",
    ]
    assert profile.external[2].journey[0].form == {"user": "synthia", "password": "hunter2!"}
    assert profile.hosts.each == ("node",)
    assert profile.monitor.fail_after == (2, 3)
    assert profile.since == datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert profile.window == timedelta(minutes=90)
    assert profile.restarts.allowed == 1


def test_the_defaults_are_those_of_the_catalogue(folder):
    """The built-in profile is every default, and names no cluster."""
    profile = folder.load("default")
    assert profile.name == "default"
    assert profile.source is None
    assert profile.cluster.context is None
    assert profile.cluster.connect_timeout == timedelta(seconds=5)
    assert profile.cluster.read_timeout == timedelta(seconds=30)
    assert profile.cluster.deadline == timedelta(minutes=2)
    assert profile.scope.namespaces == ("*",)
    assert profile.window == timedelta(hours=1)
    assert profile.restarts.allowed is None
    assert profile.gate.settle is None
    assert profile.monitor.fail_after == (2, 3)
    patience = {key: minutes / timedelta(minutes=1) for key, minutes in profile.patience}
    assert patience == {
        "start_up": 1,
        "pending": 5,
        "terminating": 2,
        "scheduler_silent": 2,
        "cordoned": 15,
        "namespace_terminating": 2,
        "cronjob_late": 5,
    }


def test_a_profile_that_says_nothing_is_the_default(folder):
    """One with a description alone differs from the default in nothing else."""
    said = loaded(folder, "description: x").model_dump(exclude={"description"})
    assert said == folder.load("default").model_dump(exclude={"description"})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("800ms", 0.8), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172800), ("1m500ms", 60.5), ("0s", 0)],
)
def test_durations_have_units(folder, text, seconds):
    """A duration is a sum of amounts with units, and is shown as it was meant."""
    profile = loaded(folder, f"window: {text}")
    assert profile.window.total_seconds() == seconds
    assert profile.model_dump(by_alias=True)["window"] == text


def test_a_bare_off_is_off(folder):
    """YAML reads a bare off as false; in checks it means off."""
    assert loaded(folder, "checks: {pods.bare: off, nodes.ready: warning}").checks == {
        "pods.bare": "off",
        "nodes.ready": "warning",
    }


@pytest.mark.parametrize(
    "text",
    ["tracing: {}"],
)
def test_what_no_check_judges_is_an_unknown_key(folder, text):
    """Nothing in a profile is accepted and ignored: a key arrives with the code that judges it."""
    with pytest.raises(UsageError, match="unknown key"):
        loaded(folder, text)


def test_null_means_the_default(folder):
    """A known key without a value is as if it were not there."""
    profile = loaded(folder, "window:\ncluster: {context: null}\nsidecars: ~\nchecks: {pods.bare: }\nscope:")
    assert profile.model_dump() == loaded(folder, "description: ''").model_dump()


def test_a_url_without_expectation_must_answer_200(folder):
    """A monitor without a condition sees nothing: 200 is expected unless a header or a redirect is."""
    entries = [
        "{name: a, url: 'https://a.b'}",
        "{name: b, url: 'https://a.b', within: 1s, body: ok}",
        "{name: c, url: 'https://a.b', location: /login}",
        "{name: d, url: 'https://a.b', status: [200, 204]}",
    ]
    profile = loaded(folder, f"external: [{', '.join(entries)}]")
    assert [entry.status for entry in profile.external] == [(200,), (200,), None, (200, 204)]
    assert "status:\n  - 200\n" in effective_profile(profile)


def test_declared_checks_are_known(folder):
    """Entries of the profile can be switched and waived by their ids."""
    text = """
        external: [{name: shop, url: "https://a.b"}, {name: db, tcp: "a:5432"}]
        checks: {external.shop: warning, external.tcp.db: off}
        waivers: [{check: "external.*", reason: x, until: 2026-11-21}]
    """
    assert len(loaded(folder, text).checks) == 2


def test_variables_are_expanded_in_strings_only(folder):
    """Several in one string, escaped ones as they are; keys are never expanded."""
    text = 'description: "${A}-${B}${A} $${A} $A"\nexternal: [{name: a, url: "https://a.b", json: {"${A}": "Bearer ${B}"}}]'
    profile = loaded(folder, text, A="one", B="two")
    assert profile.description == "one-twoone ${A} $A"
    assert profile.external[0].json_values == {"${A}": "Bearer two"}
    assert profile.secrets == ("one", "two")


def test_an_expanded_value_is_no_yaml(folder):
    """What comes from the environment stays text, whatever it looks like, and is not expanded again."""
    profile = loaded(folder, "description: ${A}", A="{x: ${B}, y: 1.30}")
    assert profile.description == "{x: ${B}, y: 1.30}"


def test_no_text_form_shows_a_secret(folder):
    """Neither repr nor str nor show of a profile holds what a variable stands for."""
    profile = loaded(folder, WHOLE, **VARIABLES)
    texts = [
        effective_profile(profile),
        *(form(part) for part in (profile, *profile.external, profile.monitor) for form in (repr, str)),
    ]
    assert not [value for value in VARIABLES.values() if value in "\n".join(texts)]
    assert profile.raw["monitor"]["heartbeat"] == "${HEARTBEAT_URL}"
    assert "${SYNTH_PASSWORD}" in effective_profile(profile)


def test_a_profile_cannot_be_changed(folder):
    """A profile is frozen, down to its lists."""
    profile = loaded(folder, WHOLE, **VARIABLES)
    for part, attribute in ((profile, "window"), (profile.gate, "clean"), (profile.external[0], "url")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(part, attribute, None)
    assert isinstance(profile.external, tuple)


def test_anchors_aliases_and_merge_keys_work(folder):
    """YAML's own ways of not repeating oneself are there."""
    text = """
        external:
          - &shop {name: a, url: "https://a.b", within: 1s, tls-days: 7}
          - {<<: *shop, name: b, within: 2s}
        sidecars: [{container: a, image: &image "b:*"}, {container: c, image: *image}]
    """
    first, second = loaded(folder, text).external
    assert (second.name, second.url, second.tls_days) == ("b", first.url, 7)
    assert second.within == 2 * first.within


def test_extends_merges_deeply(folder):
    """Mappings merge, named lists merge by name, other lists replace, null takes away."""
    folder.write("""
        description: Production
        cluster: {context: prod, deadline: 3m}
        expect: {version: "1.36", nodes: {min: 12, pool-label: pool}}
        scope: {namespaces: [a, b]}
        external:
          - {name: shop, url: "https://prod/shop", within: 1s, headers: {a: "1", b: "2"}}
          - {name: api, url: "https://prod/api"}
        waivers: [{check: pods.bare, reason: x, until: 2027-01-01}]
    """)
    folder.write(
        """
        extends: prod
        cluster: {context: null, snapshot: a.json.gz}
        expect: {nodes: {min: 2}}
        scope: {namespaces: [c]}
        external:
          - {name: new, url: "https://new"}
          - {name: shop, url: "https://staging/shop", headers: {b: "3"}}
        waivers: []
    """,
        "staging",
    )
    profile = folder.load("staging")
    assert (profile.name, profile.description) == ("staging", "Production")
    assert profile.cluster.context is None
    assert profile.cluster.deadline == timedelta(minutes=3)
    assert (profile.expect.version, profile.expect.nodes.min, profile.expect.nodes.pool_label) == ("1.36", 2, "pool")
    assert profile.scope.namespaces == ("c",)
    assert profile.waivers == ()
    assert [entry.name for entry in profile.external] == ["shop", "api", "new"]
    shop = profile.external[0]
    assert (shop.url, shop.within, shop.headers) == ("https://staging/shop", timedelta(seconds=1), {"a": "1", "b": "3"})


def test_show_says_where_each_value_comes_from(folder):
    """Each top-level key names its files, or that it is the default."""
    folder.write("gate: {clean: 2}\nwindow: 2h")
    folder.write("extends: prod\ngate: {every: 1m}", "staging")
    text = effective_profile(folder.load("staging"))
    assert "# from profiles/staging.yaml over profiles/prod.yaml\ngate:\n" in text
    assert "# from profiles/prod.yaml\nwindow: 2h\n" in text
    assert "# default\nscope:\n" in text


def test_what_show_prints_is_the_same_profile(folder):
    """The effective profile loads, and means the same; nothing is hidden in it, and nothing is lost."""
    profile = loaded(folder, WHOLE, **VARIABLES)
    folder.write(effective_profile(profile), "shown")
    assert values(folder.load("shown", **VARIABLES)) == values(profile)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_load(name):
    """Every profile in the checkout is without errors against the real battery, with an empty environment."""
    known = load_checks([battery()]).ids
    assert load(name, search=[ROOT / "profiles"], known_checks=known, environ={}, today=TODAY).name == name


def test_staging_is_production_pointed_elsewhere():
    """The shipped staging profile has every check, probe and expectation of production."""
    prod, staging = (load(name, search=[ROOT / "profiles"], environ={}, today=TODAY) for name in ("prod", "staging"))
    moved = {"description", "cluster.context", "expect.nodes.min", "external.0.url"}
    assert set(differences(values(prod), values(staging))) == moved
    assert len(yaml.safe_load(effective_profile(staging))["external"]) == len(prod.external)


def values(profile) -> dict:
    """What holds in the end."""
    return profile.model_dump(mode="json", by_alias=True, exclude={"extends"})


def differences(one: object, other: object, keys: tuple[str, ...] = ()) -> list[str]:
    """The keys under which two dumps differ."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return [each for key in one | other for each in differences(one.get(key), other.get(key), (*keys, str(key)))]
    return [] if one == other else [".".join(keys)]


def test_available_lists_own_and_built_in_profiles(folder):
    """Own profiles, in both spellings of the ending, and those of the package."""
    folder.write("description: a", "tokyo")
    (folder.path / "profiles" / "osaka.yml").write_text("description: b")
    assert available([folder.path / "profiles"]) == ["default", "demo", "demo-broken", "osaka", "tokyo"]
    assert folder.load("osaka").description == "b"


def test_a_path_works_from_anywhere(folder, tmp_path):
    """A path needs no folder of profiles, and extends what lies beside it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "base.yaml").write_text("window: 3h")
    (elsewhere / "my.yaml").write_text("extends: base")
    for path in (elsewhere / "my.yaml", "elsewhere/my.yaml", "./elsewhere/my.yaml"):
        assert folder.load(str(path)).window == timedelta(hours=3)


def test_the_schema_describes_every_key():
    """The schema has the keys as profiles write them, each described, and refuses others."""
    described = profile_schema()
    assert described["$schema"].endswith("2020-12/schema")
    assert described["properties"]["window"]["default"] == "1h"
    assert described["$defs"]["Patience"]["properties"]["start-up"]["default"] == "1m"
    assert described["$defs"]["Sidecar"]["required"] == ["container", "image"]
    assert all(each["additionalProperties"] is False for each in (described, *described["$defs"].values()))
    assert "description" in described["$defs"]["Cluster"]["properties"]["context"]
    json.dumps(described)


def test_reading_a_profile_imports_nothing_heavy():
    """A profile is read without the Kubernetes client, httpx, cryptography or pytest."""
    script = (
        "import sys, upgate.profile\n"
        "print(sorted({'kubernetes', 'httpx', 'cryptography', 'pytest', 'difflib'} & set(sys.modules)))"
    )
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.check_output([sys.executable, "-c", script], text=True, env=environ).strip() == "[]"
