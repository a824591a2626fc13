"""One step of the multiply-accumulate unit with a floating-point sum."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from fpsim.arith.checks import check_int
from fpsim.arith.decode import Operand
from fpsim.arith.mul import mul
from fpsim.arith.number import PLUS_ZERO, Number, RandomBits, from_code, to_code
from fpsim.arith.sequential import sequential
from fpsim.formats import Accumulator

UNIT_EXP_BITS = 8


def mac_float(
    acc: int,
    a: Operand,
    b: Operand,
    unit_exp: int,
    *,
    first: bool,
    accumulator: Accumulator,
    random_bits: RandomBits = None,
) -> int:
    """One beat of a floating processing element (rtl/README.md, "mac_float").

    Args:
        acc: the register before the beat, a code of accumulator.fmt that is not NaN.
        a, b: decoded operands of any two formats.
        unit_exp: the product's unit is 2^unit_exp, −128 to 127: the two formats' steps multiplied.
        first: the first beat of a tile: the register counts as +0.
        accumulator: kind "sequential", fused.
        random_bits: (value, nbits) of this beat's rounding, for "stochastic" and only there.

    Returns:
        The register after the beat, round(acc + a · b · 2^unit_exp). A zero product has the sign of its
        operands, as IEEE 754 section 6.3 has it.

    Raises:
        ValueError: a unit_exp out of range, an accumulator of another kind.
    """
    check_int("unit_exp", unit_exp, -(1 << (UNIT_EXP_BITS - 1)), (1 << (UNIT_EXP_BITS - 1)) - 1)
    fmt = accumulator.fmt
    if fmt is None or accumulator.kind != "sequential" or not accumulator.fused:
        raise ValueError(f"accumulator={accumulator}: expected a sequential, fused one")
    product = Number(a.neg != b.neg, abs(mul(a, b)) * Fraction(2) ** unit_exp)
    before = PLUS_ZERO if first else from_code(acc, fmt)
    bits: Iterator[RandomBits] = iter((random_bits,))
    return to_code(sequential(before, (product,), accumulator, bits), fmt)
