"""A pairwise adder tree whose adders all round, over many outputs at once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Accumulator
from fpsim.kernels.operands import Side, start_sums
from fpsim.kernels.rounded import Target, add_any, round_any, target_of

_COLUMNS = 128


@njit(cache=True, nogil=True)
def _add_trees(
    a: NDArray[np.float64],
    b_by_k: NDArray[np.float64],
    width: int,
    fused: bool,
    target: Target,
    sums: NDArray[np.float64],
) -> None:
    """sums[m, j] plus one tree's sum after the other."""
    depth, columns = b_by_k.shape
    # Two buffers in turn: a loop that wrote into the array it reads would not become vector code.
    levels = np.empty((2, min(width, max(depth, 1)), columns))
    for m in range(a.shape[0]):
        acc = sums[m]
        for start in range(0, depth, width):
            count = min(width, depth - start)
            for i in range(count):
                x, row, out = a[m, start + i], b_by_k[start + i], levels[0, i]
                for j in range(columns):
                    out[j] = x * row[j]
                if not fused:
                    for j in range(columns):
                        out[j] = round_any(out[j], target)
            which = 0
            while count > 1:
                for i in range(count // 2):
                    left, right = levels[which, 2 * i], levels[which, 2 * i + 1]
                    out = levels[1 - which, i]
                    for j in range(columns):
                        out[j] = add_any(left[j], right[j], target)
                if count & 1:
                    levels[1 - which, count // 2] = levels[which, count - 1]
                count = (count + 1) // 2
                which = 1 - which
            root = levels[which, 0]
            for j in range(columns):
                acc[j] = add_any(acc[j], root[j], target)


def tree(a: Side, b: Side, c: NDArray[np.float32] | None, acc: Accumulator) -> NDArray[np.float64]:
    """Sums of trees of `acc.step` products, each adder rounded to acc.fmt.

    Args:
        a, b: (M, K) and (N, K) operands.
        c: (M, N) float32, or None for +0.
        acc: kind "tree".

    Returns:
        (M, N) float64 values of acc.fmt; an odd one out moves up a level unrounded. NaN, infinities and
        zeros as IEEE 754 has them.
    """
    sums = start_sums(c, (a.codes.shape[0], b.codes.shape[0]), acc)
    left = a.rows(0, sums.shape[0])
    for start in range(0, sums.shape[1], _COLUMNS):
        stop = min(start + _COLUMNS, sums.shape[1])
        right = np.ascontiguousarray(b.rows(start, stop).T)
        part = np.ascontiguousarray(sums[:, start:stop])
        _add_trees(left, right, acc.step, acc.fused, target_of(acc), part)
        sums[:, start:stop] = part
    return sums
