"""Inputs that the API server was asked for beside its lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from upgate.base.errors import Inconclusive
from upgate.battery.counters import Counters
from upgate.battery.drift import KUBELET, of_cluster
from upgate.battery.expectations import Server
from upgate.battery.from_inside import FromInside
from upgate.battery.judgement import Subjects
from upgate.battery.logs import ControlLogs, LastWords
from upgate.battery.mesh_parts import ConnectedProxy, connected_proxies
from upgate.battery.reader import EvidenceReader
from upgate.battery.secrets import ALLOWED, SecretNames
from upgate.battery.skew import Skew, skew_around
from upgate.facts.api_servers import ApiServerFault
from upgate.facts.counting import Counting
from upgate.facts.credentials import Credential, ServingCertificate
from upgate.facts.custom_reads import CustomReads
from upgate.facts.drift import ComparedSetting
from upgate.facts.kubelets import KubeletAnswer
from upgate.facts.relations import ALLOWED_ASIDES
from upgate.facts.release_changes import Change, changes_between
from upgate.facts.settings import Configuration


class ServerInputs(EvidenceReader):
    """What the API server was asked beside its lists."""

    @property
    def health(self) -> Subjects[Any]:
        """The API server's health endpoints."""
        self._refuse_gap("health")
        return Subjects("health endpoints", self._evidence.snapshot.health, self.judgement)

    @property
    def metrics(self) -> Counters:
        """What the API server has counted. Raises Inconclusive."""
        snapshot, before = self._evidence.snapshot, self.baseline
        seen = self._seen("metrics", snapshot.metrics)
        own = sum("not permitted" in gap for gap in snapshot.gaps.values())
        return Counters(Counting(seen, self.since, before.counters if before else None), self.judgement, own)

    @property
    def custom_reads(self) -> CustomReads:
        """What came of listing the custom resources. Raises Inconclusive."""
        reads = self._seen("custom_reads", self._evidence.snapshot.custom_reads)
        self.judgement.gaps += reads.gaps
        return reads

    @property
    def server(self) -> Subjects[Server]:
        """The API server, as it names its version."""
        self._refuse_gap("version")
        return Subjects("API servers", [Server(self._evidence.snapshot.version or "")], self.judgement)

    @property
    def skew(self) -> Skew:
        """Which versions may stand beside the API server's, and with `-m preflight` beside the next. Raises Inconclusive."""
        self._refuse_gap("version")
        return skew_around(self._evidence.snapshot.version or "", self.coming_version)

    @property
    def coming_version(self) -> str:
        """The next version, where it is asked before an upgrade; else empty. Raises Inconclusive."""
        return self.next_version if self.preflight else ""

    @property
    def coming_changes(self) -> Subjects[Change]:
        """What the releases on the way to the next version change, here or elsewhere. Raises Inconclusive."""
        changes = changes_between(self._evidence.snapshot.version or "", self.next_version)
        return Subjects("changes of releases", changes, self.judgement)

    @property
    def secret_names(self) -> SecretNames:
        """Which Secrets there are, where the profile's `allow:` names secrets; else nothing is said of them."""
        if ALLOWED not in self.profile.allow:
            return SecretNames(None)
        self.judgement.gaps += self._evidence.unreadable("secret_metadata")
        return SecretNames(self._evidence.snapshot.facts("secret_metadata"))

    @property
    def api_certificates(self) -> Subjects[ServingCertificate]:
        """The certificates that the API server serves with, and its authority's; none where it is asked through plain http."""
        found = self._seen("api_certificates", self._evidence.snapshot.api_certificates)
        return Subjects("certificates", found, self.judgement)

    @property
    def credentials(self) -> Subjects[Credential]:
        """What we log in with, as far as nothing renews it by itself."""
        found = self._seen("credentials", self._evidence.snapshot.credentials)
        return Subjects("credentials", found, self.judgement)

    @property
    def api_servers(self) -> Subjects[ApiServerFault]:
        """The API servers one by one, as far as they can be reached from here. Raises Inconclusive."""
        for noun in ("endpointslices", "nodes"):
            self._refuse_gap(noun)
        seen = self._seen("api_servers", self._evidence.snapshot.api_servers)
        self.judgement.gaps += [*self._evidence.unreadable("endpointslices"), *self._evidence.unreadable("nodes")]
        return Subjects("API servers", seen.judged, self.judgement)

    @property
    def kubelet_answers(self) -> Subjects[KubeletAnswer]:
        """Whether the API server reaches each kubelet. Raises Inconclusive."""
        seen = self._seen("kubelet_answers", self._evidence.snapshot.kubelet_answers)
        self.judgement.gaps += seen.gaps
        return Subjects("kubelets", seen.judged, self.judgement)

    @property
    def crash_logs(self) -> LastWords:
        """What pods that crash wrote last, where the profile's allow: names logs. They only explain: no gap of theirs counts."""
        snapshot = self._evidence.snapshot
        return LastWords(snapshot.crash_logs or (), snapshot.lists.get("warnings", ()))

    @property
    def control_logs(self) -> ControlLogs:
        """The logs of the control plane since the reference time. Raises Inconclusive."""
        seen = self._seen("control_logs", self._evidence.snapshot.control_logs)
        return ControlLogs(seen, self.since, self.profile.logs, self.judgement)

    @property
    def probed(self) -> FromInside:
        """What the nodes answer from inside, where the profile has `probe:`. Raises Inconclusive."""
        return FromInside(self._seen("probed", self._evidence.snapshot.probed), self.profile.probe, self.judgement)

    @property
    def proxies(self) -> Subjects[ConnectedProxy]:
        """The proxies that istiod knows. Raises Inconclusive, also where the profile does not allow to ask it."""
        word = ALLOWED_ASIDES["proxies"]
        if word not in self.profile.allow:
            raise Inconclusive(
                f"istiod was not asked: the profile's allow: does not name {word}; "
                "`checks: {mesh.proxies-synced: off}` leaves the check out"
            )
        seen = self._seen("proxies", self._evidence.snapshot.proxies)
        self.judgement.gaps += seen.unanswered
        return Subjects("proxies", connected_proxies(seen, self.profile.scope.namespaces), self.judgement)

    @property
    def configuration(self) -> Subjects[ComparedSetting]:
        """The settings of the cluster's components, compared with the baseline; none without one. Raises Inconclusive."""
        return self._settings_seen("configuration", self._evidence.snapshot.configuration, of_cluster)

    @property
    def kubelet_settings(self) -> Subjects[ComparedSetting]:
        """The settings of the kubelets, where the profile allows to ask them, compared with the baseline. Raises Inconclusive."""
        if ALLOWED_ASIDES["kubelet_settings"] not in self.profile.allow:
            return Subjects("settings", [], self.judgement)
        return self._settings_seen(
            "kubelet_settings", self._evidence.snapshot.kubelet_settings, lambda kind: kind == KUBELET
        )

    def _settings_seen(
        self, name: str, now: Configuration | None, counts: Callable[[str], bool]
    ) -> Subjects[ComparedSetting]:
        """Some components, compared with the baseline; none without one. Raises Inconclusive."""
        self._seen(name, now)
        return self._compared_settings(counts)
