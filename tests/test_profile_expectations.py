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
        (f"prometheus: {{{URL}, ignores: []}}", '1:50: prometheus.ignores: unknown key; did you mean "ignore"?'),
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
