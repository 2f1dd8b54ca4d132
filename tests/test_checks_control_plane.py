"""The API server: ready by its own words, and of the expected version."""

from __future__ import annotations

import pytest

from tests.worlds import good, judge, profile, snapshot
from upgate.facts.health import HealthEndpoint

READY = "[+]ping ok\n[+]etcd ok\nreadyz check passed\n"
ALIVE = "[+]ping ok\nlivez check passed\n"


def health(*endpoints: HealthEndpoint):
    """What the check says of these answers."""
    return judge("api.ready", snapshot(good(), health=list(endpoints)))


@pytest.mark.parametrize(
    ("status", "body", "observed"),
    [
        (200, READY, None),
        (200, "[+]etcd excluded: ok\nreadyz check passed\n", None),
        (500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n", "etcd failed: reason withheld"),
        (500, "[-]a failed: x\n[-]b failed: y\nreadyz check failed\n", "status 500: a failed: x; b failed: y"),
        # A proxy answers for an API server that is not there.
        (200, "<html><h1>It works!</h1></html>", "not an API server's answer"),
        (200, "ok", "not an API server's answer"),
        (200, "", "not an API server's answer"),
        (503, "upstream connect error", "status 503"),
        # A sub-check that failed counts, whatever the status says.
        (200, "[-]etcd failed\nreadyz check passed\n", "etcd failed"),
        (500, READY, "status 500"),
        # One endpoint's closing line is not the other's.
        (200, ALIVE, "not an API server's answer"),
    ],
)
def test_the_api_servers_own_words_decide(status, body, observed):
    """Ready is status 200 with the API server's own closing line and no failed sub-check; each failed one is named."""
    result = health(HealthEndpoint("readyz", status, body), HealthEndpoint("livez", 200, ALIVE))
    assert [each.object for each in result.findings] == (["APIServer/readyz"] if observed else [])
    assert all(observed in each.observed for each in result.findings)
    assert result.examined == 2


def test_each_endpoint_is_judged():
    """A server that is ready but not alive is found, with the command that asks it."""
    (finding,) = health(HealthEndpoint("readyz", 200, READY), HealthEndpoint("livez", 500, "[-]etcd failed\n")).findings
    assert (finding.object, finding.hint) == ("APIServer/livez", "kubectl get --raw '/livez?verbose'")


def test_an_api_server_that_cannot_be_reached_is_not_ready():
    """No answer at all is a failure of this check, in the words of the connection."""
    (finding,) = health(HealthEndpoint("readyz", unreachable="connection refused")).findings
    assert finding.observed == "connection refused"


@pytest.mark.parametrize(
    ("have", "wanted", "outcome"),
    [
        ("v1.36.3", "1.36", "passed"),
        ("v1.36.3", "v1.36", "passed"),
        ("v1.36.3", "1.36.3", "passed"),
        ("v1.36.3", "1", "passed"),
        ("v1.36.3", "1.36.*", "passed"),
        # A prefix ends where a number ends.
        ("v1.36.3", "1.3", "failed"),
        ("v1.36.30", "1.36.3", "failed"),
        ("v1.3.0", "1.30", "failed"),
        ("v1.35.9", "1.36", "failed"),
        # Vendors' suffixes are no difference unless one is asked for.
        ("v1.36.3-gke.1014001", "1.36.3", "passed"),
        ("v1.36.3-eks-1a2b3c4", "1.36.3", "passed"),
        ("v1.36.3+k3s1", "1.36.3", "passed"),
        ("v1.36.3+rke2r1", "==1.36.3", "passed"),
        ("v1.36.3-gke.1014001", "1.36.3-gke.1014001", "passed"),
        ("v1.36.3-gke.1014001", "1.36.3-gke", "passed"),
        ("v1.36.3-gke.1014001", "1.36.3-gke.1014003", "failed"),
        ("v1.36.3-gke.1014001", "1.36.3-gke.1", "failed"),
        ("v1.36.3-eks-1a2b3c4", "1.36.3-eks-1a2b3c5", "failed"),
        ("v1.36.3+k3s1", "1.36.3+k3s2", "failed"),
        ("v1.36.3", "1.36.3-gke.100", "failed"),
        # Ranges.
        ("v1.36.3", ">=1.35, <1.37", "passed"),
        ("v1.36.3", ">=1.36,<1.37", "passed"),
        ("v1.36.3", ">1.36", "failed"),
        ("v1.36.3", "<=1.36", "passed"),
        ("v1.36.3", ">1.36.2", "passed"),
        ("v1.36.3", ">=1.36.10", "failed"),
        ("v1.36.10", ">1.36.9", "passed"),
        ("v1.36.3", "<1.36.3", "failed"),
        ("v1.36.3", "!=1.36", "failed"),
        ("v1.36.3", ">=1.36, !=1.36.2", "passed"),
        ("v1.36.3-gke.200", ">=1.36.3-gke.1000", "failed"),
        ("v1.36.3-gke.1000", ">=1.36.3-gke.200", "passed"),
        ("", "1.36", "failed"),
    ],
)
def test_versions_compare_as_numbers(have, wanted, outcome):
    """A version, a prefix of whole numbers, or a range; a vendor's suffix counts exactly where the profile gives one."""
    result = judge("api.version", snapshot(good(), version=have), profile=profile(expect={"version": wanted}))
    assert result.outcome == outcome


def test_both_versions_are_said():
    """The finding says the version that is there and the one that is expected."""
    result = judge("api.version", snapshot(good(), version="v1.35.1"), profile=profile(expect={"version": "1.36"}))
    assert [(each.observed, each.expected, each.hint) for each in result.findings] == [
        ("v1.35.1", "version 1.36", "kubectl version")
    ]
