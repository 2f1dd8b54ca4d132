"""Which alerts fire, and what the profile's queries answer. What cannot be asked is a gap with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgate.base.errors import Inconclusive, UpgateError, words_of
from upgate.base.redaction import without_known
from upgate.base.threads import concurrently
from upgate.facts.monitored import Answered, MonitorAnswers, QueriedSample
from upgate.facts.relations import MONITORED
from upgate.sources.prometheus.asking import Client, NotOffered
from upgate.sources.prometheus.reading import Told, alert_key, alerts_in, firing_since, queried_samples, rules_in

if TYPE_CHECKING:
    from upgate.profile.prometheus import Prometheus, Query

ALERTS, QUERY = MONITORED
NO_SERIES = (
    "it tells of no alerting rules, and has no ALERTS series: nothing shows that alerts are evaluated. An alert that always"
    " fires, such as Watchdog, would show it"
)


def look_at_prometheus(prometheus: Prometheus, needs: Collection[str], secrets: Sequence[str] = ()) -> MonitorAnswers:
    """What this Prometheus says, as far as it is needed; all questions at once."""
    client = Client(prometheus, secrets)
    queries = {each.query: each for each in prometheus.queries if QUERY in needs}
    tasks: dict[str, Any] = {f"query {query}": partial(answer_or_gap, client, each) for query, each in queries.items()}
    if ALERTS in needs:
        tasks[ALERTS] = partial(alerts_of, client)
    answers = concurrently(tasks)
    told = answers.pop(ALERTS, MonitorAnswers())
    return replace(told, url=client.url, answers=[each for each in answers.values() if isinstance(each, Answered)])


def alerts_of(client: Client) -> MonitorAnswers:
    """The alerts that fire, by the rules; where none are told of, by the series that each evaluation writes."""
    try:
        told = asked_rules(client)
        told = told if told.rules else asked_series(client, told.gaps)
    except UpgateError as problem:
        return MonitorAnswers(problem=str(problem))
    except Exception as problem:  # an answer that breaks the reading is a gap, and ends no look
        return MonitorAnswers(problem=f"broke while reading {client.url}: {without_known(words_of(problem))}")
    return MonitorAnswers(rules=told.rules, alerts=told.alerts, broken=told.broken, gaps=worded(client, told.gaps))


def asked_rules(client: Client) -> Told:
    """What its rules say; nothing where it does not offer them: Google's and Azure's do not. Raises Inconclusive."""
    try:
        return of(client, rules_in, client.ask("/api/v1/rules", {"type": "alert"}))
    except NotOffered:
        return Told(0, [], [], [])


def asked_series(client: Client, gaps: Iterable[str]) -> Told:
    """What the ALERTS series say. Raises Inconclusive where there are none: then nothing shows that alerts are evaluated."""
    samples, more = asked_query(client, "ALERTS")
    if not samples:
        raise Inconclusive(f"cannot tell from {client.url} which alerts fire: {NO_SERIES}")
    names = {each.labels.get("alertname", "") for each in samples}
    return Told(len(names), alerts_in(samples, beginnings(client)), [], [*gaps, *more])


def beginnings(client: Client) -> dict[tuple[Any, ...], Any]:
    """When each alert began, as far as that is known."""
    try:
        samples, _ = asked_query(client, "ALERTS_FOR_STATE")
    except Inconclusive:
        return {}  # that it fires is known without it
    return {alert_key(each.labels): firing_since(each.value) for each in samples}


def answer_or_gap(client: Client, query: Query) -> Answered:
    """The answer to a query of the profile, or why there is none."""
    try:
        samples, gaps = asked_query(client, query.query)
    except UpgateError as problem:
        return Answered(query.query, problem=str(problem))
    except Exception as problem:  # an answer that breaks the reading is a gap, and ends no look
        return Answered(query.query, problem=f"broke while reading {client.url}: {without_known(words_of(problem))}")
    return Answered(query.query, samples, gaps=worded(client, gaps))


def asked_query(client: Client, query: str) -> tuple[list[QueriedSample], list[str]]:
    """The values of an instant query, and what the answer lacks. Raises Inconclusive."""
    return of(client, queried_samples, client.ask("/api/v1/query", {"query": query}))


def of(client: Client, read: Any, body: bytes) -> Any:
    """What is read in an answer. Raises Inconclusive, which says whose answer it is."""
    try:
        return read(body)
    except Inconclusive as problem:
        raise Inconclusive(f"cannot use the answer of {client.url}: {client.mask(str(problem))}") from None


def worded(client: Client, gaps: Iterable[str]) -> list[str]:
    """What is missing, and whose answer lacks it."""
    return [f"{client.url}: {client.mask(each)}" for each in gaps]
