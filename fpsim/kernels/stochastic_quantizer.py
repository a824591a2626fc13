"""Integers to codes of 4, 6 or 8 bits, up or down at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Format, get
from fpsim.kernels import _check

FORMATS_TAKEN = ("e2m1", "e3m0", "e1m2", "int4", "int6", "int8")
_H_MAX = (1 << 31) - 1
RANDOM_BITS_MAX = 16

# floor(frac · 2^n) needs x = top · |h| / A to n places: top · |h| · 2^n < 2^8 · 2^31 · 2^16 is in 64 bits.
# Where levels are further apart, the place is the fixed-point number above the lower level, divided by the
# gap: a floor of a floor.


@njit(cache=True, nogil=True)
def _index(x: int, draw: int, levels: NDArray[np.int64], nbits: int) -> int:
    """Index of the level of x, fixed point with nbits places, below levels[-1]."""
    low = 0
    while (levels[low + 1] << nbits) <= x:
        low += 1
    gap = levels[low + 1] - levels[low]
    place = (x - (levels[low] << nbits)) // gap
    return low + int((place + draw) >> nbits)


@njit(cache=True, nogil=True)
def _code_rows(
    h: NDArray[np.int32],
    amp: NDArray[np.int32],
    random: NDArray[Any],
    zero: NDArray[np.int32],
    levels: NDArray[np.int64],
    rule: tuple[int, bool, int, int, int],
    out: NDArray[np.uint8],
) -> None:
    """Codes of all rows; rule is (nbits, sign-magnitude, lowest, highest, mask)."""
    nbits, sign_magnitude, lowest, highest, mask = rule
    last = levels.shape[0] - 1
    for m in range(h.shape[0]):
        span = np.int64(amp[m])
        for k in range(h.shape[1]):
            value = np.int64(h[m, k])
            magnitude = abs(value)
            if span == 0:
                index = 0
            elif magnitude >= span:
                index = last
            else:
                index = _index(
                    ((levels[last] * magnitude) << nbits) // span, int(random[m, k]), levels, nbits
                )
            if sign_magnitude:
                out[m, k] = index | (8 if value < 0 else 0)
            else:
                code = (-index if value < 0 else index) + zero[m]
                out[m, k] = min(max(code, lowest), highest) & mask


def stochastic_quantizer(
    h: NDArray[np.int32],
    amp: NDArray[np.int32],
    fmt: str | Format,
    random_bits: tuple[NDArray[Any], int],
    zero: NDArray[np.int32] | None = None,
) -> NDArray[np.uint8]:
    """The code of each integer, rounded at random (rtl/README.md, "stochastic rounding").

    Args:
        h: (M, K) int32 above -2^31.
        amp: (M,) int32, 0 to 2^30: the amplitude of each row, with zero points its span.
        fmt: e2m1, e3m0, e1m2, int4, int6 or int8.
        random_bits: ((M, K) uint8, uint16 or uint32, n): n random bits for every integer, n from 1 to 16.
        zero: None, or of integers (M,) int32, the code of each row that stands for 0.

    Returns:
        (M, K) uint8 codes, in two's complement those of integers; amp = 0 codes a 0.

    Raises:
        ValueError: an argument outside of the above.
    """
    form = get(fmt)
    if form.name not in FORMATS_TAKEN or form != FORMATS[form.name]:
        raise ValueError(f"fmt={form.name!r}: expected one of {', '.join(FORMATS_TAKEN)}")
    checked = _check.array("h", h, "int32", 2)
    _check.values_within("h", checked, -_H_MAX, _H_MAX)
    amps = _check.array("amp", amp, "int32", 1)
    _check.length("amp", amps, checked.shape[0], "one amplitude per row")
    _check.values_within("amp", amps, 0, _check.AMPLITUDE_MAX)
    nbits = _check.integer("random_bits count", random_bits[1], 1, RANDOM_BITS_MAX)
    draws = _check.array("random_bits", random_bits[0], ("uint8", "uint16", "uint32"), 2)
    if draws.shape != checked.shape:
        raise ValueError(f"random_bits.shape={draws.shape}: expected {checked.shape}, one for each integer")
    _check.values_within("random_bits", draws, 0, (1 << nbits) - 1)
    half = form.n_codes // 2
    zeros, lowest, steps = np.zeros(amps.shape, np.int32), 1 - half, half
    if zero is not None:
        if form.kind != "int":
            raise ValueError(f"zero: {form.name} has no zero point, expected None")
        zeros = _check.array("zero", zero, "int32", 1)
        _check.length("zero", zeros, checked.shape[0], "one zero point per row")
        _check.values_within("zero", zeros, -half, half - 1)
        lowest, steps = -half, form.n_codes
    rule = (nbits, form.kind != "int", lowest, half - 1, form.n_codes - 1)
    out = np.empty(checked.shape, np.uint8)
    _code_rows(checked, amps, draws, zeros, _levels(form, steps), rule, out)
    return out


def _levels(form: Format, steps: int) -> NDArray[np.int64]:
    """The non-negative levels in units, ascending: `steps` of an integer format, the eight of a float."""
    if form.kind == "int":
        return np.arange(steps, dtype=np.int64)
    values = [form.value(code) for code in range(8)]
    return np.array([int(value / form.step) for value in values if not isinstance(value, str)], np.int64)
