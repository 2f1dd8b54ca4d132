"""What the API server is asked beside its lists, where a check takes it: each is a field of the snapshot, or a gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from upgate.base.waiting import Deadline
from upgate.sources.cluster.api_servers import ask_api_servers
from upgate.sources.cluster.configuration import read_configuration
from upgate.sources.cluster.connection import Connection
from upgate.sources.cluster.credentials import api_certificates, own_credentials
from upgate.sources.cluster.custom_reads import read_custom_resources
from upgate.sources.cluster.istiod import ask_istiods
from upgate.sources.cluster.kubelet_settings import read_kubelets
from upgate.sources.cluster.kubelets import ask_kubelets
from upgate.sources.cluster.listing import Listing
from upgate.sources.cluster.metrics import metrics_of
from upgate.sources.cluster.pod_logs import control_logs_of, crash_logs_of

#: Asked at once with the lists.
Aside = Callable[[Connection, Deadline], Any]
BESIDE: dict[str, Aside] = {
    "metrics": metrics_of,
    "api_certificates": api_certificates,
    "credentials": own_credentials,
}
#: Asked afterwards: what to ask follows from what was listed. The lists that could not be read are not in the mapping.
AFTERWARDS: dict[str, Callable[[Connection, Mapping[str, Listing], Deadline], Any]] = {
    "custom_reads": read_custom_resources,
    "proxies": ask_istiods,
    "configuration": read_configuration,
    "kubelet_settings": read_kubelets,
    "api_servers": ask_api_servers,
    "kubelet_answers": ask_kubelets,
    "crash_logs": crash_logs_of,
    "control_logs": control_logs_of,
}
