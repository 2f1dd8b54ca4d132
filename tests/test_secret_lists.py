"""Secrets are asked for as little as possible: certificates by type, and of all others names alone."""

from __future__ import annotations

import msgspec
import pytest

from tests.apiserver import EmbeddedCluster
from tests.worlds import thing, tls_secret
from upgate.base.errors import Inconclusive
from upgate.facts.kinds import KINDS
from upgate.sources.cluster.listing import list_all
from upgate.sources.cluster.login import connect

OPAQUE = thing("password", "shop", type="Opaque", data={"password": "czNjcmV0"})


@pytest.fixture
def cluster():
    """A cluster with a TLS Secret and another one."""
    with EmbeddedCluster({"secrets": [tls_secret(), OPAQUE]}) as running:
        yield running


def listed(cluster, noun, tmp_path):
    """The facts of a kind, and the request that was made for it."""
    connection = connect(cluster.kubeconfig(tmp_path / "kubeconfig")).connection
    try:
        return list_all(connection, KINDS[noun]).items, cluster.requests[-1]
    finally:
        connection.close()


def test_only_secrets_with_certificates_are_read(cluster, tmp_path):
    """No other type leaves the API server; and of a certificate what it says to everybody is kept."""
    (secret,), request = listed(cluster, "tls_secrets", tmp_path)
    assert request.query["fieldSelector"] == "type=kubernetes.io/tls"
    assert (secret.name, secret.certificate.names, secret.data) == ("front-tls", ("shop.example.com",), None)


def test_of_all_others_only_the_metadata_leaves_the_api_server(cluster, tmp_path):
    """Names are asked for as PartialObjectMetadata, in one list."""
    secrets, request = listed(cluster, "secret_metadata", tmp_path)
    assert request.accept == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    assert {each.name for each in secrets} == {"front-tls", "password"}
    assert b"czNjcmV0" not in msgspec.json.encode(secrets)


def test_whole_objects_are_not_taken_for_metadata(cluster, tmp_path, monkeypatch):
    """A server, or a proxy, that sends whole Secrets instead is refused."""
    monkeypatch.setattr("tests.apiserver.api.METADATA_ONLY", "something else")
    with pytest.raises(Inconclusive, match="not a PartialObjectMetadataList"):
        listed(cluster, "secret_metadata", tmp_path)
