"""GPTQ: quantize a layer's weights column by column, each column making up for the errors of those before.

The algorithm is Frantar et al.'s (arXiv 2210.17323), with the settings of its reference code: damping of 0.01
times the mean of H's diagonal, blocks of 128 columns, columns in their order. HQ-DiT (arXiv 2405.19751)
adapts GPTQ to FP grids and names no settings; that it gets these too is our choice.

The project promises the same codes on every run, machine and number of threads, and a BLAS adds in whatever
order suits it. So nothing here depends on an order that is not written down: H sums integers, exactly, and
the rest are element-wise operations, each element's in one order. The size of a block changes only how memory
is walked through, not one bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DAMPING = 0.01
BLOCK = 128
_FLOAT64_BITS = 53

# Column (N,) of a weight matrix and its number k to the values that take its place, (N,).
QuantizeColumn = Callable[[NDArray[np.float64], int], NDArray[np.float64]]


def second_moments(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """H = (2 / S) · Σ x xᵀ, the same bits in whatever order the sums are added.

    The rows are rounded to fixed point, to the finest step whose products still add up exactly in float64:
    20 bits below the largest magnitude for S = 8192.

    Args:
        rows: float (S, K), what the layer multiplies its weights with, finite.

    Returns:
        float64 (K, K), symmetric.

    Raises:
        ValueError: no row, or a value that is not finite.
    """
    if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all():
        raise ValueError(f"rows: shape {rows.shape}, expected (S, K) with at least one row, finite values")
    count = len(rows)
    bits = (_FLOAT64_BITS - (count - 1).bit_length()) // 2
    step = np.ldexp(1.0, int(np.frexp(np.abs(rows).max())[1]) - bits)
    fixed = np.rint(rows.astype(np.float64) / step)
    moments: NDArray[np.float64] = (fixed.T @ fixed) * (step * step * 2 / count)
    return moments


def inverse_factor(hessian: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upper triangular U with UᵀU = H⁻¹, diagonal positive.

    H = V Vᵀ with V upper triangular (Cholesky from the last column on), and U is V's inverse: H itself is
    never inverted.

    Raises:
        ValueError: H is not positive definite.
    """
    size = len(hessian)
    left, factor = hessian.copy(), np.zeros_like(hessian)
    for k in range(size - 1, -1, -1):
        if not left[k, k] > 0:
            raise ValueError(f"hessian: pivot {k} is {left[k, k]}, expected a positive definite matrix")
        factor[: k + 1, k] = left[: k + 1, k] / np.sqrt(left[k, k])
        left[:k, :k] -= factor[:k, k, None] * factor[:k, k]
    inverse = np.eye(size)
    for k in range(size - 1, -1, -1):
        inverse[k, k:] /= factor[k, k]
        inverse[:k, k:] -= factor[:k, k, None] * inverse[k, k:]
    return inverse


def gptq(
    weight: NDArray[np.float64],
    hessian: NDArray[np.float64],
    quantize_column: QuantizeColumn,
    *,
    damping: float = DAMPING,
    block: int = BLOCK,
) -> NDArray[np.float64]:
    """Quantize W so that (W - Q) H (W - Q)ᵀ stays small: the layer's error on its calibration rows.

    A channel that no calibration row uses takes part in nothing: its weights go to the nearest values. (The
    reference code sets them to zero, which is worse if the channel does wake up.)

    Args:
        weight: float64 (N, K).
        hessian: float64 (K, K), from `second_moments` of the rows that the quantized weights will meet.
        quantize_column: the values that take a column's place; called once for each column, in order.
        damping: share of the mean of H's diagonal that is added to it, above 0.
        block: columns whose corrections are applied to the rest together, at least 1.

    Returns:
        float64 (N, K), every column as `quantize_column` gave it.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, an illegal damping or block.
    """
    _, size = weight.shape
    if hessian.shape != (size, size) or not np.isfinite(hessian).all() or not np.isfinite(weight).all():
        raise ValueError(
            f"weight, hessian: {weight.shape}, {hessian.shape}, expected finite (N, K) and (K, K)"
        )
    if not 0 < damping < np.inf:
        raise ValueError(f"damping={damping!r}: expected a positive number")
    if block < 1:
        raise ValueError(f"block={block!r}: expected at least 1")
    factor = inverse_factor(_damped(hessian, damping))
    left, quantized = weight.copy(), np.empty_like(weight)
    for start in range(0, size, block):
        stop = min(start + block, size)
        errors = np.empty((stop - start, len(weight)))
        for k in range(start, stop):
            quantized[:, k] = quantize_column(left[:, k].copy(), k)
            errors[k - start] = (left[:, k] - quantized[:, k]) / factor[k, k]
            left[:, k + 1 : stop] -= errors[k - start][:, None] * factor[k, k + 1 : stop]
        for k in range(start, stop):
            left[:, stop:] -= errors[k - start][:, None] * factor[k, stop:]
    return quantized


def _damped(hessian: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    diagonal = np.diagonal(hessian)
    # One order of addition, whatever the length: numpy's own sum may change its grouping.
    mean = float(np.add.accumulate(diagonal)[-1]) / len(diagonal)
    result = hessian.copy()
    result[np.diag_indices_from(result)] += damping * mean if mean > 0 else 1.0
    return result
