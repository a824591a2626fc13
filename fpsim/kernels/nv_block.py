"""Blocks under UE4M3 scales and a tensor scale, on arrays; formulas: `fpsim.formats.tensor_recipes`."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import get
from fpsim.formats.tensor_recipes import NvRecipe
from fpsim.kernels import _check
from fpsim.kernels.cast import decode
from fpsim.kernels.float32 import FLT_MAX, largest_magnitude, narrow, ratio, single, widen

_FORMULAS = ("paper", "te", "modelopt", "torchao")
_PAPER, _TE, _MODELOPT, _TORCHAO = range(4)
_NORMS = (None, "absmax", "mae", "mse")
_ONE_CANDIDATE, _ABSMAX, _MAE, _MSE = range(4)

_E2M1 = get("e2m1")
_E2M1_TOP = float(_E2M1.max_value)
_MIDDLES = tuple(float(a + b) / 2 for a, b in pairwise(decode(np.arange(8, dtype=np.uint8), _E2M1)))
_UE4M3 = get("ue4m3")
_SCALE_TOP = _UE4M3.max_magnitude_code
_SCALE_STEPS = float(1 / _UE4M3.step)
_SCALE_MIN_NORMAL = 2.0 ** (1 - _UE4M3.bias)
_SCALE_DROPPED = 52 - _UE4M3.man_bits
_SCALE_REBIAS = (1023 - _UE4M3.bias) << _UE4M3.man_bits
_EXPANSION = 1.5  # 6 / 4


class _Rule(NamedTuple):
    """A recipe as the inner loops want it."""

    formula: int
    divide: bool
    smallest_scale: int
    norm: int
    keep_negative_zero: bool
    largest: float  # 6 · cap


class _Tables(NamedTuple):
    """Values of the scale codes, and of E2M1's magnitude codes."""

    scales: NDArray[np.float64]
    elements: NDArray[np.float64]


@cache
def _tables() -> _Tables:
    scales = decode(np.arange(_SCALE_TOP + 1, dtype=np.uint8), "ue4m3").astype(np.float64)
    return _Tables(scales, decode(np.arange(8, dtype=np.uint8), "e2m1").astype(np.float64))


@njit(cache=True, nogil=True)
def _tensor_scale(amax: float, rule: _Rule) -> tuple[float, float]:
    """(decoding scale, encoding scale) of a tensor; the second is 0 where the formula has none."""
    if rule.formula == _MODELOPT or rule.formula == _TORCHAO:
        direct = single(amax / rule.largest)
        return (direct if direct > 0.0 else 1.0), 0.0
    inverse = min(ratio(rule.largest, amax), FLT_MAX)
    return single(1.0 / inverse), inverse


@njit(cache=True, nogil=True)
def _unrounded_scale(amax: float, decoding: float, encoding: float, formula: int) -> float:
    if formula == _TE:
        scale: float = single(amax * single(encoding * single(1.0 / _E2M1_TOP)))
    elif formula == _MODELOPT:
        scale = ratio(amax, single(_E2M1_TOP * decoding))
        scale = scale if scale > 0.0 else 1.0
    elif formula == _TORCHAO:
        scale = ratio(single(amax / _E2M1_TOP), decoding)
    else:
        scale = single(single(amax / _E2M1_TOP) * encoding)
    return scale


@njit(cache=True, nogil=True)
def _round_scale(scale: float, smallest: int) -> int:
    """The UE4M3 code of a float32 number >= 0, to nearest even, at most the largest finite one."""
    if scale < _SCALE_MIN_NORMAL:
        code = int(np.rint(scale * _SCALE_STEPS))
    else:
        bits = np.float64(scale).view(np.int64)
        odd = (bits >> _SCALE_DROPPED) & 1
        rounded = (bits + (1 << (_SCALE_DROPPED - 1)) - 1 + odd) >> _SCALE_DROPPED
        code = min(int(rounded) - _SCALE_REBIAS, _SCALE_TOP)
    return max(code, smallest)


@njit(cache=True, nogil=True)
def _factor(scale: float, decoding: float, rule: _Rule) -> float:
    """What the elements of a block are multiplied by, or divided by."""
    if rule.formula == _TORCHAO:
        return float(min(ratio(min(ratio(1.0, decoding), FLT_MAX), scale), FLT_MAX))
    product: float = single(scale * decoding)
    return product if rule.divide else float(min(ratio(1.0, product), FLT_MAX))


