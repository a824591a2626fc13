"""The Hadamard transform in stages that round: fixed point with a shift per stage, and FP16.

n = base · 2^k has k stages of radix 2, at distances 1, 2, 4 … 2^(k − 1), then those of the base: one of radix
12 or 36 at distance 2^k, or for base 144 two of radix 12, at 2^k and 12 · 2^k. A stage of radix r at distance
d takes every r elements that lie d apart to y[i] = Σ_j P[i][j] · x[j], P the base's matrix of
`hadamard_matrix`, or [[1, 1], [1, −1]]. Without rounding the result is that of `hadamard`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal, TypeVar, get_args

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.arith.hadamard import apply_signs, base_matrix, check_order
from fpsim.formats import get

ShiftRounding = Literal["rne", "rna", "rdn"]
FP16 = get("fp16")
T = TypeVar("T", int, Fraction)
MAX_SHIFT = 16
MAX_BITS = 32


def stage_radices(n: int, base: int | None = None) -> tuple[int, ...]:
    """The radix of every stage, in order. Raises ValueError as `hadamard_matrix` does."""
    found = check_order(n, base)
    outer = {1: (), 12: (12,), 36: (36,), 144: (12, 12)}[found]
    return (2,) * ((n // found).bit_length() - 1) + outer


def hadamard_fixed(
    block: Sequence[int],
    shifts: Sequence[int],
    bits: int = MAX_BITS,
    rounding: ShiftRounding = "rne",
    signs: Sequence[int] | None = None,
    base: int | None = None,
) -> list[int]:
    """The transform in a register of `bits` bits: each stage adds exactly, shifts right once, saturates.

    Args:
        block: n integers that fit the register.
        shifts: one per stage, 0 to 16: the stage's sums are worth 2^shift of the next stage's units.
        bits: two's complement, 2 to 32; a sum beyond it after the shift takes the nearest end.
        rounding: of the shift: "rne" nearest, ties to even; "rna" ties away from zero; "rdn" toward
            −infinity, the bits are dropped.
        signs: n times ±1, applied first (−2^(bits − 1) negated saturates), or None.
        base: of the matrix.

    Returns:
        n integers of `bits` bits, about H · x / 2^(sum of shifts).

    Raises:
        ValueError: an argument outside of the above.
    """
    if rounding not in get_args(ShiftRounding):
        raise ValueError(f"rounding={rounding!r}: expected one of {', '.join(get_args(ShiftRounding))}")
    check_int("bits", bits, 2, MAX_BITS)
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    for i, x in enumerate(block):
        check_int(f"block[{i}]", x, low, high)

    def stage(row: Sequence[int], terms: list[int], shift: int) -> int:
        exact = Fraction(sum(h * x for h, x in zip(row, terms, strict=True)), 1 << shift)
        return max(low, min(high, _round(exact, rounding)))

    start = [max(low, min(high, x)) for x in apply_signs(block, signs)]
    return _run(start, shifts, base, stage)


def hadamard_fp16(
    block: Sequence[int],
    shifts: Sequence[int] | None = None,
    signs: Sequence[int] | None = None,
    base: int | None = None,
) -> list[int]:
    """The transform in FP16 adders: a stage adds its terms in order of j, each addition rounded.

    Args:
        block: n finite FP16 bit patterns.
        shifts: one per stage, 0 to 16: its terms are first multiplied by 2^−shift, rounded; None: no shift.
        signs: n times ±1, or None.
        base: of the matrix.

    Returns:
        n FP16 bit patterns. Every rounding is to nearest, ties to even, subnormals kept, saturating at
        ±65504; zeros are +0.

    Raises:
        ValueError: an argument outside of the above.
    """
    values = []
    for i, code in enumerate(block):
        check_int(f"block[{i}]", code, 0, FP16.n_codes - 1)
        value = FP16.value(code)
        if isinstance(value, str):
            raise ValueError(f"block[{i}]={code:#06x}: expected a finite FP16 number")
        values.append(value)
    found = check_order(len(block), base)
    factors = apply_signs([1] * len(block), signs)

    def stage(row: Sequence[int], terms: list[Fraction], shift: int) -> Fraction:
        scaled = [h * _fp16(x / (1 << shift)) for h, x in zip(row, terms, strict=True)]
        total = scaled[0]
        for term in scaled[1:]:
            total = _fp16(total + term)
        return total

    start = [sign * value for sign, value in zip(factors, values, strict=True)]
    none = [0] * len(stage_radices(len(block), found))
    return [encode(x, FP16) for x in _run(start, none if shifts is None else shifts, found, stage)]


def _run(
    block: list[T], shifts: Sequence[int], base: int | None, stage: Callable[[Sequence[int], list[T], int], T]
) -> list[T]:
    radices = stage_radices(len(block), base)
    if len(shifts) != len(radices):
        raise ValueError(f"shifts has {len(shifts)} elements: expected {len(radices)}, one per stage")
    distance = 1
    for s, (radix, shift) in enumerate(zip(radices, shifts, strict=True)):
        check_int(f"shifts[{s}]", shift, 0, MAX_SHIFT)
        matrix = ((1, 1), (1, -1)) if radix == 2 else base_matrix(radix)
        result = list(block)
        for start in range(len(block)):
            if start // distance % radix == 0:
                places = [start + j * distance for j in range(radix)]
                terms = [block[place] for place in places]
                for place, row in zip(places, matrix, strict=True):
                    result[place] = stage(row, terms, shift)
        block, distance = result, distance * radix
    return block


def _round(x: Fraction, rounding: ShiftRounding) -> int:
    if rounding == "rne":
        return round(x)
    if rounding == "rdn":
        return x.numerator // x.denominator
    magnitude = (abs(x) + Fraction(1, 2)).__floor__()
    return magnitude if x >= 0 else -magnitude


def _fp16(x: Fraction) -> Fraction:
    value = FP16.value(encode(x, FP16))
    assert isinstance(value, Fraction)
    return value
