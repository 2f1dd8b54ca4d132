"""The input `mesh`: what the profile's `mesh:` expects, joined with the revisions that there are."""

from __future__ import annotations

from functools import cached_property

from upgate.base.versions import satisfies
from upgate.battery.mesh_parts import ConnectedProxy
from upgate.battery.mesh_revisions import MeshRevisions, is_image
from upgate.facts.meta import KubernetesObject
from upgate.facts.pods import Pod
from upgate.facts.revisions import is_of
from upgate.facts.sidecars import (
    AUTO,
    PROXY,
    named_revision,
    proxies_of,
    says_version,
    waits_for_image,
    wants_sidecar,
    was_injected,
)


class Mesh(MeshRevisions):
    """What must be true of the mesh."""

    def lacks_sidecar(self, pod: Pod) -> str:
        """The pod has no sidecar, and should have one. Empty where it has."""
        if was_injected(pod):
            return ""
        if waits_for_image(pod):
            return f"container {PROXY} has image {AUTO}: no webhook has injected the real one"
        return f"no container {PROXY}"

    def wants_sidecar(self, pod: Pod) -> bool:
        """The pod's labels, and those of its namespace, ask for a sidecar."""
        home = self._revisions.namespaces.get(pod.namespace)
        return wants_sidecar(pod, home.labels if home else {})

    def has_proxy(self, pod: Pod) -> bool:
        """Istio's proxy runs in the pod, injected or not."""
        return bool(proxies_of(pod)) and not waits_for_image(pod)

    def outdated(self, pod: Pod) -> str:
        """The pod's proxy has another version than it must have, or is of another revision. Empty where all is well.

        Raises ValueError where a version is not known.
        """
        revision = self._revisions.of_pod(pod) if named_revision(pod) else ""
        return "; ".join(filter(None, [self._wrong_image(pod, revision), self._wrong_revision(revision)]))

    def expected_proxy(self, pod: Pod) -> str:
        """What the pod's proxy must be, in words."""
        revision = self._revisions.of_pod(pod) if named_revision(pod) else ""
        version = self._version_of(revision)
        known = [f"version {version}" if version and not is_image(version) else version, f"revision {self.wanted}"]
        return f"{PROXY} of " + ", ".join(filter(None, known))

    def _wrong_revision(self, revision: str) -> str:
        if revision and not self.admits(revision):
            return f"of revision {revision}"
        dead = revision and revision not in self._declared and not self._revisions.alive(revision)
        return f"of revision {revision}, which has no istiod that runs" if dead else ""

    def _wrong_image(self, pod: Pod, revision: str) -> str:
        wanted = self._version_of(revision)
        if not wanted and self._wrong_revision(revision):
            return ""
        if not wanted:
            raise ValueError("the version of its istiod is not known here: say mesh.expect in the profile")
        wrong = [each.image for each in proxies_of(pod) if not self._fits(each.image, wanted)]
        return "; ".join(f"container {PROXY} has image {image}" for image in wrong)

    def _version_of(self, revision: str) -> str:
        """The version that proxies of a revision must have. Empty where that is not known."""
        aside = self._revision and revision != self._revision and revision in self._declared
        if self._expect and not aside:
            return self._expect
        right = revision if revision and self.admits(revision) else self.default
        return self._revisions.version(right)

    def out_of_sync(self, proxy: ConnectedProxy) -> str:
        """The proxy has not taken the latest configuration, or names another version than expected. Else empty."""
        version, wanted = proxy.sync.version, self._expect
        compared = version and wanted and not is_image(wanted) and self._only_one_version
        old = compared and not (says_version(version) and satisfies(version, wanted))
        return "; ".join(filter(None, [proxy.stale, f"runs version {version}" if old else ""]))

    @cached_property
    def _only_one_version(self) -> bool:
        return {*self._declared} <= {self._revision}

    def retired(self, item: KubernetesObject) -> str:
        """The retired revision that an object is left of. Empty where it is of none."""
        left = next((each for each in self._retired if is_of(item, each)), "")
        return f"is left of revision {left}" if left else ""
