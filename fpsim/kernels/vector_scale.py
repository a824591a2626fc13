"""Vectors under one float32 scale each, on arrays; defined in `fpsim.formats.tensor_recipes`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.formats.tensor_recipes import CLIP_FIRST, CLIP_STEPS, VectorRecipe
from fpsim.kernels import _check
from fpsim.kernels.cast import decode, encode
from fpsim.kernels.float32 import largest_magnitude, narrow, ratio, single, widen


@njit(cache=True, nogil=True)
def _amax(bits: NDArray[np.int32], out: NDArray[np.int32]) -> None:
    for row in range(bits.shape[0]):
        out[row] = largest_magnitude(bits[row])


@njit(cache=True, nogil=True)
def _scales(amax: NDArray[np.int32], k: int, divisor: float, out: NDArray[np.int32]) -> None:
    """float32(k · amax / divisor) of each, 1 for an amax of 0."""
    for row in range(amax.shape[0]):
        out[row] = narrow(single(widen(amax[row]) * k / divisor)) if amax[row] else narrow(1.0)


@njit(cache=True, nogil=True)
def _divide(bits: NDArray[np.int32], scales: NDArray[np.int32], top: float, out: NDArray[np.int32]) -> None:
    """float32(x / scale of the row), its magnitude at most top, as bits."""
    for row in range(bits.shape[0]):
        scale = widen(scales[row])
        for i in range(bits.shape[1]):
            quotient = min(ratio(widen(bits[row, i] & 0x7FFFFFFF), scale), top)
            out[row, i] = narrow(-quotient if bits[row, i] < 0 else quotient)


@njit(cache=True, nogil=True)
def _squared_errors(
    bits: NDArray[np.int32], decoded: NDArray[np.int32], scales: NDArray[np.int32], out: NDArray[np.float64]
) -> None:
    for row in range(bits.shape[0]):
        scale = widen(scales[row])
        total = 0.0
        for i in range(bits.shape[1]):
            off = widen(bits[row, i]) - widen(decoded[row, i]) * scale
            total += off * off
        out[row] = total


def _codes(x: NDArray[np.float32], scales: NDArray[np.float32], fmt: Format) -> NDArray[np.uint8]:
    scaled = np.empty(x.shape, np.float32)
    _divide(x.view(np.int32), scales.view(np.int32), float(fmt.max_value), scaled.view(np.int32))
    return encode(scaled, fmt)


def _searched(x: NDArray[np.float32], amax: NDArray[np.int32], fmt: Format) -> NDArray[np.float32]:
    """For every row the candidate with the lowest squared error, of equal ones the largest."""
    best = np.full(amax.shape, np.inf)
    chosen = np.ones(amax.shape, np.float32)
    errors = np.empty(amax.shape, np.float64)
    scales = np.empty(amax.shape, np.float32)
    for k in range(CLIP_STEPS, CLIP_FIRST - 1, -1):
        _scales(amax, k, CLIP_STEPS * float(fmt.max_value), scales.view(np.int32))
        underflown = scales.view(np.int32) == 0
        scales[underflown] = 1
        decoded = decode(_codes(x, scales, fmt), fmt)
        _squared_errors(x.view(np.int32), decoded.view(np.int32), scales.view(np.int32), errors)
        better = ~underflown & (errors < best)
        best[better] = errors[better]
        chosen[better] = scales[better]
    return chosen


def vectors(
    x: NDArray[np.float32], recipe: VectorRecipe, amax: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Quantize the rows of a matrix, one scale each.

    Args:
        x: (M, K) float32, finite, K at least 1.
        recipe: element format, and whether the clip is searched; its scope is the caller's business.
        amax: (M,) float32, a given largest magnitude of each row, finite, above 0; None: that of the rows.

    Returns:
        Scales, (M,) float32, and element codes, (M, K) uint8.

    Raises:
        ValueError: another dtype or shape, or a scale that underflows to 0.
    """
    values = _check.array("x", x, "float32", 2)
    fmt = get(recipe.element)
    if amax is None:
        top = np.empty(values.shape[0], np.int32)
        _amax(values.view(np.int32), top)
    else:
        top = _check.array("amax", amax, "float32", 1).view(np.int32)
    scales = np.empty(values.shape[0], np.float32)
    _scales(top, 1, float(fmt.max_value), scales.view(np.int32))
    zero = scales.view(np.int32) == 0
    if zero.any():
        smallest = np.min(top[zero]).view(np.float32)
        raise ValueError(f"x: its largest magnitude {smallest} is too small for a float32 scale")
    if recipe.clip_search:
        scales = _searched(values, top, fmt)
    return scales, _codes(values, scales, fmt)
