"""What is compared of hosts with the baseline: how it is read, and what is a finding."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.machines import host, socket
from tests.worlds import good, judge, node, profile, snapshot
from upgate.baseline import take_baseline
from upgate.results import CheckResult
from upgate.sources.hosts.script import body
from upgate.sources.hosts.settings import host_settings

HOSTS = profile(hosts={"listening": ["0.0.0.0:10256"]})
OLD_PROXY = {"HealthzBindAddress": "0.0.0.0:10256", "Linux": {"OOMScoreAdj": -999}, "HostnameOverride": "n1"}
NEW_PROXY = {"apiVersion": "v1alpha1", "healthzBindAddress": "0.0.0.0:10256", "oomScoreAdj": "-999"}


def proxy(config: dict) -> dict[str, dict[str, str]]:
    """What is read where kube-proxy answers so."""
    return host_settings([["proxy", json.dumps({"kubeproxy.config.k8s.io": config})]])


def compared(before: dict, now: dict, **more) -> CheckResult:
    """What is found where a host had these settings, and has those."""
    then, here = (snapshot(good(), hosts=[host(settings=settings, **more)]) for settings in (before, now))
    return judge("changes.hosts", here, profile=HOSTS, baseline=take_baseline(then, None))


def told(result: CheckResult) -> list[tuple[str, str]]:
    """Objects and what was observed."""
    return [(each.object, each.observed) for each in result.findings]


@pytest.mark.parametrize(
    ("component", "old", "new", "outcome"),
    [
        ("Iptables", {"KUBE chains": "nft"}, {"KUBE chains": "legacy,nft"}, "failed"),
        ("IPRule", {"IPv4": "policy rules"}, {"IPv4": "only the defaults"}, "failed"),
        ("IPRule", {"IPv4": "only the defaults"}, {"IPv4": "policy rules"}, "warned"),
        ("Argument", {"kubelet/--v": "2"}, {"kubelet/--v": "9"}, "failed"),
        ("KubeProxy", {"mode": "iptables"}, {"mode": "ipvs"}, "failed"),
        ("Sysctl", {"vm.max_map_count": "262144"}, {"vm.max_map_count": "65530"}, "warned"),
        ("Unit", {"kubelet LimitNOFILE": "1048576"}, {"kubelet LimitNOFILE": "1024"}, "warned"),
        ("Package", {"nfs-common": "installed"}, {"x": "installed"}, "warned"),
        ("Module", {"br_netfilter": "loaded"}, {"x": "loaded"}, "warned"),
        ("Resolver", {"nameserver": "10.0.0.1"}, {"nameserver": "10.0.0.2"}, "warned"),
        ("Package", {"x": "installed"}, {"x": "installed", "nfs-common": "installed"}, "passed"),
        ("Module", {"x": "loaded"}, {"x": "loaded", "br_netfilter": "loaded"}, "passed"),
        ("Unit", {"kubelet LimitNOFILE": "1"}, {"kubelet LimitNOFILE": "1"}, "passed"),
    ],
)
def test_a_host_that_is_set_up_otherwise_is_found(component, old, new, outcome):
    """What breaks Services is critical; packages and modules that appear are no difference."""
    result = compared({component: old}, {component: new})
    assert result.outcome == outcome
    assert [name.split("/")[:2] for name, _ in told(result)] == (
        [] if outcome == "passed" else [[component, "worker-1"]]
    )


def test_a_health_port_on_localhost_is_one_finding():
    """kube-proxy's own configuration, and the socket that follows from it; without that, the socket."""
    before, now = (proxy({"healthzBindAddress": f"{address}:10256"}) for address in ("0.0.0.0", "127.0.0.1"))
    then = take_baseline(snapshot(good(), hosts=[host(settings=before)]), None)
    here = snapshot(good(), hosts=[host(settings=now, sockets=(socket("127.0.0.1"),))])
    said = ("KubeProxy/worker-1/healthzBindAddress", "0.0.0.0:10256 → 127.0.0.1:10256 on worker-1")
    assert told(judge("changes.hosts", here, profile=HOSTS, baseline=then)) == [said]
    then = take_baseline(snapshot(good(), hosts=[host(settings={})]), None)
    here = snapshot(good(), hosts=[host(settings={}, sockets=(socket("127.0.0.1"),))])
    result = judge("changes.hosts", here, profile=HOSTS, baseline=then)
    assert (result.outcome, told(result)) == ("failed", [("Socket/worker-1/tcp 10256", "* → 127.0.0.1 on worker-1")])


def test_a_port_that_is_not_of_kubernetes_does_not_count():
    """Whatever else listens there."""
    then = take_baseline(snapshot(good(), hosts=[host()]), None)
    here = snapshot(good(), hosts=[host(sockets=(socket(), socket("127.0.0.1", 41234)))])
    assert judge("changes.hosts", here, profile=HOSTS, baseline=then).findings == ()


def test_kube_proxy_answers_in_another_form_from_1_36_on():
    """Compared is what both know."""
    assert compared(proxy(OLD_PROXY), proxy(NEW_PROXY)).findings == ()
    changed = {**NEW_PROXY, "healthzBindAddress": "127.0.0.1:10256"}
    assert [name for name, _ in told(compared(proxy(OLD_PROXY), proxy(changed)))] == [
        "KubeProxy/worker-1/healthzBindAddress"
    ]


