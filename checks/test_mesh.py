"""Sidecars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from upgate.battery.expectations import Sidecars
    from upgate.facts.pods import Pod


@check("sidecars.image", severity="critical", expects="sidecars")
def test_every_sidecar_has_the_expected_image(pods: Subjects[Pod], sidecars: Sidecars) -> None:
    """Every sidecar that the profile names runs the expected image.

    A sidecar is injected when its pod is made, so pods that were not restarted keep the old one after an upgrade:
    restart their workloads.
    Look first: kubectl -n {namespace} get pod {name} -o yaml
    """
    pods.where(lambda pod: pod.active and sidecars.in_(pod)).none(
        sidecars.unexpected, expected=lambda pod: sidecars.expected(pod)
    )
    sidecars.must_all_occur()
