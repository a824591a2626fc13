"""Slow, obvious references in exact fractions, and the inputs that several tests share."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import Format

OPERANDS = ("e2m1", "e3m0", "e1m2", "int4")

# Non-negative levels in units, typed from rtl/README.md.
LEVELS = {
    "e2m1": (0, 1, 2, 3, 4, 6, 8, 12),
    "e3m0": (0, 1, 2, 4, 8, 16, 32, 64),
    "e1m2": (0, 1, 2, 3, 4, 5, 6, 7),
    "int4": (0, 1, 2, 3, 4, 5, 6, 7),
}


def units(name: str) -> NDArray[np.int64]:
    """Value of every 4-bit code, in units, from the typed levels."""
    if name == "int4":
        return np.array([*range(8), *range(-8, 0)], np.int64)
    levels = np.array(LEVELS[name], np.int64)
    return np.concatenate([levels, -levels])


def all_fp16() -> NDArray[np.uint16]:
    """All 65,536 patterns."""
    return np.arange(1 << 16, dtype=np.uint32).astype(np.uint16)


def finite_fp16() -> NDArray[np.uint16]:
    """The 63,488 finite patterns."""
    bits = all_fp16()
    return bits[(bits & 0x7C00) != 0x7C00]


def floor_log2(value: Fraction) -> int:
    """floor(log2) of a positive fraction."""
    e = value.numerator.bit_length() - value.denominator.bit_length()
    return e if value >= Fraction(2) ** e else e - 1


def fp16_round(value: Fraction) -> int:
    """FP16 bits of a fraction: nearest even (Python's round), saturated to 65504; zero is +0."""
    if value == 0:
        return 0
    quantum = Fraction(2) ** (max(floor_log2(abs(value)), -14) - 10)
    rounded = min(round(abs(value) / quantum) * quantum, Fraction(65504))
    bits = int(np.float16(float(rounded)).view(np.uint16))
    return bits | (0x8000 if value < 0 else 0)


def tf32_value(bits: int) -> Fraction:
    """Value of a non-negative TF32 code of 19 bits: 0 or normal."""
    field = bits >> 10
    return Fraction((bits & 1023) | 1024) * Fraction(2) ** (field - 137) if field else Fraction(0)


@cache
def finite_values(fmt: Format) -> list[tuple[Fraction, int]]:
    """(value, magnitude code) of the non-negative finite codes, ascending."""
    return [
        (value, code)
        for code in range(fmt.magnitude_mask + 1)
        if isinstance(value := fmt.value(code), Fraction)
    ]


def round_brute(
    x: Fraction, negative: bool, fmt: Format, rounding: str, torch_tie: bool = False
) -> int | None:
    """Code of ±x (x >= 0, at most the largest value) by looking for its neighbours in the format's list."""
    table = finite_values(fmt)
    code = bisect_right(table, x, key=lambda entry: entry[0]) - 1
    low = table[code][0]
    if x != low:
        high = table[code + 1][0]
        above, below = high - x, x - low
        tie_up = rounding == "rna" or (code > 0 if torch_tie else code % 2 == 1)
        up = {
            "rtz": False,
            "rup": not negative,
            "rdn": negative,
        }.get(rounding, above < below or (above == below and tie_up))
        code += int(up)
    return code | (fmt.magnitude_mask + 1 if negative else 0)


def neighbours(values: NDArray[np.float64], dtype: type[np.floating]) -> NDArray[np.floating]:
    """Each value (exact in dtype), the number before and the number after it, both signs."""
    exact = values.astype(dtype)
    assert (exact.astype(np.float64) == values).all()
    infinity = dtype(np.inf)
    around = np.concatenate([exact, np.nextafter(exact, infinity), np.nextafter(exact, -infinity)])
    return np.concatenate([around, -around])


def held_by(points: NDArray[np.float64], dtype: type[np.floating]) -> NDArray[np.float64]:
    """Those points that dtype holds exactly."""
    with np.errstate(over="ignore"):
        return points[points.astype(dtype).astype(np.float64) == points]


def boundaries(fmt: Format) -> NDArray[np.float64]:
    """Every non-negative finite value of a format, every midpoint, and where rounding passes the largest."""
    values = np.array([float(value) for value, _ in finite_values(fmt)])
    last_gap = values[-1] - values[-2]
    ends = [values[-1] + last_gap / 2, values[-1] + last_gap, 2 * values[-1]]
    return np.concatenate([values, (values[:-1] + values[1:]) / 2, ends])
