"""Settings compared with the baseline: what is a change, and what every upgrade changes anyway."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds import good, judge, objects, profile, settings, snapshot
from upgate.base.versions import minor_of
from upgate.baseline import take_baseline
from upgate.facts.release_defaults import DEFAULTS
from upgate.facts.settings import (
    Configuration,
    SettingGroup,
    arguments,
    bounded,
    flag_lines,
    flat,
    joined_configurations,
)
from upgate.results import CheckResult

ALLOWED = profile(allow=["nodes-proxy"])
NODES = ("kubelet_settings", "Kubelet", "a")
API = ("configuration", "APIServer", "")


def drift(before: Any, now: Any, kind: tuple[str, str, str] = NODES) -> CheckResult:
    """What is found between two configurations, or the settings of one component."""
    name, component, nodes = kind
    parts = [each if isinstance(each, Configuration) else settings(component, nodes, *each) for each in (before, now)]
    then, here = (snapshot(good(), **{name: each}) for each in parts)
    return judge("config.drift", here, profile=ALLOWED, baseline=take_baseline(then, None))


def kubelets(*groups: tuple[str, str], version: str = "v1.36.3") -> Configuration:
    """Kubelets: the nodes of each group, and its one setting."""
    made = joined_configurations(*(settings("Kubelet", nodes, setting, version=version) for nodes, setting in groups))
    assert made
    return made


def told(result: CheckResult) -> list[tuple[str, str]]:
    """Objects and what was observed."""
    return [(each.object, each.observed) for each in result.findings]


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (["maxPods=110"], ["maxPods=33"], "110 → 33 on a"),
        (["maxPods=110"], [], "110 → not set on a"),
        ([], ["maxPods=33"], "not set → 33 on a"),
    ],
)
def test_a_setting_changes_vanishes_or_appears(before, now, said):
    """Old and new, with the setting's name and the node."""
    result = drift(["x=1", *before], ["x=1", *now])
    assert told(result) == [("Kubelet/a/maxPods", said)]
    assert result.outcome == "failed"


def test_many_nodes_that_changed_alike_are_one_finding():
    """With their number; a node that changed otherwise is told in it too, and one that did not is not."""
    before = kubelets(("a b c d e f g", "maxPods=110"))
    now = kubelets(("a b c d e", "maxPods=33"), ("f", "maxPods=44"), ("g", "maxPods=110"))
    ((ref, said),) = told(drift(before, now))
    assert ref == "Kubelet/*/maxPods"
    assert said == "110 → 33 on 5 nodes (a, b, c, …); 110 → 44 on f"


def test_a_node_in_the_place_of_another_is_compared_with_the_one_most_like_it():
    """A node of another name with the same settings is none; one that lost a setting on the way is."""
    before = kubelets(("a b", "maxPods=110"), ("gpu", "maxPods=20"))
    assert drift(before, kubelets(("c d", "maxPods=110"), ("gpu-2", "maxPods=20"))).findings == ()
    assert told(drift(before, kubelets(("a c", "maxPods=111"))))[0][0] == "Kubelet/*/maxPods"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("registry.k8s.io/coredns/coredns:v1.13.1", "registry.k8s.io/coredns/coredns:v1.14.7"),
        ("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.10"),
        ("a@sha256:" + "a" * 64, "a@sha256:" + "b" * 64),
        ("/pki/client-2025-11-01-10-00-00.pem", "/pki/client-2026-11-01-10-00-00.pem"),
        ("v1.35.4", "v1.36.3+k3s1"),
        ("b,a", "a, b"),
        (".:53 {\n  errors\n}", "# ours\n.:53 {\n    errors\n\n}"),
    ],
)
def test_versions_digests_dates_and_the_order_of_lists_are_no_difference(old, new):
    """An upgrade changes them anyway."""
    assert drift([f"x={old}"], [f"x={new}"]).findings == ()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("address", "0.0.0.0:10256", "127.0.0.1:10256"),
        ("address", "10.0.0.0/16", "10.1.0.0/16"),
        ("clusterDNS", "10.96.0.10,10.96.0.11", "10.96.0.11,10.96.0.10"),
        ("x", "1.5", "1.6"),
        ("image", "coredns:v1.14.7", "evil/coredns:v1.14.7"),
    ],
)
def test_what_only_looks_like_a_version_is_a_difference(name, old, new):
    """Addresses, networks, numbers, other images, and lists with an order."""
    assert len(drift([f"{name}={old}"], [f"{name}={new}"]).findings) == 1


