"""Services: they lead somewhere, and to nobody but live, ready pods. Sidecars: they have the expected image."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    baseline,
    condition,
    container_status,
    daemonset,
    endpointslice,
    good,
    ingress,
    judge,
    merged,
    owner,
    pod,
    profile,
    replicated,
    run,
    service,
    thing,
)


def port(name="", number=8080, protocol="TCP"):
    """A port of a slice."""
    return {"name": name, "port": number, "protocol": protocol}


def service_with(spec, name="web"):
    """A Service of which these parts of the spec are replaced."""
    its = service(name)
    its["spec"] |= spec or {}
    return its


def leads(*slices, spec=None, **lists):
    """What is observed of the Service web with these slices."""
    world = good(services=[service_with(spec)], endpointslices=list(slices), **lists)
    return [each.observed for each in judge("services.endpoints", world).findings]


def slice_of(*ports, none=False, conditions=None):
    """A slice with these ports, or with none, and one endpoint with these conditions."""
    endpoint = {"addresses": ["10.1.0.1"], "conditions": conditions, "targetRef": {"kind": "Pod", "name": "web-1"}}
    if conditions is None:
        del endpoint["conditions"]
    return endpointslice("web", ports=None if none else list(ports) or [port()], endpoints=[endpoint])


@pytest.mark.parametrize(
    ("conditions", "ready"),
    [
        ({"ready": True}, True),
        ({"ready": True, "serving": True, "terminating": False}, True),
        ({"ready": None}, True),
        ({}, True),
        (None, True),
        ({"ready": False}, False),
        ({"ready": False, "serving": True, "terminating": True}, False),
    ],
)
def test_unknown_readiness_of_an_endpoint_means_ready(conditions, ready):
    """An endpoint is ready unless it says that it is not; one that is terminating is not, though it still serves."""
    assert (leads(slice_of(conditions=conditions)) == []) is ready


HTTP, DNS_UDP, DNS_TCP = (
    {"name": "http", "port": 80},
    {"name": "dns", "port": 53, "protocol": "UDP"},
    {"name": "dns", "port": 53, "protocol": "TCP"},
)


@pytest.mark.parametrize(
    ("why", "ports", "slices", "observed"),
    [
        ("each by name", [HTTP], [slice_of(port("http"))], None),
        ("nameless", [{"port": 80}], [slice_of(port(""))], None),
        ("name is null", [{"port": 80}], [slice_of(port(None))], None),
        ("spread over two slices", [HTTP, DNS_UDP], [slice_of(port("http")), slice_of(port("dns", 53, "UDP"))], None),
        (
            "same name, both protocols",
            [DNS_UDP, DNS_TCP],
            [slice_of(port("dns", 53, "UDP"), port("dns", 53, "TCP"))],
            None,
        ),
        (
            "same name, other protocol",
            [DNS_UDP, DNS_TCP],
            [slice_of(port("dns", 53, "TCP"))],
            "its ready endpoints have no port for dns/UDP: ",
        ),
        (
            "a targetPort that no container names",
            [{**HTTP, "targetPort": "web"}],
            [slice_of(none=True)],
            "its ready endpoints have no port for http/TCP (targetPort web): ",
        ),
        (
            "empty ports",
            [HTTP],
            [endpointslice("web", "10.1.0.1", ports=[])],
            "its ready endpoints have no port for http/TCP: ",
        ),
        (
            "one port of two",
            [HTTP, DNS_UDP],
            [slice_of(port("http"))],
            "its ready endpoints have no port for dns/UDP: ",
        ),
        ("some pods name it, others do not", [HTTP], [slice_of(none=True), slice_of(port("http"))], None),
        (
            "only an unready slice has it",
            [HTTP],
            [slice_of(none=True), slice_of(port("http"), conditions={"ready": False})],
            "its ready endpoints have no port for http/TCP: ",
        ),
        ("no slice", [{"port": 80}], [], "no ready endpoint for port 80/TCP: "),
        (
            "endpoints are null",
            [{"port": 80}],
            [endpointslice("web", endpoints=None)],
            "no ready endpoint for port 80/TCP: ",
        ),
        (
            "the slice of another",
            [{"port": 80}],
            [endpointslice("api", "10.1.0.1")],
            "no ready endpoint for port 80/TCP: ",
        ),
    ],
)
def test_each_port_is_carried_by_a_ready_slice(why, ports, slices, observed):
    """Each port of a Service, by name and protocol, is in a slice with a ready endpoint; the finding names those that are not."""
    expected = [f"{observed}it selects 1 pod, 1 ready"] if observed else []
    assert leads(*slices, spec={"ports": ports}) == expected


@pytest.mark.parametrize("ports", [None, []])
def test_a_headless_service_may_have_no_ports(ports):
    """A headless Service without ports needs a ready endpoint, and nothing more; it does count."""
    headless = {"clusterIP": "None", "ports": ports}
    assert leads(slice_of(none=True), spec=headless) == []
    assert leads(spec=headless) == ["no ready endpoint: it selects 1 pod, 1 ready"]


def test_a_wrong_selector_is_named():
    """A Service whose selector matches nothing says which selector that is."""
    assert leads(spec={"selector": {"app": "wbe", "tier": "x"}}) == [
        "no ready endpoint for port 80/TCP (targetPort 8080): no pod matches its selector app=wbe,tier=x"
    ]


@pytest.mark.parametrize(
    ("spec", "metadata"),
    [
        ({"selector": None}, {}),
        ({"selector": {}}, {}),
        ({"type": "ExternalName", "externalName": "example.com"}, {}),
        ({}, {"deletionTimestamp": ago(seconds=1)}),
    ],
)
def test_services_without_endpoints_of_kubernetes_own_are_not_asked(spec, metadata):
    """Selector-less Services, ExternalNames and those being deleted need no endpoints; alone they are nothing to judge."""
    its = merged(service_with(spec), {"metadata": metadata})
    assert judge("services.endpoints", good(services=[its], endpointslices=[])).outcome == "inconclusive"


def job_pod(name, phase):
    """A pod of a Job."""
    return pod(name, metadata=owner("Job", thing("job", "shop")), status={"phase": phase})


ZERO = {"deployments": [replicated("web", 0)], "replicasets": [replicated("web-rs", 0)]}
STATEFUL = {
    "deployments": [],
    "replicasets": [],
    "statefulsets": [replicated("web", 0)],
    "pods": [],
}
NONE = {"deployments": [], "replicasets": []}


@pytest.mark.parametrize(
    ("why", "lists", "spec", "rests"),
    [
        ("Deployment at zero", {**ZERO, "pods": []}, {}, True),
        ("Deployment at zero, a failed pod left over", {**ZERO, "pods": [pod(status={"phase": "Failed"})]}, {}, True),
        (
            "Deployment at zero, its last pod going",
            {**ZERO, "pods": [pod(metadata={"deletionTimestamp": ago(seconds=1)})]},
            {},
            True,
        ),
        ("Deployment at zero, but a pod lives", {**ZERO, "pods": [pod(ready="False")]}, {}, False),
        ("one of two at zero", {"deployments": [replicated("web", 0), replicated("other", 1)], "pods": []}, {}, False),
        ("wants pods that were never made", {"pods": []}, {}, False),
        (
            "ReplicaSet alone at zero",
            {"deployments": [], "replicasets": [replicated("web-rs", 0)], "pods": []},
            {},
            True,
        ),
        (
            "DaemonSet wants no node",
            {
                **NONE,
                "daemonsets": [daemonset("web", 0, spec={"template": {"metadata": {"labels": {"app": "web"}}}})],
                "pods": [],
            },
            {},
            True,
        ),
        ("StatefulSet at zero", STATEFUL, {}, True),
        (
            "StatefulSet at zero, its pod's own Service",
            STATEFUL,
            {"selector": {"statefulset.kubernetes.io/pod-name": "web-0"}},
            True,
        ),
        (
            "StatefulSet at zero, by number",
            STATEFUL,
            {"selector": {"app": "web", "apps.kubernetes.io/pod-index": "1"}},
            True,
        ),
        ("pod of another StatefulSet", STATEFUL, {"selector": {"statefulset.kubernetes.io/pod-name": "db-0"}}, False),
        ("completed Job", {**NONE, "pods": [job_pod("a", "Succeeded")]}, {}, True),
        ("retried Job", {**NONE, "pods": [job_pod("a", "Failed"), job_pod("b", "Succeeded")]}, {}, True),
        ("Job at work", {**NONE, "pods": [job_pod("a", "Succeeded"), job_pod("b", "Running")]}, {}, False),
        ("completed bare pod", {**NONE, "pods": [pod(status={"phase": "Succeeded"})]}, {}, True),
        (
            "failed bare pod",
            {**NONE, "pods": [pod(metadata={"ownerReferences": None}, status={"phase": "Failed"})]},
            {},
            False,
        ),
        ("nobody", {**NONE, "pods": []}, {}, False),
        (
            "only an earlier version of a Deployment has these labels",
            {
                "deployments": [replicated("web", app="web-new")],
                "replicasets": [replicated("web-rs", 0, metadata=owner("Deployment", replicated("web")))],
                "pods": [],
            },
            {},
            False,
        ),
        (
            "version of a Rollout of Argo at zero",
            {
                "deployments": [],
                "replicasets": [replicated("web-rs", 0, metadata=owner("Rollout", thing("web", "shop")))],
                "pods": [],
            },
            {},
            True,
        ),
    ],
)
def test_what_rests_on_purpose_leads_nowhere_on_purpose(why, lists, spec, rests):
    """A Service of workloads scaled to zero, or of pods that have completed, needs no endpoint; any other does."""
    asleep = service_with(spec, "asleep")
    awake = service_with({"selector": {"app": "awake"}}, "awake")
    its = pod("awake-1", metadata={"labels": {"app": "awake"}}, ip="10.1.0.9")
    pods = [*lists.get("pods", []), its]
    world = good(
        **{**lists, "pods": pods, "services": [asleep, awake], "endpointslices": [endpointslice("awake", "10.1.0.9")]}
    )
    assert (judge("services.endpoints", world).outcome == "passed") is rests


def unready(minutes, **changes):
    """A pod that became not ready so many minutes ago."""
    at = condition("Ready", "False", lastTransitionTime=ago(minutes=minutes))
    return pod(**merged({"status": {"conditions": [at]}}, changes))


YOUNG = {
    "metadata": {"creationTimestamp": ago(seconds=30)},
    "status": {
        "containerStatuses": None,
        "conditions": [condition("Ready", "False", lastTransitionTime=ago(seconds=30))],
    },
}
WAITS = {
    "phase": "Pending",
    "containerStatuses": [container_status(ready=False, state={"waiting": {"reason": "ErrImagePull"}})],
}


@pytest.mark.parametrize(
    ("why", "pods", "age", "transitional"),
    [
        ("its one pod starts", [pod(**YOUNG)], 9999, True),
        (
            "its pod has become ready just now",
            [pod(status={"conditions": [condition("Ready", lastTransitionTime=ago(seconds=9))]})],
            9999,
            True,
        ),
        ("its pod cannot start", [pod(**merged(YOUNG, {"status": WAITS}))], 9999, False),
        (
            "one starts, one is long not ready",
            [pod(**YOUNG), unready(10, metadata={"name": "b", "uid": "b"})],
            9999,
            False,
        ),
        ("its pod is long ready", [pod()], 9999, False),
        ("it selects nobody", [pod("x", metadata={"labels": {"app": "x"}})], 9999, False),
        ("it is new, and so is the rest of its release", [pod("x", metadata={"labels": {"app": "x"}})], 30, True),
    ],
)
def test_a_service_whose_pods_are_coming_does_not_lead_anywhere_yet(why, pods, age, transitional):
    """While all its pods may still start, or it is new itself, a Service leads nowhere yet, whoever makes its pods."""
    its = service(metadata={"creationTimestamp": ago(seconds=age)})
    (finding,) = judge("services.endpoints", good(services=[its], pods=pods, endpointslices=[])).findings
    assert finding.transitional is transitional


def drift(*slices, pods=None, spec=None):
    """What is observed of the Service web, and whether it is only in motion."""
    world = good(services=[service_with(spec)], endpointslices=list(slices), pods=pods or [pod()])
    return [(each.observed, each.transitional) for each in judge("services.endpoints-live", world).findings]


GOING = {"metadata": {"deletionTimestamp": ago(seconds=-20)}}
STALE = "no live, ready pod has 10.1.0.1 (Pod web-1)"
SECOND = {"podIPs": [{"ip": "10.1.0.1"}, {"ip": "fd00::1"}]}
V4, V6 = endpointslice("web", "10.1.0.1"), endpointslice("web", "fd00::1")
LATELY = condition("Ready", lastTransitionTime=ago(seconds=30))


@pytest.mark.parametrize(
    ("why", "slices", "pods", "spec", "observed"),
    [
        ("as it should be", [V4], [pod()], {}, None),
        (
            "an address that nobody has",
            [endpointslice("web", "10.1.0.1", "10.1.0.9")],
            [pod()],
            {},
            "no live, ready pod has 10.1.0.9 (Pod web-1)",
        ),
        (
            "pod gone",
            [V4],
            [pod("web-2", ip="10.1.0.2")],
            {},
            f"{STALE}; ready but not among its endpoints: web-2 (10.1.0.2)",
        ),
        ("pod not ready", [V4], [unready(10)], {}, STALE),
        ("pod not ready since a moment", [V4], [unready(0.5)], {}, None),
        (
            "pod not ready, and the endpoint says so",
            [endpointslice("web", "10.1.0.1", ready=False)],
            [unready(10)],
            {},
            None,
        ),
        ("pod failed", [V4], [pod(status={"phase": "Failed"})], {}, STALE),
        ("another's pod has the address", [V4], [pod(metadata={"labels": {"app": "other"}})], {}, STALE),
        ("missing", [endpointslice("web")], [pod()], {}, "ready but not among its endpoints: web-1 (10.1.0.1)"),
        ("missing since a moment", [endpointslice("web")], [pod(status={"conditions": [LATELY]})], {}, None),
        (
            "its endpoint is not ready, the pod is",
            [endpointslice("web", "10.1.0.1", ready=False)],
            [pod()],
            {},
            "ready but not among its endpoints: web-1 (10.1.0.1)",
        ),
        ("has no address yet", [endpointslice("web")], [pod(status={"podIPs": None})], {}, None),
        ("not ready addresses are published", [V4], [unready(10)], {"publishNotReadyAddresses": True}, None),
        ("published while it goes", [V4], [pod(**GOING)], {"publishNotReadyAddresses": True}, None),
        (
            "published, and nobody's",
            [V4],
            [pod("web-2", ip="10.1.0.2")],
            {"publishNotReadyAddresses": True},
            f"{STALE}; ready but not among its endpoints: web-2 (10.1.0.2)",
        ),
        ("dual stack", [V4, V6], [pod(status=SECOND)], {"ipFamilies": ["IPv4", "IPv6"]}, None),
        (
            "dual stack, one family is missing",
            [V4],
            [pod(status=SECOND)],
            {"ipFamilies": ["IPv4", "IPv6"]},
            "ready but not among its endpoints: web-1 (fd00::1)",
        ),
        ("single stack Service of a dual stack pod", [V4], [pod(status=SECOND)], {"ipFamilies": ["IPv4"]}, None),
        ("IPv6 only", [V6], [pod(status=SECOND)], {"ipFamilies": ["IPv6"]}, None),
        ("dual stack Service of a single stack pod", [V4], [pod()], {"ipFamilies": ["IPv4", "IPv6"]}, None),
        ("families unknown", [V4], [pod(status=SECOND)], {}, None),
        (
            "two pods on the host's address, one ready",
            [V4],
            [pod("a"), unready(10, metadata={"name": "b", "uid": "b"})],
            {},
            None,
        ),
        ("the same, the other way round", [V4], [unready(10, metadata={"name": "b", "uid": "b"}), pod("a")], {}, None),
        (
            "pods of another cluster in the mesh",
            [
                V4,
                endpointslice(
                    "web",
                    "10.9.0.1",
                    metadata={
                        "labels": {
                            "kubernetes.io/service-name": "web",
                            "endpointslice.kubernetes.io/managed-by": "endpointslice-mesh-controller.cilium.io",
                        }
                    },
                ),
            ],
            [pod()],
            {},
            None,
        ),
        (
            "pods of another cluster, brought by Karmada",
            [
                V4,
                endpointslice(
                    "web",
                    "10.9.0.1",
                    metadata={
                        "labels": {
                            "kubernetes.io/service-name": "web",
                            "endpointslice.kubernetes.io/managed-by": "endpointslice-dispatch-controller.karmada.io",
                        }
                    },
                ),
            ],
            [pod()],
            {},
            None,
        ),
        (
            "no targetRef",
            [endpointslice("web", endpoints=[{"addresses": ["10.1.0.9"]}, {"addresses": ["10.1.0.1"]}])],
            [pod()],
            {},
            "no live, ready pod has 10.1.0.9 (no target)",
        ),
        ("nulls", [endpointslice("web", endpoints=[{"addresses": None, "targetRef": None}]), V4], [pod()], {}, None),
    ],
)
def test_endpoints_are_the_live_ready_pods(why, slices, pods, spec, observed):
    """Each address that takes traffic is that of a live, ready pod of the selector; each such pod is there, in each family."""
    assert drift(*slices, pods=pods, spec=spec) == ([(observed, False)] if observed else [])


JUST_FAILED = {"phase": "Failed", "conditions": [condition("Ready", "False", lastTransitionTime=ago(seconds=30))]}


def made(seconds):
    """A ready pod that was made so long ago."""
    lately = {"conditions": [condition("Ready", lastTransitionTime=ago(seconds=seconds))]}
    return pod("web-2", ip="10.1.0.2", metadata={"creationTimestamp": ago(seconds=seconds)}, status=lately)


@pytest.mark.parametrize(
    ("why", "others", "transitional"),
    [
        ("it has just been replaced", [made(5)], True),
        ("another pod is new", [made(30)], False),
        ("its pod is going", [pod("web-2", ip="10.1.0.9", **GOING)], True),
        (
            "its pod has just failed",
            [pod("web-2", ip="10.1.0.9", status=JUST_FAILED)],
            True,
        ),
        ("another pod is going", [pod("web-2", ip="10.1.0.2", **GOING)], False),
        (
            "a pod should be long gone",
            [pod("web-2", ip="10.1.0.9", metadata={"deletionTimestamp": ago(minutes=9)})],
            False,
        ),
        ("nothing moves", [], False),
    ],
)
def test_pods_that_come_and_go_explain_a_difference(why, others, transitional):
    """Two lists may disagree about a pod that comes or goes, and about no other: not yet. Else the endpoints are stale."""
    ((_, not_yet),) = drift(endpointslice("web", "10.1.0.1", "10.1.0.9"), pods=[pod(), *others])
    assert not_yet is transitional


def test_endpoints_of_a_service_at_rest_are_as_they_should_be():
    """A Service of nothing has no endpoints, and that is exactly its pods' addresses."""
    world = good(deployments=[replicated("web", 0)], pods=[], endpointslices=[endpointslice("web")])
    assert judge("services.endpoints-live", world).outcome == "passed"


