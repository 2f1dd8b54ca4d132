"""Texts in a host's answer."""

from __future__ import annotations


def encodable(text: str) -> str:
    """The text without lone surrogates, which JSON and YAML can contain and UTF-8 cannot."""
    return text.encode(errors="replace").decode()
