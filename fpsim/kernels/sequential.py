"""Floating-point sums that take one product after the other: the general loop and the fast ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Accumulator
from fpsim.kernels import narrow_sum
from fpsim.kernels.operands import Side, start_sums
from fpsim.kernels.rounded import (
    RNE,
    Target,
    add_any,
    add_nearest_even,
    round_any,
    target_of,
)

COLUMNS = 128  # outputs that one pass of the general loop carries
_DEPTH = 256  # products that one pass over the rows takes


@njit(cache=True, nogil=True, forceinline=True)
def _add_product(x: Any, a: Any, b: Any, target: Target) -> Any:
    return add_any(x, a * b, target)


@njit(cache=True, nogil=True, forceinline=True)
def _add_product_nearest(x: Any, a: Any, b: Any, target: Target) -> Any:
    return add_nearest_even(x, a * b, target)


@njit(cache=True, nogil=True, forceinline=True)
def _add_rounded_product(x: Any, a: Any, b: Any, target: Target) -> Any:
    return add_any(x, round_any(a * b, target), target)


# Not cached: numba finds no cached loop again where an argument is a compiled function. Contraction into
# fused multiply-adds changes nothing, since every product of two operands is exact.
@njit(nogil=True, fastmath={"contract"})
def add_columns(
    add: Callable[..., Any], rules: Any, a: NDArray[Any], b_by_k: NDArray[Any], sums: NDArray[Any]
) -> None:
    """sums[m, j] ← add(sums[m, j], a[m, k], b_by_k[k, j]) for k = 0, 1, ..., in this order.

    Four k a pass, so that a sum is loaded and stored once for four additions; rows of b are sliced before
    they are indexed, which lets the loop over j become vector code. b is taken in chunks of k that stay in
    the cache.
    """
    depth = a.shape[1]
    for begin in range(0, depth, _DEPTH):
        end = min(begin + _DEPTH, depth)
        fours = begin + (end - begin) // 4 * 4
        for m in range(a.shape[0]):
            acc = sums[m]
            for k in range(begin, fours, 4):
                a0, a1, a2, a3 = a[m, k], a[m, k + 1], a[m, k + 2], a[m, k + 3]
                b0, b1, b2, b3 = b_by_k[k], b_by_k[k + 1], b_by_k[k + 2], b_by_k[k + 3]
                for j in range(acc.shape[0]):
                    x = add(acc[j], a0, b0[j], rules)
                    x = add(x, a1, b1[j], rules)
                    x = add(x, a2, b2[j], rules)
                    acc[j] = add(x, a3, b3[j], rules)
            for k in range(fours, end):
                a0, b0 = a[m, k], b_by_k[k]
                for j in range(acc.shape[0]):
                    acc[j] = add(acc[j], a0, b0[j], rules)


def sequential(a: Side, b: Side, c: NDArray[np.float32] | None, acc: Accumulator) -> NDArray[np.float64]:
    """Sums of products in order of k, each addition rounded.

    Args:
        a, b: (M, K) and (N, K) operands.
        c: (M, N) float32, or None for +0.
        acc: kind "sequential".

    Returns:
        (M, N) float64 values of acc.fmt. NaN and infinities follow IEEE 754; zeros too: from +0 a sum
        becomes −0 only by a negative number that rounds to 0, or under "rdn".
    """
    sums = start_sums(c, (a.codes.shape[0], b.codes.shape[0]), acc)
    plan = narrow_sum.plan(a, b, sums, c is not None, acc)
    if plan is not None:
        return narrow_sum.add_all(plan, a, b, sums, add_columns)
    target = target_of(acc)
    add: Any = _add_product_nearest if target.mode == RNE else _add_product
    if not acc.fused:
        add = _add_rounded_product
    left = a.rows(0, sums.shape[0])
    for start in range(0, sums.shape[1], COLUMNS):
        stop = min(start + COLUMNS, sums.shape[1])
        part = np.ascontiguousarray(sums[:, start:stop])
        add_columns(add, target, left, np.ascontiguousarray(b.rows(start, stop).T), part)
        sums[:, start:stop] = part
    return sums