def test_a_service_that_leads_nowhere_is_one_red_line():
    """A Service whose one pod is ready and has no endpoint fails twice, and the second follows from the first."""
    results = run(["services.endpoints", "services.endpoints-live"], good(endpointslices=[]))
    assert [each.outcome for each in results] == ["failed", "failed"]
    assert [each.findings[0].because for each in results] == [None, "services.endpoints: Service/shop/web"]


def sidecar(image, pattern="hashicorp/vault:1.17.*", *, spec=None, entries=None, **changes):
    """What is said of a pod whose container vault-agent has this image."""
    container = {"name": "vault-agent", "image": image}
    its = pod(**merged({"spec": spec or {"containers": [{"name": "app", "image": "app:1"}, container]}}, changes))
    entry = {"container": "vault-agent", "namespaces": ["shop"], "image": pattern}
    return judge("sidecars.image", good(pods=[its]), profile=profile(sidecars=entries or [entry]))


DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "pattern", "outcome"),
    [
        ("hashicorp/vault:1.17.3", "hashicorp/vault:1.17.*", "passed"),
        ("hashicorp/vault:1.16.9", "hashicorp/vault:1.17.*", "failed"),
        ("docker.io/hashicorp/vault:1.17.3", "hashicorp/vault:1.17.*", "passed"),
        ("index.docker.io/hashicorp/vault:1.17.3", "hashicorp/vault:1.17.*", "passed"),
        ("hashicorp/vault:1.17.3", "docker.io/hashicorp/vault:1.17.3", "passed"),
        ("docker.io/library/vault:1", "vault:1", "passed"),
        ("registry.corp:5000/hashicorp/vault:1.17.3", "hashicorp/vault:1.17.*", "failed"),
        ("registry.corp:5000/hashicorp/vault:1.17.3", "*/hashicorp/vault:1.17.*", "passed"),
        (f"hashicorp/vault:1.17.3{DIGEST}", "hashicorp/vault:1.17.3", "passed"),
        (f"hashicorp/vault:1.17.3{DIGEST}", f"hashicorp/vault:1.17.3{DIGEST}", "passed"),
        (f"hashicorp/vault:1.17.3{DIGEST}", "hashicorp/vault:1.17.3@sha256:1*", "failed"),
        (f"hashicorp/vault{DIGEST}", "hashicorp/vault:1.17.*", "failed"),
        ("hashicorp/vault:1.17.30", "hashicorp/vault:1.17.3", "failed"),
        ("hashicorp/vault", "hashicorp/vault:1.17.*", "failed"),
    ],
)
def test_an_images_name_and_tag_are_compared(image, pattern, outcome):
    """Docker Hub's implied parts and a digest behind the tag are no difference; another tag or registry is one."""
    assert sidecar(image, pattern).outcome == outcome


