"""Which part of the battery a run is: a partial run leaves the reports of the whole one alone."""

from __future__ import annotations

import pytest

from upgate.battery.registry import battery
from upgate.judge.options import PREFLIGHT

#: Expressions of -m that name a whole battery of its own; each has a folder of its name.
SUBSETS = ("monitor", PREFLIGHT)
PARTIAL = "partial"
#: Options of pytest, as its configuration calls them, that may leave tests out: -k, --maxfail and -x, --lf, --sw, …
NARROWING = ("keyword", "maxfail", "lf", "stepwise", "deselect", "ignore", "ignore_glob")


def part_of_battery(config: pytest.Config) -> str:
    """The folder for the reports of such a run, within the profile's; empty for a run of the whole battery."""
    if collects_a_part(config) or any(getattr(config.option, name, None) for name in NARROWING):
        return PARTIAL
    marks = (config.option.markexpr or "").strip()
    return marks if marks in ("", *SUBSETS) else PARTIAL


def collects_a_part(config: pytest.Config) -> bool:
    """Paths were given, and the battery's folder is not among what is collected. Other folders may come on top."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    folder = battery().resolve()
    given = [(config.invocation_params.dir / each).resolve() for each in config.args if "::" not in each]
    return not any(path == folder or path in folder.parents for path in given)
