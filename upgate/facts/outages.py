"""When an API server was away: controllers that lose their lease then end by themselves, and are started again.

https://kubernetes.io/docs/concepts/architecture/leases/#leader-election
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from upgate.facts.pods import Pod

Lists = Mapping[str, list[Any]]
#: What kubeadm, and whoever follows it, calls the static pod of an API server: its label `component`.
API_SERVER = "kube-apiserver"
#: A new version's mirror is made once it answers; a static pod may take so long until then.
COMING = timedelta(minutes=3)
#: A lease is held for 15 s by default, and for up to a minute by those who change that.
LEASE = timedelta(minutes=1)


class Downtime(NamedTuple):
    """A time without an API server."""

    gone: datetime
    back: datetime
    #: So much earlier it may have begun.
    lead: timedelta = timedelta(0)

    def holds(self, end: datetime) -> bool:
        """It was then, or a moment before. Only differences: the sum of a time and a patience may be none."""
        return self.gone - end <= self.lead and end - self.back <= LEASE


class Outages:
    """The times when an API server of the cluster was replaced or restarted, where its static pods tell."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        servers = (pod for pod in lists["pods"] if is_api_server(pod))
        self._spans = [span for pod in servers for span in away(pod)]

    def ended(self, pod: Pod) -> bool:
        """One of its containers ended by itself in such a time, or as long after it as a lease holds."""
        ends = [end.finished_at for each in pod.statuses for end in each.ends if end.exit_code and end.finished_at]
        return any(span.holds(end) for end in ends for span in self._spans)


def is_api_server(pod: Pod) -> bool:
    """It is the mirror of an API server: only a kubelet may make those in the cluster's own namespace."""
    return pod.mirror and pod.namespace == "kube-system" and pod.labels.get("component") == API_SERVER


def away(server: Pod) -> Iterator[Downtime]:
    """When it was not there: before it was made, and between two runs."""
    if made := server.metadata.creation_timestamp:
        yield Downtime(made, made, COMING)
    for each in server.statuses:
        run, end = each.now.running, each.last_end
        if run and run.started_at and end and end.finished_at:
            yield Downtime(end.finished_at, run.started_at)
