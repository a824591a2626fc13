"""The accumulator of a floating processing element: its format, its rounding, what overflow does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from fpsim.formats import Accumulator, Format
from fpsim.formats.accumulator import Overflow, Rounding
from fpsim.formats.spec import Specials

# The RTL's numbers for these names are their places (fpsim_pkg.sv: ROUND_RNE = 0, ...).
ROUNDINGS: tuple[str, ...] = get_args(Rounding)
OVERFLOWS: tuple[str, ...] = ("ieee", "inf", "saturate")
SPECIALS: tuple[str, ...] = get_args(Specials)
MAX_RANDOM_BITS = 32


@dataclass(frozen=True)
class FloatAccumulator:
    """A sum in a float format of any size, bias 2^(exp_bits − 1) − 1, rounded after every product.

    Attributes:
        exp_bits: exponent bits, 2 to 8.
        man_bits: stored significand bits, 1 to 23.
        specials: special codes: "none", "nan" (the all-ones magnitude code), "ieee" (the all-ones exponent).
        rounding: "rne", "rna", "rtz", "rup", "rdn" or "stochastic", as `Accumulator` has them.
        overflow: "ieee", "inf" or "saturate", as `Accumulator` has them.
        random_bits: random bits per rounding, 1 to 32 where stochastic, else 0.

    Raises:
        ValueError: a field outside of the above, a format with values that float32 has not, an infinity that
            the format has not.
    """

    exp_bits: int = 8
    man_bits: int = 23
    specials: Specials = "ieee"
    rounding: Rounding = "rne"
    overflow: Overflow = "ieee"
    random_bits: int = 0

    def __post_init__(self) -> None:
        stochastic = self.rounding == "stochastic"
        for name, value, low, high in (
            ("exp_bits", self.exp_bits, 2, 8),
            ("man_bits", self.man_bits, 1, 23),
            ("random_bits", self.random_bits, int(stochastic), MAX_RANDOM_BITS if stochastic else 0),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name}={value!r}: expected an integer from {low} to {high}")
        _ = self.accumulator

    @cached_property
    def fmt(self) -> Format:
        """The format of the sum."""
        name = f"e{self.exp_bits}m{self.man_bits}"
        bias = (1 << (self.exp_bits - 1)) - 1
        return Format(name, self.exp_bits, self.man_bits, bias, specials=self.specials)

    @cached_property
    def accumulator(self) -> Accumulator:
        """The meaning of the sum: sequential and fused."""
        return Accumulator.sequential(self.fmt, self.rounding, overflow=self.overflow)

    def rtl_parameters(self) -> dict[str, int]:
        """The SystemVerilog parameters; the only translator between the two."""
        return {
            "ExpW": self.exp_bits,
            "ManW": self.man_bits,
            "Specials": SPECIALS.index(self.specials),
            "Rounding": ROUNDINGS.index(self.rounding),
            "Overflow": OVERFLOWS.index(self.overflow),
            "RandomW": self.random_bits,
        }

    def __str__(self) -> str:
        """The words that `parse` reads, as e5m10:ieee:rne:saturate:0."""
        words = (self.fmt.name, self.specials, self.rounding, self.overflow, str(self.random_bits))
        return ":".join(words)

    @classmethod
    def parse(cls, text: str) -> FloatAccumulator:
        """The accumulator that `str` wrote; a ValueError shows the form."""
        try:
            name, specials, rounding, overflow, random_bits = text.split(":")
            exp_bits, man_bits = name.removeprefix("e").split("m")
            sizes = int(exp_bits), int(man_bits), int(random_bits)
        except ValueError:
            raise ValueError(
                f"float_acc={text!r}: expected a form like e5m10:ieee:rne:saturate:0 "
                "(format, specials, rounding, overflow, random bits)"
            ) from None
        return cls(sizes[0], sizes[1], specials, rounding, overflow, sizes[2])  # type: ignore[arg-type]
