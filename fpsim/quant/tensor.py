"""Quantize one tensor by a named recipe: vectors under float32 scales, or blocks under 8-bit scales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsim.formats import Format, get
from fpsim.formats.tensor_recipes import (
    TENSOR_RECIPES,
    MxRecipe,
    NvRecipe,
    VectorRecipe,
    get_tensor_recipe,
)
from fpsim.kernels.cast import decode
from fpsim.kernels.float32 import scaled_product, to_float32
from fpsim.kernels.mx_block import mx_blocks
from fpsim.kernels.nv_block import nv_blocks
from fpsim.kernels.vector_scale import vectors

RECIPES = tuple(TENSOR_RECIPES)

_MAGNITUDE = 0x7FFFFFFF
_INF = 0x7F800000


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized tensor.

    Attributes:
        codes: uint8, the shape of the tensor, one code per element.
        scales: one per vector: float32, the tensor's shape with `axis` shrunk to 1, or shape () for one.
            One per block: uint8 codes of E8M0 ("mx...") or UE4M3 ("nvfp4..."), the tensor's shape with `axis`
            shrunk to the number of blocks.
        tensor_scale: float32, a factor of the whole tensor ("nvfp4..."); None: there is none.
        fmt: format of the codes.
        recipe: name of the recipe.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32] | NDArray[np.uint8]
    tensor_scale: np.float32 | None
    fmt: Format
    recipe: str

    def dequantize(self) -> NDArray[np.float32]:
        """code value · scale · tensor scale, the exact product rounded once to float32.

        Where a block's scale is NaN, so are its elements.
        """
        recipe = get_tensor_recipe(self.recipe)
        if isinstance(recipe, VectorRecipe):
            scales = np.asarray(self.scales, dtype=np.float32)
        else:
            scales = decode(self.scales, recipe.scale)
            for axis, (blocks, length) in enumerate(zip(scales.shape, self.codes.shape, strict=True)):
                if blocks != length:  # at most one: the axis that the blocks lie along
                    whole = np.repeat(scales, recipe.block_size, axis=axis)
                    scales = np.take(whole, np.arange(length), axis=axis)
        factor = np.float32(1) if self.tensor_scale is None else self.tensor_scale
        return scaled_product(decode(self.codes, self.fmt), np.broadcast_to(scales, self.codes.shape), factor)


def quantize(x: ArrayLike, recipe: str, *, axis: int = -1, amax: ArrayLike | None = None) -> Quantized:
    """Quantize a tensor.

    Every recipe, its roundings and what it does with zeros, NaN, infinities and the ends of the range is
    defined in `fpsim.formats.tensor_recipes`.

    Args:
        x: at least one value, converted to float32; finite, but the MX recipes take infinities and NaN.
        recipe: one of `RECIPES`. "per-token-*" and "per-channel-*" take one scale per vector along `axis`,
            the axis that a matrix product sums over (the names say which operand it is meant for);
            "per-tensor-*" one scale for everything; "mx..." and "nvfp4..." one scale per block of 32 or 16
            along `axis`.
        axis: the axis that is summed over.
        amax: a static largest magnitude in place of that of x, finite and above 0; what is beyond saturates.
            "per-token-*", "per-channel-*": one for all vectors, or an array of the shape of the scales;
            "per-tensor-*", "nvfp4...": one number. The MX recipes have no use for it.

    Raises:
        ValueError: an unknown recipe, an axis that x does not have, no element, NaN or Inf where they are
            refused, a vector scale that underflows to 0, an illegal amax.
    """
    found = get_tensor_recipe(recipe)
    values = to_float32(x)
    if not -values.ndim <= axis < values.ndim:
        raise ValueError(f"axis={axis}: x has {values.ndim} axes")
    finite = isinstance(found, MxRecipe) or _all_finite(values)
    if values.size == 0 or not finite:
        raise ValueError("x: expected at least one element and only finite values")
    moved = np.moveaxis(values, axis, -1)
    per_tensor = isinstance(found, VectorRecipe) and found.scope == "per-tensor"
    rows = np.asarray(moved, order="C").reshape((1, -1) if per_tensor else (-1, moved.shape[-1]))
    static = None if amax is None else _static_amax(amax, found, (*moved.shape[:-1], 1), axis)
    tensor_scale = None
    scales: NDArray[np.float32] | NDArray[np.uint8]
    if isinstance(found, MxRecipe):
        scales, codes = mx_blocks(rows, found)
    elif isinstance(found, NvRecipe):
        scales, codes, tensor_scale = nv_blocks(rows, found, None if static is None else static[0])
    else:
        scales, codes = vectors(rows, found, static)
    shape = (*moved.shape[:-1], -1)
    return Quantized(
        _moved_back(codes, shape, axis),
        scales.reshape(()) if per_tensor else _moved_back(scales, shape, axis),
        tensor_scale,
        get(found.element),
        recipe,
    )


def _moved_back(rows: NDArray[Any], shape: tuple[int, ...], axis: int) -> NDArray[Any]:
    """Rows as an array of that shape, its last axis moved to `axis`."""
    return np.asarray(np.moveaxis(rows.reshape(shape), -1, axis), order="C")


def _all_finite(x: NDArray[np.float32]) -> bool:
    """Whether no element is NaN or Inf."""
    bits = np.asarray(x, order="C").view(np.int32)
    return bool(((bits & _MAGNITUDE) < _INF).all())


def _static_amax(
    amax: ArrayLike, recipe: MxRecipe | NvRecipe | VectorRecipe, shape: tuple[int, ...], axis: int
) -> NDArray[np.float32]:
    """The given amax, one per vector (flat), or one; `shape` is that of the scales, vectors last."""
    if isinstance(recipe, MxRecipe):
        raise ValueError(f"amax: expected None, {recipe.name} takes every scale from its block")
    given = to_float32(amax)
    if not _all_finite(given) or not (np.asarray(given, order="C").view(np.int32) > 0).all():
        raise ValueError(f"amax={amax!r}: expected finite numbers above 0")
    if given.ndim == 0:
        vector = isinstance(recipe, VectorRecipe) and recipe.scope != "per-tensor"
        return np.full(math.prod(shape) if vector else 1, given, np.float32)
    whole = np.moveaxis(np.empty(shape, np.int8), -1, axis).shape
    if not isinstance(recipe, VectorRecipe) or recipe.scope == "per-tensor" or given.shape != whole:
        raise ValueError(f"amax.shape={given.shape}: expected one number, or for one per vector {whole}")
    return np.ascontiguousarray(np.moveaxis(given, axis, -1)).reshape(-1)