def test_the_finding_names_the_container_and_both_images():
    """The finding says which container has which image, and which one it should have."""
    (finding,) = sidecar("hashicorp/vault:1.16.9").findings
    assert finding.observed == "container vault-agent has image hashicorp/vault:1.16.9"
    assert finding.expected == "vault-agent: hashicorp/vault:1.17.*"


def test_a_sidecar_may_be_an_init_container():
    """An init container with restartPolicy Always is a sidecar, and is judged like any other container."""
    init = {
        "containers": [{"name": "app"}],
        "initContainers": [{"name": "vault-agent", "image": "old:1", "restartPolicy": "Always"}],
    }
    assert sidecar("", spec=init).outcome == "failed"


@pytest.mark.parametrize(
    ("why", "changes", "spec"),
    [
        ("completed", {"status": {"phase": "Succeeded"}}, None),
        ("going", {"metadata": {"deletionTimestamp": ago(seconds=1)}}, None),
        ("elsewhere", {"metadata": {"namespace": "other"}}, None),
        ("without it", {}, {"containers": [{"name": "app", "image": "old:1"}]}),
        (
            "an ephemeral container of that name",
            {},
            {"containers": [{"name": "app"}], "ephemeralContainers": [{"name": "vault-agent", "image": "old:1"}]},
        ),
    ],
)
def test_an_expected_sidecar_that_is_nowhere_is_no_pass(why, changes, spec):
    """An entry that matches no running pod's container cannot be judged, and says what it looked for."""
    result = sidecar("old:1", spec=spec, **changes)
    assert (result.outcome, result.reason) == (
        "inconclusive",
        "no running pod in namespaces shop has a container vault-agent",
    )


