"""What the name of an image says."""

from __future__ import annotations

from upgate.base.versions import minor_of


def image_name(image: str) -> str:
    """The last part of its repository: `registry:5000/a/coredns:v1.12.0@sha256:…` → `coredns`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def image_version(image: str) -> str:
    """Its tag. Raises ValueError where that says no version: a digest alone, or `latest`."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if minor_of(tag) is None:
        raise ValueError(f"image {image} does not say its version")
    return tag
