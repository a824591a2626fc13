"""Accumulator to FP16, BF16 or FP32: acc · row scale · column scale + bias, one rounding, integers only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels import _check
from fpsim.kernels._bits import bit_length
from fpsim.kernels.epilogue import checked_scales

RESULT_FORMATS = ("fp16", "bf16", "fp32")
_ACC_MAX = 1 << 40
_ONE = np.uint64(1)

# Product and bias are put into words of 64 bits with their leading 1s in bit 62; the one of the smaller
# exponent is shifted right, and its lowest bit says whether ones were lost ("jam"). A product has 62 bits at
# most, so a shift by one loses nothing; after a longer one a difference has its leading 1 in bit 61 or 62,
# far above the jam. Words are unsigned throughout: of a signed and an unsigned one numba makes a float.


@njit(cache=True, nogil=True)
def _length(word: Any) -> int:
    """Bits of a word of 64."""
    high = np.int64(word >> np.uint64(32))
    length: int = 32 + bit_length(high) if high else bit_length(np.int64(word & np.uint64(0xFFFFFFFF)))
    return length


@njit(cache=True, nogil=True)
def _jam(word: Any, distance: int) -> Any:
    """Word >> distance, with a 1 in the lowest bit where ones were shifted out."""
    if distance >= 64:
        return np.uint64(1) if word else np.uint64(0)
    kept = word >> np.uint64(distance)
    return kept if (kept << np.uint64(distance)) == word else kept | _ONE


@njit(cache=True, nogil=True)
def _round(total: Any, exp: int, man: int, lowest: int, top: int) -> int:
    """Magnitude bits of total · 2^exp: man stored bits, 2^lowest the smallest normal number, at most top."""
    length = _length(total)
    place = max(exp + length - 1, lowest) - man  # exponent of the last place
    shift = place - exp
    if shift <= 0:
        rounded = np.int64(total << np.uint64(-shift))
    else:
        # Two bits below the last place decide: the half, and whether there is more.
        jammed = _jam(total, shift - 2) if shift > 2 else total << np.uint64(2 - shift)
        below = np.int64(jammed & np.uint64(3))
        rounded = np.int64(jammed >> np.uint64(2))
        rounded += 1 if below == 3 or (below == 2 and rounded & 1) else 0
    code: int = min(((place + man - lowest) << man) + rounded, top)
    return code


@njit(cache=True, nogil=True)
def _sum(product: int, product_exp: int, units: int, rule: tuple[int, int, int, int]) -> int:
    """Bits of product · 2^product_exp + units · 2^-24; rule is (sign bit, man, lowest, top)."""
    sign_bit, man, lowest, top = rule
    p, b = np.uint64(abs(product)), np.uint64(abs(units))
    p_length, b_length = _length(p), _length(b)
    p_top = product_exp + p_length if p_length else -(1 << 20)
    b_top = -24 + b_length if b_length else -(1 << 20)
    p <<= np.uint64(63 - p_length) if p_length else np.uint64(0)
    b <<= np.uint64(63 - b_length) if b_length else np.uint64(0)
    exp = max(p_top, b_top) - 63
    p = _jam(p, exp + 63 - p_top)
    b = _jam(b, exp + 63 - b_top)
    negative = product < 0 if p >= b else units < 0
    total = p + b
    if (product < 0) != (units < 0):
        total = p - b if p >= b else b - p
    if not total:
        return 0
    code: int = _round(total, exp, man, lowest, top) | (sign_bit if negative else 0)
    return code


@njit(cache=True, nogil=True)
def _epilogue(
    acc: NDArray[np.int64],
    row_scale: NDArray[np.uint32],
    col_scale: NDArray[np.uint32],
    bias: NDArray[np.uint16],
    rule: tuple[int, int, int, int],
    out: NDArray[Any],
) -> None:
    for m in range(acc.shape[0]):
        row = int(row_scale[m])
        row_significand = (row & 1023 | 1024) if row else 0
        for n in range(acc.shape[1]):
            col, b = int(col_scale[n]), int(bias[n])
            field = b >> 10 & 31
            units = (b & 1023 | (1024 if field else 0)) << max(field - 1, 0)
            product = int(acc[m, n]) * (row_significand * (col & 1023 | 1024))
            exp = (row >> 10) + (col >> 10) - 274
            out[m, n] = _sum(product, exp, -units if b & 0x8000 else units, rule)


def wide_epilogue(
    acc: NDArray[np.int64],
    row_scale: NDArray[np.uint32],
    col_scale: NDArray[np.uint32],
    bias: NDArray[np.uint16],
    result: str | Format,
) -> NDArray[Any]:
    """result(acc · row_scale · col_scale + bias), one rounding of the exact sum (rtl/README.md, "epilogue").

    Args:
        acc: (M, N) int64 accumulators, at most 2^40 in magnitude.
        row_scale: (M,) uint32 TF32 codes (19 bits), 0 or positive normal.
        col_scale: (N,) uint32 TF32 codes, positive normal.
        bias: (N,) uint16 FP16 bits, finite.
        result: fp16, bf16 or fp32.

    Returns:
        (M, N) bits, uint16 (fp32: uint32): nearest, ties to even, subnormals kept, saturated to the largest
        finite number; an exact sum of 0 gives +0, a negative sum that rounds to 0 gives -0.

    Raises:
        ValueError: an argument outside of the above.
    """
    form = get(result)
    if form.name not in RESULT_FORMATS or form != get(form.name):
        raise ValueError(f"result={form.name!r}: expected one of {', '.join(RESULT_FORMATS)}")
    sums = _check.array("acc", acc, "int64", 2)
    _check.values_within("acc", sums, -_ACC_MAX, _ACC_MAX)
    rows, cols, biases = checked_scales(row_scale, col_scale, bias, sums.shape)
    rule = (1 << (form.bits - 1), form.man_bits, 1 - form.bias, form.max_magnitude_code)
    out = np.empty(sums.shape, np.uint32 if form.bits == 32 else np.uint16)
    _epilogue(sums, rows, cols, biases, rule, out)
    return out
