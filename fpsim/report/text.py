"""How quantities are written: digits, signs, SI units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

NARROW_SPACE = "\u202f"  # between groups of three digits and before a unit
MAX_DECIMALS = 4
NONE = "–"


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return None


def integer(value: int) -> str:
    """A count, in groups of three digits."""
    return _signed(f"{value:,}".replace(",", NARROW_SPACE))


def fixed(value: float, decimals: int) -> str:
    """A number with that many decimals; infinity as ∞."""
    return _special(value) or _signed(f"{value:,.{decimals}f}".replace(",", NARROW_SPACE))


def significant(value: float, digits: int = 3) -> str:
    """A number to that many significant digits, never with fewer than its integer digits."""
    special = _special(value)
    if special or value == 0:
        return special or "0"
    rounded = float(f"{value:.{digits - 1}e}")
    magnitude = math.floor(math.log10(abs(rounded)))
    if not -MAX_DECIMALS <= magnitude < 15:
        return _signed(f"{value:.{digits - 1}e}")
    return fixed(value, max(0, digits - 1 - magnitude))


def column(values: Sequence[float], digits: int = 2) -> list[str]:
    """The numbers of one table column, all with the same decimals so that they align.

    The smallest number gets that many significant digits, within four decimals; one that would still show as
    zero is written in scientific notation.
    """
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0]
    exponents = [math.floor(math.log10(size)) for size in sizes if size >= 10**-MAX_DECIMALS]
    decimals = min(MAX_DECIMALS, max(0, digits - 1 - min(exponents, default=0)))
    return [
        significant(value, digits) if 0 < abs(value) < 10**-MAX_DECIMALS else fixed(value, decimals)
        for value in values
    ]


def decibels(value: float) -> str:
    """A ratio in dB, one decimal."""
    return fixed(value, 1)


def percent(share: float) -> str:
    """A share of 1 in percent, one decimal."""
    return fixed(100 * share, 1) + f"{NARROW_SPACE}%"


@dataclass(frozen=True)
class Scale:
    """A unit and how many base units it holds."""

    factor: float
    unit: str

    def number(self, value: float) -> str:
        """The value in this unit, three significant digits, without the unit."""
        return significant(value / self.factor)

    def quantity(self, value: float) -> str:
        """The same with the unit."""
        return f"{self.number(value)}{NARROW_SPACE}{self.unit}"


ENERGY_SCALES = (Scale(1, "pJ"), Scale(1e3, "nJ"), Scale(1e6, "µJ"), Scale(1e9, "mJ"), Scale(1e12, "J"))
AREA_SCALES = (Scale(1, "µm²"), Scale(1e6, "mm²"))


def _largest(scales: Sequence[Scale], peak: float, least: float) -> Scale:
    fitting = [scale for scale in scales if peak >= least * scale.factor]
    return fitting[-1] if fitting else scales[0]


def energy_scale(peak_pj: float) -> Scale:
    """The unit in which an energy in pJ, the largest of a table or a figure, is at least 1."""
    return _largest(ENERGY_SCALES, peak_pj, 1)


def area_scale(peak_um2: float) -> Scale:
    """µm², or mm² from 0.01 mm² on."""
    return _largest(AREA_SCALES, peak_um2, 0.01) if peak_um2 >= 1e4 else AREA_SCALES[0]


def seconds(value: float) -> str:
    """A duration: 0.42 s, 12.3 s, 3 min 12 s."""
    if not 60 <= value < math.inf:
        return f"{significant(value)}{NARROW_SPACE}s"
    minutes, rest = divmod(round(value), 60)
    return f"{integer(minutes)}{NARROW_SPACE}min {rest}{NARROW_SPACE}s"


def counted(count: int, noun: str) -> str:
    """A count and its noun: 1 image, 2 images."""
    return f"{integer(count)} {noun}{'' if count == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """Words as people list them: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
