"""A dot product of integers in groups, each under two scales, summed in FP32 (rtl/README.md)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.formats import get

FP16, FP32 = get("fp16"), get("fp32")


class Side(NamedTuple):
    """One operand of a group: codes, the code of 0, and a positive FP16 scale as bits."""

    codes: Sequence[int]
    zero: int
    scale: int


def dot_group(a: Sequence[Side], b: Sequence[Side]) -> int:
    """Σ over groups, in order, of (integer dot · a's scale) · b's scale; every operation rounded to FP32.

    A group's dot is Σ (a − za)(b − zb) = Σ ab − zb Σ a − za Σ b + n za zb, exact. Then
    p = FP32(FP32(dot · sa) · sb) and acc = FP32(acc + p), from +0.

    Args:
        a, b: the groups of a row and of a column, of the same lengths.

    Returns:
        FP32 bits of the sum.

    Raises:
        ValueError: lengths that differ, or a scale that is not positive and finite.
    """
    acc = Fraction(0)
    for i, (left, right) in enumerate(zip(a, b, strict=True)):
        n = len(left.codes)
        products = sum(x * y for x, y in zip(left.codes, right.codes, strict=True))
        corrections = right.zero * sum(left.codes) + left.zero * sum(right.codes)
        dot = products - corrections + n * left.zero * right.zero
        scales = [
            _scale(f"{name}[{i}].scale", bits) for name, bits in (("a", left.scale), ("b", right.scale))
        ]
        acc = _fp32(acc + _fp32(_fp32(dot * scales[0]) * scales[1]))
    return encode(acc, FP32)


def _scale(name: str, bits: int) -> Fraction:
    check_int(name, bits, 1, FP16.max_magnitude_code)
    value = FP16.value(bits)
    assert isinstance(value, Fraction)
    return value


def _fp32(x: Fraction) -> Fraction:
    value = FP32.value(encode(x, FP32))
    assert isinstance(value, Fraction)
    return value
