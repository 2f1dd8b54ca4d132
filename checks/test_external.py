"""From outside the cluster, as its users come: one check for each kind of entry of `external:`.

The cluster may call itself healthy and be out of reach: all of this is asked from where the battery runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import check

if TYPE_CHECKING:
    from upgate.battery import Subjects
    from upgate.sources.probes.targets import ProbedTarget

#: Findings that explain why an address does not answer.
BEHIND = ("nodes.ready", "nodes.heartbeat", "services.endpoints", "services.endpoints-live", "api.ready")


def as_expected(external: Subjects[ProbedTarget]) -> None:
    """Everything that was asked is as expected, and at the first attempt."""
    external.none(lambda endpoint: endpoint.problems, expected=lambda endpoint: endpoint.expected)
    external.none(lambda endpoint: endpoint.flaky, expected="right at the first attempt", severity="warning")


@check("external.{name}", severity="critical", monitor=True, after=BEHIND)
def test_the_url_answers_as_expected(external: Subjects[ProbedTarget]) -> None:
    """The URL answers as expected, at each place that is asked.

    The cluster may call itself healthy and be out of reach: this is asked from where the battery runs. A finding adds
    whose address it is.
    Look first: curl -v {request}
    """
    as_expected(external)


@check("external.journey.{name}", severity="critical", monitor=True, after=BEHIND)
def test_the_journey_arrives(external: Subjects[ProbedTarget]) -> None:
    """Every step of the journey answers as expected.

    Users log in, search and order: each step needs what the one before it gave, so the first wrong one ends it.
    Look first: curl -v {request}
    """
    as_expected(external)


@check("external.tcp.{name}", severity="critical", monitor=True, after=BEHIND)
def test_the_port_accepts_connections(external: Subjects[ProbedTarget]) -> None:
    """The port accepts connections.

    What does not speak HTTP at least accepts connections. Refused means that nothing listens there, silence that packets are
    dropped.
    Look first: nc -vz -w 5 {host} {port}
    """
    as_expected(external)


@check("external.tls.{name}", severity="critical", monitor=True, after=BEHIND)
def test_the_certificate_is_the_right_one(external: Subjects[ProbedTarget]) -> None:
    """The port presents a valid certificate for the name that is asked for, over the expected versions of TLS.

    A controller that lost its configuration goes on with its own default certificate: its port is open, and no client
    trusts it.
    Look first: openssl s_client -connect {server}
    """
    as_expected(external)


@check("external.dns.{name}", severity="critical", monitor=True, after=BEHIND)
def test_the_name_resolves(external: Subjects[ProbedTarget]) -> None:
    """The name resolves to what is expected.

    Nobody reaches an address that the name no longer leads to, however well it answers.
    Look first: dig {question}
    """
    as_expected(external)


@check("external.websocket.{name}", severity="critical", monitor=True, after=BEHIND)
def test_the_websocket_opens(external: Subjects[ProbedTarget]) -> None:
    """The WebSocket opens.

    Proxies and controllers that have lost a setting answer the request as plain HTTP; pages load, and nothing moves.
    Look first: curl -v --http1.1 {request}
    """
    as_expected(external)


@check("external.closed.{name}", severity="critical", monitor=True)
def test_what_must_be_closed_does_not_answer(external: Subjects[ProbedTarget]) -> None:
    """What must be closed does not answer.

    Defaults change in upgrades: a port that was bound to localhost, or behind a policy, may be open to everybody now.
    Look first: nc -vz -w 5 {host} {port}
    """
    as_expected(external)
