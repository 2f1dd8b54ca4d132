"""A name or path → a profile, or one UsageError that tells everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from upgate.base.errors import UsageError
from upgate.profile.files import DEFAULT, SEARCH, find, listing
from upgate.profile.ids import KnownIds, declared
from upgate.profile.model import Origin, Profile
from upgate.profile.problems import refuse
from upgate.profile.rules import broken_rules
from upgate.profile.sources import Source, Sources
from upgate.profile.tree import YamlNode
from upgate.profile.variables import Expansion
from upgate.profile.wording import problems_of


class LoadingContext(NamedTuple):
    """What a profile is judged against."""

    known_checks: Collection[str] | None
    environ: Mapping[str, str]
    today: date | None


def load(
    name_or_path: str | None,
    *,
    search: Sequence[Path] = SEARCH,
    known_checks: Collection[str] | None = None,
    environ: Mapping[str, str],
    today: date | None = None,
) -> Profile:
    """The profile of this name or path. Raises UsageError with one line for each error.

    Names are looked up in the folders of `search`, then among those that come with the package. Without
    `known_checks`, ids are not checked. With `today` a waiver that has expired is an error.
    """
    if not name_or_path:
        raise UsageError(f"which profile? Name one with --profile=NAME. {listing(search)}")
    path = find(name_or_path, search)
    if path is None:
        return Profile().come_from(Origin(DEFAULT))
    return build_profile(path, Sources(search).read(path), LoadingContext(known_checks, environ, today))


def build_profile(path: Path, source: Source, context: LoadingContext) -> Profile:
    """The profile that the files say. Raises UsageError."""
    expansion = Expansion(context.environ)
    root = expansion.expand(source.root)
    problems = [*source.problems, *expansion.problems]
    told = {problem.place for problem in problems}
    try:
        profile = Profile.model_validate(root.plain(), context=for_validators(root, path, context))
    except ValidationError as error:
        problems += [problem for problem in problems_of(error, root) if problem.place not in told]
    refuse([*problems, *broken_rules(root)])
    return profile.come_from(Origin(path.stem, path, tuple(sorted(expansion.secrets)), source.root))


def for_validators(root: YamlNode, path: Path, context: LoadingContext) -> dict[str, Any]:
    """What validators ask for."""
    known = None
    if context.known_checks is not None:
        ids = {*context.known_checks, *declared(root)}
        known = KnownIds(
            {id for id in ids if "{" not in id}
        )  # `external.{name}` stands for those that the profile declares
    return {"known": known, "today": context.today, "folder": path.parent}
