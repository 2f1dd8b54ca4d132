"""What follows from what: of many findings with one cause, the cause is shown and the others are listed under it."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from upgate.results import CheckResult, Finding, Results, finding_key


class FindingsToTell(NamedTuple):
    """The findings of one check, by how prominently they are shown."""

    shown: list[Finding]
    #: Consequences of a finding that is shown elsewhere.
    explained: list[Finding]
    waived: list[Finding]


class RootCauses:
    """The causes in one list of results.

    A consequence whose cause is not shown (waived, or in a check that was not run) is shown like any other finding.
    """

    def __init__(self, results: Results) -> None:
        self._active: dict[str, Finding] = {}
        self._followers: defaultdict[str, dict[str, None]] = defaultdict(dict)
        pairs = [(label(check, finding), finding) for check in results.checks for finding in check.active]
        for name, finding in sorted(pairs, key=lambda pair: pair[1].because is not None):
            self._active.setdefault(name, finding)
        for name, finding in pairs:
            if root := self._root(finding):
                self._followers[root][name] = None

    def explains(self, finding: Finding) -> bool:
        """Whether the finding follows from one that is shown."""
        return self._root(finding) is not None

    def followers(self, check: CheckResult, finding: Finding) -> list[str]:
        """What follows from this finding, as `check id: object`; of equal objects the first has them all."""
        name = label(check, finding)
        return list(self._followers[name]) if name in self._followers and self._active[name] is finding else []

    def told(self, check: CheckResult) -> FindingsToTell:
        """The check's findings: what is wrong, new and far-reaching first, then what is not finished yet."""
        shown = [finding for finding in check.active if not self.explains(finding)]
        shown.sort(
            key=lambda it: (it.severity != "critical", it.transitional, it.known, -len(self.followers(check, it)))
        )
        explained = [finding for finding in check.active if self.explains(finding)]
        return FindingsToTell(shown, explained, [finding for finding in check.findings if finding.waived])

    def _root(self, finding: Finding) -> str | None:
        """The name of the shown finding at the end of the chain; none if the chain breaks off or goes in a circle."""
        name, seen = finding.because, set()
        while name in self._active and name not in seen:
            seen.add(name)
            if self._active[name].because is None:
                return name
            name = self._active[name].because
        return None


def label(check: CheckResult, finding: Finding) -> str:
    """How `because` names a finding."""
    return finding_key(check.id, finding.object)
