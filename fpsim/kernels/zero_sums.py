"""Zero points out of accumulators: sums of (a - z_a) · (w - z_w) from sums of a · w."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format
from fpsim.kernels import _check
from fpsim.kernels.decode import decode_units


@njit(cache=True, nogil=True)
def _correct(
    acc: NDArray[np.int64],
    act_sums: NDArray[np.int64],
    act_zero: NDArray[np.int64],
    weight_sums: NDArray[np.int64],
    weight_zero: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """acc - weight_zero · act_sums - act_zero · weight_sums."""
    for m in range(acc.shape[0]):
        source, target = acc[m], out[m]
        row, zero = act_sums[m], act_zero[m]
        for n in range(source.shape[0]):
            target[n] = source[n] - weight_zero[n] * row - zero * weight_sums[n]


def code_sums(codes: NDArray[np.uint8], fmt: str | Format) -> NDArray[np.int64]:
    """The exact sum of each row's values, in units.

    Args:
        codes: (R, K) uint8.
        fmt: an operand format (see `decode_units`).

    Returns:
        (R,) int64.

    Raises:
        ValueError: another dtype, a code out of range, or no operand format.
    """
    sums: NDArray[np.int64] = decode_units(codes, fmt).sum(axis=1, dtype=np.int64)
    return sums


def without_zeros(
    acc: NDArray[np.int64],
    *,
    depth: int,
    row_sums: NDArray[np.int64],
    col_sums: NDArray[np.int64],
    act_zero: NDArray[np.int32],
    weight_zero: NDArray[np.int16],
) -> NDArray[np.int64]:
    """Σ_k (a_k - z_a) · (w_k - z_w) from Σ_k a_k · w_k (rtl/README.md, "zero points").

    Args:
        acc: (M, N) int64, the accumulators.
        depth: K.
        row_sums: (M,) int64, `code_sums` of the activations.
        col_sums: (N,) int64, `code_sums` of the weights.
        act_zero: (M,) int32, the activations' zero points; zeros where they have none.
        weight_zero: (N,) int16, the weights' likewise.

    Returns:
        (M, N) int64, exact: every term fits, for |acc| <= 2^40, |row_sums| and |col_sums| <= 2^32.

    Raises:
        ValueError: another dtype or shape.
    """
    sums = _check.array("acc", acc, "int64", 2)
    rows = _check.array("row_sums", row_sums, "int64", 1)
    cols = _check.array("col_sums", col_sums, "int64", 1)
    act = _check.array("act_zero", act_zero, "int32", 1).astype(np.int64)
    weight = _check.array("weight_zero", weight_zero, "int16", 1).astype(np.int64)
    _check.length("row_sums", rows, sums.shape[0], "one sum per row")
    _check.length("act_zero", act, sums.shape[0], "one zero point per row")
    _check.length("col_sums", cols, sums.shape[1], "one sum per column")
    _check.length("weight_zero", weight, sums.shape[1], "one zero point per column")
    out = np.empty(sums.shape, np.int64)
    _correct(sums, rows - depth * act, act, cols, weight, out)
    return out
