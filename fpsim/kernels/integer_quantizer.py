"""Integers to integer codes of 4, 6 or 8 bits: symmetric, or around a zero point per row."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Format, get
from fpsim.kernels import _check

INTEGER_FORMATS = ("int4", "int6", "int8")
_H_MAX = (1 << 31) - 1

# A quotient in float64 rounds to the integer that the exact quotient rounds to. For x = levels · |h| < 2^39
# and A <= 2^30, both exact, x / A either is a half-integer or lies at least 1 / (2A) >= 2^-31 away from every
# one. Up to 2^20 a rounded quotient is off by at most 2^-33, so it stays on its side of every half-integer,
# and a half-integer itself is a float64: rint sees the tie. Beyond 2^20 every quotient saturates, as rounding
# is monotonic.


def integer_format(name: str, fmt: str | Format) -> Format:
    """The format, if it is int4, int6 or int8, else a ValueError that lists the three."""
    found = get(fmt)
    if found.name not in INTEGER_FORMATS or found != FORMATS[found.name]:
        raise ValueError(f"{name}={found.name!r}: expected one of {', '.join(INTEGER_FORMATS)}")
    return found


@njit(cache=True, nogil=True)
def _code_rows(
    h: NDArray[np.int32],
    amp: NDArray[np.int32],
    levels: float,
    zero: NDArray[np.int32],
    low: float,
    high: float,
    mask: int,
    out: NDArray[np.uint8],
) -> None:
    """Codes of all rows: nearest integer to levels · h / amp, plus zero, between low and high."""
    for m in range(h.shape[0]):
        span = np.float64(amp[m]) if amp[m] else np.inf
        shift = np.float64(zero[m])
        row, codes = h[m], out[m]
        for k in range(row.shape[0]):
            steps = np.rint(levels * np.float64(row[k]) / span) + shift
            steps = low if steps < low else steps
            steps = high if steps > high else steps
            codes[k] = np.uint8(np.int32(steps) & mask)


def zero_points(low: NDArray[np.int32], span: NDArray[np.int32], fmt: str | Format) -> NDArray[np.int32]:
    """The code that stands for 0 in each row (rtl/README.md, "zero points").

    Args:
        low: (M,) int32, the smallest integer of each row, or 0 where all are positive.
        span: (M,) int32, the amplitude of largest (or 0) minus smallest, up to 2^30.
        fmt: int4, int6 or int8.

    Returns:
        (M,) int32, -2^(b-1) to 2^(b-1) - 1.

    Raises:
        ValueError: an argument outside of the above, or a row whose low lies deeper than its span is wide.
    """
    form = integer_format("fmt", fmt)
    lows = _check.array("low", low, "int32", 1)
    spans = _check.array("span", span, "int32", 1)
    _check.length("span", spans, lows.shape[0], "one span per row")
    _check.values_within("low", lows, -_check.AMPLITUDE_MAX, 0)
    _check.values_within("span", spans, 0, _check.AMPLITUDE_MAX)
    steps = form.n_codes - 1
    widths = np.where(spans > 0, spans, 1).astype(np.float64)
    above_lowest = np.rint(steps * -lows.astype(np.float64) / widths)
    deep = (above_lowest > steps) | ((spans == 0) & (lows < 0))
    if deep.any():
        row = int(np.flatnonzero(deep)[0])
        raise ValueError(f"low holds {lows[row]}: expected at least -{spans[row]}, the span of row {row}")
    zeros: NDArray[np.int32] = (above_lowest - form.n_codes // 2).astype(np.int32)
    return zeros


def integer_quantizer(
    h: NDArray[np.int32], amp: NDArray[np.int32], fmt: str | Format, zero: NDArray[np.int32] | None = None
) -> NDArray[np.uint8]:
    """The code of each integer: nearest, ties to even, saturated (rtl/README.md, "quantizer", "zero points").

    Args:
        h: (M, K) int32 above -2^31.
        amp: (M,) int32, 0 to 2^30: the amplitude of each row, which maps to ±(2^(b-1) - 1); with zero points
            its span, which maps to 2^b - 1 steps.
        fmt: int4, int6 or int8.
        zero: None, or (M,) int32, the code of each row that stands for 0.

    Returns:
        (M, K) uint8 codes in two's complement of b bits; amp = 0 codes a 0.

    Raises:
        ValueError: an argument outside of the above.
    """
    form = integer_format("fmt", fmt)
    checked = _check.array("h", h, "int32", 2)
    _check.values_within("h", checked, -_H_MAX, _H_MAX)
    amps = _check.array("amp", amp, "int32", 1)
    _check.length("amp", amps, checked.shape[0], "one amplitude per row")
    _check.values_within("amp", amps, 0, _check.AMPLITUDE_MAX)
    half = form.n_codes // 2
    low, high, levels = 1 - half, half - 1, half - 1
    zeros = np.zeros(amps.shape, np.int32)
    if zero is not None:
        zeros = _check.array("zero", zero, "int32", 1)
        _check.length("zero", zeros, checked.shape[0], "one zero point per row")
        _check.values_within("zero", zeros, -half, half - 1)
        low, levels = -half, form.n_codes - 1
    out = np.empty(checked.shape, np.uint8)
    _code_rows(
        checked, amps, float(levels), zeros, float(low), float(high), form.n_codes - 1, out
    )  # fmt: skip
    return out
