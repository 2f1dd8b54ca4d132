"""While the upgrade ran: how long users were cut off, as `upgate watch` recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from upgate.battery.during import DisruptedTarget, Disruption


@check("disruption.{name}", severity="critical")
def test_users_were_cut_off_for_no_longer_than_the_budget(disruption: Subjects[DisruptedTarget]) -> None:
    """Users were cut off for no longer than the entry's budget while the upgrade ran.

    An outage is over before a gate looks: only the record that `upgate watch` makes during the upgrade shows it. New and kept
    connections are judged each for themselves. What was not measured, and may hide more than the budget allows, is
    inconclusive.
    Look first: upgate timeline reports/<profile>/disruption.jsonl
    """
    disruption.none(lambda target: target.over, expected=lambda target: target.allowed)


@check("disruption.services", severity="critical")
def test_no_service_was_without_endpoints_for_long(disruptions: Subjects[Disruption]) -> None:
    """No Service was without a ready endpoint for longer than 30 s while the upgrade ran, and no node vanished with its pods.

    A drain that takes the last endpoint of a Service cuts off whoever uses it, inside the cluster too. A node that is deleted
    while pods are bound to it was not drained: they were killed. Services that were scaled to zero or deleted are left out,
    and pods of DaemonSets and static pods. It is judged only where `upgate watch` has made a record.
    Look first: upgate timeline reports/<profile>/disruption.jsonl
    """
    disruptions.none(lambda each: each.said, expected="a ready endpoint at all times, and nodes that are drained first")
