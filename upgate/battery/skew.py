"""Which versions may stand beside each other, now and after the upgrade.

https://kubernetes.io/releases/version-skew-policy/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from upgate.base.errors import Inconclusive
from upgate.base.text import counted
from upgate.base.versions import minor_of
from upgate.battery.node_demands import is_as

Minor = tuple[int, int]
#: From this minor of the API server on kubelets and kube-proxies may be three minors older (KEP-3935); before, two.
WIDER: Minor = (1, 28)


@dataclass(frozen=True)
class Skew:
    """The policy around the API server's version."""

    server: str
    #: What `-m preflight` judges as well: the version that the upgrade leads to.
    coming: str = ""

    @property
    def minor(self) -> str:
        """The API server's minor: `1.36`."""
        major, minor = readable(self.server)
        return f"{major}.{minor}"

    def on_nodes(self, version: str, others: Iterable[str] = ()) -> str:
        """Why a kubelet or kube-proxy of that version is out of policy; `others`: further API servers. Empty where it is not.

        Raises ValueError where the version cannot be read.
        """
        return newer(version, (self.server, *others)) or self._too_old(version, (self.server, *others))

    def each_on_nodes(self, versions: Iterable[str], others: Sequence[str] = ()) -> str:
        """The same of many, each version once, with how many they are."""
        counts = Counter(versions)
        said = {version: self.on_nodes(version, others) for version in sorted(counts)}
        return "; ".join(f"{counted(counts[each], 'pod')}: {why}" for each, why in said.items() if why)

    def meets(self, version: str, wanted: str) -> bool:
        """It is the wanted one, begins with it, is in the range, or like the pattern. Raises ValueError for an unreadable one."""
        return bool(readable(version)) and is_as(version, wanted)

    def in_control_plane(self, version: str, servers: Sequence[str]) -> str:
        """The same of a controller manager or scheduler, beside the API servers that it may call."""
        servers = servers or [self.server]
        return newer(version, servers) or older(version, latest_version(servers), 1) or self._left_behind(version)

    def among_servers(self, version: str, others: Sequence[str]) -> str:
        """The same of an API server beside the others."""
        return older(version, latest_version([self.server, *others]), 1) or self._left_behind(version)

    def _too_old(self, version: str, servers: Sequence[str]) -> str:
        newest = latest_version(servers)
        now = older(version, newest, allowed_skew(newest))
        return now or (older(version, self.coming, allowed_skew(self.coming), COMING) if self.coming else "")

    def _left_behind(self, version: str) -> str:
        """An upgrade leads from one minor to the next: what is older than the present one is left behind by its first step."""
        if not self.coming or readable(self.coming) <= readable(self.server):
            return ""
        return older(version, self.minor, 0, "the present one, from which the upgrade begins")


#: What is said of a version that the upgrade leads to.
COMING = "which the upgrade brings"


def readable(version: str) -> Minor:
    """Major and minor, also of `>=1.37`. Raises ValueError where there are none."""
    minor = minor_of(version.lstrip("<>=! "))
    if minor is None:
        raise ValueError(f"version {version!r} cannot be read")
    return minor


def allowed_skew(server: str) -> int:
    """How many minors older than this API server kubelets and kube-proxies may be."""
    return 3 if readable(server) >= WIDER else 2


def latest_version(versions: Iterable[str]) -> str:
    """The one of the latest minor."""
    return max(versions, key=readable)


def newer(version: str, servers: Iterable[str]) -> str:
    """It is of a later minor than one of these API servers. Empty where it is not."""
    oldest = min(servers, key=readable)
    return f"{version} is newer than the API server's {oldest}" if readable(version) > readable(oldest) else ""


def older(version: str, server: str, most: int, what: str = "the API server's") -> str:
    """It is too many minors older than that. Empty where it is not."""
    (major, minor), (major_of, minor_of_server) = readable(version), readable(server)
    behind = (major_of - major) * 100 + minor_of_server - minor
    if behind <= most:
        return ""
    than = f"{server}, {what}" if what != "the API server's" else f"{what} {server}"
    return f"{version} is {counted(behind, 'minor')} older than {than}"


def skew_around(server: str, coming: str) -> Skew:
    """The policy around these versions. Raises Inconclusive where one of them cannot be read."""
    try:
        readable(server), readable(coming or server)
    except ValueError as problem:
        raise Inconclusive(f"{problem}, so nothing can be compared with it") from problem
    return Skew(server, coming)
