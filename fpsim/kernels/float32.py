"""Float32 arithmetic that no flush-to-zero setting can change: float32 numbers held in float64.

A float32 and every sum, product and quotient of two of them is far from the subnormal range of float64. One
float64 operation followed by `single` gives the float32 operation: 53 >= 2 · 24 + 2 bits make the double
rounding harmless (Figueroa 1995), in the subnormal range of float32 as well, where fewer bits are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels.cast import encode

FLT_MAX = float(np.finfo(np.float32).max)

_MIN_NORMAL = 2.0**-126
_TO_STEPS = 2.0**149  # the smallest subnormal is 2^-149
_STEP = 2.0**-149
_BEYOND = 2.0**128
_LOW_BITS = (1 << 29) - 1  # stored significand bits of float64 beyond those of float32


@njit(cache=True, nogil=True)
def widen(bits: int) -> float:
    """float32 bits, given as an int32, as a float64."""
    magnitude = int(bits) & 0x7FFFFFFF
    if magnitude < 0x00800000:
        value = float(magnitude) * _STEP
    elif magnitude < 0x7F800000:
        value = float(np.int64((magnitude + (896 << 23)) << 29).view(np.float64))
    else:
        value = np.inf if magnitude == 0x7F800000 else np.nan
    return -value if bits < 0 else value


@njit(cache=True, nogil=True)
def single(value: float) -> float:
    """A float64 rounded to float32: nearest, ties to even, subnormals kept, infinities beyond the range."""
    if not abs(value) >= _MIN_NORMAL:
        return float(np.rint(value * _TO_STEPS) * _STEP)
    bits = np.float64(value).view(np.int64)
    rounded = (bits + (_LOW_BITS >> 1) + ((bits >> 29) & 1)) & ~_LOW_BITS
    result = np.int64(rounded).view(np.float64)
    if abs(result) >= _BEYOND:
        return np.inf if result > 0 else -np.inf
    return float(result)


@njit(cache=True, nogil=True)
def narrow(value: float) -> int:
    """The bits, as an int32, of a float64 that `single` returned."""
    magnitude = abs(value)
    if magnitude < _MIN_NORMAL:
        bits = int(magnitude * _TO_STEPS)
    elif magnitude < _BEYOND:
        bits = int(np.float64(magnitude).view(np.int64) >> 29) - (896 << 23)
    else:
        bits = 0x7F800000 if magnitude == np.inf else 0x7FC00000
    negative = np.float64(value).view(np.int64) < 0
    return bits - 0x80000000 if negative else bits


@njit(cache=True, nogil=True)
def ratio(a: float, b: float) -> float:
    """float32(a / b) for a >= 0 and b >= 0; 0 / 0 is 0, and what else is divided by 0 infinite."""
    if b == 0.0:
        return np.inf if a > 0.0 else 0.0
    result: float = single(a / b)
    return result


@njit(cache=True, nogil=True)
def largest_magnitude(bits: NDArray[np.int32]) -> int:
    """The largest magnitude of flat float32 bits, as bits; above 0x7F800000 where one is NaN."""
    top = 0
    for value in bits:
        top = max(top, int(value) & 0x7FFFFFFF)
    return top


@njit(cache=True, nogil=True)
def _product_bits(
    values: NDArray[np.int32], scales: NDArray[np.int32], factor: float, out: NDArray[np.int32]
) -> None:
    for i in range(values.shape[0]):
        out[i] = narrow(single(widen(values[i]) * widen(scales[i]) * factor))


def scaled_product(
    values: NDArray[np.float32], scales: NDArray[np.float32], factor: np.float32
) -> NDArray[np.float32]:
    """values · scales · factor with one rounding.

    Args:
        values: float32, any shape, at most 8 significant bits each (element codes).
        scales: float32, the shape of values; where factor is not 1, at most 4 significant bits.
        factor: any float32.

    Returns:
        float32, the shape of values.
    """
    out = np.empty(values.shape, np.float32)
    flat = (np.asarray(a, order="C").reshape(-1).view(np.int32) for a in (values, scales))
    wide = widen(int(np.asarray(factor, np.float32).view(np.int32)))
    _product_bits(*flat, wide, out.reshape(-1).view(np.int32))
    return out


def to_float32(x: Any) -> NDArray[np.float32]:
    """Numbers of any kind as float32, one rounding, infinities beyond the range."""
    array = np.asarray(x)
    if array.dtype == np.float32:
        return array
    if array.dtype not in (np.float16, np.float64):
        array = array.astype(np.float64)
    return encode(array, "fp32", overflow="inf").view(np.float32)