@njit(cache=True, nogil=True)
def _element(magnitude: float) -> int:
    """The E2M1 magnitude code of a float32 number >= 0, to nearest, ties to the even code, saturating."""
    m0, m1, m2, m3, m4, m5, m6 = _MIDDLES
    low = int(magnitude > m0) + int(magnitude >= m1) + int(magnitude > m2) + int(magnitude >= m3)
    return low + int(magnitude > m4) + int(magnitude >= m5) + int(magnitude > m6)


@njit(cache=True, nogil=True)
def _encode_block(
    bits: NDArray[np.int32], scale: float, decoding: float, rule: _Rule, out: NDArray[np.uint8]
) -> None:
    factor = _factor(scale, decoding, rule)
    flush = scale == 0.0 and rule.formula != _TE
    for i in range(bits.shape[0]):
        magnitude = widen(bits[i] & 0x7FFFFFFF)
        scaled = ratio(magnitude, factor) if rule.divide else single(magnitude * factor)
        if flush:
            scaled = 0.0
        signed = bits[i] < 0 and (rule.keep_negative_zero or scaled > 0.0)
        out[i] = _element(scaled) | (8 if signed else 0)


@njit(cache=True, nogil=True)
def _error(
    bits: NDArray[np.int32], codes: NDArray[np.uint8], scale: float, amax: float, rule: _Rule, tables: _Tables
) -> float:
    """How far the codes of a block are off, in float32 steps."""
    total = 0.0
    for i in range(bits.shape[0]):
        decoded = single(single(tables.elements[codes[i] & 7] * scale * amax) / rule.largest)
        off = abs(single(decoded - widen(bits[i] & 0x7FFFFFFF)))
        if rule.norm == _ABSMAX:
            total = max(total, off)
        elif rule.norm == _MAE:
            total = single(total + off)
        else:
            total = single(total + single(off * off))
    return total


@njit(cache=True, nogil=True)
def _quantize_rows(
    bits: NDArray[np.int32],
    amax: float,
    rule: _Rule,
    block_size: int,
    tables: _Tables,
    scales: NDArray[np.uint8],
    codes: NDArray[np.uint8],
) -> float:
    """Scale and element codes of every block; returns the tensor scale."""
    decoding: float
    decoding, encoding = _tensor_scale(amax, rule)
    other = np.empty(block_size, np.uint8)
    for row in range(bits.shape[0]):
        for block in range(scales.shape[1]):
            start = block * block_size
            stop = min(start + block_size, bits.shape[1])
            values, own = bits[row, start:stop], codes[row, start:stop]
            base = _unrounded_scale(widen(largest_magnitude(values)), decoding, encoding, rule.formula)
            code = _round_scale(base, rule.smallest_scale)
            _encode_block(values, tables.scales[code], decoding, rule, own)
            if rule.norm != _ONE_CANDIDATE:
                second = _round_scale(single(base * _EXPANSION), rule.smallest_scale)
                trial = other[: stop - start]
                _encode_block(values, tables.scales[second], decoding, rule, trial)
                six = _error(values, own, tables.scales[code], amax, rule, tables)
                if _error(values, trial, tables.scales[second], amax, rule, tables) < six:
                    own[:] = trial
                    code = second
            scales[row, block] = code
    return decoding


def nv_blocks(
    x: NDArray[np.float32], recipe: NvRecipe, amax: np.float32 | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], np.float32]:
    """Quantize the rows of a matrix, block by block, under one tensor scale.

    Args:
        x: (M, K) float32, finite.
        recipe: any of the NVFP4 recipes.
        amax: the largest magnitude that the tensor scale is made for, finite, above 0; None: that of x.

    Returns:
        UE4M3 scale codes, (M, ceil(K / 16)) uint8; element codes, (M, K) uint8; the tensor scale.

    Raises:
        ValueError: another dtype or shape.
    """
    values = _check.array("x", x, "float32", 2)
    bits = values.view(np.int32)
    top = largest_magnitude(bits.reshape(-1)) if amax is None else int(np.float32(amax).view(np.int32))
    rule = _Rule(
        _FORMULAS.index(recipe.formula),
        recipe.division == "divide",
        recipe.smallest_scale,
        _NORMS.index(recipe.four_over_six),
        recipe.keep_negative_zero,
        _E2M1_TOP * recipe.scale_cap,
    )
    scales = np.empty((values.shape[0], -(-values.shape[1] // recipe.block_size)), np.uint8)
    codes = np.empty(values.shape, np.uint8)
    scale = _quantize_rows(bits, widen(top), rule, recipe.block_size, _tables(), scales, codes)
    return scales, codes, np.int32(narrow(scale)).view(np.float32)
