"""Blocks under E8M0 scales, on arrays; the rules are defined in `fpsim.formats.tensor_recipes`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import get
from fpsim.formats.tensor_recipes import MxRecipe
from fpsim.kernels import _check
from fpsim.kernels.cast import encode
from fpsim.kernels.float32 import largest_magnitude, narrow, ratio, single, widen

_RULES = ("floor", "even", "ceil", "rceil")
_FLOOR, _EVEN, _CEIL, _RCEIL = range(4)
_INF = 0x7F800000


@njit(cache=True, nogil=True)
def _scale_code(amax: int, rule: int, man_bits: int, emax: int, top: float) -> int:
    """The scale code of a block whose largest magnitude has the float32 bits amax.

    In bits, all of it: a field counts 2^(field - 127), and a carry moves into it by itself. Subnormals (field
    0) stand for less than their field says only where the code is clamped to 0 anyway.
    """
    if amax > _INF:
        return 255
    if rule == _RCEIL:
        if amax == _INF:
            return 254
        quotient: int = narrow(ratio(widen(amax), top))
        if quotient < 0x00800000:
            return int(quotient > 0x00400000)  # 2^-127
        return min((quotient + 0x007FFFFF) >> 23, 254)
    if rule == _EVEN:
        amax += 1 << (22 - man_bits)
    elif rule == _CEIL:
        amax += 0x007FFFFF
    return max((amax >> 23) - emax, 0)


@njit(cache=True, nogil=True)
def _scaled(bits: int, power: int) -> int:
    """float32 bits of a number times 2^power; below 2^-126 rounded, which no element format can tell."""
    field = (bits >> 23) & 255
    if 0 < field < 255 and 0 < field + power < 255:
        return bits + (power << 23)
    factor = np.int64((1023 + power) << 52).view(np.float64)
    result: int = narrow(single(widen(bits) * factor))
    return result


@njit(cache=True, nogil=True)
def _scale_rows(
    bits: NDArray[np.int32],
    block_size: int,
    rule: int,
    element: tuple[int, int, float],
    scales: NDArray[np.uint8],
    scaled: NDArray[np.int32],
) -> None:
    """Scale codes of every block, and the elements divided by their scales, as float32 bits."""
    man_bits, emax, top = element
    for row in range(bits.shape[0]):
        for block in range(scales.shape[1]):
            start = block * block_size
            stop = min(start + block_size, bits.shape[1])
            code = _scale_code(largest_magnitude(bits[row, start:stop]), rule, man_bits, emax, top)
            scales[row, block] = code
            if code == 255:
                scaled[row, start:stop] = 0
                continue
            for i in range(start, stop):
                scaled[row, i] = _scaled(int(bits[row, i]), 127 - code)


def mx_blocks(x: NDArray[np.float32], recipe: MxRecipe) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Quantize the rows of a matrix, block by block.

    Args:
        x: (M, K) float32, infinities and NaN included.
        recipe: any of the MX recipes.

    Returns:
        E8M0 scale codes, (M, ceil(K / block_size)) uint8, and element codes, (M, K) uint8.

    Raises:
        ValueError: another dtype or shape.
    """
    values = _check.array("x", x, "float32", 2)
    fmt = get(recipe.element)
    emax = fmt.max_value.numerator.bit_length() - fmt.max_value.denominator.bit_length()
    scales = np.empty((values.shape[0], -(-values.shape[1] // recipe.block_size)), np.uint8)
    scaled = np.empty(values.shape, np.float32)
    element = fmt.man_bits, emax, float(fmt.max_value)
    rule = _RULES.index(recipe.rule)
    _scale_rows(values.view(np.int32), recipe.block_size, rule, element, scales, scaled.view(np.int32))
    return scales, encode(scaled, fmt)