def test_what_a_release_adds_to_kube_proxy_is_no_more_than_a_warning():
    """Switched off it is none; else it is told."""
    for value, outcome in (("false", "passed"), ("on", "warned")):
        then, now = ({"KubeProxy": {**NEW_PROXY, **more}} for more in ({}, {"brandNew": value}))
        versions = [node(status={"nodeInfo": {"kubeletVersion": each}}) for each in ("v1.36.3", "v1.37.0")]
        seen = [snapshot(good(nodes=[n]), hosts=[host(settings=s)]) for n, s in zip(versions, (then, now), strict=True)]
        result = judge("changes.hosts", seen[1], profile=HOSTS, baseline=take_baseline(seen[0], None))
        assert result.outcome == outcome


def test_a_kube_proxy_that_does_not_tell_any_more_is_said():
    """What was compared before cannot be."""
    result = compared(proxy(NEW_PROXY), {"Sysctl": {"x": "1"}})
    assert (result.outcome, result.reason.partition(":")[0]) == ("inconclusive", "KubeProxy")


def test_a_host_in_the_place_of_another_is_compared_without_its_own_name_and_address():
    """A node replaced by one with another name: nothing."""
    addresses = {"addresses": [{"type": "InternalIP", "address": "10.0.0.7"}]}
    settings = {"KubeProxy": {"bindAddress": "10.0.0.7", "x": "worker-1"}}
    then = take_baseline(snapshot(good(nodes=[node(status=addresses)]), hosts=[host(settings=settings)]), None)
    addresses = {"addresses": [{"type": "InternalIP", "address": "10.0.0.8"}]}
    settings = {"KubeProxy": {"bindAddress": "10.0.0.8", "x": "worker-9"}}
    here = snapshot(good(nodes=[node("worker-9", status=addresses)]), hosts=[host("worker-9", settings=settings)])
    assert judge("changes.hosts", here, profile=HOSTS, baseline=then).findings == ()


def test_a_host_that_was_not_seen_is_a_gap():
    """Its reason is told."""
    then = take_baseline(snapshot(good(), hosts=[host()]), None)
    here = snapshot(good(), hosts=[host(unseen="connection refused", settings={}, sockets=())])
    result = judge("changes.hosts", here, profile=HOSTS, baseline=then)
    assert (result.outcome, result.reason) == ("inconclusive", "worker-1: connection refused")


def test_the_lines_of_a_host_become_settings():
    """Units that are not loaded have none; of several processes of a component the first counts, without what is its own."""
    lines = [
        ["set", "Sysctl", "vm.swappiness", "60"],
        ["set", "Resolver", "search", ","],
        ["unit", "kubelet", "LoadState=loaded"],
        ["unit", "kubelet", "LimitNOFILE=1024"],
        ["unit", "docker", "LoadState=not-found"],
        ["unit", "docker", "LimitNOFILE=7"],
        ["process", "kubelet", "7", "/usr/bin/kubelet\x1f--v=2\x1f--node-ip=10.0.0.1\x1f--token=abcdefgh1\x1f"],
        ["process", "kubelet", "8", "/usr/bin/kubelet\x1f--v=9\x1f"],
    ]
    assert host_settings(lines) == {
        "Sysctl": {"vm.swappiness": "60"},
        "Unit": {"kubelet LimitNOFILE": "1024"},
        "Argument": {"kubelet/--v": "2", "kubelet/--token": "[hidden]"},
    }


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"kubeproxy.config.k8s.io": 3}', "[" * 9999, "<html>"])
def test_what_is_not_kube_proxys_answer_is_none(text):
    """Whoever listens on that port may answer anything."""
    assert host_settings([["proxy", text]]) == {}


def said_by_script(text: str) -> list[str]:
    """What a part of the script answers where commands are these functions."""
    own = 'limited() { "$@"; }; has() { command -v "$1" >/dev/null; }; id() { echo 0; }\n'
    script = f"{body().removesuffix('all </dev/null')}\n{own}{text}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.splitlines()


DEFAULTS = ("0: from all lookup local", "32766: from all lookup main", "32767: from all lookup default")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (DEFAULTS, "only the defaults"),
        ((*DEFAULTS, "100: from 10.0.0.1 lookup 100"), "policy rules"),
        ((), "none"),
    ],
)
def test_rules_are_counted_as_some_or_none(rules, said):
    """How many there are changes with the pods; that all are gone is what breaks a node."""
    lines = "\n".join(rules)
    assert said_by_script(f"ip() {{ printf '%s' '{lines}'; }}; rules_of 4") == [f"set\tIPRule\tIPv4\t{said}"]


@pytest.mark.parametrize(("chain", "said"), [(":KUBE-SERVICES - [0:0]", ["nft"]), (":INPUT ACCEPT [0:0]", [])])
def test_the_backend_that_holds_chains_of_kubernetes_is_told(chain, said):
    """Both at once is what breaks Services."""
    told = said_by_script(f"iptables-nft-save() {{ echo '{chain}'; }}; iptables-legacy-save() {{ :; }}; chains")
    assert [line.split("\t")[-1] for line in told] == said


def test_the_script_answers_on_this_machine():
    """It ends, and each line is one setting."""
    lines = [line.split("\t") for line in said_by_script("settings")]
    assert host_settings(lines)["Sysctl"]["vm.swappiness"]
    assert {line[0] for line in lines} <= {"set", "unit", "process", "proxy", "gap", ""}
