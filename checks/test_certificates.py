"""Certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check
from upgate.facts.certificates import still_valid_words

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.machines import Machines
    from upgate.facts.credentials import Credential, ServingCertificate
    from upgate.facts.secrets import Secret
    from upgate.facts.signing import CertificateSigningRequest, SigningRequests
    from upgate.facts.tls_users import TlsUsers
    from upgate.profile.parts import Expected


@check("certs.hosts", severity="critical", expects="hosts", preflight="critical")
def test_no_certificate_on_a_host_expires_soon(hosts: Machines) -> None:
    """On no host a certificate of the control plane or the kubelet expires soon.

    Nothing renews those of kubeadm but an upgrade of the control plane; the kubelet's own are renewed only while it
    reaches an API server that signs them. Keys are never read.
    Look first: ssh {login} 'kubeadm certs check-expiration; ls -l /var/lib/kubelet/pki'
    """
    hosts.telling("certificates").none(
        lambda host: host.old_certificates,
        expected=lambda host: still_valid_words(host.demands.tls_days),
    )


@check("certs.api-server", severity="critical", none_is_fine=True, preflight="critical", monitor=True)
def test_the_certificate_of_the_api_server_lasts(
    api_certificates: Subjects[ServingCertificate], expect: Expected, now: datetime
) -> None:
    """The serving certificate of the API server, and the authority that it is checked with, do not expire soon.

    When it expires, no kubectl, kubelet or controller is let in. The days left are `expect.tls-days` of the profile. An API
    server that is asked through plain http has none.
    Look first: openssl s_client -connect {name} -showcerts; kubeadm certs check-expiration
    """
    api_certificates.none(lambda each: each.problem(now, expect.tls_days), expected=still_valid_words(expect.tls_days))


@check("certs.secrets", severity="critical", none_is_fine=True, preflight="critical", allow="secrets")
def test_no_certificate_in_use_expires_soon(
    tls_secrets: Subjects[Secret], tls_users: TlsUsers, expect: Expected, now: datetime
) -> None:
    """No TLS certificate in a Secret that an Ingress, a Gateway or a webhook uses has expired, or will soon.

    It was not renewed: cert-manager does so when a third of its life is left. A certificate that has expired is critical,
    one that ends within `expect.tls-days` a warning. Of each Secret only the certificates are read, never the key.
    Look first: kubectl -n {namespace} describe secret {name}; kubectl -n {namespace} get certificates
    """
    tls_secrets.where(tls_users.of).none(
        lambda each: tls_users.trouble(each, now, expect.tls_days),
        expected=still_valid_words(expect.tls_days),
        severity=lambda each: None if each.useless(now) else "warning",
    )


@check("certs.client", severity="warning", none_is_fine=True, preflight="warning")
def test_our_own_login_lasts(credentials: Subjects[Credential], expect: Expected, now: datetime) -> None:
    """The client certificate or token that we log in with does not expire soon.

    When it does, this gate is blind. Credential plugins, token files and the tokens of pods are renewed by themselves, and
    are not judged.
    Look first: kubectl config view --minify
    """
    credentials.none(lambda each: each.problem(now, expect.tls_days), expected=still_valid_words(expect.tls_days))


@check("certs.csr", severity="warning", none_is_fine=True, preflight="warning")
def test_no_signing_request_waits_for_long(
    certificatesigningrequests: Subjects[CertificateSigningRequest], signing_requests: SigningRequests, now: datetime
) -> None:
    """No CertificateSigningRequest waits for long to be approved or signed.

    Kubelets ask so for the certificates that they serve and log in with: a node whose request is not approved stops answering
    logs and exec, or drops out, when the one that it has expires. One that was made again and then signed is litter.
    Look first: kubectl describe certificatesigningrequest {name}
    """
    certificatesigningrequests.where(lambda each: not signing_requests.replaced(each)).none(
        lambda each: each.waiting(now), expected="approved or denied within an hour, and then signed"
    )
