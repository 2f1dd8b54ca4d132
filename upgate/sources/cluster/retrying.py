"""Asking again, within bounds, where a connection was made but broke."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from upgate.base.waiting import Deadline
from upgate.sources.cluster.connection import Connection, NoAnswer
from upgate.sources.cluster.listing import PAUSES

T = TypeVar("T")


def again(connection: Connection, ask: Callable[[], T]) -> T:
    """Ask, and ask again where the connection was made but broke. Raises what the last try raises."""
    deadline = Deadline(connection.patience.read)
    for pause in PAUSES:
        try:
            return ask()
        except NoAnswer as problem:
            if not problem.connected or problem.too_large or not deadline.pause(pause):
                raise
    return ask()
