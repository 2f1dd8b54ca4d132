"""Reading the settings of a cluster's components: bounded, without secrets, and what cannot be read is said."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.hostile_api import Handler, empty, page, serving
from tests.test_asides import answering
from tests.test_cluster_bounds import kubeconfig
from tests.worlds import condition, node, thing
from upgate.facts.settings import Configuration, SettingGroup
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster
from upgate.sources.cluster.pod_settings import configmap_settings, mounted_configmaps, template_settings

WORKLOADS = ("deployments", "daemonsets", "statefulsets")
NEEDS = [*WORKLOADS, "configuration"]
KUBELETS = ["nodes", "kubelet_settings"]
FLAGS = "apiserver flagz\nWarning: not to be parsed\nv=2\nadvertise-address=10.0.0.1\nanonymous-auth=true\nempty="
CONFIGZ = {"kubeletconfig": {"kind": "KubeletConfiguration", "maxPods": 110, "address": "10.0.0.11", "x": None}}
MOUNTED = {"volumes": [{"name": "config", "configMap": {"name": "settings"}}]}


def look(folder, needs, seconds: float = 6, **answers):
    """A look at a server that answers so."""
    with serving(empty, **answers) as url:
        login = connect(kubeconfig(folder, url), patience=Timeouts(connect=1, read=2, deadline=seconds))
        return look_at_cluster(login, needs, lambda *_: None)


def listing(kind: str, *items):
    """What answers a list of these."""
    return answering(page(kind, list(items)).decode())


def workload(name: str = "dns", namespace: str = "kube-system", **spec):
    """A workload with this pod template."""
    return thing(name, namespace, spec={"template": {"spec": spec}})


def settings_in(found: Configuration) -> dict[str, dict[str, str]]:
    """The settings by component."""
    return {each.component: each.settings for each in found.groups}


def test_flags_workloads_and_their_configmaps_are_read(tmp_path):
    """Of the API server what it serves, of kube-system the workloads and what they mount, of shop nothing."""
    seen = look(
        tmp_path,
        NEEDS,
        flagz=answering(FLAGS),
        deployments=listing("Deployment", workload(**MOUNTED), workload("web", "shop")),
        configmaps=listing(
            "ConfigMap",
            thing("settings", "kube-system", data={"a": "1"}),
            thing("other", "kube-system", data={"b": "2"}),
        ),
    )
    found = settings_in(seen.configuration)
    assert seen.configuration.unread == {}
    assert found["APIServer"] == {"--v": "2", "--anonymous-auth": "true"}
    assert found["ConfigMap/kube-system/settings"] == {"a": "1"}
    assert found["Deployment/kube-system/dns"] == {"volumes.config": '{"configMap": {"name": "settings"}}'}
    assert {each for each in found if "shop" in each or "other" in each} == set()


@pytest.mark.parametrize(("status", "unread"), [(403, True), (500, True), (404, False), (406, False)])
def test_flags_that_are_not_served_are_none(tmp_path, status, unread):
    """Only a feature gate serves them; a refusal is said, with the permission."""
    found = look(tmp_path, NEEDS, seconds=3, flagz=answering("no", status)).configuration
    assert ("APIServer" in found.unread) == unread
    if status == 403:
        assert "`get` on the non-resource URL `/flagz`" in found.unread["APIServer"]


def test_a_refused_list_is_said_and_the_rest_is_read(tmp_path):
    """Without the permission for ConfigMaps everything else is compared."""
    found = look(tmp_path, NEEDS, flagz=answering(FLAGS), configmaps=answering("no", 403)).configuration
    assert "`list` on `configmaps` in namespace kube-system" in found.unread["ConfigMap/kube-system"]
    assert settings_in(found)["APIServer"]


def test_without_the_workloads_nothing_is_known(tmp_path):
    """Where they could not be listed that is a gap."""
    seen = look(tmp_path, NEEDS, deployments=answering("no", 403))
    assert "deployments could not be listed" in seen.gaps["configuration"]


def ready_node(name: str = "n1", ready: str = "True"):
    """A node with addresses."""
    addresses = [{"type": "InternalIP", "address": "10.0.0.11"}, {"type": "Hostname", "address": name}]
    return node(name, status={"conditions": [condition("Ready", ready)], "addresses": addresses})


def kubelets(folder, *nodes, **answers):
    """What is read of these kubelets."""
    answers = {"configz": answering(json.dumps(CONFIGZ)), "flagz": answering("", 404), **answers}
    return look(folder, KUBELETS, nodes=listing("Node", *nodes), **answers).kubelet_settings


def test_nodes_alike_are_one_group(tmp_path):
    """Without what is a node's own, and with the version of its kubelet."""
    found = kubelets(tmp_path, ready_node("n1"), ready_node("n2"))
    assert found == Configuration(
        [SettingGroup("Kubelet", ["n1", "n2"], {"maxPods": "110", "address": "{address}"}, found.groups[0].version)]
    )
    assert found.groups[0].version.startswith("v1.")


