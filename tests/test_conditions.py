"""Conditions in CEL: what they say of objects, and what a hostile object can do to them."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from upgate.base.conditions import MOST_STEPS, CannotEvaluate, cel_condition

NOW = {"now": datetime(2026, 11, 21, tzinfo=UTC)}
OBJECT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Thing",
    "metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "web"}, "creationTimestamp": "2026-11-20T00:00:00Z"},
    "spec": {"version": "1.12.1", "replicas": 3, "ports": [80, 443], "none": None, "huge": 2**70, "x": 1.5},
    "status": {
        "health": {"status": "Healthy"},
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}],
    },
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('spec.version == "1.12.1"', True),
        ('spec.version == "1.12.2"', False),
        ("spec.replicas >= 3 && spec.x < 2.0", True),
        ('status.health.status == "Healthy"', True),
        ("has(status.health) && !has(status.phase)", True),
        ("has(object.status) && has(object.spec.version) && !has(object.data)", True),
        ('status.conditions.exists(c, c.type == "Ready" && c.status == "True")', True),
        ('status.conditions.all(c, c.status == "True")', False),
        ('metadata.labels["app.kubernetes.io/name"] == "web"', True),
        ('"app.kubernetes.io/name" in metadata.labels', True),
        ("443 in spec.ports && size(spec.ports) == 2 && spec.ports[0] == 80", True),
        ("spec.none == null", True),
        ('kind == "Thing" && apiVersion.startsWith("v1")', True),
        ('now - timestamp(metadata.creationTimestamp) < duration("25h")', True),
        ('spec.version.matches("^1[.]12[.]")', True),
        ('status.missing.value == "x" || spec.replicas == 3', True),
        ("size(status) == 2 && status.health == {'status': 'Healthy'}", True),
        ("spec.version ==\n  '1.12.1'", True),
        ("object.spec.replicas == spec.replicas", True),
        ("(spec).replicas == 3", True),
        ('"spec.ports)" != spec.version', True),
    ],
)
def test_what_a_condition_says(text, holds):
    """Only the parts that a condition asks for are handed to it, and it says the same as of the whole object."""
    assert cel_condition(text).holds(OBJECT, NOW) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("status.phase == 'x'", "there is no field 'phase'"),
        ("status.health.reason.text == 'x'", "there is no field 'reason'"),
        ("stauts.phase == 'x'", "'stauts'"),
        ("spec.version + 1 == 2", "string + int"),
        ("spec.ports[7] == 1", "out of bounds"),
        ("spec.replicas / 0 == 1", "division by zero"),
        ("spec.version", 'it gives "1.12.1", which is neither true nor false'),
        ("size(spec.ports)", "it gives 2"),
        ("nothing(spec.x)", "'nothing'"),
        ("spec.none.x == 1", ""),
        ("timestamp(spec.version) < now", ""),
    ],
)
def test_what_cannot_be_evaluated(text, words):
    """A missing field, another type and a result that is no truth are said."""
    with pytest.raises(CannotEvaluate) as problem:
        cel_condition(text).holds(OBJECT, NOW)
    assert words in str(problem.value)
    assert len(str(problem.value)) < 400


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("spec.x ==", "column 10 of it: mismatched input 'its end'"),
        ("spec.x == 1 &&\n  (2", "line 2, column 5 of it"),
        ("a b", "column 3 of it"),
        ("", ""),
        ("(" * 5000 + ")" * 5000, ""),
        ("spec.x == 12345678901234567890", "invalid int"),
    ],
)
def test_a_broken_expression_says_where(text, words):
    """Line and column of the expression, and what is wrong there, in a line."""
    with pytest.raises(ValueError, match="not a CEL expression") as problem:
        cel_condition(text)
    assert words in str(problem.value)
    assert len(str(problem.value)) < 400


def test_it_tells_what_is_there_instead():
    """The values at the places that it asks for, short."""
    assert cel_condition('spec.version == "2" && status.none').values(OBJECT) == 'spec.version is "1.12.1"'
    assert cel_condition("size(metadata) == 0").values({"metadata": {str(n): n for n in range(99)}}) == (
        "metadata is a map of 99"
    )


def test_a_large_object_costs_no_minutes():
    """Macros in macros over a large list are refused before they begin; one macro over it is not."""
    large = {"spec": {"a": list(range(100_000))}}
    begun = time.monotonic()
    assert cel_condition("spec.a.all(x, x >= 0)").holds(large, NOW)
    nested = cel_condition("spec.a.all(x, spec.a.exists(y, y == x))")
    assert nested.steps(large) > MOST_STEPS
    assert time.monotonic() - begun < 10


def test_what_is_not_asked_for_costs_nothing():
    """A part of the object that no condition names is not handed over, however large or deep it is."""
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(50_000):
        inner["a"] = {}
        inner = inner["a"]
    assert cel_condition("spec.x == 1").holds({"spec": {"x": 1, "y": deep}, "status": deep}, NOW)


def test_a_deep_object_ends_nothing():
    """As deep as the decoder reads: it is judged, or it is said that it cannot be."""
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(900):
        inner["a"] = {}
        inner = inner["a"]
    for text in ("has(spec.a)", "spec == {}", "spec.all(key, has(spec[key].a))"):
        with suppress(CannotEvaluate):
            assert cel_condition(text).holds({"spec": deep}, NOW) in (True, False)
