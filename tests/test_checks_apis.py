"""The traps of the checks of APIs: what is in use, what answers, who is turned down, and what releases change."""

from __future__ import annotations

import gzip

import pytest
from msgspec.structs import replace

from tests.worlds import (
    CHECKS,
    ago,
    baseline,
    condition,
    definition,
    exposition,
    good,
    judge,
    metrics,
    objects,
    profile,
    run,
    snapshot,
    thing,
    webhook,
)
from upgate.baseline import dump_baseline, load_baseline
from upgate.battery.permissions import roles_as_yaml
from upgate.battery.registry import load_checks
from upgate.facts.custom_reads import CustomRead, CustomReads
from upgate.facts.lifecycle import lifecycles

HOOK = "policy.example.com"
READ = CustomRead("widgets.example.com", "example.com", "v1", "widgets")


def requested(resource: str, removed: str, group: str = "policy", version: str = "v1beta1") -> str:
    """A sample of the gauge of deprecated APIs."""
    labels = f'group="{group}",removed_release="{removed}",resource="{resource}",subresource="",version="{version}"'
    return f"apiserver_requested_deprecated_apis{{{labels}}} 1"


def refused(count: int, name: str = HOOK, type: str = "validating", fault: str = "calling_webhook_error") -> str:
    """How many requests failed because of a webhook."""
    labels = f'error_type="{fault}",name="{name}",operation="CREATE",rejection_code="0",type="{type}"'
    return f"apiserver_admission_webhook_rejection_count{{{labels}}} {count}"


def let_through(count: int, name: str = HOOK, type: str = "validating") -> str:
    """How many requests no webhook has looked at, although it should have."""
    return f'apiserver_admission_webhook_fail_open_count{{name="{name}",type="{type}"}} {count}'


def called(count: int, name: str = HOOK, type: str = "validating") -> str:
    """How many calls there were."""
    labels = f'code="200",name="{name}",operation="CREATE",rejected="false",type="{type}"'
    return f"apiserver_admission_webhook_request_total{{{labels}}} {count}"


def of_server(id, *lines, world=None, preflight=False, saved=None, **how):
    """What a check says where the API server has counted this."""
    return judge(id, snapshot(world or good(), metrics=metrics(*lines, **how)), preflight=preflight, baseline=saved)


def answering(*lines, world=None, **how):
    """What webhooks.answer says where there is the webhook `policy`."""
    return of_server("webhooks.answer", *lines, world=world or good(validatingwebhookconfigurations=[webhook()]), **how)


def deprecated(*lines, **how):
    """What apis.deprecated says."""
    return of_server("apis.deprecated", *lines, **how)


@pytest.mark.parametrize(("removed", "severity"), [("1.25", "critical"), ("1.37", "critical"), ("1.38", "warning")])
def test_the_next_version_decides(removed, severity):
    """What is gone in the next version is critical, what is removed later a warning; the gauge says since when it counts."""
    (finding,) = deprecated(requested("poddisruptionbudgets", removed)).findings
    assert (finding.object, finding.severity) == ("API/policy/v1beta1/poddisruptionbudgets", severity)
    assert f"removed in {removed}; requested at least once since this API server started" in finding.observed


def test_the_profile_may_name_the_next_version():
    """An upgrade over several minors reaches more removals."""
    result = judge(
        "apis.deprecated",
        snapshot(good(), metrics=metrics(requested("a", "1.39"))),
        profile=profile(expect={"next-version": "1.39"}),
        preflight=True,
    )
    assert result.outcome == "failed"


@pytest.mark.parametrize(
    "line",
    [
        requested("endpoints", "", group="", version="v1"),
        requested("widgets", "", group="example.com"),
        requested("gateways", "", group="gateway.networking.k8s.io"),
        requested("poddisruptionbudgets", "1.25").replace("} 1", "} 0"),
    ],
)
def test_what_is_not_removed_is_silent(line):
    """Endpoints are asked for by every control plane; what extensions call deprecated no release of Kubernetes removes."""
    assert deprecated(line).outcome == "passed"


def test_component_statuses_are_a_warning():
    """An API of the core group that is deprecated without a removal release is a warning."""
    assert deprecated(requested("componentstatuses", "", group="", version="v1")).outcome == "warned"


def test_subresources_say_nothing_more():
    """A resource that is requested with a subresource too is one finding."""
    line = requested("poddisruptionbudgets", "1.25")
    assert len(deprecated(line, line.replace('subresource=""', 'subresource="status"')).findings) == 1


def written(version: str, manager: str = "helm", **when: float) -> dict:
    """An entry of managedFields."""
    return {"manager": manager, "apiVersion": version, "time": ago(**when or {"hours": 1}), "operation": "Update"}


