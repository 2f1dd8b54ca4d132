"""The upgrade gate: a pytest battery that tells whether a Kubernetes cluster is all right after an upgrade.

For checks of one's own: `check`, `kind`, `Fact` (the base of a kind), `Subjects` (the type of an input), `Inconclusive`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upgate.base.errors import Inconclusive
    from upgate.battery import Subjects, check
    from upgate.facts.kinds import kind
    from upgate.facts.meta import KubernetesObject as Fact

__version__ = "0.1.0"
__all__ = ["Fact", "Inconclusive", "Subjects", "check", "kind"]

HOMES = {
    "Fact": ("upgate.facts.meta", "KubernetesObject"),
    "Inconclusive": ("upgate.base.errors", "Inconclusive"),
    "Subjects": ("upgate.battery.judgement", "Subjects"),
    "check": ("upgate.battery.check", "check"),
    "kind": ("upgate.facts.kinds", "kind"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: `pytest --help` imports this package too, and stays fast."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = HOMES[name]
    return getattr(import_module(module), attribute)