def test_each_entry_must_be_met():
    """Of two entries of which one matches, the other is missed; a wrong image outweighs that."""
    entries = [
        {"container": "vault-agent", "namespaces": ["shop"], "image": "new:1"},
        {"container": "gone", "namespaces": ["a-*", "!a-b"], "image": "x"},
    ]
    missed = sidecar("new:1", entries=entries)
    assert (missed.outcome, missed.reason) == (
        "inconclusive",
        "no running pod in namespaces a-*, !a-b has a container gone",
    )
    assert sidecar("old:1", entries=entries).outcome == "failed"


OTHER = {"metadata": {"namespace": "other"}}
DONE = pod("done", status={"phase": "Succeeded"})
AWAKE = service_with({"selector": {"app": "awake"}}, "awake")
EMPTY = {**ZERO, "pods": [], "endpointslices": []}
BALANCED = {"type": "LoadBalancer"}
NO_NODE = {**NONE, "daemonsets": [daemonset("web", 0, spec={"template": {"metadata": {"labels": {"app": "web"}}}})]}


@pytest.mark.parametrize(
    ("why", "lists", "its", "outcome"),
    [
        ("scaled to zero", EMPTY, service(), "passed"),
        ("scaled to zero, of type LoadBalancer", EMPTY, service(spec=BALANCED), "failed"),
        ("scaled to zero, behind an Ingress", {**EMPTY, "ingresses": [ingress()]}, service(), "failed"),
        ("an Ingress of another namespace", {**EMPTY, "ingresses": [merged(ingress(), OTHER)]}, service(), "passed"),
        ("on no node", {**EMPTY, **NO_NODE}, service(), "passed"),
        ("on no node, of type LoadBalancer", {**EMPTY, **NO_NODE}, service(spec=BALANCED), "failed"),
        ("completed pods, of type LoadBalancer", {**EMPTY, **NONE, "pods": [DONE]}, service(spec=BALANCED), "failed"),
    ],
)
def test_what_users_come_in_by_is_never_at_rest(why, lists, its, outcome):
    """A Service of type LoadBalancer or behind an Ingress leads somewhere, though all behind it is scaled to zero."""
    world = good(**{"ingresses": [], **lists, "services": [its, AWAKE]})
    world["pods"] = [*world["pods"], pod("awake-1", metadata={"labels": {"app": "awake"}}, ip="10.1.0.9")]
    world["endpointslices"] = [*world["endpointslices"], endpointslice("awake", "10.1.0.9")]
    assert judge("services.endpoints", world).outcome == outcome


