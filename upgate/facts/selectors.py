"""Label selectors: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"""

from __future__ import annotations

from collections.abc import Mapping

from upgate.facts.meta import Fact


class Requirement(Fact):
    """One of `matchExpressions`."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None

    def holds(self, labels: Mapping[str, str]) -> bool:
        """These labels are as it asks for."""
        if self.operator in ("Exists", "DoesNotExist"):
            return (self.key in labels) == (self.operator == "Exists")
        listed = self.key in labels and labels[self.key] in (self.values or ())
        return listed == (self.operator == "In")


class LabelSelector(Fact):
    """What labels must be: all of it must hold. An empty one matches everything."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """These labels are selected."""
        exact = self.match_labels or {}
        return exact.items() <= labels.items() and all(each.holds(labels) for each in self.match_expressions or ())

    def __str__(self) -> str:
        exact = [f"{key}={value}" for key, value in (self.match_labels or {}).items()]
        others = [
            f"{each.key} {each.operator} {','.join(each.values or ())}".strip() for each in self.match_expressions or ()
        ]
        return ",".join([*exact, *others]) or "(everything)"
