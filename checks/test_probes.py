"""From inside: pods on every node ask what pods need. Only with `probe:`, the one thing that creates objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import check

if TYPE_CHECKING:
    from upgate.battery.from_inside import FromInside, Vantage

#: What explains that a node does not answer, beside what is asked from inside.
NODE = ("nodes.ready", "nodes.heartbeat", "nodes.pressure", "probe.starts")


@check("probe.starts", severity="critical", expects="probe", after=("nodes.ready", "nodes.heartbeat", "nodes.pressure"))
def test_a_pod_starts_on_every_node(probed: FromInside) -> None:
    """A new pod starts on every schedulable node within its time.

    A node may be Ready and start nothing: its image cannot be pulled, its network plugin makes no sandbox, its runtime
    hangs. A node without room for one more pod was not asked, and neither is it judged.
    Look first: kubectl get events --all-namespaces --field-selector involvedObject.name={name}; kubectl describe node {name}
    """
    probed.nodes.none(lambda node: node.problem, expected="a pod runs there")


@check("probe.peers", severity="critical", expects="probe", after=NODE)
def test_pods_of_every_node_reach_those_of_others(probed: FromInside) -> None:
    """Pods of every node reach pods on other nodes: new ones, and ready endpoints that exist already.

    Overlay, routes and security groups between two nodes are used by no list, and a node that is cut off stays Ready.
    Of existing pods only what other nodes reach counts: a NetworkPolicy may close them to all.
    Look first: kubectl get pods --all-namespaces --output wide --field-selector spec.nodeName={name}
    """
    judge_answers(probed, "peers", "pods on other nodes answer")


@check("probe.service", severity="critical", expects="probe", after=(*NODE, "probe.peers"))
def test_services_answer_on_every_node(probed: FromInside) -> None:
    """From every node ClusterIPs answer: that of a new Service, and those that exist and answer other nodes.

    kube-proxy, or what takes its place, may have stopped on one node: pods there keep the Services of yesterday.
    Look first: kubectl -n kube-system get pods --output wide --field-selector spec.nodeName={name}
    """
    judge_answers(probed, "service", "ClusterIPs answer")


@check("probe.dns", severity="critical", expects="probe", after=(*NODE, "probe.peers", "probe.service"))
def test_names_resolve_on_every_node(probed: FromInside) -> None:
    """From every node the name of a Service and an external name resolve, at the DNS Service and at each DNS pod.

    One dead DNS pod makes every second name slow, and one node with broken UDP makes all of its pods fail.
    Look first: kubectl -n kube-system get pods --selector k8s-app=kube-dns --output wide
    """
    judge_answers(probed, "dns", "names resolve")


@check("probe.api", severity="critical", expects="probe", after=(*NODE, "probe.peers", "probe.service"))
def test_the_api_server_answers_on_every_node(probed: FromInside) -> None:
    """From every node the API server answers at kubernetes.default.

    Controllers, operators and service meshes on that node live on it; kubelets go another way and notice nothing.
    Look first: kubectl get endpointslices --namespace default --selector kubernetes.io/service-name=kubernetes
    """
    judge_answers(probed, "api", "the API server answers")


@check("probe.metadata", severity="warning", expects="probe.metadata", after=(*NODE, "probe.peers"))
def test_the_metadata_service_answers_on_every_node(probed: FromInside) -> None:
    """From every node the metadata service that the profile names answers.

    Pods get the credentials of their cloud there: node images change its hop limit, and agents in front of it break.
    Look first: kubectl describe node {name}
    """
    judge_answers(probed, "metadata", "an answer")


@check("probe.logs", severity="critical", expects="probe.logs", after=NODE)
def test_a_line_of_every_node_arrives_in_the_log_store(probed: FromInside) -> None:
    """A line that a pod writes on each node arrives in the log store within its time.

    The agent on a node may run and send nothing: it reads other paths than the new runtime writes, or may no longer push.
    Look first: kubectl get pods --all-namespaces --output wide --field-selector spec.nodeName={name}
    """
    judge_answers(probed, "logs", "its line is found")


def judge_answers(probed: FromInside, subject: str, expected: str) -> None:
    """Every node has its answers, and none only slowly."""
    nodes = probed.about(subject)
    nodes.none(lambda node: node.fault, expected=expected)

    def slowly(node: Vantage) -> str:
        return f"its fastest answer took {node.fastest:.1f} s" if node.fastest > probed.latency else ""

    nodes.none(slowly, expected=f"within {probed.latency:g} s", severity="warning")