@pytest.mark.parametrize(
    "labels",
    [{"k8s-app": "kube-dns"}, {"kubernetes.io/name": "CoreDNS"}, {"k8s-app": "coredns"}],
)
def test_the_clusters_dns_is_never_at_rest(labels):
    """CoreDNS at 0 replicas is found, whatever its Service is called; another Service at rest in kube-system is fine."""
    system = {"namespace": "kube-system"}
    its = replicated("coredns", 0, metadata=system)
    world = good(deployments=[its], replicasets=[], pods=[], endpointslices=[], ingresses=[])
    world["services"] = [service("dns", metadata={**system, "labels": labels}), service("other", metadata=system)]
    assert [each.object for each in judge("services.endpoints", world).findings] == ["Service/kube-system/dns"]


@pytest.mark.parametrize(("then", "outcome"), [(5, "failed"), (0, "passed")])
def test_a_daemonset_that_lost_its_place_is_no_rest(then, outcome):
    """A Service whose DaemonSet wanted nodes in the baseline and wants none now leads nowhere, and not on purpose."""
    had = merged(NO_NODE["daemonsets"][0], {"status": {"desiredNumberScheduled": then}})
    before = baseline(good(daemonsets=[had]))
    world = good(**{**EMPTY, **NO_NODE, "ingresses": []})
    world["services"].append(AWAKE)
    world["pods"] = [pod("awake-1", metadata={"labels": {"app": "awake"}}, ip="10.1.0.9")]
    world["endpointslices"] = [endpointslice("awake", "10.1.0.9")]
    assert judge("services.endpoints", world, baseline=before).outcome == outcome


