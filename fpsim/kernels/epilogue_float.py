"""FP32 sums back to FP16, on arrays: scaled and biased with one rounding, or biased in FP32."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Accumulator
from fpsim.kernels import _check
from fpsim.kernels.rounded import Target, add_nearest_even, target_of

FP16_MAX = np.float32(65504.0)
_FP32_MIN_NORMAL, _FP32_INF = 0x00800000, 0x7F800000
_FP16 = target_of(Accumulator.exact_plus_c("fp16", overflow="saturate"))


@njit(cache=True, nogil=True)
def _scaled_row(
    acc: NDArray[np.int32],
    scale: float,
    bias: NDArray[np.float64],
    target: Target,
    out: NDArray[np.uint16],
) -> None:
    """One row of float32 bits, without a branch, by bits, so that no mode flushes a subnormal.

    The product of two float32 is a float64, 2^-275 to 2^256; its sum with the bias is rounded once.
    """
    for n in range(acc.shape[0]):
        raw = np.int64(acc[n])
        magnitude = raw & 0x7FFFFFFF
        normal = np.int64((magnitude + (np.int64(896) << 23)) << 29).view(np.float64)
        small = np.float64(magnitude) * 2.0**-149
        value = small if magnitude < 0x00800000 else normal
        value = -value if raw < 0 else value
        y = add_nearest_even(value * scale, bias[n], target)
        bits = np.float64(y).view(np.int64)
        size = abs(y)
        coded = np.int64(size * 2.0**24)
        if size >= 2.0**-14:
            coded = ((bits & 0x7FFFFFFFFFFFFFFF) >> 42) - (np.int64(1008) << 10)
        out[n] = np.uint16(coded | ((bits >> 48) & 0x8000))


@njit(cache=True, nogil=True)
def _scaled_rows(
    acc: NDArray[np.int32],
    scale: float,
    bias: NDArray[np.float64],
    target: Target,
    out: NDArray[np.uint16],
) -> None:
    for m in range(acc.shape[0]):
        _scaled_row(acc[m], scale, bias, target, out[m])


def scaled_to_fp16(
    acc: NDArray[np.float32], scale: np.float32, bias: NDArray[np.uint16]
) -> NDArray[np.uint16]:
    """FP16(acc · scale + bias), one rounding of the exact sum.

    Args:
        acc: (M, N) float32, finite.
        scale: a positive normal float32.
        bias: (N,) uint16 FP16 bits, finite.

    Returns:
        (M, N) uint16 FP16 bits: nearest, ties to even, subnormals kept, magnitudes above 65504 saturated; an
        exact sum of 0 is +0, a negative one that rounds to 0 is −0.

    Raises:
        ValueError: an argument outside of the above.
    """
    sums = _finite_sums(acc)
    biases = _finite_bias(bias, sums.shape[1])
    bits = int(np.float32(scale).view(np.int32))
    if not _FP32_MIN_NORMAL <= bits < _FP32_INF:
        raise ValueError(f"scale={scale!r}: expected a positive normal float32 number")
    out = np.empty(sums.shape, np.uint16)
    wide = float(np.float32(scale))
    _scaled_rows(sums.view(np.int32), wide, biases.view(np.float16).astype(np.float64), _FP16, out)
    return out


def sum_to_fp16(acc: NDArray[np.float32], bias: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """FP16(float32(acc + bias)): two roundings, as a processor with float32 arithmetic does it.

    Args:
        acc: (M, N) float32, finite, 0 or at least 2^-100 in magnitude (no mode flushes a sum then).
        bias: (N,) uint16 FP16 bits, finite.

    Returns:
        (M, N) uint16 FP16 bits: nearest, ties to even, magnitudes above 65504 saturated.

    Raises:
        ValueError: another dtype or shape, NaN or infinity.
    """
    sums = _finite_sums(acc)
    biases = _finite_bias(bias, sums.shape[1])
    total = sums + biases.view(np.float16).astype(np.float32)
    # What lies between 65504 and the next power of two is 65504 either way.
    return np.clip(total, -FP16_MAX, FP16_MAX, out=total).astype(np.float16).view(np.uint16)


def _finite_sums(acc: NDArray[np.float32]) -> NDArray[np.float32]:
    sums = _check.array("acc", acc, "float32", 2)
    if not bool(np.isfinite(sums).all()):
        raise ValueError("acc holds NaN or an infinity: expected finite sums")
    return sums


def _finite_bias(bias: NDArray[np.uint16], columns: int) -> NDArray[np.uint16]:
    checked = _check.array("bias", bias, "uint16", 1)
    _check.length("bias", checked, columns, "one bias per column")
    _check.values_within("bias magnitude", checked & 0x7FFF, 0, 0x7BFF)
    return checked