def budget(*entries: dict) -> dict:
    """A PodDisruptionBudget that these managers wrote."""
    return thing("web", "shop", metadata={"managedFields": list(entries)})


def of_budget(*entries: dict, version: str = "1.36"):
    """What apis.deprecated says of it, with this next version."""
    seen = snapshot(good(poddisruptionbudgets=[budget(*entries)]))
    return judge("apis.deprecated", seen, profile=profile(expect={"next-version": version}))


def test_a_manager_that_writes_a_removed_version_is_found():
    """Whoever wrote in a version that the next release lacks, within a week, is named, with what to use instead."""
    (finding,) = of_budget(written("policy/v1beta1")).findings
    assert finding.object == "PodDisruptionBudget/shop/web"
    assert "manager helm wrote it as policy/v1beta1 1h ago: removed in 1.25; use policy/v1" in finding.observed


@pytest.mark.parametrize(
    "entries",
    [
        [written("policy/v1")],
        [written("policy/v1beta1", days=8)],
        [written("policy/v1beta1", hours=3), written("policy/v1")],
        [{"manager": "helm", "apiVersion": "policy/v1beta1"}],
    ],
)
def test_what_was_once_written_is_silent(entries):
    """Old entries stay as long as the fields are not written anew: they are no use of the API."""
    assert of_budget(*entries).outcome == "passed"


def test_a_version_that_goes_later_is_no_finding():
    """What the next version still serves may be written."""
    assert of_budget(written("policy/v1beta1"), version="1.24").outcome == "passed"


def test_an_annotation_of_kubectl_is_no_use():
    """What kubectl noted in last-applied-configuration says only how an object was once written."""
    noted = {"kubectl.kubernetes.io/last-applied-configuration": '{"apiVersion":"networking.k8s.io/v1beta1"}'}
    seen = good(ingresses=[thing("front", "shop", metadata={"annotations": noted})])
    assert judge("apis.deprecated", seen).outcome == "passed"