@pytest.mark.parametrize(
    ("why", "spec", "lists", "served", "outcome"),
    [
        ("empty by design: CloudNativePG's -ro, kube-prometheus-stack, a CronJob", {}, {}, False, "warned"),
        ("it served before", {}, {}, True, "failed"),
        ("its type says that it serves", BALANCED, {}, False, "failed"),
        ("an Ingress leads to it", {}, {"ingresses": [ingress()]}, False, "failed"),
        ("a workload makes such pods", {}, {"deployments": [replicated("web")]}, False, "failed"),
        ("such pods are there", {}, {"pods": [pod(ready="False")]}, False, "failed"),
    ],
)
def test_a_selector_that_matches_nothing_may_be_so_by_design(why, spec, lists, served, outcome):
    """What no pod and no workload has ever matched is a warning; what served, or is there to serve, is down."""
    empty = {"ingresses": [], "deployments": [], "replicasets": [], "pods": [], "endpointslices": []}
    its = service_with(spec)
    before = baseline(good(services=[its], endpointslices=[endpointslice("web", *(["10.1.0.1"] if served else []))]))
    world = good(**{**empty, **lists, "services": [its]})
    assert judge("services.endpoints", world, baseline=before).outcome == outcome


@pytest.mark.parametrize(
    ("why", "slices", "observed"),
    [
        ("both", [V4, V6], []),
        ("one is lost", [V4], ["no ready endpoint has an IPv6 address: it selects 1 pod, 1 ready"]),
        (
            "its last endpoint is not ready",
            [V4, endpointslice("web", "fd00::1", ready=False)],
            ["no ready endpoint has an IPv6 address: it selects 1 pod, 1 ready"],
        ),
    ],
)
def test_a_dual_stack_service_has_endpoints_in_both_families(why, slices, observed):
    """Pods that lost one IP family leave half of a dual stack Service without endpoints."""
    assert leads(*slices, spec={"ipFamilies": ["IPv4", "IPv6"]}) == observed


