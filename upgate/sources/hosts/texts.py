"""Texts in a host's answer."""

from __future__ import annotations


def encodable(text: str) -> str:
    """The text without halves of characters, which JSON and YAML can spell and nothing can write."""
    return text.encode(errors="replace").decode()
