"""What the bits of one number mean: a format is a frozen record of named fields."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

Kind = Literal["float", "int", "exponent"]
Specials = Literal["none", "nan", "ieee"]

NAN = "nan"
POS_INF = "+inf"
NEG_INF = "-inf"


@dataclass(frozen=True)
class Format:
    """A number format of at most 32 bits.

    Attributes:
        name: lower-case name, as `get` knows it.
        exp_bits: stored exponent bits (0 for integers).
        man_bits: stored significand bits, without the hidden bit. For integers: the bits beside the sign.
        bias: exponent bias. A format whose bias is free (E3M0, E1M2) is listed with the bias that makes
            its smallest step 1; the scale beside the codes carries the rest.
        signed: whether the top bit is a sign (floats) or the number is two's complement (integers).
        kind: "float" (subnormals included), "int", or "exponent" (E8M0: a bare power of two, no zero).
        specials: "none"; "nan" (only the all-ones magnitude code is NaN: E4M3 of OCP FP8, UE4M3, E8M0);
            "ieee" (the all-ones exponent holds infinities and NaNs).
        source: the standard or paper that fixes the bits.
    """

    name: str
    exp_bits: int
    man_bits: int
    bias: int = 0
    signed: bool = True
    kind: Kind = "float"
    specials: Specials = "none"
    source: str = ""

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
            return Fraction(code - self.n_codes if negative else code)
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
        scale = Fraction(2) ** (max(exponent, 1) - self.bias - self.man_bits)
        magnitude_value = (hidden + significand) * scale
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
