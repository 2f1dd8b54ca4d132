"""Results for the tests of the reports: the smallest, the typical, the huge and the hostile."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from upgate.results import EXIT_CODES, CheckResult, ClusterSummary, Finding, Results, decide

STARTED = datetime(2026, 11, 21, 1, 2, 3, 456_789, tzinfo=UTC)
FINISHED = datetime(2026, 11, 21, 1, 2, 7, 900_000, tzinfo=UTC)
SERVER = ClusterSummary(server="https://10.20.0.1:6443", version="v1.36.3", nodes=12, pods=412)
GONE = "the API server at https://10.20.0.1:6443 cannot be reached: connection refused"
HOSTILE = "<script>alert(1)</script></script>\"'><img src=x onerror=alert(2)> & ${HOME} $title"
ANSI = "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]52;c;cm0gLXJm\x1b\\\x9b2J\x00\x08\x7f\u202eevil\ud800\ufffe\r"


def finding(obj: str, observed: str, **more: Any) -> Finding:
    return Finding(object=obj, observed=observed, **({"expected": "as declared"} | more))


def result(id: str, outcome: str = "passed", *findings: Finding, **more: Any) -> CheckResult:
    fields = {"severity": "critical", "title": f"Title of {id}.", "examined": 12, "duration": 0.0042} | more
    return CheckResult(id=id, outcome=outcome, findings=findings, **fields)


def results(*checks: CheckResult, **more: Any) -> Results:
    verdict = decide(checks)
    fields = {
        "profile": "prod",
        "verdict": verdict,
        "exit_code": EXIT_CODES[verdict],
        "cluster": SERVER,
        "started": STARTED,
        "finished": FINISHED,
    }
    return Results(checks=checks, **(fields | more))


def crash(number: int, namespace: str = "shop") -> Finding:
    name = f"web-7d9f8c6b5-{number:05}"
    return finding(
        f"Pod/{namespace}/{name}",
        f"container app waits in CrashLoopBackOff, {number % 17 + 3} restarts, last exit 137 (OOMKilled)",
        expected="every container runs",
        hint=f"kubectl -n {namespace} logs {name} -c app --previous",
    )


PASSED = [result(f"{subject}.fine", examined=412, noun="pods") for subject in ("api", "certs", "dns", "jobs", "hpas")]


def healthy() -> Results:
    """Everything is as it should be."""
    return results(*PASSED, result("mesh.proxies-synced", "skipped", reason="the profile has no mesh:", examined=0))


def broken() -> Results:
    """A dozen kinds of trouble, with one cause and its consequences."""
    node = "nodes.ready: Node/worker-3"
    return results(
        *PASSED,
        result(
            "nodes.ready",
            "failed",
            finding(
                "Node/worker-3",
                "Ready=Unknown for 12m (Kubelet stopped posting node status.)",
                expected="Ready=True",
                hint="kubectl describe node worker-3",
            ),
            title="Every node is ready.",
            noun="nodes",
            why="A node that is not Ready gets no new pods, and its own are evicted after five minutes.",
        ),
        result(
            "deployments.ready",
            "failed",
            finding("Deployment/shop/web", "2 of 3 replicas available", expected="3 available", because=node),
            finding("Deployment/shop/cart", "0 of 1 replicas available", expected="1 available", because=node),
            finding("Deployment/pay/ledger", "ReplicaFailure: exceeded quota: cpu", expected="2 replicas created"),
            title="Every Deployment has all its replicas, updated and available.",
            noun="deployments",
            examined=40,
        ),
        result(
            "pods.crashing",
            "failed",
            *[crash(number) for number in range(47)],
            finding("Pod/batch/legacy-1", "CrashLoopBackOff", waived="OPS-812: leaks by design, until 2026-12-31"),
            title="No container is crashing.",
            noun="pods",
            examined=412,
            flapped=True,
        ),
        result(
            "pods.ready",
            "failed",
            finding("Pod/shop/cart-1", "Ready=False for 11m", expected="Ready=True", because=node),
            title="Every running pod is ready.",
            noun="pods",
            examined=412,
        ),
        result(
            "statefulsets.ready",
            "failed",
            finding(
                "StatefulSet/data/postgres",
                "2 of 3 pods on revision 7",
                expected="all pods on revision 7",
                transitional=True,
                hint="kubectl -n data rollout status statefulset/postgres",
            ),
            title="Every StatefulSet has all its replicas.",
            noun="statefulsets",
        ),
        result(
            "external.shop",
            "failed",
            finding(
                "https://shop.example.com/healthz?region=ap-northeast-1&depth=full",
                "503 after 120ms, body: upstream connect error or disconnect/reset before headers",
                expected="200 within 800ms",
                hint="Look at Service/shop/web: its endpoints, and the ingress controller's log.",
            ),
            title="https://shop.example.com/healthz answers as expected.",
            noun="URLs",
            examined=1,
        ),
        *[
            result(id, "inconclusive", reason="may not list events (403): grant list on events", examined=0)
            for id in ("pods.scheduler-silent", "nodes.stable", "events.warnings", "nodes.work")
        ],
        result(
            "services.endpoints-live", "inconclusive", reason="list of endpointslices broke off after 30s", examined=0
        ),
        result(
            "pods.bare",
            "warned",
            finding("Pod/tools/debug", "has no controller", expected="owned by a controller", severity="warning"),
            title="No pod is without a controller.",
            severity="warning",
            noun="pods",
            examined=412,
        ),
        result(
            "pods.restarts",
            "waived",
            finding("Pod/batch/legacy-2", "7 restarts", waived="OPS-812: leaks by design, until 2026-12-31"),
            title="No container restarted.",
            noun="pods",
            examined=412,
        ),
        result("mesh.proxies-synced", "skipped", reason="the profile has no mesh:", examined=0),
        reference=datetime(2026, 11, 21, 0, 0, tzinfo=UTC),
        notes=("Waiver pods.oom: Pod/batch/* matches nothing; remove it.",),
    )


def unreachable() -> Results:
    """Nobody answers: one failure, the rest not judged for the same reason."""
    ids = [f"{subject}.{property}" for subject in ("nodes", "pods", "services", "jobs") for property in "abcdefg"]
    answer = finding(
        "https://10.20.0.1:6443/readyz", "connection refused", expected="200", hint="curl -k https://…/readyz"
    )
    return results(
        result("api.ready", "failed", answer, title="The API server is ready.", noun="addresses", examined=1),
        *[result(id, "inconclusive", reason=GONE, examined=0) for id in ids],
        cluster=ClusterSummary(server="https://10.20.0.1:6443"),
    )


def huge(number: int = 3_000) -> Results:
    """One check with thousands of findings, in forty namespaces."""
    crashes = [crash(index, f"team-{index % 40}") for index in range(number)]
    return results(*PASSED, result("pods.crashing", "failed", *crashes, noun="pods", examined=54_000))


def hostile() -> Results:
    """Everything that comes from the cluster is an attack."""
    bad = finding(
        f"Pod/{ANSI}/{HOSTILE}",
        ANSI + HOSTILE + "\n" + "x" * 100_000,
        expected=HOSTILE + "\0" + ANSI,
        hint=f"kubectl {ANSI} {HOSTILE}",
        because=f"{HOSTILE}: {ANSI}",
    )
    namespaced = finding('Pod/"><img src=x>/web', '" onclick=alert(3) x="')
    covered = msgspec.structs.replace(bad, waived=HOSTILE + ANSI)
    told = {"title": HOSTILE + ANSI, "noun": HOSTILE, "why": ANSI + HOSTILE, "reason": HOSTILE + ANSI}
    return results(
        *[
            result(HOSTILE + ANSI + outcome, outcome, bad, covered, namespaced, **told)
            for outcome in ("failed", "inconclusive", "warned")
        ],
        result("pods.quiet", "inconclusive", reason=ANSI + HOSTILE),
        result("pods.quiet", "skipped", reason=ANSI + HOSTILE),
        profile=HOSTILE + ANSI,
        cluster=ClusterSummary(server=HOSTILE + ANSI, version=HOSTILE + ANSI),
        notes=(HOSTILE + ANSI,),
    )


EXAMPLES = (healthy, broken, unreachable, huge, hostile)


def test_the_examples_are_what_they_say():
    """The examples have the verdicts that the other tests take for granted."""
    assert [example().verdict for example in EXAMPLES] == ["clear", "not clear", "not clear", "not clear", "not clear"]
