"""Effective settings, compared with the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from upgate.facts.drift import ComparedSetting


@check("config.drift", severity="critical", none_is_fine=True)
def test_every_setting_is_as_it_was(
    configuration: Subjects[ComparedSetting], kubelet_settings: Subjects[ComparedSetting]
) -> None:
    """Every setting of the cluster's own components is as it was in the baseline.

    An upgrade may change a default, or drop a setting on the way. Compared are the API server's flags (`/flagz`), static pods of
    the control plane, workloads of kube-system and of add-ons, ConfigMaps of kube-system that they mount, and with
    `allow: [nodes-proxy]` the configuration of each kubelet. What a new release adds with its default, versions, dates and the
    order of lists do not count. Without a baseline nothing is compared.
    Look first: {look}
    """
    for settings in (configuration, kubelet_settings):
        settings.none(
            lambda setting: setting.changed,
            expected="as in the baseline, or named in the profile's changes.allow",
            severity=lambda setting: "warning" if setting.of_release else None,
        )


@check("changes.hosts", severity="warning", expects="hosts", none_is_fine=True)
def test_every_host_is_set_up_as_it_was(host_settings: Subjects[ComparedSetting]) -> None:
    """Every host is set up as it was in the baseline.

    Compared are the arguments of Kubernetes' components, kube-proxy's effective configuration, the addresses of its ports,
    the iptables backends that hold its chains, whether there are ip rules, sysctls, limits of units, kernel modules, resolv.conf,
    and whether packages that nodes depend on are still installed. The first five are critical. Without a baseline nothing is
    compared.
    Look first: {look}
    """
    host_settings.none(
        lambda setting: setting.changed,
        expected="as in the baseline, or named in the profile's changes.allow",
        severity=lambda setting: "critical" if setting.grave else None,
    )
