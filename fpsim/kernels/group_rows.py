"""FP16 rows to unsigned integers under one FP16 scale and one zero point per group, on arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check
from fpsim.kernels.block_rows import special_rows

SMALLEST_SPAN = np.float32(1e-5)
_MAGIC = np.float32(1.5 * 2**23)  # adding and subtracting it rounds |x| < 2^22 to an integer, ties to even
_LARGE = np.float32(1 << 20)


class GroupedRows(NamedTuple):
    """Quantized rows: an element is worth (code − zero) · scale.

    Attributes:
        levels: float32 (M, K), code − zero, integers within ±(2^bits − 1).
        codes: uint8 (M, K).
        zeros: uint8 (M, G), G groups.
        scales: float32 (M, G), values that FP16 holds, positive.
    """

    levels: NDArray[np.float32]
    codes: NDArray[np.uint8]
    zeros: NDArray[np.uint8]
    scales: NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def _extremes(row: NDArray[np.float32]) -> Any:
    high, low = np.float32(0.0), np.float32(0.0)
    for i in range(row.shape[0]):
        high = max(high, row[i])
        low = min(low, row[i])
    return high, low


@njit(cache=True, nogil=True, error_model="numpy")
def _spans(
    x: NDArray[np.float32], group: int, top: np.float32, spans: NDArray[np.float32], lows: NDArray[np.float32]
) -> None:
    for m in range(x.shape[0]):
        for g in range(spans.shape[1]):
            high, low = _extremes(x[m, g * group : min((g + 1) * group, x.shape[1])])
            spans[m, g] = max(np.float32(high - low), SMALLEST_SPAN) / top
            lows[m, g] = low


@njit(cache=True, nogil=True, error_model="numpy")
def _round(x: Any) -> Any:
    """To the nearest integer, ties to even; what is beyond 2^20 becomes that (and is clamped later)."""
    bounded = min(max(x, -_LARGE), _LARGE)
    return (bounded + _MAGIC) - _MAGIC


@njit(cache=True, nogil=True, error_model="numpy")
def _levels(
    x: NDArray[np.float32],
    group: int,
    top: np.float32,
    scales: NDArray[np.float32],
    lows: NDArray[np.float32],
    rows: GroupedRows,
) -> None:
    for m in range(x.shape[0]):
        for g in range(scales.shape[1]):
            start, stop = g * group, min((g + 1) * group, x.shape[1])
            scale = scales[m, g]
            zero = min(_round(np.float32(-lows[m, g]) / scale), top)
            rows.zeros[m, g] = np.uint8(zero)
            values, levels, codes = x[m, start:stop], rows.levels[m, start:stop], rows.codes[m, start:stop]
            for i in range(values.shape[0]):
                code = min(max(_round(values[i] / scale) + zero, np.float32(0.0)), top)
                levels[i] = code - zero
                codes[i] = np.uint8(code)


def group_rows(x_bits: NDArray[np.uint16], bits: int, group: int) -> GroupedRows:
    """Quantize rows, group by group; the rule is `fpsim.arith.group_row`'s.

    No float32 operation meets a subnormal: spans are at least 1e-5, scales and elements at least 2^-24.

    Args:
        x_bits: FP16 bits, (M, K) uint16, finite.
        bits: of a code, 2 to 8.
        group: elements of a group, at least 1; a last one may be shorter.

    Raises:
        ValueError: an argument outside of the above.
    """
    checked = _check.array("x_bits", x_bits, "uint16", 2)
    width = _check.integer("bits", bits, 2, 8)
    size = _check.integer("group", group, 1, 1 << 20)
    if bool(special_rows(checked).any()):
        raise ValueError("x_bits holds an infinity or a NaN: expected finite FP16 numbers")
    x = checked.view(np.float16).astype(np.float32)
    top = np.float32((1 << width) - 1)
    shape = (x.shape[0], -(-x.shape[1] // size))
    spans, lows = np.empty(shape, np.float32), np.empty(shape, np.float32)
    _spans(x, size, top, spans, lows)
    scales = spans.astype(np.float16).astype(np.float32)
    rows = GroupedRows(
        np.empty(x.shape, np.float32), np.empty(x.shape, np.uint8), np.empty(shape, np.uint8), scales
    )
    _levels(x, size, top, scales, lows, rows)
    return rows
