"""Accumulator to FP16: y = FP16(acc · row scale · column scale + bias), one rounding, integers only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check
from fpsim.kernels._bits import bit_length

_ACC_MAX = 1 << 40
_TF32_INF = 0xFF << 10

# Fixed point: the sum is an integer in units of 2^-26, whose bit 0 is sticky.
#
# FP16 numbers are multiples of 2^-24 and the midpoints between two of them multiples of 2^-25, so the
# rounding of a number depends only on how it compares with the multiples of 2^-25: the even units. Let p be
# |acc · rho · c| and P = floor(p · 2^26) | (p · 2^26 is not an integer). If P is even, p · 2^26 = P. If P is
# odd, p · 2^26 lies in the open interval (P - 1, P + 1): as P does. So P compares with every even unit as
# p · 2^26 does. The bias is a multiple of 2^-24, four units: adding it (or subtracting) keeps that true.
# Zero is an even unit, so the sign of the sum and an exact zero are right as well.
#
# Clamping p to 2^17 changes no result: |bias| <= 65504, so the sum stays beyond 65536 and saturates.
# So every intermediate value is below 2^44, and the product before the shift below 2^40 · 2047^2 < 2^62.
_PRODUCT_LIMIT = 1 << 43


@njit(cache=True, nogil=True)
def _round_sum(total: int) -> int:
    """FP16 bits of total · 2^-26 (bit 0 sticky, |total| < 2^44): nearest even, saturated."""
    magnitude = abs(total)
    shift: int = max(
        bit_length(magnitude) - 11, 2
    )  # bits below the last place; 2 for subnormal results and 2^-14 to 2^-13
    rounded = (magnitude + (1 << (shift - 1)) - 1 + ((magnitude >> shift) & 1)) >> shift
    # A rounded significand of 1024 or more, hidden bit included, carries into the exponent field.
    code = min(((shift - 2) << 10) + rounded, 0x7BFF)
    return code | (0x8000 if total < 0 else 0)


@njit(cache=True, nogil=True)
def _epilogue_row(
    acc: NDArray[Any],
    row_scale: int,
    col_significand: NDArray[np.int64],
    col_exp: NDArray[np.int64],
    bias_units: NDArray[np.int64],
    out: NDArray[np.uint16],
) -> int:
    """FP16 bits of one row of accumulators into out; returns the OR of the accumulators' magnitudes.

    Column scales come as significand · 2^col_exp, biases in units of 2^-26.
    """
    row_field = row_scale >> 10
    row_significand = ((row_scale & 1023) | 1024) if row_field else 0
    to_units = row_field - 137 + 26
    seen = 0
    for n in range(acc.shape[0]):
        value = int(acc[n])
        magnitude = abs(value)
        seen |= magnitude
        product = magnitude * (row_significand * int(col_significand[n]))
        shift = to_units + int(col_exp[n])
        right = min(max(-shift, 0), 63)
        left = min(max(shift, 0), 43)
        units = product >> right
        units |= 1 if (units << right) != product else 0
        units = _PRODUCT_LIMIT if units >= (_PRODUCT_LIMIT >> left) else units << left
        out[n] = _round_sum((-units if value < 0 else units) + int(bias_units[n]))
    return seen


@njit(cache=True, nogil=True)
def _epilogue(
    acc: NDArray[Any],
    row_scale: NDArray[np.uint32],
    col_scale: NDArray[np.uint32],
    bias: NDArray[np.uint16],
    out: NDArray[np.uint16],
) -> int:
    """All rows; returns the OR of the accumulators' magnitudes."""
    columns = col_scale.shape[0]
    col_significand = np.empty(columns, np.int64)
    col_exp = np.empty(columns, np.int64)
    bias_units = np.empty(columns, np.int64)
    for n in range(columns):
        scale = int(col_scale[n])
        col_significand[n] = (scale & 1023) | 1024
        col_exp[n] = (scale >> 10) - 137
        b = int(bias[n])
        field = (b >> 10) & 31
        units = ((b & 1023) | (1024 if field else 0)) << (max(field, 1) + 1)
        bias_units[n] = -units if b & 0x8000 else units
    seen = 0
    for m in range(acc.shape[0]):
        seen |= _epilogue_row(acc[m], int(row_scale[m]), col_significand, col_exp, bias_units, out[m])
    return seen


def epilogue(
    acc: NDArray[np.int64],
    row_scale: NDArray[np.uint32],
    col_scale: NDArray[np.uint32],
    bias: NDArray[np.uint16],
) -> NDArray[np.uint16]:
    """FP16(acc · row_scale · col_scale + bias), one rounding of the exact sum (rtl/README.md, "epilogue").

    Args:
        acc: (M, N) int64 accumulators, at most 2^40 in magnitude.
        row_scale: (M,) uint32 TF32 codes (19 bits), 0 or positive normal.
        col_scale: (N,) uint32 TF32 codes, positive normal.
        bias: (N,) uint16 FP16 bits, finite.

    Returns:
        (M, N) uint16 FP16 bits: nearest, ties to even, subnormals kept, magnitudes above 65504 saturated to
        65504; an exact sum of 0 gives +0, a negative sum that rounds to 0 gives -0.

    Raises:
        ValueError: an argument outside of the above.
    """
    sums = _check.array("acc", acc, "int64", 2)
    rows, cols, biases = checked_scales(row_scale, col_scale, bias, sums.shape)
    out = np.empty(sums.shape, np.uint16)
    if int(_epilogue(sums, rows, cols, biases, out)) > _ACC_MAX:
        _check.values_within("acc", sums, -_ACC_MAX, _ACC_MAX)
    return out


def checked_scales(
    row_scale: Any, col_scale: Any, bias: Any, shape: tuple[int, ...]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]:
    """The scales and biases of (M, N) accumulators, if they are what `epilogue` takes; else a ValueError."""
    rows = _check.array("row_scale", row_scale, "uint32", 1)
    cols = _check.array("col_scale", col_scale, "uint32", 1)
    biases = _check.array("bias", bias, "uint16", 1)
    _check.length("row_scale", rows, shape[0], "one scale per row")
    _check.length("col_scale", cols, shape[1], "one scale per column")
    _check.length("bias", biases, shape[1], "one bias per column")
    if rows.any():
        _check.values_within("row_scale", rows[rows != 0], 1 << 10, _TF32_INF - 1)
    _check.values_within("col_scale", cols, 1 << 10, _TF32_INF - 1)
    _check.values_within("bias magnitude", biases & 0x7FFF, 0, 0x7BFF)
    return rows, cols, biases
