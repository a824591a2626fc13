"""An FP16 row to unsigned integers under one FP16 scale and one zero point per group (rtl/README.md)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.arith.float32 import single
from fpsim.formats import get

FP16 = get("fp16")
SMALLEST_SPAN = 1e-5


class Group(NamedTuple):
    """A quantized group: an element is worth (code − zero) · scale.

    Attributes:
        codes: 0 to 2^bits − 1.
        zero: the code of 0, 0 to 2^bits − 1.
        scale: FP16 bits, positive.
    """

    codes: list[int]
    zero: int
    scale: int


def group_row(row: Sequence[int], bits: int, group: int) -> list[Group]:
    """Quantize one row, group by group.

    high and low are the group's extremes, or 0 where 0 lies beyond them. In float32, one rounding each:
    span = max(high − low, 1e-5); scale = FP16(span / (2^bits − 1)). Then zero = RNE(float32(−low / scale))
    and code = RNE(float32(x / scale)) + zero, both clamped to 0 … 2^bits − 1.

    Args:
        row: FP16 bits, finite.
        bits: of a code, 2 to 8.
        group: elements of a group; a last one may be shorter.
    """
    check_int("bits", bits, 2, 8)
    check_int("group", group, 1, None)
    values = []
    for i, x in enumerate(row):
        check_int(f"row[{i}]", x, 0, FP16.n_codes - 1)
        value = FP16.value(x)
        if isinstance(value, str):
            raise ValueError(f"row[{i}]=0x{x:04x}: expected a finite number")
        values.append(value)
    return [_group(values[start : start + group], bits) for start in range(0, len(values), group)]


def _group(values: list[Fraction], bits: int) -> Group:
    top = (1 << bits) - 1
    high, low = max(*values, Fraction(0)), min(*values, Fraction(0))
    span = max(_single(high - low), _single(Fraction(SMALLEST_SPAN)))
    scale = encode(_single(span / top), FP16)
    step = FP16.value(scale)
    assert isinstance(step, Fraction)
    zero = min(round(_single(-low / step)), top)  # round: ties to even
    codes = [min(max(round(_single(x / step)) + zero, 0), top) for x in values]
    return Group(codes, zero, scale)


def _single(x: Fraction) -> Fraction:
    value = single(x)
    assert isinstance(value, Fraction)
    return value