def upgraded(before: list[str], now: list[str], component: str = "Kubelet", was: str = "v1.26.3") -> CheckResult:
    """What is found where the release changed from `was` to 1.36."""
    kind = NODES if component == "Kubelet" else API
    then = settings(component, kind[2], "a=1", *before, version=was)
    return drift(then, settings(component, kind[2], "a=1", *now), kind)


def test_a_default_that_a_release_changes_is_told_with_it():
    """It is a finding like others; with another value, or without the release on the way, the release is not to blame."""
    ((_, said),) = told(upgraded(["eventBurst=10"], ["eventBurst=100"]))
    assert said.startswith("10 → 100 on a (Kubernetes 1.27 changed this default: https://")
    assert "Kubernetes" not in told(upgraded(["eventBurst=10"], ["eventBurst=7"]))[0][1]
    assert "Kubernetes" not in told(upgraded(["eventBurst=10"], ["eventBurst=100"], was="v1.35.1"))[0][1]


def test_what_a_release_adds_with_its_default_is_no_finding():
    """Nor is what it adds switched off. Another value is a finding; so is the same without an upgrade."""
    assert upgraded([], ["containerLogMaxWorkers=1", "brandNew=false"]).findings == ()
    assert objects(upgraded([], ["containerLogMaxWorkers=9"])) == ["Kubelet/a/containerLogMaxWorkers"]
    assert objects(upgraded([], ["brandNew=false"], was="v1.36.0")) == ["Kubelet/a/brandNew"]


def test_what_kubeadm_adds_to_its_configmaps_switched_off_is_no_finding():
    """It writes all fields that its release knows; one that it drops is found."""
    component = "ConfigMap/kube-system/kube-proxy"
    before = settings(component, "", "config.conf/mode=ipvs", version="v1.35.4")
    for now, found in (
        (["config.conf/mode=ipvs", "config.conf/brandNew=0s"], []),
        (["config.conf/brandNew=0s"], [f"{component}/config.conf/mode"]),
    ):
        assert objects(drift(before, settings(component, "", *now), ("configuration", component, ""))) == found


def test_what_no_table_knows_is_a_warning_where_a_release_brought_it():
    """A setting that appears with a release newer than the table is told, and stops no upgrade."""
    result = upgraded([], ["brandNew=on"])
    assert (result.outcome, [each.severity for each in result.findings]) == ("warned", ["warning"])


def test_flags_that_a_release_adds_or_removes_are_no_finding():
    """`/flagz` lists every flag that the program knows, whether it is set or not."""
    assert upgraded(["--old=x"], ["--new=y"], "APIServer").findings == ()
    assert objects(upgraded(["--old=x"], [], "APIServer", was="v1.36.0")) == ["APIServer/--old"]


@pytest.mark.parametrize("value", ["false", "0", "/var/log/audit.log"])
def test_a_flag_that_is_lost_on_the_way_is_found(value):
    """The command line of a static pod holds only what somebody has set: an upgrade that drops it is to blame."""
    component = "StaticPod/kube-apiserver"
    kind = ("configuration", component, "cp1")
    before = settings(component, "cp1", "kube-apiserver/--v=2", f"kube-apiserver/--x={value}", version="v1.35.4")
    result = drift(before, settings(component, "cp1", "kube-apiserver/--v=2"), kind)
    assert told(result) == [("StaticPod/kube-apiserver/cp1/kube-apiserver/--x", f"{value} → not set on cp1")]
    assert result.outcome == "failed"


