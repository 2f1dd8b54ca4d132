"""What the answers from inside say is broken: a node, or what all nodes ask. A broken node is named once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from upgate.base.text import counted
from upgate.facts.inside import NodeAnswer, Probed, nodes_of

#: What stands for the network between all pods, where no node can be told from the others.
POD_NETWORK = "Cluster/pod-network"
#: Objects of a kind that is named at most.
FEW = 3


@dataclass(frozen=True)
class InsideFault:
    """Something that is broken, as seen from inside."""

    ref: str
    observed: str
    #: It is so from every node: a NetworkPolicy could be the reason.
    everywhere: bool = False


def faults_from_inside(probed: Probed) -> dict[str, list[InsideFault]]:
    """What is broken, by subject. Pods on other nodes come first: what is on a node that is cut off tells of no other."""
    stars = {subject: probed.about(subject) for subject in ("service", "api", "metadata", "logs")}
    names = probed.about("dns")
    stars["dns"] = [each for each in names if not each.on]
    suspected = Counter(each.node for asked in stars.values() for each in asked if each.strict and not each.answered)
    peers = peer_faults(probed.about("peers"), suspected)
    cut = {fault.ref.removeprefix("Node/") for fault in peers}
    stars["dns"] = without_chance(stars["dns"], [each for each in names if each.on], cut)
    faults = {
        subject: star_faults([each for each in asked if each.strict or not cut & {*each.behind}])
        for subject, asked in stars.items()
    }
    faults["dns"] += pod_faults(
        [each for each in names if each.on],
        {fault.ref for fault in faults["dns"]} | {f"Node/{each}" for each in cut},
        suspected,
    )
    return {"peers": peers, **faults}


def without_chance(asked: Sequence[NodeAnswer], pods: Sequence[NodeAnswer], cut: Collection[str]) -> list[NodeAnswer]:
    """The questions to the DNS Service without those that a DNS pod on a node that is cut off may have got, by chance.

    A node that has an answer of another DNS pod is not to blame.
    """
    lost = any(each.on in cut for each in pods)
    served = {each.node for each in pods if each.answered and each.on not in cut}
    return [each for each in asked if each.answered or not (lost and each.node in served)]


def pod_faults(asked: Sequence[NodeAnswer], known: Collection[str], suspected: Counter[str]) -> list[InsideFault]:
    """The pods that answer no node while others of their kind do, and the nodes between which a pod does not answer.

    `known`: the nodes of which it is known already that they are broken; what is on them, and what they ask, tells nothing new.
    """
    telling = [each for each in asked if not {f"Node/{each.node}", f"Node/{each.on}"} & {*known}]
    by_question = questions_of(telling)
    silent = [fault for each in by_question.values() if (fault := unanswered(each, by_question))]
    failed = [each for each in telling if not each.answered and reached_elsewhere(each, telling)]
    return silent + [pod_fault(node, failed) for node in covering(failed, suspected)]


def pod_fault(node: str, failed: Iterable[NodeAnswer]) -> InsideFault:
    """The words for a node between which and others a pod does not answer."""
    words = [f"from {each.node}, {each.what}: {each.problem}" for each in failed if node in (each.node, each.on)]
    return InsideFault(f"Node/{node}", in_short(words))


def star_faults(asked: Sequence[NodeAnswer]) -> list[InsideFault]:
    """What is wrong where every node asked the same: with what answers none of them, or the nodes that it does not answer."""
    by_question = questions_of(asked)
    shared = [fault for each in by_question.values() if (fault := unanswered(each, by_question))]
    refused: dict[str, list[str]] = defaultdict(list)
    for each in by_question.values():
        for node, words in refused_nodes(each):
            refused[node].append(words)
    return shared + [InsideFault(f"Node/{node}", in_short(words)) for node, words in refused.items()]


def questions_of(asked: Iterable[NodeAnswer]) -> dict[str, list[NodeAnswer]]:
    """The answers to each question."""
    grouped: dict[str, list[NodeAnswer]] = defaultdict(list)
    for each in asked:
        grouped[each.what].append(each)
    return grouped


def unanswered(answers: Sequence[NodeAnswer], by_question: Mapping[str, Sequence[NodeAnswer]]) -> InsideFault | None:
    """What answers no node, if it must, or if others of its kind answer."""
    first = answers[0]
    if any(each.answered for each in answers):
        return None
    alike = first.about.startswith("Pod/") and first.subject == "dns" and len(nodes_of(answers)) > 1
    if not first.strict and not (alike and any(same_kind_answers(first, each) for each in by_question.values())):
        return None
    asked = f"asked from {counted(len(answers), 'node')}"
    return InsideFault(first.about, f"{first.what}: {common_problem(answers)} ({asked}, no node has an answer)", True)


def same_kind_answers(first: NodeAnswer, others: Sequence[NodeAnswer]) -> bool:
    """Another pod of the same kind answers."""
    return others[0].about.startswith("Pod/") and others[0].about != first.about and any(e.answered for e in others)


def refused_nodes(answers: Sequence[NodeAnswer]) -> list[tuple[str, str]]:
    """The nodes without an answer that others have, each with words for it."""
    well = len({each.node for each in answers if each.answered})
    others = "one other node has" if well == 1 else f"{well} other nodes have"
    return [
        (each.node, f"{each.what}: {each.problem} ({others} an answer)")
        for each in answers
        if well and not each.answered
    ]


def in_short(words: Sequence[str]) -> str:
    """A few of them, and how many more there are."""
    more = [f"{len(words) - FEW} more"] if len(words) > FEW else []
    return "; ".join([*words[:FEW], *more])


def common_problem(answers: Iterable[NodeAnswer]) -> str:
    """The problem that most of them have."""
    return Counter(each.problem for each in answers).most_common(1)[0][0]


def peer_faults(asked: Sequence[NodeAnswer], suspected: Counter[str]) -> list[InsideFault]:
    """The nodes that do not reach the others, or that the others do not reach: the fewest that explain every failed pair.

    `suspected`: how much else is wrong with each node; it decides where two nodes do not reach each other.
    """
    between = [each for each in asked if each.on != each.node]
    failed = [each for each in between if not each.answered and (each.strict or reached_elsewhere(each, asked))]
    if not failed:
        return []
    if len(nodes_of(between)) > 2 and len(failed) == len(between):
        return [
            InsideFault(POD_NETWORK, f"from none of {len(nodes_of(between))} nodes a pod on another node answers", True)
        ]
    only_two = {each.node for each in between} | {each.on for each in between}
    return [peer_fault(node, between, failed, len(only_two) == 2) for node in covering(failed, suspected)]


def reached_elsewhere(question: NodeAnswer, asked: Iterable[NodeAnswer]) -> bool:
    """What did not answer this node answers another: no NetworkPolicy closes it."""
    return any(each.answered for each in asked if each.what == question.what)


def covering(failed: Iterable[NodeAnswer], suspected: Counter[str]) -> list[str]:
    """The nodes with the most failed questions, until each question is one of theirs."""
    left, chosen = list(failed), []
    while left:
        counts = Counter(node for each in left for node in (each.node, each.on))
        worst = min(counts, key=lambda node: (-counts[node], -suspected[node], node))
        chosen.append(worst)
        left = [each for each in left if worst not in (each.node, each.on)]
    return chosen


def peer_fault(node: str, between: Sequence[NodeAnswer], failed: Sequence[NodeAnswer], only_two: bool) -> InsideFault:
    """The words for one node."""
    asks = [each for each in between if each.node == node]
    unheard = [each for each in failed if each.node == node]
    askers = nodes_of(each for each in between if each.on == node)
    deaf = nodes_of(each for each in failed if each.on == node)
    said = [f"from {node}, {len(unheard)} of {len(asks)} pods on other nodes do not answer"] if unheard else []
    said += [f"pods on {node} do not answer {len(deaf)} of {counted(len(askers), 'other node')}"] if deaf else []
    why = common_problem([*unheard, *(each for each in failed if each.on == node)])
    rest = [each for each in between if node not in (each.node, each.on)]
    if only_two:
        said.append("of two nodes it cannot be told for certain which is broken")
    elif rest and all(each.answered for each in rest if each.strict):
        said.append("the other nodes reach each other")
    return InsideFault(f"Node/{node}", f"{'; '.join(said)} ({why})")
