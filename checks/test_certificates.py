"""Certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import check

if TYPE_CHECKING:
    from upgate.battery.machines import Machines


@check("certs.hosts", severity="critical", expects="hosts", preflight="critical")
def test_no_certificate_on_a_host_expires_soon(hosts: Machines) -> None:
    """On no host a certificate of the control plane or the kubelet expires soon.

    Nothing renews those of kubeadm but an upgrade of the control plane; the kubelet's own are renewed only while it
    reaches an API server that signs them. Keys are never read.
    Look first: ssh {login} 'kubeadm certs check-expiration; ls -l /var/lib/kubelet/pki'
    """
    hosts.telling("certificates").none(
        lambda host: host.old_certificates,
        expected=lambda host: f"more than {host.demands.tls_days} days left, or a tenth of a shorter life",
    )
