"""Inputs that say what `upgate watch` recorded during the upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive, LeftOut
from upgate.battery.judgement import Subjects
from upgate.battery.reader import EvidenceReader

if TYPE_CHECKING:
    from upgate.battery.during import DisruptedTarget, Disruption
    from upgate.watch.timeline import Timeline


class DuringInputs(EvidenceReader):
    """What was recorded."""

    @property
    def disruption(self) -> Subjects[DisruptedTarget]:
        """How long the targets of an entry with a budget were away during the upgrade. Raises Inconclusive."""
        from upgate.battery.during import disrupted_targets

        try:
            return disrupted_targets(self._record(), self._entry("disruption"), self.judgement)
        except LeftOut as reason:  # the profile asks for it: the record must be there
            raise Inconclusive(str(reason)) from reason

    @property
    def disruptions(self) -> Subjects[Disruption]:
        """What Services and nodes went through during the upgrade. Raises LeftOut, Inconclusive."""
        from upgate.battery.during import disruptions

        return disruptions(self._record(), self.judgement)

    def _record(self) -> Timeline:
        from upgate.battery.during import usable_record

        return usable_record(self._evidence.recorded, self._evidence.snapshot, self.since)
