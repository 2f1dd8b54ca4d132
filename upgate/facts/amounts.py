"""Amounts of resources: what containers request and nodes have, in whole numbers.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from upgate.facts.meta import Fact

#: What stands in JSON for a quantity: the API server writes text, a client may have written a number.
Quantity = str | int | float
QUANTITY = re.compile(
    r"([+-]?)(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE]([+-]?\d{1,3})|([KMGTPE]i)|([numkMGTPE]))?", re.ASCII
)
BINARY = {f"{prefix}i": 1024**power for power, prefix in enumerate("KMGTPE", 1)}
DECIMAL = {
    prefix: Decimal(10) ** (3 * power)
    for power, prefix in zip((-3, -2, -1, 1, 2, 3, 4, 5, 6), "numkMGTPE", strict=True)
}
#: The API server keeps no larger number.
LARGEST = 2**63 - 1


class Amounts(Fact):
    """Some resources by name, as far as checks ask for them. Equal ones are equal, so that they can be kept once."""

    cpu: Quantity = ""
    memory: Quantity = ""
    ephemeral_storage: Quantity = msgspec.field(name="ephemeral-storage", default="")
    pods: Quantity = ""


class Resources(Fact):
    """`resources` of a container or a pod."""

    requests: Amounts | None = None


def amounts_of(resources: Mapping[str, Quantity]) -> Amounts:
    """Of all resources those that checks ask for by name."""
    return msgspec.convert(resources, Amounts)


class Load(NamedTuple):
    """What is requested, or is there."""

    #: In thousandths of a CPU.
    cpu: int = 0
    #: In bytes.
    memory: int = 0
    storage: int = 0
    pods: int = 0

    def plus(self, other: Load) -> Load:
        """Both together."""
        return Load(*(one + two for one, two in zip(self, other, strict=True)))

    def minus(self, other: Load) -> Load:
        """What is left of it, and no less than nothing."""
        return Load(*(max(0, one - two) for one, two in zip(self, other, strict=True)))

    def most(self, other: Load) -> Load:
        """The larger one of each."""
        return Load(*map(max, self, other))

    def fits(self, room: Load) -> bool:
        """There is room for it."""
        return (
            self.cpu <= room.cpu
            and self.memory <= room.memory
            and self.storage <= room.storage
            and self.pods <= room.pods
        )

    def share_of(self, whole: Load) -> float:
        """The largest share that it takes of one of the resources."""
        return max(one / max(1, two) for one, two in zip(self, whole, strict=True))

    @property
    def words(self) -> str:
        """CPU and memory, for people."""
        storage = f", {in_bytes(self.storage)} ephemeral storage" if self.storage else ""
        return f"{self.cpu / 1000:.4g} CPU, {in_bytes(self.memory)} memory{storage}"


def in_bytes(amount: int) -> str:
    """`1.5 GiB`."""
    value, unit = float(amount), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.4g} {unit}"


def load_of(amounts: Amounts | None) -> Load:
    """The amounts in whole numbers; what is not said is nothing. Raises ValueError."""
    if amounts is None:
        return Load()
    cpu, memory, storage = amounts.cpu, amounts.memory, amounts.ephemeral_storage
    return Load(
        whole_number(str(cpu), 1000),
        whole_number(str(memory)),
        whole_number(str(storage)),
        whole_number(str(amounts.pods)),
    )


@lru_cache(maxsize=4096)
def whole_number(text: str, scale: int = 1) -> int:
    """`100m`, `1Gi`, `1e3` as a number, rounded up, within what the API server keeps. Raises ValueError."""
    if not text:
        return 0
    match = QUANTITY.fullmatch(text)
    if not match:
        raise ValueError(f"not a quantity of Kubernetes: {text[:40]!r}")
    sign, number, exponent, binary, decimal = match.groups()
    factor = Decimal(10) ** int(exponent) if exponent else BINARY.get(binary, 0) or DECIMAL.get(decimal, Decimal(1))
    amount = (Decimal(number) * factor * scale).to_integral_value(ROUND_CEILING)
    return 0 if sign == "-" else int(min(amount, Decimal(LARGEST)))
