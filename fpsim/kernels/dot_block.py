"""Dot products of blocks under 8-bit scales, on arrays: dot_mx and dot_nvfp4 (rtl/README.md).

The fast way multiplies codes and scales out first and adds in float32. It equals the law where

 (i) a block's sum has at most 24 bits: with the formats' largest values in units of their smallest steps
     A and B, and scales of at most S significand units (E8M0: 1, UE4M3: 15), block · A · B · S² <= 2^24.
     E2M1 under UE4M3: 16 · 12 · 12 · 225 = 518,400; under E8M0: 32 · 144. E4M3 elements do not fit.
 (ii) every nonzero element times its scale has a magnitude from 2^-50 to 2^50. An element is at most A · S
     times its unit, so products are multiples of 2^-100 / 2^24 > 2^-126, and sums stay below 2^100 · K.

Then every operand, product and partial sum of a block is zero or a normal float32, no operation on them
rounds, and the block's one rounded addition is the float32 adder's, whatever flush-to-zero mode is set.
Everything else goes through `matmul`, which takes any format and scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Accumulator, Format, get
from fpsim.kernels import _check
from fpsim.kernels.float32_sums import by_blocks
from fpsim.kernels.matmul import matmul

_FLOAT32_EXACT = 1 << 24
_SMALLEST, _LARGEST = 2.0**-50, 2.0**50


@dataclass(frozen=True, eq=False)
class BlockOperand:
    """One side of the product.

    Attributes:
        codes: uint8 (R, K) element codes.
        scales: uint8 (R, ceil(K / block)) scale codes.
        fmt, scale_fmt, block: what they mean.
        values: float32 (R, K), elements times their scales; meaningless where they are not within.
        within: whether condition (ii) holds.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.uint8]
    fmt: Format
    scale_fmt: Format
    block: int
    values: NDArray[np.float32]
    within: bool


@cache
def _values(fmt: Format) -> NDArray[np.float64]:
    """The value of every code that a byte can hold; NaN where there is none."""
    table = np.full(256, np.nan)
    for code in range(fmt.n_codes):
        value = fmt.value(code)
        table[code] = float(value) if isinstance(value, Fraction) else np.nan
    return table


@njit(cache=True, nogil=True)
def _multiply_out(
    codes: NDArray[np.uint8],
    scales: NDArray[np.uint8],
    elements: NDArray[np.float64],
    steps: NDArray[np.float64],
    block: int,
    out: NDArray[np.float32],
) -> bool:
    """Elements times scales, in float64, where even 2^-128 is normal; whether all are within the bounds."""
    outside = 0
    for r in range(codes.shape[0]):
        for i in range(scales.shape[1]):
            step = steps[scales[r, i]]
            start, stop = i * block, min((i + 1) * block, codes.shape[1])
            row, target = codes[r, start:stop], out[r, start:stop]
            for k in range(row.shape[0]):
                value = elements[row[k]] * step
                size = abs(value)
                outside += int(not ((size == 0.0) | ((size >= _SMALLEST) & (size <= _LARGEST))))
                target[k] = np.float32(value)
    return outside == 0


def block_operand(
    codes: NDArray[np.uint8],
    scales: NDArray[np.uint8],
    fmt: str | Format,
    scale_fmt: str | Format,
    block: int,
) -> BlockOperand:
    """Check one side and multiply codes and scales out.

    Args:
        codes: uint8 (R, K), codes of fmt.
        scales: uint8 (R, ceil(K / block)), codes of scale_fmt.
        fmt: element format of at most 8 bits.
        scale_fmt: e8m0 or ue4m3.
        block: elements under one scale, at least 1.

    Raises:
        ValueError: an argument outside of the above.
    """
    element, scale = get(fmt), get(scale_fmt)
    if element.bits > 8 or element.kind == "exponent":
        raise ValueError(f"fmt={element.name!r}: expected a float or integer format of at most 8 bits")
    _check.choice("scale_fmt", scale.name, ("e8m0", "ue4m3"))
    size = _check.integer("block", block, 1, 1 << 20)
    checked = _check.array("codes", codes, "uint8", 2)
    _check.values_within("codes", checked, 0, element.n_codes - 1)
    own = _check.array("scales", scales, "uint8", 2)
    expected = (checked.shape[0], -(-checked.shape[1] // size))
    if own.shape != expected:
        raise ValueError(f"scales.shape={own.shape}: expected {expected}, one per {size} elements")
    _check.values_within("scales", own, 0, scale.n_codes - 1)
    values = np.empty(checked.shape, np.float32)
    with np.errstate(all="ignore"):
        within = _multiply_out(checked, own, _values(element), _values(scale), size, values)
    return BlockOperand(checked, own, element, scale, size, values, bool(within))


def exact_in_float32(a: Format, b: Format, scale: Format, block: int) -> bool:
    """Condition (i): whether a block's sum has at most 24 bits."""
    largest = block * (a.max_value / a.step) * (b.max_value / b.step)
    significand = 1 if scale.kind == "exponent" else (1 << (scale.man_bits + 1)) - 1
    return largest * significand**2 <= _FLOAT32_EXACT


def dot_block(
    a: BlockOperand, b: BlockOperand, b_by_k: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Block by block: the exact sum of products times both scales, added to a float32 sum with one rounding.

    Args:
        a: the rows (M, K).
        b: the columns (N, K), of the same scale format and block.
        b_by_k: b.values transposed, float32 (K, N) in C order, where the caller keeps it.

    Returns:
        (M, N) float32; from +0, nearest even, subnormals kept, saturating.

    Raises:
        ValueError: sides that do not fit each other.
    """
    if a.codes.shape[1] != b.codes.shape[1] or (a.scale_fmt, a.block) != (b.scale_fmt, b.block):
        raise ValueError(
            f"b: K={b.codes.shape[1]}, {b.scale_fmt.name} per {b.block}: expected those of a, "
            f"K={a.codes.shape[1]}, {a.scale_fmt.name} per {a.block}"
        )
    if a.within and b.within and exact_in_float32(a.fmt, b.fmt, a.scale_fmt, a.block):
        by_k = np.ascontiguousarray(b.values.T) if b_by_k is None else b_by_k
        return by_blocks(a.values, by_k, a.block)
    acc = Accumulator.exact_plus_c("fp32", step=a.block, scale=a.scale_fmt, block=a.block)
    sums: NDArray[np.float32] = matmul(
        a.codes, b.codes, a_fmt=a.fmt, b_fmt=b.fmt, acc=acc, a_scale=a.scales, b_scale=b.scales
    )
    return sums
