"""Defaults that a release of Kubernetes changes by itself, and settings that it adds: so that a difference can be told with its
release. Only what the release notes or the configuration's own reference say is here.

The reference of each release: k8s.io/kubelet config/v1beta1/types.go, k8s.io/kube-proxy config/v1alpha1/types.go.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from upgate.base.versions import minor_of

#: Any value.
ANY = "*"
CHANGELOG = "https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-{}.md"
KUBELET_REFERENCE = "https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/"
#: kubeadm's default.
CGROUP_DRIVER = "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/configure-cgroup-driver/"


class Default(NamedTuple):
    """What one release changes."""

    component: str
    setting: str
    release: str
    #: None: there was no such setting, or it was not set.
    old: str | None
    new: str | None
    source: str

    @property
    def said(self) -> str:
        """`Kubernetes 1.27 changed this default: https://…`."""
        return f"Kubernetes {self.release} changed this default: {self.source}"

    def explains(self, old: str | None, new: str | None, was: str, version: str) -> bool:
        """The values are its own, and its release lies between the versions."""
        here, there, release = minor_of(was), minor_of(version), minor_of(self.release)
        crossed = here is not None and there is not None and release is not None and here < release <= there
        return crossed and self.old in (ANY, old) and self.new in (ANY, new)


def kubelet(release: str, setting: str, old: str | None, new: str | None) -> Default:
    """A setting of the kubelet."""
    return Default("Kubelet", setting, release, old, new, KUBELET_REFERENCE)


def api_server(release: str, setting: str, old: str | None, new: str | None) -> Default:
    """A flag of the API server."""
    return Default("APIServer", setting, release, old, new, CHANGELOG.format(release))


def etcd(flag: str, old: str | None, new: str | None) -> Default:
    """A flag of the static pod that kubeadm 1.34 and later write for etcd 3.6."""
    source = "https://github.com/kubernetes/kubernetes/pull/132838"
    return Default("StaticPod", f"etcd/{flag}", "1.34", old, new, source)


DEFAULTS: tuple[Default, ...] = (
    Default("Kubelet", "cgroupDriver", "1.22", "cgroupfs", "systemd", CGROUP_DRIVER),
    # https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-1.27.md
    kubelet("1.27", "eventRecordQPS", "5", "50"),
    kubelet("1.27", "eventBurst", "10", "100"),
    kubelet("1.27", "kubeAPIQPS", "5", "50"),
    kubelet("1.27", "kubeAPIBurst", "10", "100"),
    kubelet("1.27", "memoryThrottlingFactor", "0.8", "0.9"),
    kubelet("1.27", "containerRuntimeEndpoint", None, ANY),
    kubelet("1.27", "imageServiceEndpoint", None, ANY),
    kubelet("1.30", "podLogsDir", None, "/var/log/pods"),
    kubelet("1.30", "containerLogMaxWorkers", None, "1"),
    kubelet("1.30", "containerLogMonitorInterval", None, "10s"),
    kubelet("1.33", "imagePullCredentialsVerificationPolicy", None, "NeverVerifyPreloadedImages"),
    # https://kubernetes.io/docs/concepts/architecture/cgroups/#deprecation-of-cgroup-v1
    kubelet("1.35", "failCgroupV1", "false", "true"),
    kubelet("1.35", "failCgroupV1", None, "true"),
    kubelet("1.35", "imagePullCredentialsVerificationPolicy", None, "NeverVerifyPreloadedImages"),
    kubelet("1.35", "crashLoopBackOff.maxContainerRestartPeriod", None, "5m0s"),
    kubelet("1.36", "memoryReservationPolicy", None, "None"),
    kubelet("1.37", "memoryThrottlingFactor", "0.9", None),
    # `kube-apiserver --help` of 1.35 and of 1.36
    api_server("1.36", "--audit-log-maxage", "0", "366"),
    api_server("1.36", "--audit-log-maxbackup", "0", "100"),
    api_server("1.36", "--audit-log-maxsize", "0", "100"),
    etcd("--experimental-initial-corrupt-check", "true", None),
    etcd("--feature-gates", None, "InitialCorruptCheck=true"),
    etcd("--experimental-watch-progress-notify-interval", "5s", None),
    etcd("--watch-progress-notify-interval", None, "5s"),
)
BY_SETTING: dict[tuple[str, str], list[Default]] = defaultdict(list)
for _each in DEFAULTS:
    BY_SETTING[_each.component, _each.setting].append(_each)


def default_of(
    component: str, setting: str, old: str | None, new: str | None, was: str, version: str
) -> Default | None:
    """The entry that explains a change; None where none does."""
    known = BY_SETTING.get((component, setting), ())
    return next((each for each in known if each.explains(old, new, was, version)), None)
