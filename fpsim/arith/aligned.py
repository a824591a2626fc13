"""Terms cut off toward zero at a common bit, then added exactly: tensor cores and anchored fixed point."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from fpsim.arith.number import PLUS_ZERO, Number, add, floor_log2, multiply, number, round_to
from fpsim.formats import Accumulator, Format


class Factors(NamedTuple):
    """One product before it is multiplied: two operands and their blocks' scales (None: no scales)."""

    a: Number
    b: Number
    a_scale: Number | None
    b_scale: Number | None

    @property
    def scales(self) -> tuple[Number, ...]:
        """The scales there are."""
        return tuple(scale for scale in (self.a_scale, self.b_scale) if scale is not None)

    @property
    def product(self) -> Number:
        """The exact product, scales included."""
        return multiply(self.a, self.b, *self.scales)


class Term(NamedTuple):
    """significand · 2^exponent; the exponent places the term in the window, whatever the significand."""

    significand: Fraction
    exponent: int


def exponent_of(x: Number, fmt: Format) -> int:
    """The exponent that an operand of a format counts with: floor(log2 |x|), no less than the smallest
    normal's.

    e8m0 has no subnormals: its exponent is the power of two. 0 counts with the smallest.
    """
    lowest = -fmt.bias if fmt.kind == "exponent" else 1 - fmt.bias
    return max(floor_log2(x.magnitude), lowest) if x.magnitude else lowest


def aligned_inside(
    total: Number, factors: Sequence[Factors], a_fmt: Format, b_fmt: Format, acc: Accumulator
) -> Number:
    """One step of a tensor core: total ← round(Σ of the terms and C, each cut off 2^-F below the largest).

    Args:
        total: C, a number of acc.fmt.
        factors: at most acc.step of them; fewer are not padded.
        a_fmt, b_fmt: float formats, whose smallest normal exponents count.
        acc: kind "aligned" with C inside. group 1: a term is a product, its exponent the sum of all its
            factors' exponents. Larger groups: a term is the exact sum of a group's products times the
            significands of the scales, its exponent that of the scales alone. A term whose products (or
            scales) are all zero, and C = 0, count with acc.zero_exponent; a group that cancels to 0 does not.

    Returns:
        The new sum; every zero is +0. NaN and infinities follow IEEE 754: NaN · x, 0 · inf and inf − inf are
        NaN.
    """
    assert acc.fmt is not None
    everything = add((total, *(f.product for f in factors)))
    if everything.special:
        return everything
    terms = [_group(factors[i : i + acc.group], a_fmt, b_fmt, acc) for i in range(0, len(factors), acc.group)]
    terms.append(_term(total.value, exponent_of(total, acc.fmt), total.magnitude == 0, acc))
    largest = max(term.exponent for term in terms)
    kept = sum(int(t.significand * Fraction(2) ** (t.exponent - largest + acc.fraction_bits)) for t in terms)
    exact = number(kept * Fraction(2) ** (largest - acc.fraction_bits))
    rounded = round_to(exact, acc.fmt, acc.rounding, acc.overflow)
    return rounded if rounded.special or rounded.magnitude else PLUS_ZERO


def _term(value: Fraction, exponent: int, is_zero: bool, acc: Accumulator) -> Term:
    return Term(value / Fraction(2) ** exponent, acc.zero_exponent if is_zero else exponent)


def _group(group: Sequence[Factors], a_fmt: Format, b_fmt: Format, acc: Accumulator) -> Term:
    total = sum((f.product.value for f in group), Fraction(0))
    exponent = 0
    if acc.scale is not None:
        exponent = sum(exponent_of(scale, acc.scale) for scale in group[0].scales)
    if acc.group == 1:
        exponent += exponent_of(group[0].a, a_fmt) + exponent_of(group[0].b, b_fmt)
    return _term(total, exponent, all(f.product.magnitude == 0 for f in group), acc)


def aligned_outside(total: Number, factors: Sequence[Factors], acc: Accumulator) -> Number:
    """One step of anchored fixed point: total ← round(total + scales · Σ of products cut off below 2^-F).

    Args:
        total: C, a number of acc.fmt.
        factors: at most acc.step of them, all of one block.
        acc: kind "aligned" with C outside.

    Returns:
        The new sum, rounded once; an exact sum of 0 is +0. NaN and infinities as in `aligned_inside`.
    """
    assert acc.fmt is not None
    everything = add((total, *(f.product for f in factors)))
    if everything.special:
        return everything
    unit = Fraction(2) ** -acc.fraction_bits
    dot = sum((int(multiply(f.a, f.b).value / unit) for f in factors), 0) * unit
    scaled = multiply(number(dot), *factors[0].scales)
    return round_to(add((total, scaled)), acc.fmt, acc.rounding, acc.overflow)
