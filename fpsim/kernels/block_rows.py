"""FP16 rows to blocks of codes under 8-bit scales, rotated on the way or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.formats.tensor_recipes import MxRecipe, NvRecipe
from fpsim.kernels import _check
from fpsim.kernels.align import align
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.mx_block import mx_blocks
from fpsim.kernels.nv_block import nv_blocks

_MAGNITUDE, _INFINITY = np.uint16(0x7FFF), 0x7C00
_FP16_UNIT_EXPONENT = 25
_FLOAT32_BITS = 24


def special_rows(x_bits: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """bool (M,): whether a row of FP16 bits (M, K) holds an infinity or a NaN."""
    found: NDArray[np.bool_] = np.any((x_bits & _MAGNITUDE) >= _INFINITY, axis=1)
    return found


def fits_quantizer(guard_bits: int, hadamard_n: int) -> bool:
    """Whether every rotated integer is a float32, which the block quantizer takes."""
    return ((1 << (11 + guard_bits)) - 1) * hadamard_n < 1 << _FLOAT32_BITS


def block_rows(
    x_bits: NDArray[np.uint16],
    recipe: MxRecipe | NvRecipe,
    *,
    guard_bits: int,
    signs: NDArray[np.int8] | None = None,
    hadamard_n: int = 1,
    amax: np.float32 | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Quantize rows, each by itself.

    Args:
        x_bits: FP16 bits, (M, K) uint16, finite.
        recipe: any MX or NVFP4 recipe.
        guard_bits: of `align`, 0 to 8; read where rows are rotated.
        signs: (K,) int8 of ±1 before the rotation; None: no rotation, and no alignment.
        hadamard_n: block size of the rotation, a divisor of K that `fits_quantizer`.
        amax: NVFP4: the largest magnitude that the tensor scale is made for, above 0. MX: None.

    Returns:
        Scale codes, (M, ceil(K / block)) uint8, and element codes, (M, K) uint8.

    Raises:
        ValueError: an argument outside of the above.
    """
    bits = _check.array("x_bits", x_bits, "uint16", 2)
    if bool(special_rows(bits).any()):
        raise ValueError("x_bits holds an infinity or a NaN: expected finite FP16 numbers")
    values = bits.view(np.float16).astype(np.float32)
    if signs is not None:
        values = _rotated(bits, guard_bits, signs, hadamard_n)
    if isinstance(recipe, MxRecipe):
        return mx_blocks(values, recipe)
    if amax is None or not 0 < amax < np.inf:
        raise ValueError(f"amax={amax!r}: expected a finite number above 0 for {recipe.name}")
    scales, codes, _ = nv_blocks(values, recipe, np.float32(amax))
    return scales, codes


def _rotated(
    bits: NDArray[np.uint16], guard_bits: int, signs: NDArray[np.int8], n: int
) -> NDArray[np.float32]:
    """The rotated integers in their rows' units: at most 24 bits, at least 2^-32, so exact in float32."""
    if not fits_quantizer(guard_bits, n):
        raise ValueError(f"hadamard_n={n}: expected (2^(11 + guard_bits) - 1) * n < 2^24")
    ints, exps, _ = align(bits, guard_bits)
    units = np.ldexp(np.float32(1), exps - _FP16_UNIT_EXPONENT - guard_bits)
    rotated: NDArray[np.float32] = hadamard_blocks(ints, n, signs).astype(np.float32) * units[:, None]
    return rotated
