"""What the profile expects, joined with facts: the other nouns that checks take.

Each is a small object that says yes or no, or what it observed; none reads anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from upgate.base.scope import matches_scope
from upgate.base.versions import satisfies
from upgate.battery.judgement import Judgement
from upgate.facts.containers import Container
from upgate.facts.pods import Pod


@dataclass(frozen=True)
class Server:
    """The API server and its version."""

    version: str
    ref: str = "APIServer/version"

    @property
    def words(self) -> dict[str, str]:
        """Nothing that a hint would need."""
        return {}

    def satisfies(self, wanted: str) -> bool:
        """Its version is the wanted one, begins with it ("1.36"), or is in the range (">=1.35, <1.37")."""
        return satisfies(self.version, wanted)


class SidecarEntry(Protocol):
    """An entry of the profile's `sidecars:`."""

    @property
    def container(self) -> str: ...

    @property
    def namespaces(self) -> Sequence[str]: ...

    @property
    def image(self) -> str: ...


class Sidecars:
    """The containers that the profile names, and the images that it expects of them."""

    def __init__(self, entries: Sequence[SidecarEntry], judgement: Judgement) -> None:
        self._entries = entries
        self._judgement = judgement
        self._met: Counter[int] = Counter()

    def in_(self, pod: Pod) -> bool:
        """The pod has one of them."""
        return bool(self._pairs(pod))

    def unexpected(self, pod: Pod) -> str:
        """The images that are not as expected. Empty where all are."""
        wrong = [container for entry, container in self._pairs(pod) if not same_image(container.image, entry.image)]
        return "; ".join(f"container {container.name} has image {container.image}" for container in wrong)

    def expected(self, pod: Pod) -> str:
        """The images that its sidecars should have."""
        return ", ".join(f"{container.name}: {entry.image}" for entry, container in self._pairs(pod))

    def must_all_occur(self) -> None:
        """An entry that no container matches says nothing: the check is then inconclusive."""
        for number, entry in enumerate(self._entries):
            if not self._met[number]:
                where = ", ".join(entry.namespaces)
                self._judgement.gaps.append(f"no running pod in namespaces {where} has a container {entry.container}")

    def _pairs(self, pod: Pod) -> list[tuple[SidecarEntry, Container]]:
        pairs = [
            (n, e, c)
            for n, e in enumerate(self._entries)
            if matches_scope(pod.namespace, e.namespaces)
            for c in pod.containers
        ]
        found = [(number, entry, container) for number, entry, container in pairs if container.name == entry.container]
        self._met.update(number for number, _, _ in found)
        return [(entry, container) for _, entry, container in found]


def same_image(image: str, wanted: str) -> bool:
    """The image is as the pattern says. A digest behind its tag only counts if the pattern has one."""
    image, wanted = canonical_image(image), canonical_image(wanted)
    return fnmatchcase(image if "@" in wanted else image.partition("@")[0], wanted)


def canonical_image(image: str) -> str:
    """The image without Docker Hub's implied parts, which make no difference."""
    return image.removeprefix("index.").removeprefix("docker.io/").removeprefix("library/")