def test_of_the_kubelets_flags_only_those_count_that_the_configuration_lacks(tmp_path):
    """Of the others `/flagz` tells the value before the configuration was read."""
    found = kubelets(
        tmp_path, ready_node(), flagz=answering("root-dir=/var/lib/kubelet\nmax-pods=7\nnode-ip=10.0.0.11")
    )
    assert found.groups[0].settings["--root-dir"] == "/var/lib/kubelet"
    assert not {"--max-pods", "--node-ip"} & found.groups[0].settings.keys()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answering("no", 403), "`get` on `nodes/proxy`"),
        (answering("[[["), "not JSON"),
        (answering('{"other": {}}'), "does not hold the kubelet's configuration"),
        (answering("[]"), "does not hold the kubelet's configuration"),
        (answering("no", 503), "status 503"),
    ],
)
def test_kubelets_that_do_not_tell_are_one_sentence(tmp_path, answer, said):
    """With the nodes that it is true of."""
    found = kubelets(tmp_path, *(ready_node(f"n{number}") for number in range(7)), configz=answer)
    assert found.groups == []
    assert found.unread["Kubelet"].startswith("n0, n1, n2, n3, n4 and 2 other nodes: ")
    assert said in found.unread["Kubelet"]


def test_a_kubelet_that_serves_no_configuration_is_left_out(tmp_path):
    """A stand-in for a kubelet has none, and debugging handlers may be switched off."""
    assert kubelets(tmp_path, ready_node(), configz=answering("", 405)) == Configuration()


def test_a_node_that_is_not_ready_is_not_asked(tmp_path):
    """The API server would wait for it without end."""
    found = kubelets(tmp_path, ready_node(ready="Unknown"))
    assert "not Ready" in found.unread["Kubelet"]


def test_an_endless_answer_is_a_gap(tmp_path):
    """A kubelet that sends without end costs one sentence."""

    def endless(handler: Handler, kind, query):
        handler.stream(itertools.repeat(b"x" * 2**16))

    assert "larger than" in kubelets(tmp_path, ready_node(), configz=endless).unread["Kubelet"]


