"""The API server's own metrics: a long text, of which a few families are kept, read once or twice.

https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from __future__ import annotations

from upgate.base.errors import Inconclusive
from upgate.base.waiting import Deadline
from upgate.facts.counting import worth_another_look
from upgate.facts.metrics import PREFIXES, Exposition, ServerMetrics, samples_in
from upgate.sources.cluster.connection import Connection, NoAnswer, server_time, status_message
from upgate.sources.cluster.retrying import again

PATH = "/metrics"
#: Seconds from one look to the next: what grows between them happens now.
BETWEEN = 5.0


def metrics_of(connection: Connection, deadline: Deadline) -> ServerMetrics:
    """What the API server has counted; twice, where something may still be growing. Raises Inconclusive."""
    first = exposition(connection, deadline)
    if not worth_another_look(first) or not deadline.pause(BETWEEN):
        return ServerMetrics([first])
    try:
        return ServerMetrics([first, exposition(connection, deadline)])
    except Inconclusive:
        return ServerMetrics([first])  # one look is an answer, too


def exposition(connection: Connection, deadline: Deadline) -> Exposition:
    """One look. Raises Inconclusive."""
    return again(connection, lambda: ask_metrics(connection, deadline))


def ask_metrics(connection: Connection, deadline: Deadline) -> Exposition:
    """One look, asked for once. Raises Inconclusive, and NoAnswer where another try may help."""
    answer = connection.get_lines(PATH, PREFIXES, deadline)
    said = f"status {answer.status}, {status_message(answer)}" if answer.status != 200 else ""
    if answer.status in (401, 403):
        raise Inconclusive(f"cannot read {PATH}: not permitted; needs `get` on the non-resource URL `{PATH}` ({said})")
    if answer.status == 404:
        raise Inconclusive(f"cannot read {PATH}: the API server does not serve it ({said})")
    if said:
        raise NoAnswer(f"cannot read {PATH}: {said}", connected=True)
    samples = samples_in(answer.body.decode(errors="replace").splitlines())
    if not samples:  # each API server has some of these families: a page of a proxy has none
        raise NoAnswer(f"cannot read {PATH}: the answer does not hold metrics of an API server", connected=True)
    return Exposition(server_time(answer.headers), samples)
