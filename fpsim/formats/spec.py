"""What the bits of one number mean: a format is a frozen record of named fields.

A real exponent bias (FPQ, LLM-FP4, HQ-DiT) is an integer bias and a scale: 2^-b is irrational for most b,
and whatever holds it rounds it. So a format says which rational number it became, and all of its values,
midpoints and codes are exact again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cached_property
from typing import Literal

Kind = Literal["float", "int", "exponent"]
Specials = Literal["none", "nan", "ieee"]

NAN = "nan"
POS_INF = "+inf"
NEG_INF = "-inf"

SCALE_BITS = 24  # significant bits of a scale: what float32 holds
_MOST_SCALED_BITS = 8
_BIAS_MAX = 1000
_SMALLEST, _LARGEST = Fraction(2) ** -126, Fraction(2) ** 127  # scaled values stay normal float32 numbers


def round_significand(x: Fraction, bits: int) -> Fraction:
    """A positive number to `bits` significant bits, nearest, ties to even; the exponent is not bounded."""
    estimate = x.numerator.bit_length() - x.denominator.bit_length()
    top = estimate if x >= Fraction(2) ** estimate else estimate - 1
    last_place = Fraction(2) ** (top - bits + 1)
    return round(x / last_place) * last_place


def _positive(name: str, x: Fraction | float) -> Fraction:
    if not (isinstance(x, Fraction) or math.isfinite(x)) or x <= 0:
        raise ValueError(f"{name}={x}: expected a positive, finite number")
    return Fraction(x)


@dataclass(frozen=True)
class Format:
    """A number format of at most 32 bits.

    Attributes:
        name: lower-case name, as `get` knows it.
        exp_bits: stored exponent bits (0 for integers).
        man_bits: stored significand bits, without the hidden bit. For integers: the bits beside the sign.
        bias: exponent bias. A format whose bias is free (E3M0, E1M2) is listed with the bias that makes
            its smallest step 1; the scale carries the rest.
        signed: whether the top bit is a sign (floats) or the number is two's complement (integers).
        kind: "float" (subnormals included), "int", or "exponent" (E8M0: a bare power of two, no zero).
        specials: "none"; "nan" (only the all-ones magnitude code is NaN: E4M3 of OCP FP8, UE4M3, E8M0);
            "ieee" (the all-ones exponent holds infinities and NaNs).
        source: the standard or paper that fixes the bits.
        scale: factor of every value, exact: a positive dyadic fraction of at most 24 significant bits. Other
            than 1 for floats and integers of at most 8 bits only, all non-zero values between 2^-126 and
            2^127. `scaled`, `with_bias` and `with_max` set it.
    """

    name: str
    exp_bits: int
    man_bits: int
    bias: int = 0
    signed: bool = True
    kind: Kind = "float"
    specials: Specials = "none"
    source: str = ""
    scale: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        legal = {
            "kind": (self.kind, ("float", "int", "exponent")),
            "specials": (self.specials, ("none", "nan", "ieee")),
        }
        for field, (value, choices) in legal.items():
            if value not in choices:
                raise ValueError(f"{field}={value!r}: expected one of {', '.join(choices)}")
        if not self.name:
            raise ValueError("name='': expected a non-empty name")
        if self.kind == "int" and (self.exp_bits or self.specials != "none"):
            raise ValueError("kind='int': expected exp_bits=0 and specials='none'")
        if self.kind == "float" and not 1 <= self.exp_bits <= 8:
            raise ValueError(f"exp_bits={self.exp_bits}: expected 1 to 8 for a float")
        if self.kind == "exponent" and (self.signed or self.man_bits or not 1 <= self.exp_bits <= 8):
            raise ValueError("kind='exponent': expected signed=False, man_bits=0 and exp_bits from 1 to 8")
        if not 0 <= self.man_bits <= 23:
            raise ValueError(f"man_bits={self.man_bits}: expected 0 to 23")
        if self.specials == "ieee" and (self.man_bits < 1 or self.exp_bits < 2):
            raise ValueError("specials='ieee': expected at least 1 stored significand and 2 exponent bits")
        self._check_scale()

    def _check_scale(self) -> None:
        scale = self.scale
        if not isinstance(scale, Fraction) or scale <= 0 or scale.denominator & (scale.denominator - 1):
            raise ValueError(f"scale={scale!r}: expected a positive Fraction over a power of two")
        if scale == 1:
            return
        if round_significand(scale, SCALE_BITS) != scale:
            raise ValueError(f"scale={scale}: expected at most {SCALE_BITS} significant bits")
        if self.kind == "exponent" or self.bits > _MOST_SCALED_BITS:
            raise ValueError(f"scale={scale}: expected 1, but for floats and integers of at most 8 bits")
        if self.step < _SMALLEST or self.max_value > _LARGEST:
            raise ValueError(f"scale={float(scale)}: expected values of {self.name} between 2^-126 and 2^127")

    def scaled(self, scale: Fraction | float) -> Format:
        """The same codes with another scale: value(code) = scale · value(code) of the format of scale 1.

        Args:
            scale: positive, rounded to 24 significant bits, nearest even.

        Raises:
            ValueError: a scale that is not positive and finite, or that this format does not take.
        """
        return replace(self, scale=round_significand(_positive("scale", scale), SCALE_BITS))

    def with_bias(self, bias: float) -> Format:
        """The same codes under a real exponent bias (LLM-FP4, FPQ, HQ-DiT): values of scale 1 · 2^(−bias).

        The scale 2^(self.bias − bias) is rounded to 24 significant bits, nearest even, from forty decimal
        digits: the same on every machine.

        Raises:
            ValueError: a bias that is not between -1000 and 1000, or that this format does not take.
        """
        if not abs(bias) <= _BIAS_MAX:
            raise ValueError(f"bias={bias}: expected a number from {-_BIAS_MAX} to {_BIAS_MAX}")
        with localcontext(prec=40):
            return self.scaled(Fraction(Decimal(2) ** (self.bias - Decimal(bias))))

    def with_max(self, amax: Fraction | float) -> Format:
        """The same codes, scaled so that the largest value is `amax` within 2^-24 of it: the MinMax bias.

        Raises:
            ValueError: an amax that is not positive and finite, or that this format does not take.
        """
        return self.scaled(_positive("amax", amax) * self.scale / self.max_value)

    @property
    def real_bias(self) -> float:
        """The bias with the scale folded in, bias − log2(scale); for people, rounded to float64."""
        return self.bias - math.log2(self.scale)

    @property
    def bits(self) -> int:
        """Bits of one code."""
        return int(self.signed) + self.exp_bits + self.man_bits

    @property
    def n_codes(self) -> int:
        """Number of codes, 2^bits."""
        return 1 << self.bits

    @property
    def magnitude_mask(self) -> int:
        """Mask of the code's bits below the sign."""
        return (1 << (self.exp_bits + self.man_bits)) - 1

    def fields(self, code: int) -> tuple[int, int, int]:
        """Split a code into (sign, exponent field, stored significand field); floats and E8M0 only."""
        self.check_code(code)
        magnitude = code & self.magnitude_mask
        sign = code >> (self.exp_bits + self.man_bits) if self.signed else 0
        return sign, magnitude >> self.man_bits, magnitude & ((1 << self.man_bits) - 1)

    def check_code(self, code: int) -> None:
        """Raise ValueError unless 0 <= code < 2^bits."""
        if not 0 <= code < self.n_codes:
            raise ValueError(f"code={code}: {self.name} has codes 0 to {self.n_codes - 1}")

    def value(self, code: int) -> Fraction | str:
        """The exact value of a code: a Fraction, or one of "nan", "+inf", "-inf".

        Minus zero has the value 0; `fields` tells it apart.
        """
        if self.kind == "int":
            self.check_code(code)
            negative = self.signed and code >= self.n_codes // 2
            return (code - self.n_codes if negative else code) * self.scale
        sign, exponent, significand = self.fields(code)
        magnitude = code & self.magnitude_mask
        if self.specials == "nan" and magnitude == self.magnitude_mask:
            return NAN
        if self.kind == "exponent":
            return Fraction(2) ** (exponent - self.bias)
        if self.specials == "ieee" and exponent == (1 << self.exp_bits) - 1:
            if significand:
                return NAN
            return NEG_INF if sign else POS_INF
        hidden = (1 << self.man_bits) if exponent else 0
        last_place = self.scale * Fraction(2) ** (max(exponent, 1) - self.bias - self.man_bits)
        magnitude_value = (hidden + significand) * last_place
        return -magnitude_value if sign else magnitude_value

    @cached_property
    def max_magnitude_code(self) -> int:
        """The code of the largest finite positive value."""
        if self.specials == "ieee":
            return (((1 << self.exp_bits) - 1) << self.man_bits) - 1
        return self.magnitude_mask - (1 if self.specials == "nan" else 0)

    @cached_property
    def max_value(self) -> Fraction:
        """The largest finite value."""
        value = self.value(self.max_magnitude_code)
        assert isinstance(value, Fraction)
        return value

    @cached_property
    def step(self) -> Fraction:
        """The smallest positive value: the unit in which every value is an integer."""
        value = self.value(0 if self.kind == "exponent" else 1)
        assert isinstance(value, Fraction)
        return value

    @property
    def has_nan(self) -> bool:
        """Whether some code is NaN."""
        return self.specials != "none"

    @property
    def has_inf(self) -> bool:
        """Whether some code is an infinity."""
        return self.specials == "ieee"
