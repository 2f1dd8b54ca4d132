"""A command that people copy leads to the cluster that was judged."""

from __future__ import annotations

import pytest

from tests.worlds import profile
from upgate.judge.hints import aimed, with_options
from upgate.results import CheckResult, Finding

HINT = "kubectl -n shop describe pod web; kubectl -n shop logs web"


def hint_for(**cluster) -> str:
    """The hint, as reports have it."""
    finding = Finding(object="Pod/shop/web", observed="", expected="", hint=HINT)
    check = CheckResult(id="a.a", title="", severity="critical", outcome="failed", findings=(finding,))
    return aimed([check], profile(cluster=cluster).cluster)[0].findings[0].hint


@pytest.mark.parametrize(
    ("cluster", "command"),
    [
        ({}, "kubectl "),
        ({"context": "prod"}, "kubectl --context=prod "),
        ({"kubeconfig": "/etc/my kube", "context": "a b"}, "kubectl --kubeconfig='/etc/my kube' --context='a b' "),
    ],
)
def test_each_kubectl_goes_where_the_profile_went(cluster, command):
    """Kubeconfig and context are said where the profile says them, quoted for a shell."""
    assert hint_for(**cluster) == HINT.replace("kubectl ", command)


def test_a_name_that_holds_a_command_stays_a_name():
    """`kubectl` within quotes is a part of a name, and gets no options."""
    assert with_options("kubectl get pod 'a; kubectl b'", "kubectl --context='a b' ") == (
        "kubectl --context='a b' get pod 'a; kubectl b'"
    )