def test_a_flag_of_the_api_server_is_told_once():
    """Its static pod has it, and so has what the API server tells of itself."""
    parts = [
        joined_configurations(
            settings("APIServer", "", f"--profiling={value}"),
            settings("StaticPod/kube-apiserver", "cp1", f"kube-apiserver/--profiling={value}"),
        )
        for value in ("true", "false")
    ]
    assert objects(drift(*parts, API)) == ["StaticPod/kube-apiserver/cp1/kube-apiserver/--profiling"]


def test_every_default_of_the_table_has_a_source():
    """And a release that it can be compared with."""
    assert all(each.source.startswith("https://") and minor_of(each.release) for each in DEFAULTS)
    assert len({each[:5] for each in DEFAULTS}) == len(DEFAULTS)


def test_a_container_that_comes_or_goes_is_one_finding():
    """With the number of its settings."""
    component = "Deployment/kube-system/dns"
    before = settings(component, "", "dns/--v=2", "proxy/--v=2", "proxy/env/A=1")
    now = settings(component, "", "dns/--v=2", "agent/--x=1", "agent/--y=2", "agent/env/B=1")
    assert told(drift(before, now, ("configuration", component, ""))) == [
        (f"{component}/agent", "not set → 3 settings"),
        (f"{component}/proxy", "2 settings → not set"),
    ]


def test_of_long_texts_the_lines_that_differ_are_told():
    """A Corefile has many."""
    lines = [".:53 {", *(f"    plugin{number}" for number in range(20)), "    forward . /etc/resolv.conf", "}"]
    before = "\n".join(lines)
    kind = ("configuration", "ConfigMap/kube-system/coredns", "")
    result = drift([f"Corefile={before}"], [f"Corefile={before.replace('/etc/resolv.conf', '10.0.0.53')}"], kind)
    ((ref, said),) = told(result)
    assert ref == "ConfigMap/kube-system/coredns/Corefile"
    assert said == "now without `forward . /etc/resolv.conf`, with `forward . 10.0.0.53`"
    assert result.findings[0].hint == "kubectl -n kube-system get configmap coredns -o yaml"


def test_a_workload_that_is_new_or_gone_is_told_elsewhere():
    """`changes.workloads` says so; here what both have is compared."""
    kind = ("configuration", "Deployment/kube-system/coredns", "")
    other = settings("Deployment/kube-system/other", "", "x=2")
    assert drift(["x=1"], other, kind).findings == ()


def test_without_a_baseline_nothing_is_compared():
    """And with one that has no settings nothing can be: that is said."""
    assert judge("config.drift", good()).findings == ()
    old = replace(take_baseline(snapshot(good()), None), configuration=None)
    result = judge("config.drift", good(), baseline=old)
    assert (result.outcome, "save a new one" in result.reason) == ("inconclusive", True)


def test_what_could_not_be_read_is_said_exactly():
    """Now, or when the baseline was taken; and a component that no longer tells."""
    here = settings("APIServer", "", "--v=2")
    blind = Configuration([], {"APIServer": "not permitted"})
    for before, now, words in (
        (here, blind, "APIServer: not permitted"),
        (blind, here, "APIServer: not in the baseline: not permitted"),
        (here, Configuration(), "APIServer: its settings are in the baseline, and it does not tell them now"),
    ):
        result = drift(before, now, API)
        assert (result.outcome, result.reason) == ("inconclusive", words)
    assert drift(Configuration(), here, API).outcome == "passed"


def test_kubelets_are_compared_only_where_the_profile_allows_it():
    """`allow: [nodes-proxy]`."""
    now = snapshot(good(), kubelet_settings=settings("Kubelet", "worker-1", "maxPods=33"))
    before = take_baseline(snapshot(good()), None)
    assert judge("config.drift", now, baseline=before).outcome == "passed"
    assert judge("config.drift", now, profile=ALLOWED, baseline=before).outcome == "failed"


