"""Whatever an API server answers and whatever a profile says: facts, gaps or our own errors, never a traceback, never a hang."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_facts import BUILDERS
from tests.worlds import NOW, battery, judge, snapshot, thing
from upgate.base.errors import Inconclusive, UsageError
from upgate.facts.decoding import decode_page
from upgate.facts.kinds import KINDS
from upgate.profile import load
from upgate.snapshot import dump_snapshot
from upgate.sources.cluster.connection import ApiResponse, status_message, text_member
from upgate.sources.cluster.listing import Expired, Passing, page_in

quickly = settings(
    max_examples=25, deadline=timedelta(seconds=5), suppress_health_check=list(HealthCheck), derandomize=True
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ODD = st.sampled_from(
    ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "\x1b[2J", "-1"]
)
VALUES = st.recursive(
    SCALARS | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.binary(max_size=200) | VALUES.map(lambda value: yaml.safe_dump(value).encode())


@st.composite
def changed(draw, value):
    """The value with some of its parts replaced by anything."""
    if draw(st.integers(0, 12)) == 0:
        return draw(VALUES | ODD)
    if isinstance(value, dict):
        return {key: draw(changed(each)) for key, each in value.items()}
    return [draw(changed(each)) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("noun", KINDS)
@quickly
@given(data=st.data())
def test_any_object_is_a_fact_or_malformed(noun, data):
    """Objects with anything in any place are decoded and judged; the snapshot can be written."""
    things = data.draw(st.lists(changed(BUILDERS.get(noun) or thing("any")), min_size=1, max_size=3))
    kind = KINDS[noun]
    body = msgspec.json.encode({"kind": kind.list_kind, "items": things})
    page = page_in(ApiResponse(200, {}, body), kind)
    items, malformed = decode_page(kind.type, page)
    assert len(items) + len(malformed) == len(things)
    seen = snapshot({noun: [each for each in things if isinstance(each, dict)]}, taken=NOW)
    assert dump_snapshot(seen)
    for id in [each for each in battery() if each.startswith(noun.rstrip("s")[:4])]:
        assert judge(id, seen).outcome


@quickly
@given(status=st.integers(200, 599), body=BODIES, after=st.text(max_size=5))
def test_any_answer_is_a_page_or_a_gap(status, body, after):
    """Any body with any status is a page, or one of our own reasons."""
    answer = ApiResponse(status, {"Retry-After": after}, body)
    assert status_message(answer).encode() is not None
    assert text_member(body, "status", "name") is None or body
    with suppress(Passing, Expired, Inconclusive):
        assert page_in(answer, KINDS["pods"]).kind == "PodList"


KEYS = [
    "cluster",
    "expect",
    "scope",
    "checks",
    "waivers",
    "external",
    "hosts",
    "sidecars",
    "patience",
    "monitor",
    "gate",
]
KEYS += ["restarts", "extends", "since", "window"]


@quickly
@given(text=st.text(max_size=200) | st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4).map(yaml.safe_dump))
def test_any_text_is_a_profile_or_an_error(tmp_path_factory, text):
    """A profile with anything in it is loaded, or refused with our own error."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "fuzz.yaml").write_text(text, encoding="utf-8", errors="replace")
    with suppress(UsageError):
        assert load("fuzz", search=[folder], environ={}, today=date(2026, 11, 21)).name == "fuzz"
