"""From outside the cluster, as its users come."""

from upgate.battery import check


@check("external.{name}", severity="critical", monitor=True)
def test_the_url_answers_as_expected(external):
    """The URL answers as expected.

    The cluster may call itself healthy and be out of reach: this is asked from where the battery runs.
    Look first: curl -v {url}
    """
    external.none(lambda endpoint: endpoint.problems, expected=lambda endpoint: endpoint.expected)
    external.none(lambda endpoint: endpoint.flaky, expected="right at the first attempt", severity="warning")