def test_workloads_out_of_scope_are_left_out():
    """The profile's scope counts here too."""
    before, now = (settings("Deployment/kube-system/coredns", "", f"x={value}") for value in (1, 2))
    baseline = take_baseline(snapshot(good(), configuration=before), None)
    for scope, found in ((["*"], 1), (["shop"], 0)):
        own = profile(scope={"namespaces": scope})
        result = judge("config.drift", snapshot(good(), configuration=now), profile=own, baseline=baseline)
        assert len(result.findings) == found


def test_a_baseline_keeps_the_settings(tmp_path):
    """Written and read again, they are the same."""
    from upgate import baseline as baselines

    path = tmp_path / "baseline.json"
    taken = take_baseline(snapshot(good()), None)
    path.write_bytes(baselines.dump_baseline(taken))
    assert baselines.load_baseline(path).configuration == taken.configuration != None  # noqa: E711


def test_documents_become_paths():
    """Lists of things with names by those, other lists as one value; what is not set is left out."""
    document = {"a": {"b": 1, "c": None, "d": []}, "env": [{"name": "X", "value": "1"}], "l": ["x", 2], "t": True}
    assert dict(flat(document)) == {"a.b": "1", "env.X.value": "1", "l": "x,2", "t": "true"}


def test_command_lines_become_flags():
    """With values behind `=` or in the next argument, repeated ones joined, switches as true."""
    given = ["kube-proxy", "--v=2", "-config", "/etc/x", "--hosts=a", "--hosts=b", "--on", "--off=false"]
    assert dict(arguments(given)) == {
        "argument 1": "kube-proxy",
        "--v": "2",
        "--config": "/etc/x",
        "--hosts": "a,b",
        "--on": "true",
        "--off": "false",
    }


def test_the_same_command_line_written_otherwise_is_the_same():
    """The order of flags, values behind `=` or in the next argument, switches with or without true."""
    one = ["kubelet", "--v=2", "--config", "/x", "--on"]
    other = ["kubelet", "--on=true", "--config=/x", "--v", "2"]
    assert dict(arguments(one)) == dict(arguments(other))


@pytest.mark.parametrize("between", ["=", ":", ": ", " "])
def test_a_page_of_flags_is_read_line_by_line(between):
    """Each process chooses what stands between name and value; whatever else is on the page is left out."""
    flags = {"v": "2", "feature-gates": "[A=true,B=false]", "profiling": "true", "bind": "10.0.0.1:443"}
    lines = [f"{name}{between}{value}" for name, value in flags.items()]
    page = [
        "",
        "kube-apiserver flagz",
        "Warning: This endpoint is not meant to be machine parseable, = or so",
        *lines,
        "",
    ]
    told = {"--v": "2", "--feature-gates": "A=true,B=false", "--profiling": "true", "--bind": "10.0.0.1:443"}
    assert dict(flag_lines(page)) == told


def test_settings_are_bounded_and_hold_no_secrets():
    """Nor what is a node's own."""
    own = {"node1": "{node}", "1": "{node}"}
    made = bounded([("token", "abcdefgh123"), ("x", "node1 10.0.0.1"), ("y", "z" * 99999)], own)
    assert made["token"] == "[hidden]"
    assert made["x"] == "{node} 10.0.0.1"
    assert len(made["y"]) < 10_000
    assert made["y"] != bounded([("y", "z" * 99998 + "!")])["y"]
    assert len(bounded((str(number), "x") for number in range(9999))) == 2000


def test_five_thousand_nodes_are_compared_in_no_time():
    """Nodes alike are compared once."""
    names = [f"node-{number}" for number in range(5000)]
    values = {f"setting{number}": "x" for number in range(200)}
    before = Configuration([SettingGroup("Kubelet", names, values)])
    now = Configuration([SettingGroup("Kubelet", names, values | {"setting7": "y"})])
    ((_, said),) = told(drift(before, now))
    assert said.startswith("x → y on 5000 nodes")
