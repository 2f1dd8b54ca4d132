"""Certificates and tokens: what ends soon is told, what is renewed by itself is not, and no key is kept."""

from __future__ import annotations

import json
from base64 import b64encode

import msgspec
import pytest

from tests.test_facts import decoded
from tests.worlds import (
    NOW,
    ago,
    condition,
    credential,
    gateway,
    good,
    judge,
    merged,
    pem,
    profile,
    serving,
    signing_request,
    snapshot,
    thing,
    tls_secret,
)
from upgate.battery.permissions import roles_as_yaml
from upgate.battery.registry import battery, load_checks
from upgate.snapshot import dump_snapshot, load_snapshot

ALLOWED = profile(allow=["secrets"])


@pytest.mark.parametrize(
    ("days", "outcome"), [(200, "passed"), (22, "passed"), (20, "failed"), (3, "failed"), (-1, "failed")]
)
def test_the_api_servers_certificate_has_days_left(days, outcome):
    """Less than the profile's days is critical: with it the whole cluster goes."""
    assert judge("certs.api-server", snapshot(good(), api_certificates=[serving(days)])).outcome == outcome


def test_the_days_are_those_of_the_profile():
    """`expect.tls-days` says how many days must be left."""
    seen = snapshot(good(), api_certificates=[serving(30)])
    assert judge("certs.api-server", seen, profile=profile(expect={"tls-days": 40})).outcome == "failed"


def test_the_authority_counts():
    """The certificate of the authority that it is checked with ends as well; it is named as such."""
    seen = snapshot(good(), api_certificates=[serving(), serving(3, authority=True)])
    (found,) = judge("certs.api-server", seen).findings
    assert (found.object, found.observed) == (
        "CertificateAuthority/10.0.0.1:6443",
        "certificate kube-apiserver, issued by kube-apiserver, expires in 3d",
    )


def test_plain_http_has_no_certificate():
    """Where there is none, none expires; where nobody looked, that is not known."""
    assert judge("certs.api-server", snapshot(good(), api_certificates=[])).outcome == "passed"
    for id in ("certs.api-server", "certs.client"):
        result = judge(id, snapshot(good(), api_certificates=None, credentials=None))
        assert (result.outcome, "were not looked at" in result.reason) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("its", "outcome"),
    [
        (credential(), "passed"),
        (credential(20), "warned"),
        (credential(0.5, 1), "passed"),
        (credential(0.05, 1), "warned"),
        (credential(type="token"), "passed"),
        (credential(3, type="token"), "warned"),
        (msgspec.structs.replace(credential(), not_after=None), "passed"),
    ],
)
def test_our_own_login_lasts(its, outcome):
    """A client certificate and a token are judged alike; a short life has a threshold of its own, and one without an end none."""
    assert judge("certs.client", snapshot(good(), credentials=[its])).outcome == outcome


def requests(*requests):
    """What is observed of these signing requests."""
    found = judge("certs.csr", good(certificatesigningrequests=list(requests))).findings
    return [each.observed for each in found]


def approved(minutes, **status):
    """A request that was approved so long ago."""
    said = [{**condition("Approved"), "lastTransitionTime": ago(minutes=minutes)}]
    return signing_request(status={"conditions": said, **status})


@pytest.mark.parametrize(
    ("its", "observed"),
    [
        (signing_request(), "pending for 1d"),
        (signing_request(metadata={"creationTimestamp": ago(minutes=50)}), None),
        (signing_request("csr-1", "Denied"), None),
        (signing_request("csr-1", "Failed"), None),
        (signing_request("csr-1", "Approved", "Failed"), None),
        (approved(5), None),
        (approved(20), "approved 20m ago and not signed"),
        (approved(20, certificate="LS0t"), None),
    ],
)
def test_a_signing_request_does_not_wait(its, observed):
    """What is neither approved nor denied within an hour, or approved and not signed, is told with signer and user."""
    expected = [f"{observed}: kubernetes.io/kubelet-serving for system:node:worker-1"] if observed else []
    assert requests(its) == expected


def test_a_request_that_was_made_again_is_litter():
    """A node that asked once more and got its certificate does not wait for the first one."""
    again = signing_request("csr-2", metadata={"creationTimestamp": ago(hours=2)}, status={"certificate": "LS0t"})
    other = merged(again, {"spec": {"username": "system:node:worker-2"}})
    assert requests(signing_request(), again) == []
    assert len(requests(signing_request(), other)) == 1


def secrets(*secrets, **lists):
    """What certs.secrets says of these Secrets."""
    return judge("certs.secrets", good(tls_secrets=list(secrets), **lists), profile=ALLOWED)


