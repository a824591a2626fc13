"""Integers to 4-bit codes against an amplitude; nothing is rounded but the code itself."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format
from fpsim.kernels import _check
from fpsim.kernels.decode import unit_table

_INT32_MAX = (1 << 31) - 1


@cache
def _rule(fmt: Format) -> tuple[NDArray[np.int64], NDArray[np.bool_], int, bool]:
    """What the inner loop needs of a format: (sums, ties_up, divisor, twos_complement).

    Index i + 1 is reached where divisor · |h| > sums[i] · A, or equals it and ties_up[i];
    sums[i] = l_i + l_(i+1), divisor = 2 · l_7.
    """
    levels = unit_table(fmt)[:8].tolist()
    sums = np.array([levels[i] + levels[i + 1] for i in range(7)], np.int64)
    ties_up = np.array([i >= 1 if fmt.name == "e3m0" else i % 2 == 1 for i in range(7)], np.bool_)
    sums.setflags(write=False)
    ties_up.setflags(write=False)
    return sums, ties_up, 2 * levels[7], fmt.kind == "int"


@njit(cache=True, nogil=True)
def _row_amax(h: NDArray[np.int32]) -> int:
    """Largest magnitude of one row; 0 for an empty one."""
    low = np.int32(0)
    high = np.int32(0)
    for i in range(h.shape[0]):  # by index: an iterator would not be vectorized
        low = min(low, h[i])
        high = max(high, h[i])
    return max(-int(low), int(high))


@njit(cache=True, nogil=True)
def _quantize_row(
    h: NDArray[np.int32],
    amp: int,
    sums: NDArray[np.int64],
    ties_up: NDArray[np.bool_],
    divisor: int,
    twos_complement: bool,
    out: NDArray[np.uint8],
) -> None:
    """Codes of one row into out (uint8).

    For an integer |h|: divisor · |h| > s·A where |h| > floor(s·A / divisor), and divisor · |h| >= s·A
    where |h| > ceil(s·A / divisor) - 1. So seven integer bounds per row replace a product per element.
    """
    bounds = np.empty(7, np.int32)
    for i in range(7):
        target = int(sums[i]) * amp
        bounds[i] = (target + divisor - 1) // divisor - 1 if ties_up[i] else target // divisor
        if amp == 0:
            bounds[i] = 0x7FFFFFFF
    t0, t1, t2, t3 = bounds[0], bounds[1], bounds[2], bounds[3]
    t4, t5, t6 = bounds[4], bounds[5], bounds[6]
    for k in range(h.shape[0]):
        value = h[k]
        magnitude = np.int32(abs(value))
        index = int(magnitude > t0) + int(magnitude > t1) + int(magnitude > t2) + int(magnitude > t3)
        index += int(magnitude > t4) + int(magnitude > t5) + int(magnitude > t6)
        if twos_complement:
            out[k] = (-index if value < 0 else index) & 15
        else:
            out[k] = index | (8 if value < 0 else 0)


@njit(cache=True, nogil=True)
def _amax(h: NDArray[np.int32], out: NDArray[np.int32]) -> None:
    for m in range(h.shape[0]):
        out[m] = _row_amax(h[m])


@njit(cache=True, nogil=True)
def _quantize(
    h: NDArray[np.int32],
    amp: NDArray[np.int32],
    sums: NDArray[np.int64],
    ties_up: NDArray[np.bool_],
    divisor: int,
    twos_complement: bool,
    out: NDArray[np.uint8],
) -> None:
    for m in range(h.shape[0]):
        _quantize_row(h[m], int(amp[m]), sums, ties_up, divisor, twos_complement, out[m])


def amax(h: NDArray[np.int32]) -> NDArray[np.int32]:
    """Largest magnitude of each row.

    Args:
        h: (M, K) int32 above -2^31.

    Returns:
        (M,) int32; 0 where K = 0.

    Raises:
        ValueError: another dtype or shape, or a value of -2^31.
    """
    checked = _check.array("h", h, "int32", 2)
    _check.values_within("h", checked, -_INT32_MAX, _INT32_MAX)
    out = np.empty(checked.shape[0], np.int32)
    _amax(checked, out)
    return out


def quantizer(h: NDArray[np.int32], amp: NDArray[np.int32], fmt: str | Format) -> NDArray[np.uint8]:
    """The code of each integer: amp maps to the largest level (rtl/README.md, "quantizer").

    Args:
        h: (M, K) int32 above -2^31.
        amp: (M,) int32, the amplitude of each row, 0 to 2^30; larger magnitudes saturate.
        fmt: e2m1, e3m0, e1m2 or int4.

    Returns:
        (M, K) uint8 codes. Nearest level, ties to the even code (E3M0: up, but half of the smallest step
        to 0); a negative integer that rounds to zero gives -0 (not in int4, which uses -7 to 7).

    Raises:
        ValueError: an argument outside of the above.
    """
    checked = _check.array("h", h, "int32", 2)
    _check.values_within("h", checked, -_INT32_MAX, _INT32_MAX)
    amps = _check.array("amp", amp, "int32", 1)
    _check.length("amp", amps, checked.shape[0], "one amplitude per row")
    _check.values_within("amp", amps, 0, _check.AMPLITUDE_MAX)
    sums, ties_up, divisor, twos_complement = _rule(_check.operand_format("fmt", fmt))
    out = np.empty(checked.shape, np.uint8)
    _quantize(checked, amps, sums, ties_up, divisor, twos_complement, out)
    return out
