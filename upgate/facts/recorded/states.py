"""What the parts of an inventory share.

Fields of states are only added, so that later versions read what earlier ones wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Lists = Mapping[str, list[Any]]
#: A part of a name between dashes and dots.
PART = re.compile(r"[^-.]+")
#: Longer texts are kept by their beginning: they are there to be told, not to be copied.
LONGEST = 200


def stem(name: str) -> str:
    """A name without what is generated: `istiod-asm-1140-0` and `istiod-asm-1150-2` have the same one."""
    return PART.sub(lambda part: "#" if any(char.isdigit() for char in part[0]) else part[0], name)


def kept_text(text: str) -> str:
    """A text, or its beginning and how long it is, so that another one is told from it."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
