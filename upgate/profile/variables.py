"""`${VAR}` in string values stands for an environment variable; `$${` is a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from upgate.profile.problems import Keys, Problem, at
from upgate.profile.tree import YamlNode

VARIABLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class Expansion:
    """Puts the values of variables in their places; remembers them, so that they can be kept out of all output."""

    environ: Mapping[str, str]
    secrets: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def expand(self, node: YamlNode, keys: Keys = ()) -> YamlNode:
        """The same tree with every string value expanded; keys and texts stay as they are written."""
        if isinstance(node.value, dict):
            return replace(node, value={key: self.expand(child, (*keys, key)) for key, child in node.value.items()})
        if isinstance(node.value, list):
            return replace(node, value=[self.expand(child, (*keys, index)) for index, child in enumerate(node.value)])
        return self._scalar(node, keys)

    def _scalar(self, node: YamlNode, keys: Keys) -> YamlNode:
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        return replace(node, value=VARIABLE.sub(lambda match: self._value(match, node, keys), node.value))

    def _value(self, match: re.Match[str], node: YamlNode, keys: Keys) -> str:
        name = match[1]
        if name is None:
            return "${"
        if not match[0].endswith("}") or not NAME.fullmatch(name):
            return self._missing(
                match[0], node, keys, f"{match[0]} names no variable; write ${{NAME}}, or $${{ for a plain ${{"
            )
        if name not in self.environ:
            return self._missing(match[0], node, keys, f"the environment variable {name} is not set")
        self.secrets |= {self.environ[name]} - {""}
        return self.environ[name]

    def _missing(self, text: str, node: YamlNode, keys: Keys, words: str) -> str:
        self.problems.append(at(node.place, keys, words))
        return text
