"""The linears of a model as a rotated recipe sees them: where the rotation is, and what then multiplies what.

Placement (ours where HQ-DiT, arXiv 2405.19751, is silent): qkv, fc1 and fc2 have theirs online, before the
quantizer. proj has one inside each head, which goes into the value rows of qkv offline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.balance import Balanced
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.rotated import fold_value_rotation
from fpsim.quant.rotation import largest_transform, random_signs, rotate_columns

F64 = NDArray[np.float64]

Width = int | Literal["full"] | None


@dataclass(frozen=True, eq=False)
class RotatedLayer:
    """One linear.

    Attributes:
        name: its name in the model.
        weight: float64 (N, K), rotated.
        bias: float64 (N,).
        rows: float64 (S, K), calibration rows as the host hands them over.
        signs: int8 (K,), of the rotation that the machine applies; None: it applies none.
        hadamard_n: its block size; None with signs None.
    """

    name: str
    weight: F64
    bias: F64
    rows: F64
    signs: NDArray[np.int8] | None
    hadamard_n: int | None

    def quantizer_rows(self) -> F64:
        """float64 (S, K): the calibration rows after the machine's rotation, before any rounding."""
        if self.signs is None or self.hadamard_n is None:
            return self.rows
        return rotate_columns(self.rows, self.hadamard_n, self.signs)


def block_size(width: Width, size: int) -> int:
    """Block size of the rotation of `size` channels; "full": the widest there is; None: 1, no rotation.

    Raises:
        ValueError: a width that does not divide the size.
    """
    if width == "full":
        return largest_transform(size)
    if width is not None and (width < 1 or size % width):
        raise ValueError(f"hadamard={width!r}: expected 'full', None or a divisor of {size}")
    return width or 1


def fold_heads(model: DiT, width: Width, seed: int) -> DiT:
    """The model with proj's rotation in the value rows, as the layers of `rotated_layers` expect it."""
    n = _in_heads(model, width)
    return fold_value_rotation(model, n, seed) if n > 1 else model


def rotated_layers(
    balanced: Balanced, width: Width, seed: int, *, heads: Width | Literal["same"] = "same"
) -> Iterator[RotatedLayer]:
    """The block linears in execution order, their rows as the machine is handed them.

    Args:
        balanced: the model before `fold_heads`, its channel factors and rows.
        width: "full", a block size, or None for no rotation. A head that is narrower than the block size
            is rotated whole.
        seed: of the sign vectors.
        heads: the width that `fold_heads` is given, if it is not the same.
    """
    inside: Width = width if heads == "same" else heads
    in_heads = _in_heads(balanced.model, inside)
    for name, linear in block_linears(fold_heads(balanced.model, inside, seed)).items():
        k = linear.in_features
        weight, rows = weight_of(linear), balanced.rows[name].astype(np.float64)
        signs, n = random_signs(k, seed, name), block_size(width, k)
        if name in balanced.input_scale:
            factor = balanced.input_scale[name].astype(np.float64)
            weight, rows = weight / factor, rows * factor
        if name.endswith("attn.proj"):  # rows arrive rotated, and the weight was rotated with the fold
            rows = rotate_columns(rows, in_heads, signs) if in_heads > 1 else rows
            n = 1
        if n == 1:
            yield RotatedLayer(name, weight, bias_of(linear), rows, None, None)
        else:
            yield RotatedLayer(name, rotate_columns(weight, n, signs), bias_of(linear), rows, signs, n)


def _in_heads(model: DiT, width: Width) -> int:
    size = model.config.hidden // model.config.heads
    return largest_transform(size) if isinstance(width, int) and width > size else block_size(width, size)
