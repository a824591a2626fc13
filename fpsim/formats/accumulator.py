"""What a sum means: one frozen description of how a dot product is added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Overflow = Literal["wrap", "saturate", "saturate-end"]


@dataclass(frozen=True)
class Accumulator:
    """How the products of a dot product are added.

    Attributes:
        kind: "exact": products are integers in units of the two formats' smallest steps, added in order
            of k in a two's complement register; nothing is rounded.
        bits: width of the register, 2 to 63.
        overflow: what happens beyond the register. "wrap": modulo 2^bits (two's complement hardware).
            "saturate": clamped after every addition. "saturate-end": the exact sum, clamped once.
    """

    kind: Literal["exact"]
    bits: int
    overflow: Overflow

    def __post_init__(self) -> None:
        if self.kind != "exact":
            raise ValueError(f"kind={self.kind!r}: expected 'exact'")
        if not 2 <= self.bits <= 63:
            raise ValueError(f"bits={self.bits}: expected 2 to 63")
        if self.overflow not in ("wrap", "saturate", "saturate-end"):
            raise ValueError(f"overflow={self.overflow!r}: expected 'wrap', 'saturate' or 'saturate-end'")

    @classmethod
    def exact(cls, bits: int = 32, overflow: Overflow = "wrap") -> Accumulator:
        """A fixed-point accumulator without rounding; what the array's RTL does (26 bits, wrap)."""
        return cls("exact", bits, overflow)