@pytest.mark.parametrize(
    ("its", "outcome", "observed"),
    [
        (tls_secret(), "passed", None),
        (tls_secret(days=20, lifetime=365), "warned", "its certificate shop.example.com expires in 20d"),
        (tls_secret(days=3, lifetime=7), "passed", None),
        (tls_secret(days=-2), "failed", "its certificate shop.example.com expired 2d ago"),
        (tls_secret(data={"tls.crt": ""}), "failed", "tls.crt holds no certificate"),
        (tls_secret("unused", days=-2), "passed", None),
    ],
)
def test_a_certificate_in_use_lasts(its, outcome, observed):
    """One that has expired or is none is critical, one that ends soon a warning; what nobody uses is silent."""
    result = secrets(its)
    expected = [f"{observed}; used by Ingress/shop/front"] if observed else []
    assert (result.outcome, [each.observed for each in result.findings]) == (outcome, expected)


def test_what_is_no_certificate_is_critical():
    """A certificate that cannot be read is not served."""
    bad = b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()
    (found,) = secrets(tls_secret(data={"tls.crt": bad})).findings
    assert (found.severity, found.observed.startswith("tls.crt cannot be read: ")) == ("critical", True)


def test_a_chain_ends_with_the_first_of_it():
    """An intermediate that ends before the certificate itself counts."""
    both = b64encode(pem(60) + pem(2, names=("middle",))).decode()
    (found,) = secrets(tls_secret(data={"tls.crt": both})).findings
    assert found.observed.startswith("its certificate middle expires in 2d")


def webhook(name="policy"):
    """A webhook that calls the Service web."""
    return thing(name, webhooks=[{"name": "x", "clientConfig": {"service": {"namespace": "shop", "name": "web"}}}])


def test_gateways_and_webhooks_use_certificates():
    """A Gateway names its Secret; a webhook's is known by the name that the API server calls it by."""
    listener = {"name": "https", "tls": {"certificateRefs": [{"name": "gate-tls"}]}}
    gated = secrets(tls_secret("gate-tls", -1), gateways=[gateway(spec={"listeners": [listener]})])
    assert [each.observed.partition("; ")[2] for each in gated.findings] == ["used by Gateway/shop/entry"]
    called = tls_secret("hook-tls", -1, names=("web.shop.svc",))
    hooked = secrets(called, validatingwebhookconfigurations=[webhook()])
    assert [each.observed.partition("; ")[2] for each in hooked.findings] == [
        "used by ValidatingWebhookConfiguration/policy"
    ]


def test_nothing_of_a_secret_is_kept_but_its_name_and_certificate(tmp_path):
    """Neither its key, nor other data, labels or annotations are in facts or snapshots; and what is loaded is judged alike."""
    extra = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "s3cret"}, "labels": {"a": "s3cret"}}
    its = tls_secret(days=-2, metadata=extra, data={"password": "s3cret", "tls.key": b64encode(b"s3cret").decode()})
    seen = snapshot(good(tls_secrets=[its], secret_metadata=[its]))
    text = msgspec.json.encode(seen)
    assert not any(word in text for word in (b"s3cret", b64encode(b"s3cret"), b"tls.key", b"tls.crt", b"BEGIN"))
    kept = json.loads(text)["lists"]
    assert [*kept["tls_secrets"][0]] == ["metadata", "certificate"]
    assert [*kept["secret_metadata"][0]["metadata"]] == ["name", "namespace", "creationTimestamp"]
    (tmp_path / "snapshot.json.gz").write_bytes(dump_snapshot(seen))
    again = judge("certs.secrets", load_snapshot(tmp_path / "snapshot.json.gz"), profile=ALLOWED)
    assert again.findings == secrets(its).findings


def test_a_malformed_secret_tells_nothing_of_its_contents():
    """The problem of an object that cannot be read names the field, and no value."""
    _, (bad,) = decoded("tls_secrets", tls_secret(data={"tls.crt": ["s3cret"]}))
    assert (bad.object, "s3cret" in bad.problem) == ("Secret/shop/front-tls", False)


def test_secrets_are_read_only_where_the_profile_says_so():
    """Neither the default nor the monitor's role lists Secrets; with the word in `allow:` the role says why it does."""
    checks = load_checks([battery()])
    assert "secrets" not in roles_as_yaml(profile(), checks)
    role = roles_as_yaml(ALLOWED, checks)
    assert role.count("resources: [secrets]\n  verbs: [list]\n") == 1
    assert "# Because the profile's `allow:` names secrets" in role


def test_a_certificate_that_is_not_valid_yet_is_told():
    """One of tomorrow is refused today."""
    (found,) = secrets(tls_secret(days=91, lifetime=90)).findings
    assert f"is not valid before {NOW:%Y-%m}" in found.observed
