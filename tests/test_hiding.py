"""Objects of any form lose their secrets, and looking at their clean parts once gives what looking at each text gives."""

from __future__ import annotations

from typing import Any

import pytest

from upgate.base.redaction import HIDDEN
from upgate.facts.hiding import LONGEST, MOST_OF_DOCUMENT, Left, hidden_document, hidden_parts

DOCUMENTS: dict[str, Any] = {
    "clean": {
        "spec": {"size": 3, "source": {"path": "apps/web"}},
        "status": {"health": "Healthy", "list": ["a", 1, None]},
    },
    "a link": {"spec": {"repoURL": "https://git.example.com/shop"}, "status": {"health": "Healthy"}},
    "a password in a link": {"spec": {"url": "https://me:geheim99@git.example.com/x"}},
    "by its key": {"spec": {"dbPassword": "geheim99"}, "status": {"health": "Healthy"}},
    "by the key of its part": {"token": ["geheim99"], "password": {"value": "geheim99"}},
    "by the name of a variable": {"spec": {"env": [{"name": "DB_PASSWORD", "value": "geheim99"}]}},
    "a variable itself": {"name": "DB_PASSWORD", "value": {"is": "geheim99"}},
    "by its look": {"status": {"message": "Authorization: Bearer abcdefghijklmnop.qrstuvwxyz"}},
    "long": {"spec": {"text": "x" * (LONGEST + 1)}, "status": {"text": "y" * LONGEST}},
    "more than are read": {f"part{each}": {"text": "z" * 9_000} for each in range(200)},
    "no mapping": ["geheim99", {"apiToken": "geheim99!"}],
}


def left() -> Left:
    """What a document may have."""
    return Left(MOST_OF_DOCUMENT)


@pytest.mark.parametrize("document", [value for name, value in DOCUMENTS.items() if name != "more than are read"])
def test_one_look_at_a_clean_part_changes_nothing(document):
    """What is hidden, and what is left, is the same as when each text is looked at."""
    assert hidden_parts(document, left()) == hidden_document(document, left())


@pytest.mark.parametrize(
    "name", [name for name in DOCUMENTS if name.startswith(("by the name", "by its", "a password"))]
)
def test_a_secret_is_hidden(name):
    """By its key, by the name of its variable, or because it looks like one."""
    said = str(hidden_parts(DOCUMENTS[name], left()))
    assert HIDDEN in said
    assert "geheim" not in said
    assert "abcdefghijklmnop" not in said


def test_a_huge_object_is_not_looked_at_without_end():
    """What is beyond the characters that an object may have is replaced by their number."""
    hidden = hidden_parts(DOCUMENTS["more than are read"], left())
    assert hidden["part0"] == {"text": "z" * 9_000}
    assert "more than are read" in hidden["part199"]["text"]
