"""What another monitor says: alerts that fire, and the values of queries, with the objects that their labels name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

Labels = dict[str, str]
#: The name of an object of Kubernetes. Anybody who exports a metric writes labels.
OBJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
#: Labels of kube-state-metrics that name an object in a namespace, and its kind. A workload before a pod: beside it, the pod
#: may be the one that was asked for the metric.
#: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics
IN_NAMESPACE = {
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "replicaset": "ReplicaSet",
    "job_name": "Job",
    "cronjob": "CronJob",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler",
    "poddisruptionbudget": "PodDisruptionBudget",
    "resourcequota": "ResourceQuota",
    "ingress": "Ingress",
}
#: Labels that name an object without a namespace.
ANYWHERE = {"node": "Node", "persistentvolume": "PersistentVolume"}
#: Pods that tell of other objects: where their own name is in a label, the alert is not about them.
EXPORTERS = re.compile(r"kube-state-metrics|prometheus|blackbox-exporter|thanos-ruler", re.ASCII)
#: Characters of a label's value that are shown.
LONGEST_VALUE = 120
#: Labels that say which program was asked for the metric, not what is wrong.
ABOUT_SCRAPING = (
    "alertname",
    "alertstate",
    "endpoint",
    "prometheus",
    "prometheus_replica",
    "service",
    "uid",
    "__name__",
)


class FiringAlert(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alert that fires."""

    name: str
    labels: Labels = {}
    #: When its condition became true.
    since: datetime | None = None
    summary: str = ""

    @property
    def about(self) -> str:
        """The object that it is about; `Alert/name` where its labels name none."""
        return object_in(self.labels) or f"Alert/{self.name}"

    @property
    def is_silent(self) -> bool:
        """It says nothing: kube-prometheus gives Watchdog and InfoInhibitor, which always fire, severity none."""
        return self.labels.get("severity") == "none"

    @property
    def is_information(self) -> bool:
        """Nobody need act on it, it says itself."""
        return self.labels.get("severity", "").lower() in ("info", "informational")


class BrokenRule(msgspec.Struct, frozen=True):
    """An alerting rule that could not be evaluated."""

    name: str
    labels: Labels
    problem: str


class QueriedSample(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value in the answer to a query."""

    labels: Labels
    #: As Prometheus writes it: JSON knows neither NaN nor Inf. Empty where it is not one number.
    value: str


class Answered(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to one query."""

    query: str
    samples: list[QueriedSample] = []
    #: Why there is none; empty where there is one.
    problem: str = ""
    #: What it lacks, one sentence each.
    gaps: list[str] = []


class MonitorAnswers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one Prometheus said."""

    #: Its address, without credentials.
    url: str = ""
    #: How many alerting rules it has; of the ALERTS series how many names there are.
    rules: int = 0
    alerts: list[FiringAlert] = []
    broken: list[BrokenRule] = []
    #: Why the alerts could not be asked for; empty where they could.
    problem: str = ""
    #: What is missing of them, one sentence each.
    gaps: list[str] = []
    answers: list[Answered] = []


def object_in(labels: Mapping[str, str]) -> str:
    """`Kind/namespace/name` or `Kind/name` of the object that labels name; empty where they name none.

    `exported_pod` and so on are the metric's own where the scrape added labels of the same name.
    """
    own = {key.removeprefix("exported_"): value for key, value in labels.items() if key.startswith("exported_")}
    said = {key: value for key, value in {**labels, **own}.items() if OBJECT_NAME.fullmatch(value)}
    home = said.get("namespace", "")
    for label, kind in IN_NAMESPACE.items() if home else ():
        if label in said:
            return f"{kind}/{home}/{said[label]}"
    pod = said.get("pod", "")
    if home and pod and not EXPORTERS.search(pod):
        return f"Pod/{home}/{pod}"
    named = next((f"{kind}/{said[label]}" for label, kind in ANYWHERE.items() if label in said), "")
    return named or (f"Pod/{home}/{pod}" if home and pod and EXPORTERS.search(said.get("job", pod)) is None else "")


def labels_in_words(labels: Mapping[str, str], most: int = 12) -> str:
    """Labels for people: `namespace=shop, pod=web-1`, without those that tell of scraping."""
    told = {key: value for key, value in sorted(labels.items()) if key not in ABOUT_SCRAPING}
    pairs = [f"{key}={shortened(value)}" for key, value in list(told.items())[:most]]
    return ", ".join(pairs) + (f" and {len(told) - most} more" if len(told) > most else "")


def shortened(value: str) -> str:
    """A value of bounded length, on one line."""
    line = " ".join(value[: 2 * LONGEST_VALUE].split())
    return line if len(line) <= LONGEST_VALUE else f"{line[:LONGEST_VALUE]}…"
