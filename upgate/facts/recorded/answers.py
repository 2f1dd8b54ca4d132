"""What answered from outside: status, redirect, certificate, headers and time of each target."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from upgate.facts.attempts import Attempt


class AnswerState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer. What gave none is not kept: it has nothing to get worse."""

    status: int | None = None
    #: Where it redirects to, without a query.
    location: str = ""
    #: The issuer of the certificate, and the names that it is for.
    issuer: str = ""
    names: list[str] = []
    headers: dict[str, str] = {}
    #: Seconds from the start to the end of the answer.
    seconds: float = 0.0


def answer_states(attempts: Iterable[Attempt]) -> dict[str, AnswerState]:
    """The answers by target, and by the place that it was asked from."""
    return {target_key(each): answer_state(each) for each in attempts if each.failure is None}


def target_key(attempt: Attempt) -> str:
    """A target as reports name it, and the place that was named for it."""
    return f"{attempt.target} from {attempt.vantage}" if attempt.vantage else attempt.target


def answer_state(attempt: Attempt) -> AnswerState:
    """What is kept of an answer."""
    shown = attempt.certificate
    return AnswerState(
        status=attempt.status,
        location=attempt.location.partition("?")[0],
        issuer=shown.issuer if shown else "",
        names=sorted(shown.names) if shown else [],
        headers=attempt.headers,
        seconds=round(max(0.0, attempt.elapsed.total - attempt.elapsed.ours), 3),
    )
