"""What the profile's `mesh:` expects of revisions, tags and namespaces, joined with those that there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from upgate.base.versions import satisfies, version_parts
from upgate.battery.expectations import same_image
from upgate.battery.judgement import Judgement, Subjects
from upgate.battery.mesh_parts import ActiveRevision, RevisionTag
from upgate.facts.deployments import Deployment
from upgate.facts.mesh_objects import DEFAULT
from upgate.facts.namespaces import Namespace
from upgate.facts.revisions import HOME, ISTIOD, Revisions, image_of, revision_of
from upgate.facts.services import Service
from upgate.facts.sidecars import INJECTION_LABEL, REVISION_LABEL, says_version, tagged_version

if TYPE_CHECKING:
    from upgate.profile.objects import ExpectedMesh


class MeshRevisions:
    """What must be true of revisions, tags and namespaces."""

    def __init__(self, expected: ExpectedMesh | None, revisions: Revisions, judgement: Judgement) -> None:
        self._revisions = revisions
        self._judgement = judgement
        self._expect = expected.expect or "" if expected else ""
        self._tags = expected.tags if expected else {}
        self._retired = expected.retired if expected else ()
        self._revision = expected.revision or "" if expected else ""
        #: The revisions that the profile names as those to be; empty where it names none.
        self._declared = list(dict.fromkeys(filter(None, (self._revision, *self._tags.values()))))

    def admits(self, revision: str) -> bool:
        """The revision is one of those to be; where the profile names none, all that are not retired are."""
        return revision in self._declared if self._declared else revision not in self._retired

    @property
    def wanted(self) -> str:
        """The revisions to be, in words."""
        return " or ".join(self._declared) or "a revision that runs"

    @property
    def wanted_label(self) -> str:
        """What a namespace should say."""
        return (
            f"one label, such as {REVISION_LABEL}={self._declared[0]}"
            if self._declared
            else f"one label, of {self.wanted}"
        )

    @property
    def control_planes(self) -> Subjects[ActiveRevision]:
        """The revisions that must run."""
        names = self._declared or [each for each in self._revisions.living if each not in self._retired]
        return Subjects("revisions", [self._plane(each) for each in names], self._judgement)

    def _plane(self, revision: str) -> ActiveRevision:
        istiods: list[Deployment] = self._revisions.istiods.get(revision, [])
        name = ISTIOD if revision == DEFAULT else f"{ISTIOD}-{revision}"
        return ActiveRevision(revision, istiods[0].ref if istiods else f"Deployment/{HOME}/{name}", istiods)

    def broken(self, plane: ActiveRevision) -> str:
        """What is missing of a revision that must run. Empty where nothing is."""
        return "; ".join(filter(None, [self._absent(plane), self._outdated_istiod(plane), self._unready(plane)]))

    def starting(self, plane: ActiveRevision, moment: datetime) -> bool:
        """All that is missing are replicas, and they are being rolled out."""
        rolls = all(not each.unready() or each.rolling_out(moment) for each in plane.istiods)
        return rolls and not self._absent(plane) and not self._outdated_istiod(plane)

    def _unready(self, plane: ActiveRevision) -> str:
        return "; ".join(filter(None, (each.unready() for each in plane.istiods if each.desired)))

    def _absent(self, plane: ActiveRevision) -> str:
        revision = plane.name
        if not self._revisions.alive(revision):
            return f"revision {revision} has no istiod that runs"
        if revision in self._revisions.injectors or self._revisions.elsewhere(revision):
            return ""
        tagged = any(revision_of(each) == revision for each in self._revisions.tags.values())
        return "" if tagged else f"no MutatingWebhookConfiguration injects for revision {revision}"

    def _outdated_istiod(self, plane: ActiveRevision) -> str:
        if not self._expect or is_image(self._expect) or self._revision not in ("", plane.name):
            return ""
        old = [image for image in map(image_of, plane.istiods) if image and not self._fits(image, self._expect)]
        return f"istiod has image {old[0]}, not version {self._expect}" if old else ""

    @property
    def entrances(self) -> Subjects[Service]:
        """The Services of whatever names no revision: `istiod`."""
        services = [each for each in self._revisions.services.values() if each.name == ISTIOD and each.spec.selector]
        return Subjects("Services of istiod", services, self._judgement)

    @property
    def default(self) -> str:
        """The revision of whatever names none."""
        return self._tags.get(DEFAULT) or self._revision or self._revisions.default

    def misled(self, service: Service) -> str:
        """The Service leads to other revisions than it must. Empty where it leads to the right one."""
        found = self._revisions.selected_by(service)
        if self._revisions.elsewhere(self.default):
            return ""
        if not found:
            return f"its selector matches no istiod: {selector_of(service)}"
        wrong = sorted(found - {self.default}) if self.default else sorted(found & {*self._retired})
        return f"leads to the istiod of revision {', '.join(wrong)}: {selector_of(service)}" if wrong else ""

    @property
    def tags(self) -> Subjects[RevisionTag]:
        """The tags that there are, and those that there must be."""
        return Subjects("revision tags", list(self._all_tags()), self._judgement)

    def _all_tags(self) -> Iterator[RevisionTag]:
        for name in sorted({*self._revisions.tags, *self._tags}):
            webhook = self._revisions.tags.get(name)
            ref = webhook.ref if webhook else f"MutatingWebhookConfiguration/istio-revision-tag-{name}"
            yield RevisionTag(name, ref, webhook)

    def target(self, tag: RevisionTag) -> str:
        """The revision that a tag must point at, in words."""
        return f"tag {tag.name} of revision {self._tags.get(tag.name) or self.wanted}"

    def mistagged(self, tag: RevisionTag) -> str:
        """The tag points elsewhere. Empty where it points at the right revision."""
        if tag.webhook is None:
            return f"no MutatingWebhookConfiguration has the tag {tag.name}"
        points, wanted = revision_of(tag.webhook), self._tags.get(tag.name)
        if points != wanted if wanted else not self.admits(points):
            return f"tag {tag.name} points at revision {points}"
        called = sorted(self._revisions.called_by(tag.webhook) - {points})
        if called:
            return f"tag {tag.name} is labelled with revision {points}, and calls the istiod of {', '.join(called)}"
        dead = points not in self._declared and not self._revisions.alive(points)
        return f"tag {tag.name} points at revision {points}, which has no istiod that runs" if dead else ""

    def mislabelled(self, namespace: Namespace) -> str:
        """The labels of a namespace mean no revision, or a wrong one. Empty where they are right, or where a tag is wrong."""
        labels = namespace.labels
        injection, name = labels.get(INJECTION_LABEL), labels.get(REVISION_LABEL)
        said = f"{INJECTION_LABEL}={injection}" if injection is not None else f"{REVISION_LABEL}={name}"
        if injection is not None and name is not None:
            return f"has both labels {said} and {REVISION_LABEL}={name}: the first decides"
        if injection is not None and injection != "enabled":
            return ""
        if injection and not self._revisions.injects_by_default:
            return "" if DEFAULT in self._tags else f"{said}: no webhook injects for namespaces without a revision"
        return self._misnamed(name or DEFAULT, said)

    def _misnamed(self, name: str, said: str) -> str:
        if name in self._revisions.tags or name in self._tags:
            return ""  # mesh.revision-tag judges where it points
        if name in self._declared:
            return ""  # mesh.control-plane judges whether it runs
        if not self._revisions.alive(name):
            return f"{said} names neither a revision that runs nor a tag"
        if not self.admits(name):
            return said
        injects = name in self._revisions.injectors or self._revisions.elsewhere(name)
        return "" if injects else f"{said}: no webhook injects for this revision"

    def _fits(self, image: str, wanted: str) -> bool:
        if is_image(wanted):
            return same_image(image, wanted)
        version = tagged_version(image)
        if wanted != self._expect:
            return version_parts(version) == version_parts(wanted)
        return says_version(version) and satisfies(version, wanted)


def is_image(wanted: str) -> bool:
    """The profile expects an image, not a version."""
    return "/" in wanted or "@" in wanted


def selector_of(service: Service) -> str:
    """Its selector, in words."""
    return ",".join(f"{key}={value}" for key, value in (service.spec.selector or {}).items())