@pytest.mark.parametrize(
    ("gv", "kind", "removed"),
    [
        ("policy/v1beta1", "PodDisruptionBudget", "1.25"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.26"),
        ("batch/v1beta1", "CronJob", "1.25"),
        ("networking.k8s.io/v1beta1", "Ingress", "1.22"),
    ],
)
def test_the_table_is_in_the_package(gv, kind, removed):
    """The package has the removal releases."""
    assert lifecycles()[gv, kind].removed == removed


@pytest.mark.parametrize("line", [refused(3), let_through(3)])
def test_a_webhook_that_never_answers_is_critical(line):
    """Whatever its failurePolicy, and however old the API server is: all calls failed."""
    (finding,) = answering(line).findings
    assert (finding.object, finding.severity) == ("ValidatingWebhookConfiguration/policy", "critical")
    assert "webhook policy.example.com: 3 of 3 calls failed since this API server started" in finding.observed
    assert answering(line, preflight=True).outcome == "failed"


def test_mutating_webhooks_are_called_admit():
    """The API server's metrics call mutation `admit`; a validating webhook of the same name is another one."""
    world = good(mutatingwebhookconfigurations=[webhook()], validatingwebhookconfigurations=[webhook()])
    assert objects(answering(refused(1, type="admit"), world=world)) == ["MutatingWebhookConfiguration/policy"]


@pytest.mark.parametrize(
    "lines", [[refused(3, fault="no_error")], [refused(3, name="gone.example.com")], [called(9)], [refused(0)]]
)
def test_webhooks_that_refuse_or_are_gone_are_silent(lines):
    """A webhook that refuses has answered; one that is configured no more fails nothing."""
    assert answering(*lines).outcome == "passed"


def test_calls_that_failed_once_are_no_finding():
    """Some failures in the life of an old API server do not say that anything fails now."""
    assert answering(refused(30), called(1000)).outcome == "passed"


def test_calls_that_failed_since_the_upgrade_are_a_warning():
    """Where the API server is younger than the reference time, some failures among many calls are told, and do not block."""
    assert answering(refused(3), called(100), started=30).outcome == "warned"


def test_after_a_repair_one_answer_is_enough():
    """A webhook whose first call is answered after all others had failed is a warning, and blocks nothing."""
    assert answering(refused(30), called(30), started=30).outcome == "failed"
    assert answering(refused(30), called(31), started=30).outcome == "warned"


def test_what_grows_between_two_looks_fails_now():
    """Few of many calls, and growing: it fails now."""
    before, after = [refused(30), called(1000)], [refused(31), called(1001)]
    (finding,) = answering(*after, earlier=before).findings
    assert finding.severity == "critical"
    assert "1 of them within the last 5s" in finding.observed


def test_a_webhook_that_answers_again_is_no_failure():
    """Most calls failed, and one between the two looks was answered."""
    assert answering(refused(30), called(31), earlier=[refused(30), called(30)]).outcome == "passed"


def test_of_webhooks_with_one_name_the_one_that_cannot_be_called_is_blamed():
    """Revisions of a mesh have webhooks of equal names, and are counted as one: a dead one does not accuse the other."""

    def calling(name: str, service: str) -> dict:
        call = {"service": {"namespace": "shop", "name": service, "port": 80}}
        return webhook(name, webhooks=[{**webhook(name, HOOK)["webhooks"][0], "clientConfig": call}])

    def blamed(*services: str) -> list[str]:
        hooks = [calling(f"of-{number}", service) for number, service in enumerate(services)]
        return objects(answering(refused(3), world=good(validatingwebhookconfigurations=hooks)))

    assert blamed("web", "gone") == ["ValidatingWebhookConfiguration/of-1"]
    assert len(blamed("web", "web")) == 2


def test_two_processes_are_not_compared():
    """Behind a load balancer the second look may meet another API server: its numbers are its own."""
    seen = metrics(refused(30), called(1000))
    seen.looks.insert(0, exposition(refused(1), called(999), started=99, seconds=5))
    world = good(validatingwebhookconfigurations=[webhook()])
    assert judge("webhooks.answer", snapshot(world, metrics=seen)).outcome == "passed"


def saved(*lines: str, started: float = 60 * 24, **when: float):
    """A baseline of an hour ago with these counters."""
    return replace(baseline(good()), counters=exposition(*lines, started=started, **(when or {"hours": 1})))


def test_the_baseline_says_what_is_new():
    """What the same process had counted before does not count; what came since does."""
    assert answering(refused(3), saved=saved(refused(3))).outcome == "passed"
    assert (
        "2 of 2 calls failed since the baseline was saved"
        in answering(refused(5), saved=saved(refused(3))).findings[0].observed
    )


def test_a_baseline_of_another_process_is_not_compared():
    """After a restart counters begin at 0."""
    assert answering(refused(3), saved=saved(refused(9), started=99)).outcome == "failed"


def test_a_baseline_keeps_counters(tmp_path):
    """They come back from the file; a baseline of an earlier version has none, and can be loaded."""
    path = tmp_path / "baseline.json"
    path.write_bytes(dump_baseline(saved(refused(3))))
    assert load_baseline(path).counters.total("apiserver_admission_webhook_rejection_count") == 3
    path.write_bytes(gzip.decompress(path.read_bytes()).replace(b'"counters"', b'"unknown"'))
    assert load_baseline(path).counters is None


def test_certificates_without_names_are_found():
    """Where no call of a webhook tells more, the API server's count of certificates that it cannot check does."""
    line = "apiserver_webhooks_x509_missing_san_total 2"
    assert answering(line, started=30).outcome == "failed"
    assert answering(line).outcome == "passed"
    assert objects(answering(line, refused(2), started=30)) == ["ValidatingWebhookConfiguration/policy"]


def test_one_cause_for_custom_resources():
    """Where a list of custom resources has failed with the server's words, the counter of its webhook is explained by it."""
    count = (
        'apiserver_crd_conversion_webhook_duration_seconds_count{crd_name="widgets.example.com",succeeded="false"} 2'
    )
    reads = CustomReads([replace(READ, status=500, message="conversion webhook failed")])
    seen = snapshot(good(), metrics=metrics(count), custom_reads=reads)
    readable, answer = run(["apis.custom-readable", "webhooks.answer"], seen)
    assert readable.findings[0].because is None
    assert answer.findings[0].because.startswith("apis.custom-readable")


def rejected(*lines, **how):
    """What clients.rejected says."""
    return of_server("clients.rejected", *lines, **how)


def attempts(errors: int = 0, denied: int = 0) -> list[str]:
    """How many requests were turned down."""
    return [
        f'authentication_attempts{{result="error"}} {errors}',
        'authentication_attempts{result="success"} 90000',
        f'authorization_attempts_total{{result="no-opinion"}} {denied}',
        'authorization_attempts_total{result="allowed"} 90000',
    ]


def test_a_client_that_is_rejected_each_second_is_found():
    """Five refusals in five seconds are somebody who tries again and again."""
    (finding,) = rejected(*attempts(errors=900), earlier=attempts(errors=890)).findings
    assert (finding.object, finding.severity) == ("APIServer/authentication", "warning")
    assert "10 within the last 5s" in finding.observed


@pytest.mark.parametrize("errors", [0, 1, 4])
def test_a_few_rejections_are_silent(errors):
    """Now and then somebody may not."""
    assert rejected(*attempts(900 + errors, 5000), earlier=attempts(900, 5000)).outcome == "passed"


def test_rejections_of_the_past_are_silent():
    """While a control plane starts, it turns down many; a single number says nothing."""
    assert rejected(*attempts(5000, 9000), started=20).outcome == "passed"


def test_our_own_refusals_are_not_counted():
    """Lists that we may not read are refusals, too."""
    gaps = {f"kind-{number}": "cannot list: not permitted; needs more" for number in range(30)}
    seen = snapshot(good(), metrics=metrics(*attempts(0, 930), earlier=attempts(0, 900)), gaps=gaps)
    assert judge("clients.rejected", seen).outcome == "passed"


def test_rejections_that_are_new_since_the_baseline_are_found():
    """Two a minute, where there was next to none before, do not go away by themselves."""
    (finding,) = rejected(*attempts(0, 200), saved=saved(*attempts(0, 50))).findings
    assert "authorization" in finding.object
    assert "2.5 a minute, 0.0 before" in finding.observed


def test_rejections_that_were_there_before_are_silent():
    """A probe of a load balancer that may not was there before the upgrade."""
    before = attempts(0, 6 * 60 * 23)
    assert rejected(*attempts(0, 6 * 60 * 24), saved=saved(*before)).outcome == "passed"


def missing(count: int, code: str = "404") -> str:
    """How many requests for Leases were answered so."""
    return f'apiserver_request_total{{code="{code}",group="coordination.k8s.io",resource="leases",verb="GET"}} {count}'


def test_objects_that_are_not_there_are_normal():
    """404 is the answer to a question; only many a second, and far more than before, are told."""
    assert rejected(missing(9000), earlier=[missing(8000)]).outcome == "passed"
    assert rejected(missing(500), saved=saved(missing(10))).outcome == "passed"
    assert objects(rejected(missing(9000), saved=saved(missing(10)))) == ["APIServer/404/leases.coordination.k8s.io"]


def test_what_admission_refuses_each_second_is_found():
    """A quota or a policy that refuses again and again is told with the resource."""
    result = rejected(missing(990, "403"), *attempts(), earlier=[missing(900, "403")])
    assert (
        "requests for leases of API group coordination.k8s.io were refused by admission" in result.findings[0].observed
    )


def test_stale_tokens_are_found():
    """One token that is not reloaded will be invalid some day; an old number is none."""
    assert rejected("serviceaccount_stale_tokens_total 1", started=30).outcome == "warned"
    assert rejected("serviceaccount_stale_tokens_total 5").outcome == "passed"
    assert rejected("serviceaccount_stale_tokens_total 500").outcome == "warned"


def of_widgets(*reads: CustomRead, left_out: int = 0, **changes):
    """What apis.custom-readable says."""
    world = good(customresourcedefinitions=[definition("widgets", "v1", "v2", **changes)])
    return judge("apis.custom-readable", snapshot(world, custom_reads=CustomReads(list(reads), left_out)))


def read(status: int, message: str = "said", version: str = "v1") -> CustomRead:
    """A list that did not succeed."""
    return CustomRead("widgets.example.com", "example.com", version, "widgets", status, message)


def test_what_cannot_be_converted_is_found_in_the_servers_words():
    """One finding for each definition, with each version that cannot be listed."""
    (finding,) = of_widgets(read(500, "conversion webhook failed"), read(500, "no such host", "v2")).findings
    assert finding.object == "CustomResourceDefinition/widgets.example.com"
    assert "v1 cannot be listed: status 500: conversion webhook failed; v2 cannot be listed" in finding.observed


@pytest.mark.parametrize("status", [0, 401, 403, 429, 503])
def test_what_could_not_be_asked_is_a_gap(status):
    """Refused, busy or no answer: nothing is known of that group, which is never green."""
    result = of_widgets(read(status))
    assert (result.outcome, result.findings) == ("inconclusive", ())
    assert "widgets" in result.reason


def test_the_gap_names_the_permission():
    """Once for each group."""
    result = of_widgets(read(403), read(403, version="v2"))
    assert (
        "needs `list` on `widgets` in API group example.com cluster-wide (status 403), and 1 other list"
        in result.reason
    )


def test_what_was_left_out_is_said():
    """More custom resources than fit into a look are a gap."""
    assert "7 lists of custom resources did not fit" in of_widgets(left_out=7).reason


def test_a_definition_that_is_not_established_is_left_to_others():
    """Its resources are not served at all; crds.established says so."""
    assert of_widgets(read(404), status={"conditions": [condition("Established", "False")]}).outcome == "passed"


def test_the_roles_cover_what_is_asked_before_an_upgrade():
    """`upgate profile rbac` prints what -m preflight needs as well, and the rule for /metrics."""
    roles = roles_as_yaml(profile(), load_checks([CHECKS]))
    assert "resources: [storageclasses]" in roles
    assert "- nonResourceURLs: [/metrics]\n  verbs: [get]\n" in roles
    assert "apis.custom-readable also lists each custom resource" in roles
