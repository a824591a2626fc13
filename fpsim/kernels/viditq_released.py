"""The arithmetic of ViDiT-Q's released CUDA kernels for W8A8, on arrays; stated in `fpsim.arith`'s twin.

Plain float32 operations in the stated order. None meets a subnormal: scales and totals are FP16 numbers, so
whatever is not 0 is at least 2^-24 · 2^-24, and the last bit of a sum of such products at least 2^-72.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check
from fpsim.kernels.block_rows import special_rows
from fpsim.kernels.mac_array import mac_array_decoded

_TOP = np.float32(127.0)
_MAGIC = np.float32(1.5 * 2**23)  # adding and subtracting it rounds |x| < 2^22 to an integer, ties to even
LONGEST_ROW = 1 << 17


class ReleasedRows(NamedTuple):
    """Quantized rows.

    Attributes:
        codes: float32 (M, K), integers −128 to 127.
        scales: float32 (M,), values that FP16 holds.
        totals: float32 (M,), FP16 values of the rows' sums; infinite beyond 65504.
    """

    codes: NDArray[np.float32]
    scales: NDArray[np.float32]
    totals: NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def _codes(
    x: NDArray[np.float32], inverse: NDArray[np.float32], codes: NDArray[np.float32], sums: NDArray[Any]
) -> None:
    for m in range(x.shape[0]):
        factor, row, out = inverse[m], x[m], codes[m]
        total = np.int32(0)
        for k in range(row.shape[0]):
            code = min((row[k] * factor + _MAGIC) - _MAGIC, _TOP)
            out[k] = code
            total += np.int32(code)
        sums[m] = total


def quantize_rows(x_bits: NDArray[np.uint16]) -> ReleasedRows:
    """Quantize FP16 rows.

    Args:
        x_bits: FP16 bits, (M, K) uint16, finite, K from 1 to 2^17.

    Raises:
        ValueError: an argument outside of the above.
    """
    bits = _check.array("x_bits", x_bits, "uint16", 2)
    _check.integer("K", bits.shape[1], 1, LONGEST_ROW)
    if bool(special_rows(bits).any()):
        raise ValueError("x_bits holds an infinity or a NaN: expected finite FP16 numbers")
    x = bits.view(np.float16).astype(np.float32)
    amax = np.abs(x).max(axis=1)
    zero = amax == 0
    inverse = np.where(zero, np.float32(0), _TOP / np.where(zero, np.float32(1), amax))
    codes, sums = np.empty(x.shape, np.float32), np.empty(len(x), np.int32)
    _codes(x, inverse, codes, sums)
    with np.errstate(over="ignore"):
        quotients = sums.astype(np.float32) / np.where(zero, np.float32(1), inverse)
        totals = quotients.astype(np.float16).astype(np.float32)
    return ReleasedRows(codes, (amax / _TOP).astype(np.float16).astype(np.float32), totals)


@njit(cache=True, nogil=True)
def _epilogue(
    dots: NDArray[np.float32],
    scales: NDArray[np.float32],
    totals: NDArray[np.float32],
    weight_scale: NDArray[np.float32],
    weight_zero: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> None:
    """In place, float32."""
    for m in range(dots.shape[0]):
        row, scale, total = dots[m], scales[m], totals[m]
        for n in range(row.shape[0]):
            products = (row[n] * scale) * weight_scale[n]
            correction = (total * weight_zero[n]) * weight_scale[n]
            row[n] = (products + correction) + bias[n]


def released_layer(
    rows: ReleasedRows,
    weights: NDArray[np.float32],
    weight_scale: NDArray[np.uint16],
    weight_zero: NDArray[np.int16],
    bias: NDArray[np.uint16],
) -> NDArray[np.uint16]:
    """FP16(((float32(Σ ab) · sa) · sb + (total · zb) · sb) + bias), every operation float32.

    Args:
        rows: from `quantize_rows`, totals finite.
        weights: float32 (N, K), integers −128 to 127.
        weight_scale: uint16 (N,), FP16 bits.
        weight_zero: int16 (N,).
        bias: uint16 (N,), FP16 bits.

    Returns:
        (M, N) uint16 FP16 bits; an infinity beyond 65504.

    Raises:
        ValueError: another dtype or shape, or a row whose total is infinite.
    """
    if not bool(np.isfinite(rows.totals).all()):
        row = int(np.flatnonzero(~np.isfinite(rows.totals))[0])
        raise ValueError(f"rows: the sum of row {row} is beyond FP16: expected at most 65504")
    scale = _check.array("weight_scale", weight_scale, "uint16", 1)
    zero = _check.array("weight_zero", weight_zero, "int16", 1)
    biases = _check.array("bias", bias, "uint16", 1)
    for name, found in (("weight_scale", scale), ("weight_zero", zero), ("bias", biases)):
        _check.length(name, found, weights.shape[0], "one per column")
    dots = mac_array_decoded(rows.codes, weights, "int8", "int8", 32).astype(np.float32)
    wide, b = (bits.view(np.float16).astype(np.float32) for bits in (scale, biases))
    _epilogue(dots, rows.scales, rows.totals, wide, zero.astype(np.float32), b)
    with np.errstate(over="ignore"):
        return dots.astype(np.float16).view(np.uint16)
