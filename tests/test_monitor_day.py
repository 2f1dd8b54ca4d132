from __future__ import annotations

from benchmarks import day
from tests.webhooks import webhook
from upgate.monitor import history


def test_a_short_day_with_kills_goes_exactly_as_planned(tmp_path) -> None:
    """Faults come and go, processes are killed: every alert and recovery comes in its round, none is lost and none twice."""
    rounds, seed = 250, 3
    with webhook() as server:
        day.killed_day(rounds, 3, seed, server.url(day.PATH), tmp_path)
        got = day.told(server.at(day.PATH))
    expected = day.truth(day.plan(rounds, seed))
    assert len(expected) >= 4
    assert sorted(got) == sorted(expected)
    with history.opened(tmp_path / history.FILE) as past:
        assert [each.at for each in past.rounds()] == [day.START + number * day.MINUTE for number in range(rounds)]


def test_the_plan_has_faults_of_every_kind_that_people_are_told_of() -> None:
    """The day proves nothing about a kind that never comes."""
    told = {check for _, check, _ in day.truth(day.plan(1440))}
    assert told == set().union(*(alerts for _, alerts in day.FAULTS.values()))
