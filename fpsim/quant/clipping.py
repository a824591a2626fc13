"""Clipping ranges: the scale of an output channel's weights, chosen before any weight is coded.

Max scaling keeps the largest weight and spends levels on it; a scale below it saturates a few weights and is
finer for the rest. HQ-DiT (arXiv 2405.19751) names a selection of clipping ranges without a formula; that it
is the smallest squared error over 0.40 to 1.00 of the largest magnitude is our choice.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fpsim.quant.scales import OperandChoice, WeightGrid, weight_grid

Clipping = Literal["max", "mse"]
CLIPPINGS: tuple[Clipping, ...] = get_args(Clipping)
RATIOS = tuple(round(1 - 0.01 * i, 2) for i in range(61))

F64 = NDArray[np.float64]


def clipped_grid(
    weight: F64, choice: OperandChoice, clipping: Clipping, *, hadamard_n: int | None = None
) -> WeightGrid:
    """The grid of a layer's weights.

    Args:
        weight: float64 (N, K), already rotated if rows are.
        choice: formats and granularity; no zero points of weights.
        clipping: "max": the largest magnitude is the largest level. "mse": of 1.00, 0.99 … 0.40 times that,
            what gives a channel the smallest squared error; of equal ones the largest.
        hadamard_n: block size of the rows' rotation; None for none.

    Raises:
        ValueError: another clipping, or what `weight_grid` refuses.
    """
    if clipping not in CLIPPINGS:
        raise ValueError(f"clipping={clipping!r}: expected one of {', '.join(CLIPPINGS)}")
    widest = weight_grid(weight, choice, hadamard_n=hadamard_n)
    if clipping == "max":
        return widest
    best, least = widest.step, np.full(len(weight), np.inf)
    for ratio in RATIOS:
        grid = weight_grid(weight, choice, hadamard_n=hadamard_n, scale=widest.step * ratio)
        error = squared_error(weight, grid)
        if choice.weight_scale == "tensor":
            error = np.full_like(error, error.sum())
        better = error < least
        best, least = np.where(better, grid.step, best), np.where(better, error, least)
    return weight_grid(weight, choice, hadamard_n=hadamard_n, scale=best)


def squared_error(weight: F64, grid: WeightGrid) -> F64:
    """float64 (N,): each output channel's squared error when its weights go to the nearest values."""
    error: F64 = np.square(weight - grid.values(grid.codes(weight))).sum(axis=1)
    return error
