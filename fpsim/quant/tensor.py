"""Quantize one tensor by a named recipe: scales from the largest magnitude, codes by rounding to nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsim.formats import Format, get
from fpsim.kernels.cast import decode, encode

SCOPES = ("per-token", "per-channel", "per-tensor")
ELEMENTS = ("e2m1", "e3m0", "e1m2", "int4", "int8")
RECIPES = tuple(f"{scope}-{element}" for scope in SCOPES for element in ELEMENTS)


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized tensor.

    Attributes:
        codes: uint8, the shape of the tensor, one code per element.
        scales: float32, the tensor's shape with `axis` shrunk to 1, or shape () for one scale.
        fmt: format of the codes.
        recipe: name of the recipe.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]
    fmt: Format
    recipe: str

    def dequantize(self) -> NDArray[np.float32]:
        """decode(codes) · scales, one float32 product per element."""
        values: NDArray[np.float32] = decode(self.codes, self.fmt) * self.scales
        return values


def quantize(x: ArrayLike, recipe: str, *, axis: int = -1) -> Quantized:
    """Quantize a tensor.

    The scale is float32(amax / largest value of the format), one division; a code is the quotient
    float32(x / scale) rounded to nearest, ties to the even code. Symmetric: INT4 uses -7 to 7, INT8 -127 to
    127. Where every element is zero the scale is 1.

    Args:
        x: finite values, converted to float32.
        recipe: one of `RECIPES`. "per-token" and "per-channel" take one scale per vector along `axis`, the
            axis that a matrix product sums over (the names say which operand it is meant for); "per-tensor"
            takes one scale for everything.
        axis: the axis that is summed over.

    Raises:
        ValueError: an unknown recipe, an axis that x does not have, no element, NaN or Inf.
    """
    if recipe not in RECIPES:
        raise ValueError(f"recipe={recipe!r}: expected one of {', '.join(RECIPES)}")
    values = np.asarray(x, dtype=np.float32)
    if not -values.ndim <= axis < values.ndim:
        raise ValueError(f"axis={axis}: x has {values.ndim} axes")
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("x: expected at least one element and only finite values")
    scope, _, element = recipe.rpartition("-")
    fmt = get(element)
    per_tensor = scope == "per-tensor"
    amax = np.abs(values).max() if per_tensor else np.abs(values).max(axis=axis, keepdims=True)
    top = np.float32(fmt.max_value)
    scales = np.asarray(np.where(amax > 0, amax / top, np.float32(1)), dtype=np.float32)
    if (scales == 0).any():
        raise ValueError(f"x: its largest magnitude {amax.min()} is too small for a float32 scale")
    codes = encode(np.clip(values / scales, -top, top), fmt)
    return Quantized(codes, scales, fmt, recipe)
