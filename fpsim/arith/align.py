"""A row of FP16 numbers as integers that share one exponent: block floating point."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from fpsim.arith.checks import MAX_GUARD_BITS, check_int
from fpsim.formats import get

FP16 = get("fp16")
# An FP16 number with effective exponent E and integer significand S is worth S · 2^(E − 25).
FP16_UNIT_EXPONENT = FP16.bias + FP16.man_bits
# Effective exponents run from 1 (subnormals, zero) to 30; 31 marks infinities and NaNs.
MAX_EFFECTIVE_EXPONENT = (1 << FP16.exp_bits) - 2


class Aligned(NamedTuple):
    """An aligned row.

    Attributes:
        ints: one integer per element, at most 2^(11 + guard_bits) − 1 in magnitude.
        exp: the row exponent; one unit of `ints` is worth 2^(exp − 25 − guard_bits).
        special: the row holds an infinity or a NaN and must be treated as an error.
    """

    ints: list[int]
    exp: int
    special: bool


def align(row: Sequence[int], guard_bits: int, exp: int | None = None) -> Aligned:
    """Align a row of FP16 bit patterns (rtl/README.md, "align").

    Args:
        row: FP16 bits, 0 to 65535, at least one.
        guard_bits: bits kept below an FP16 significand, 0 to 8.
        exp: None: the largest effective exponent max(e, 1) of the row (dynamic), where an infinity or a NaN
            counts with its own, 31. Else a static exponent, 1 to 30.

    Returns:
        Each element's magnitude in units of 2^(exp − 25 − guard_bits), rounded to nearest, ties to even,
        its sign applied afterwards, then saturated to ±(2^(11 + guard_bits) − 1), which only a static
        exponent can reach. An infinity or a NaN sets `special` and its integer is 0.

    Raises:
        ValueError: an empty row, bits, guard_bits or exp out of range.
    """
    check_int("guard_bits", guard_bits, 0, MAX_GUARD_BITS)
    if not len(row):
        raise ValueError("row=[]: expected at least one element")
    for i, bits in enumerate(row):
        check_int(f"row[{i}]", bits, 0, FP16.n_codes - 1)
    if exp is None:
        exp = max(max(FP16.fields(bits)[1], 1) for bits in row)
    else:
        check_int("exp", exp, 1, MAX_EFFECTIVE_EXPONENT)
    special = any(_is_special(bits) for bits in row)
    return Aligned([_align_one(bits, guard_bits, exp) for bits in row], exp, special)


def _align_one(bits: int, guard_bits: int, exp: int) -> int:
    if _is_special(bits):
        return 0
    sign, field, man = FP16.fields(bits)
    significand = man + ((1 << FP16.man_bits) if field else 0)
    units = Fraction(significand << guard_bits) * Fraction(2) ** (max(field, 1) - exp)
    magnitude = min(round(units), (1 << (FP16.man_bits + 1 + guard_bits)) - 1)  # round: ties to even
    return -magnitude if sign else magnitude


def _is_special(bits: int) -> bool:
    return FP16.fields(bits)[1] > MAX_EFFECTIVE_EXPONENT