def test_a_template_becomes_settings():
    """Arguments, environment, volumes and security context; no image. Values of secrets are hidden."""
    container = {
        "name": "app",
        "image": "app:1",
        "args": ["--v=2", "--token=abcdefgh1"],
        "env": [
            {"name": "MODE", "value": "fast"},
            {"name": "API_TOKEN", "value": "abcdefgh1"},
            {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
        "securityContext": {"privileged": True},
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "volumeMounts": [{"name": "x", "mountPath": "/x", "readOnly": True}, {"name": "y", "mountPath": "/x"}],
    }
    spec = {"containers": [container], "hostNetwork": True, "volumes": [{"name": "x", "hostPath": {"path": "/x"}}]}
    assert template_settings(spec) == {
        "volumes.x": '{"hostPath": {"path": "/x"}}',
        "app/volumeMounts./x": '{"name": "x", "readOnly": true}; {"name": "y"}',
        "app/ports.80": '{"protocol": "TCP"}',
        "hostNetwork": "true",
        "app/--v": "2",
        "app/--token": "[hidden]",
        "app/env/MODE": "fast",
        "app/env/API_TOKEN": "[hidden]",
        "app/env/FROM": "s,k",
        "app/securityContext.privileged": "true",
    }


def test_the_hash_in_a_generated_name_is_left_out():
    """Kustomize gives a ConfigMap another name with each change; what is in it is compared."""
    spec = {"volumes": [{"name": "c", "configMap": {"name": "settings-7g2b9kd4ht"}}]}
    assert template_settings(spec) == {"volumes.c": '{"configMap": {"name": "settings"}}'}


@pytest.mark.parametrize(
    "spec",
    [
        MOUNTED,
        {"volumes": [{"projected": {"sources": [{"configMap": {"name": "settings"}}]}}]},
        {"containers": [{"envFrom": [{"configMapRef": {"name": "settings"}}]}]},
    ],
)
def test_configmaps_are_mounted_in_several_ways(spec):
    """As a volume, a part of one, or the environment."""
    assert mounted_configmaps(spec) == {"settings"}


@pytest.mark.parametrize("spec", [{"volumes": 1}, {"containers": ["x", None]}, {"volumes": [{"projected": 3}]}, {}])
def test_odd_templates_break_nothing(spec):
    """Whatever a server sends."""
    assert (mounted_configmaps(spec), len(template_settings(spec)) < 2) == (set(), True)


def test_yaml_in_a_configmap_is_compared_by_its_fields():
    """kube-proxy's configuration; what is no YAML, and what has aliases, is one text."""
    text = "healthzBindAddress: 0.0.0.0:10256\nipvs:\n  strictARP: true\nnothing: null\n"
    assert configmap_settings({"config.conf": text, "Corefile": ".:53 {\n}\n", "a.yaml": "a: &x 1\nb: *x\n"}) == {
        "config.conf/healthzBindAddress": "0.0.0.0:10256",
        "config.conf/ipvs.strictARP": "true",
        "Corefile": ".:53 {\n}",
        "a.yaml": "a: &x 1\nb: *x",
    }


def test_a_configmap_that_is_mounted_and_gone_has_no_settings(tmp_path):
    """So that all that was in it is found to have vanished; where the list was refused that is said instead."""
    deployments = listing("Deployment", workload(**MOUNTED))
    found = look(tmp_path, NEEDS, deployments=deployments, flagz=answering("", 404)).configuration
    assert settings_in(found)["ConfigMap/kube-system/settings"] == {}
    refused = look(tmp_path, NEEDS, deployments=deployments, configmaps=answering("no", 403)).configuration
    assert "ConfigMap/kube-system/settings" not in settings_in(refused)


def test_certificates_in_a_configmap_are_no_setting():
    """They are renewed; another one beside them is a difference."""
    made = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n"
    found = configmap_settings({"ca.crt": made, "two": made * 2})
    assert found == {"ca.crt": "(certificate)", "two": "(certificate)\n(certificate)"}


def test_a_static_pod_is_told_by_its_node(tmp_path):
    """The mirror pod's name ends with its node's; its address is its own."""
    container = {"name": "kube-apiserver", "command": ["kube-apiserver", "--advertise-address=10.0.0.11", "--v=2"]}
    pod = thing(
        "kube-apiserver-cp1",
        "kube-system",
        metadata={"ownerReferences": [{"kind": "Node", "name": "cp1"}]},
        spec={"nodeName": "cp1", "containers": [container]},
        status={"hostIP": "10.0.0.11"},
    )
    found = look(tmp_path, NEEDS, pods=listing("Pod", pod)).configuration
    (group,) = (each for each in found.groups if each.component == "StaticPod/kube-apiserver")
    assert group.nodes == ["cp1"]
    assert group.settings["kube-apiserver/--advertise-address"] == "{address}"
