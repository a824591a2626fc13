"""FP16 rows to block floating point: one exponent per row, integers below it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check


@njit(cache=True, nogil=True)
def _row_exponent(bits: NDArray[np.uint16]) -> int:
    """Largest effective exponent of one row of FP16 bits; 31 where it holds an Inf or a NaN."""
    top = np.uint16(0x0400)
    for i in range(bits.shape[0]):  # by index: an iterator would not be vectorized
        top = max(top, np.uint16(bits[i] & 0x7C00))
    return int(np.int32(top) >> 10)


@njit(cache=True, nogil=True)
def _align_row(bits: NDArray[np.uint16], exp: int, guard_bits: int, out: NDArray[np.int32]) -> None:
    """RNE(S · 2^(guard_bits + E - exp)) with the sign, saturated, of one row into out (int32).

    E > exp happens only under a static exponent. There E >= 2, so S >= 1024 and the integer is at least
    2^(11 + guard_bits): beyond the limit, whatever the rounding. For E <= exp the integer is at most
    2047 << guard_bits, below the limit. So the comparison of exponents decides the saturation.
    Rounding: with v = S << guard_bits and d = exp - E, (2v + 2^d - 1 + odd(v >> d)) >> (d + 1).
    """
    limit = (1 << (11 + guard_bits)) - 1
    for i in range(bits.shape[0]):
        b = int(bits[i])
        e = (b >> 10) & 31
        v = ((b & 1023) | (1024 if e != 0 else 0)) << guard_bits
        below = exp - max(e, 1)
        d = max(below, 0)
        magnitude = (2 * v + (1 << d) - 1 + ((v >> d) & 1)) >> (d + 1)
        if below < 0:
            magnitude = limit
        if e == 31:
            magnitude = 0
        out[i] = -magnitude if b & 0x8000 else magnitude


@njit(cache=True, nogil=True)
def _align(
    bits: NDArray[np.uint16],
    guard_bits: int,
    static_exp: int,
    ints: NDArray[np.int32],
    exps: NDArray[np.int32],
    special: NDArray[np.bool_],
) -> None:
    """All rows; static_exp = 0 stands for a dynamic exponent."""
    for m in range(bits.shape[0]):
        top = _row_exponent(bits[m])
        special[m] = top == 31
        exps[m] = static_exp if static_exp else top
        _align_row(bits[m], int(exps[m]), guard_bits, ints[m])


def align(
    x_bits: NDArray[np.uint16], guard_bits: int, exp: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Align each row of FP16 numbers to one exponent (rtl/README.md, "align").

    Args:
        x_bits: FP16 bits, (M, K) uint16.
        guard_bits: bits kept below the FP16 significand, 0 to 8.
        exp: a static row exponent, 1 to 30; None takes the largest effective exponent of each row.

    Returns:
        ints (M, K) int32: nearest integers, ties to even, saturated to ±(2^(11 + guard_bits) - 1), in units
        of 2^(exp - 25 - guard_bits); exps (M,) int32; special (M,) bool: the row holds an Inf or a NaN,
        whose integer is 0 (under a dynamic exponent such a row has exponent 31).

    Raises:
        ValueError: an argument outside of the above.
    """
    bits = _check.array("x_bits", x_bits, "uint16", 2)
    guard = _check.integer("guard_bits", guard_bits, 0, _check.GUARD_BITS_MAX)
    static = 0 if exp is None else _check.integer("exp", exp, _check.ROW_EXP_MIN, _check.ROW_EXP_MAX)
    ints = np.empty(bits.shape, np.int32)
    exps = np.empty(bits.shape[0], np.int32)
    special = np.empty(bits.shape[0], np.bool_)
    _align(bits, guard, static, ints, exps, special)
    return ints, exps, special