def test_a_service_whose_pod_blinks_does_not_lead_anywhere_yet():
    """A pod that became not ready seconds ago may be ready again: not yet."""
    (finding,) = judge("services.endpoints", good(pods=[unready(0.1)], endpointslices=[])).findings
    assert finding.transitional is True


DUAL = {"ipFamilies": ["IPv4", "IPv6"]}


@pytest.mark.parametrize(
    ("why", "spec", "status", "lost"),
    [
        ("headless, prefers both", {"clusterIP": "None", "ipFamilyPolicy": "PreferDualStack"}, {}, False),
        ("headless, and its pods have both", {"clusterIP": "None", "ipFamilyPolicy": "PreferDualStack"}, SECOND, True),
        ("headless, requires both", {"clusterIP": "None", "ipFamilyPolicy": "RequireDualStack"}, {}, True),
        ("it has an IPv6 address that leads nowhere", {"ipFamilyPolicy": "PreferDualStack"}, {}, True),
    ],
)
def test_a_headless_service_that_prefers_two_families_has_those_of_its_pods(why, spec, status, lost):
    """A headless Service leads to its pods' own addresses: what they do not have is not lost."""
    world = {"pods": [pod(status=status)], "spec": DUAL | spec}
    assert bool(leads(V4, **world)) is lost
    if not lost:
        world = good(services=[service_with(DUAL | spec)], endpointslices=[V4], pods=[pod()])
        assert judge("services.endpoints-live", world).outcome == "passed"
