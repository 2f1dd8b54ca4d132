"""Label selectors, as they stand in objects."""

from __future__ import annotations

from collections.abc import Mapping

from upgate.facts.meta import Fact


class LabelRequirement(Fact):
    """One of `matchExpressions`."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """The labels meet it. An operator that Kubernetes does not know is met by none."""
        there, listed = self.key in labels, labels.get(self.key) in (self.values or ())
        met = {"In": there and listed, "NotIn": not (there and listed), "Exists": there, "DoesNotExist": not there}
        return met.get(self.operator, False)


class LabelSelector(Fact):
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements"""

    match_labels: dict[str, str] | None = None
    match_expressions: list[LabelRequirement] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """All of it holds for these labels. An empty selector matches everything."""
        wanted = (self.match_labels or {}).items()
        return wanted <= labels.items() and all(each.matches(labels) for each in self.match_expressions or ())

    def __str__(self) -> str:
        exact = [f"{key}={value}" for key, value in (self.match_labels or {}).items()]
        others = (f"{each.key} {each.operator} {','.join(each.values or ())}" for each in self.match_expressions or ())
        return ",".join([*exact, *map(str.strip, others)]) or "(everything)"
