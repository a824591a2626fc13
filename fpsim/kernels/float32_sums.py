"""Sums of products in float32 arithmetic, many outputs at a time, additions of one output in order of k.

One loop for three units. The products of a block of k (32, 16, a group, or 1) are added without rounding,
because every partial sum of them is a float32, in whatever order; the callers prove that. Then the block's
sum joins the output's accumulator by one float32 addition, after scales of the block where there are any.

Speed comes from the shape: four rows and four k a pass over `COLUMNS` outputs, so that a row of b is loaded
once for four rows of a, and a sum is loaded and stored once for four products. Rows of b are sliced before
they are indexed, which lets the loops over outputs become vector code.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

COLUMNS = 128  # outputs of a pass; 32 rows of b that wide stay in the first cache
_ROWS = 4


# Contraction into fused multiply-adds changes nothing in the two loops below: every product is exact.
@njit(cache=True, nogil=True, fastmath={"contract"})
def _add_four_rows(
    a: NDArray[np.float32], b: NDArray[np.float32], start: int, stop: int, sums: NDArray[np.float32]
) -> None:
    """sums[r, j] += Σ a[r, k] · b[k, j] over k from start to stop, for r = 0 … 3."""
    s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
    a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
    fours = start + (stop - start) // 4 * 4
    for k in range(start, fours, 4):
        b0, b1, b2, b3 = b[k], b[k + 1], b[k + 2], b[k + 3]
        p0, p1, p2, p3 = a0[k], a0[k + 1], a0[k + 2], a0[k + 3]
        q0, q1, q2, q3 = a1[k], a1[k + 1], a1[k + 2], a1[k + 3]
        u0, u1, u2, u3 = a2[k], a2[k + 1], a2[k + 2], a2[k + 3]
        v0, v1, v2, v3 = a3[k], a3[k + 1], a3[k + 2], a3[k + 3]
        for j in range(s0.shape[0]):
            w0, w1, w2, w3 = b0[j], b1[j], b2[j], b3[j]
            s0[j] = (((s0[j] + p0 * w0) + p1 * w1) + p2 * w2) + p3 * w3
            s1[j] = (((s1[j] + q0 * w0) + q1 * w1) + q2 * w2) + q3 * w3
            s2[j] = (((s2[j] + u0 * w0) + u1 * w1) + u2 * w2) + u3 * w3
            s3[j] = (((s3[j] + v0 * w0) + v1 * w1) + v2 * w2) + v3 * w3
    for k in range(fours, stop):
        w, p, q, u, v = b[k], a0[k], a1[k], a2[k], a3[k]
        for j in range(s0.shape[0]):
            s0[j] += p * w[j]
            s1[j] += q * w[j]
            s2[j] += u * w[j]
            s3[j] += v * w[j]


@njit(cache=True, nogil=True, fastmath={"contract"})
def _add_row(
    a: NDArray[np.float32], b: NDArray[np.float32], start: int, stop: int, sums: NDArray[np.float32]
) -> None:
    """`_add_four_rows` of one row."""
    for k in range(start, stop):
        w, p = b[k], a[k]
        for j in range(sums.shape[0]):
            sums[j] += p * w[j]


@njit(cache=True, nogil=True)
def _in_order(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    depth = a.shape[1]
    whole = a.shape[0] // _ROWS * _ROWS
    for m in range(0, whole, _ROWS):
        _add_four_rows(a[m : m + _ROWS], b, 0, depth, out[m : m + _ROWS])
    for m in range(whole, a.shape[0]):
        _add_row(a[m], b, 0, depth, out[m])


@njit(cache=True, nogil=True)
def _by_blocks(a: NDArray[np.float32], b: NDArray[np.float32], block: int, out: NDArray[np.float32]) -> None:
    sums = np.empty((_ROWS, out.shape[1]), np.float32)
    for m in range(0, a.shape[0], _ROWS):
        rows = min(_ROWS, a.shape[0] - m)
        for start in range(0, a.shape[1], block):
            stop = min(start + block, a.shape[1])
            sums[:] = np.float32(0.0)
            if rows == _ROWS:
                _add_four_rows(a[m : m + _ROWS], b, start, stop, sums)
            else:
                for r in range(rows):
                    _add_row(a[m + r], b, start, stop, sums[r])
            for r in range(rows):
                acc, s = out[m + r], sums[r]
                for j in range(acc.shape[0]):
                    acc[j] += s[j]


@njit(cache=True, nogil=True)
def _by_scaled_blocks(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    a_scale: NDArray[np.float32],
    b_scale: NDArray[np.float32],
    block: int,
    out: NDArray[np.float32],
) -> None:
    sums = np.empty((_ROWS, out.shape[1]), np.float32)
    for m in range(0, a.shape[0], _ROWS):
        rows = min(_ROWS, a.shape[0] - m)
        for g in range(b_scale.shape[0]):
            start, stop = g * block, min((g + 1) * block, a.shape[1])
            sums[:] = np.float32(0.0)
            if rows == _ROWS:
                _add_four_rows(a[m : m + _ROWS], b, start, stop, sums)
            else:
                for r in range(rows):
                    _add_row(a[m + r], b, start, stop, sums[r])
            scales = b_scale[g]
            for r in range(rows):
                acc, s, scale = out[m + r], sums[r], a_scale[m + r, g]
                for j in range(acc.shape[0]):  # not contracted: two rounded products, one rounded sum
                    acc[j] += (s[j] * scale) * scales[j]


def _tiles(columns: int) -> list[slice]:
    return [slice(start, min(start + COLUMNS, columns)) for start in range(0, columns, COLUMNS)]


def in_order(a: NDArray[np.float32], b_by_k: NDArray[np.float32]) -> NDArray[np.float32]:
    """acc ← float32(acc + a[m, k] · b[k, n]) for k = 0, 1, ..., from +0.

    Args:
        a: (M, K) float32.
        b_by_k: (K, N) float32. Every product of an a and a b is a float32.

    Returns:
        (M, N) float32.
    """
    out = np.zeros((a.shape[0], b_by_k.shape[1]), np.float32)
    for tile in _tiles(out.shape[1]):
        part = np.zeros((a.shape[0], tile.stop - tile.start), np.float32)
        _in_order(a, np.ascontiguousarray(b_by_k[:, tile]), part)
        out[:, tile] = part
    return out


def by_blocks(a: NDArray[np.float32], b_by_k: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """acc ← float32(acc + the exact Σ a[m, k] · b[k, n] of a block), blocks in order of k, from +0.

    Args:
        a: (M, K) float32.
        b_by_k: (K, N) float32. Every partial sum of a block's products, in any order, is a float32.
        block: products of a block, at least 1; a last block may be shorter.

    Returns:
        (M, N) float32.
    """
    out = np.empty((a.shape[0], b_by_k.shape[1]), np.float32)
    for tile in _tiles(out.shape[1]):
        part = np.zeros((a.shape[0], tile.stop - tile.start), np.float32)
        _by_blocks(a, np.ascontiguousarray(b_by_k[:, tile]), block, part)
        out[:, tile] = part
    return out


def by_scaled_blocks(
    a: NDArray[np.float32],
    b_by_k: NDArray[np.float32],
    a_scale: NDArray[np.float32],
    b_scale_by_block: NDArray[np.float32],
    block: int,
) -> NDArray[np.float32]:
    """As `by_blocks`, but a block's exact sum s joins as (s · a_scale[m, g]) · b_scale[g, n], each rounded.

    Args:
        a, b_by_k, block: as in `by_blocks`.
        a_scale: (M, G) float32.
        b_scale_by_block: (G, N) float32, G = ceil(K / block).

    Returns:
        (M, N) float32.
    """
    out = np.empty((a.shape[0], b_by_k.shape[1]), np.float32)
    for tile in _tiles(out.shape[1]):
        part = np.zeros((a.shape[0], tile.stop - tile.start), np.float32)
        b, scales = (np.ascontiguousarray(whole[:, tile]) for whole in (b_by_k, b_scale_by_block))
        _by_scaled_blocks(a, b, a_scale, scales, block, part)
        out[:, tile] = part
    return out
