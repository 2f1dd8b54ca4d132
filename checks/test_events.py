"""Warning events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import duration
from upgate.battery import Subjects, check
from upgate.facts.troubles import LATELY, OFTEN

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before
    from upgate.battery.judgement import Judgement
    from upgate.facts.events import Event
    from upgate.facts.troubles import Troubles


@check("events.warnings", severity="warning", none_is_fine=True)
def test_no_new_warning_event_repeats(
    warnings: Subjects[Event],
    troubles: Troubles,
    before: Before,
    since: datetime,
    now: datetime,
    judgement: Judgement,
) -> None:
    """No new kind of Warning event has repeated since the reference time.

    New is a reason, for a kind of object, that the baseline did not have. Objects whose status other checks judge are left
    to them: pods that are not ready, workloads, Jobs, autoscalers, claims. This check looks at the others: nodes, pods that
    are Ready most of the time, load balancers, volumes and custom resources.
    Look first: kubectl get events -A --field-selector type=Warning,reason={name}
    """
    found = troubles.among(warnings, since, now, before.warned())
    Subjects("kinds of warning events", found, judgement, counted=True).none(
        lambda each: each.said(now),
        expected=f"no Warning event {OFTEN} times or more, the last in the last {duration(LATELY)}",
    )
