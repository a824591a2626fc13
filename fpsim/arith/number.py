"""Exact numbers with signed zeros, infinities and NaN, and their rounding to a format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import repeat
from typing import Literal, NamedTuple

from fpsim.arith.cast import encode
from fpsim.formats import NAN, Format, get
from fpsim.formats.accumulator import Overflow, Rounding

_FP32 = get("fp32")
QUIET_NAN = 0x7FC00000


class Number(NamedTuple):
    """A sign, an exact magnitude and perhaps a special value.

    Attributes:
        negative: the sign, of zeros and infinities too.
        magnitude: at least 0; meaningless where `special` is set.
        special: "" (a number), "inf" or "nan".
    """

    negative: bool
    magnitude: Fraction
    special: Literal["", "inf", "nan"] = ""

    @property
    def value(self) -> Fraction:
        """The exact value; only of a number."""
        return -self.magnitude if self.negative else self.magnitude


RandomBits = tuple[int, int] | None  # (value, nbits) of one rounding; None: not stochastic
NO_RANDOM_BITS: Iterator[RandomBits] = repeat(None)
NOT_A_NUMBER = Number(False, Fraction(0), "nan")
PLUS_ZERO = Number(False, Fraction(0))


def number(value: Fraction | int) -> Number:
    """An exact number; 0 is +0."""
    return Number(value < 0, abs(Fraction(value)))


def from_code(code: int, fmt: Format) -> Number:
    """What a code of any format means; the sign of a NaN and its payload are dropped."""
    value = fmt.value(code)
    if value == NAN:
        return NOT_A_NUMBER
    negative = fmt.signed and code >= fmt.n_codes // 2
    if isinstance(value, str):
        return Number(negative, Fraction(0), "inf")
    return Number(negative if fmt.kind != "int" else value < 0, abs(value))


def to_code(x: Number, fmt: Format) -> int:
    """The code of a number or an infinity that a signed float format holds exactly; signed zeros are kept."""
    if x.special == "inf" and fmt.has_inf:
        return fmt.max_magnitude_code + 1 + (fmt.n_codes // 2 if x.negative else 0)
    if x.special:
        raise ValueError(f"x={x.special!r}: expected a number, or an infinity of a format that has one")
    return encode(x.value, fmt, overflow="error", negative_zero=x.negative and x.magnitude == 0)


def multiply(*factors: Number) -> Number:
    """The exact product; 0 · infinity and anything with NaN are NaN."""
    negative = sum(factor.negative for factor in factors) % 2 == 1
    magnitude = Fraction(1)
    infinite = False
    for factor in factors:
        if factor.special == "nan":
            return NOT_A_NUMBER
        infinite |= factor.special == "inf"
        magnitude *= 1 if factor.special else factor.magnitude
    if infinite:
        return Number(negative, Fraction(0), "inf") if magnitude else NOT_A_NUMBER
    return Number(negative, magnitude)


def add(numbers: Iterable[Number]) -> Number:
    """The exact sum of any count; infinities of both signs, and anything with NaN, are NaN; 0 is +0."""
    terms = list(numbers)
    signs = {term.negative for term in terms if term.special == "inf"}
    if len(signs) == 2 or any(term.special == "nan" for term in terms):
        return NOT_A_NUMBER
    if signs:
        return Number(signs.pop(), Fraction(0), "inf")
    return number(sum((term.value for term in terms), Fraction(0)))


def add_two(x: Number, y: Number, rounding: Rounding) -> Number:
    """The exact sum of two, with IEEE 754's sign of zero (section 6.3).

    Zeros of one sign keep it; every other exact zero is +0, under "rdn" −0.
    """
    total = add((x, y))
    if total.special or total.magnitude:
        return total
    if x.magnitude == 0 and x.negative == y.negative:
        return x
    return Number(rounding == "rdn", Fraction(0))


def round_to(
    x: Number,
    fmt: Format,
    rounding: Rounding,
    overflow: Overflow,
    random_bits: RandomBits = None,
) -> Number:
    """Round to fmt; the overflow rules are `Accumulator`'s. A NaN or an infinity stays what it is.

    random_bits: (value, nbits) for "stochastic" and only there, as `encode` has them.

    Raises:
        ValueError: a NaN or an infinity, where fmt is not an IEEE format.
    """
    if x.special:
        if not fmt.has_inf:
            raise ValueError(f"fmt={fmt.name!r} holds no {x.special}; expected finite operands and c")
        return x
    top = Fraction(2) ** (fmt.max_value.numerator.bit_length() - fmt.max_value.denominator.bit_length() + 1)
    if overflow == "inf" and x.magnitude >= top:
        return Number(x.negative, Fraction(0), "inf")
    code = encode(
        x.value,
        fmt,
        rounding=rounding,
        overflow="saturate" if overflow == "saturate" else "inf",
        negative_zero=x.negative and x.magnitude == 0,
        random_bits=random_bits,
    )
    return from_code(code, fmt)


def float32_bits(x: Number, nan: int = QUIET_NAN) -> int:
    """Bits of a number that float32 holds; `nan` are those of NaN."""
    if x.special == "nan":
        return nan
    if x.special == "inf":
        return _FP32.max_magnitude_code + 1 + (_FP32.n_codes // 2 if x.negative else 0)
    return encode(x.value, _FP32, overflow="error", negative_zero=x.negative and x.magnitude == 0)


def floor_log2(x: Fraction) -> int:
    """floor(log2 x) of a positive x, from the bits."""
    estimate = x.numerator.bit_length() - x.denominator.bit_length()
    return estimate if x >= Fraction(2) ** estimate else estimate - 1
