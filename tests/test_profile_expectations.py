"""What a profile may say of another monitor and of any object, and how it is told that it says it wrongly."""

from __future__ import annotations

from datetime import date

import pytest

from upgate.base.errors import UsageError
from upgate.profile import load
from upgate.profile.sending import in_plain_text

URL = "url: https://prometheus.example.com"


def loaded(folder, text: str, known: tuple[str, ...] = (), **environ: str):
    (folder / "here.yaml").write_text(text)
    ids = {"alerts.firing", *known} if known else None
    return load("here", search=[folder], environ=environ, today=date(2026, 11, 21), known_checks=ids)


def refused(folder, text: str, **environ: str) -> str:
    with pytest.raises(UsageError) as error:
        loaded(folder, text, **environ)
    return str(error.value)


def test_a_prometheus_is_read(tmp_path):
    """Credentials come from the environment, and are secrets."""
    text = f"prometheus: {{{URL}, bearer: '${{TOKEN}}', ignore: [Watchdog, '{{severity=\"info\"}}']}}\n"
    profile = loaded(tmp_path, text, TOKEN="abcd1234")
    assert profile.prometheus.bearer == "abcd1234"
    assert "abcd1234" in profile.secrets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prometheus: {queries: []}", 'prometheus: needs the key "url"'),
        ("prometheus: {url: prometheus}", "prometheus.url: not a URL"),
        (f"prometheus: {{{URL}, ignores: []}}", '1:51: prometheus.ignores: unknown key; did you mean "ignore"?'),
        (f"prometheus: {{{URL}, ignore: ['{{severity=info}}']}}", "prometheus.ignore[0]: not label matchers"),
        (f"prometheus: {{{URL}, ignore: ['{{a=~\"(\"}}']}}", "prometheus.ignore[0]: not a regular expression"),
        (f"prometheus: {{{URL}, ignore: ['']}}", "prometheus.ignore[0]: an empty pattern"),
        (f"prometheus: {{{URL}, ignore: ['a}}b']}}", "prometheus.ignore[0]: not a name, a pattern or label matchers"),
        (f"prometheus: {{{URL}, basic: 'a:b', bearer: c}}", "only one of basic and bearer can be set"),
        (f"prometheus: {{{URL}, client-key: c}}", "has no effect without client-certificate"),
        (f"prometheus: {{{URL}, queries: [{{name: a, query: up}}]}}", 'needs the key "that"'),
        (
            f"prometheus: {{{URL}, queries: [{{name: a, query: up, that: 0.01}}]}}",
            "expected text; YAML reads 0.01 as a number; quote it",
        ),
        (f"prometheus: {{{URL}, queries: [{{name: a, query: up, that: '< 1%'}}]}}", "not a comparison with a number"),
        (
            f"prometheus: {{{URL}, queries: [{{name: a, query: up, that: '<1'}}, {{name: a, query: up, that: '<1'}}]}}",
            "prometheus.queries[1].name: duplicate name",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, words):
    """Each error has its key, line and column."""
    assert words in refused(tmp_path, text + "\n")


def test_the_ids_of_queries_are_known(tmp_path):
    """A severity can be given to the check of a query."""
    text = (
        f'prometheus: {{{URL}, queries: [{{name: a, query: up, that: "== 1"}}]}}\nchecks: {{alerts.query.a: warning}}\n'
    )
    assert loaded(tmp_path, text, known=("nodes.ready",)).checks == {"alerts.query.a": "warning"}


def test_credentials_in_plain_text_are_noted(tmp_path):
    """A token over http can be read on the way."""
    text = "prometheus: {url: http://prometheus.example.com, bearer: '${TOKEN}'}\n"
    assert "prometheus sends credentials over plain http" in in_plain_text(loaded(tmp_path, text, TOKEN="abcd1234"))[0]


def resource(**keys: str) -> str:
    """A profile with one entry of resources:."""
    said = {"name": "a", "apiVersion": "example.com/v1", "kind": "Widget", "that": "'spec.x == 1'"} | keys
    pairs = "".join(f"\n    {key}: {value}" for key, value in said.items())
    return f"resources:\n  -{pairs[4:]}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (resource(that="'spec.x =='"), "here.yaml:5:11: resources[0].that: not a CEL expression: column 10 of it"),
        (resource(that="[]"), "resources[0].that: must not be empty"),
        (resource(that="true"), "resources[0].that"),
        (resource(kind="widgets"), "resources[0].kind: not a kind such as Cluster"),
        (resource(apiVersion="example.com"), "resources[0].apiVersion: not an apiVersion"),
        (resource(apiVersion="../v1"), "resources[0].apiVersion: not an apiVersion"),
        (resource(namespace="a/b"), "resources[0].namespace: not the name of an object"),
        (resource(object="'..'"), "resources[0].object: not the name of an object"),
        (resource(selector="'a in (b)'"), "resources[0].selector: not a label selector"),
        (resource(selector="a=b", object="c"), "resources[0].selector: only one of object and selector can be set"),
        (resource(apiVersion="v1", kind="Secret"), "resources[0].kind: Secrets are only listed with allow: [secrets]"),
        (resource(api_version="v1"), 'unknown key; did you mean "apiVersion"?'),
        (resource() + resource().partition("\n")[2], "resources[1].name: duplicate name"),
    ],
)
def test_what_is_wrong_with_resources_is_told(tmp_path, text, words):
    """A broken expression, or what names no kind or object, with line and column."""
    assert words in refused(tmp_path, text)


def test_resources_are_read(tmp_path):
    """One condition stands for a list of one; a severity can be given to the check of an entry."""
    profile = loaded(tmp_path, resource() + "checks: {expect.a: warning}\n", known=("nodes.ready",))
    assert profile.resources[0].that == ("spec.x == 1",)
    assert loaded(tmp_path, resource(apiVersion="v1", kind="Secret") + "allow: [secrets]\n").allow == ("secrets",)
