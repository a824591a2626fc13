"""One rounding to float32, of an exact number."""

from __future__ import annotations

import math
from fractions import Fraction

from fpsim.arith.cast import encode
from fpsim.formats import get

FP32 = get("fp32")
FLT_MAX = FP32.max_value

# An exact number; a float only where it is +inf or −inf.
Number = Fraction | float


def single(x: Number) -> Number:
    """x rounded to float32: to nearest, ties to even, subnormals kept, beyond FLT_MAX an infinity.

    Minus zero is 0.
    """
    if isinstance(x, float):
        if not math.isinf(x):
            raise ValueError(f"x={x!r}: expected a Fraction or an infinity")
        return x
    value = FP32.value(encode(x, FP32, overflow="inf"))
    return value if isinstance(value, Fraction) else math.copysign(math.inf, x.numerator)


def capped(x: Number) -> Fraction:
    """A float32 that is not negative, at most FLT_MAX."""
    return FLT_MAX if isinstance(x, float) else min(x, FLT_MAX)


def quotient(a: Fraction, b: Fraction) -> Number:
    """a / b in float32 for a, b >= 0 that are not both 0."""
    return single(a / b) if b else math.inf
