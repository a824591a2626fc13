"""Unnormalized Hadamard transforms of integers by butterflies: exact, no rounding, no 1/sqrt(n).

Additions of integers commute, so the stages run in whatever order and grouping is fast; every partial sum
adds different elements of one block and stays below n times the largest magnitude.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check

BASES = (1, 12, 36, 144)
_LEGAL_SIZES = "a power of two, or 12 or 36 times a power of two"


@njit(cache=True, nogil=True)
def _eight_point(row: NDArray[Any]) -> None:
    """Three butterfly stages (distances 1, 2, 4) on each eight elements, in registers."""
    for base in range(0, row.shape[0], 8):
        r = row[base : base + 8]
        a0, a1 = r[0] + r[1], r[0] - r[1]
        a2, a3 = r[2] + r[3], r[2] - r[3]
        a4, a5 = r[4] + r[5], r[4] - r[5]
        a6, a7 = r[6] + r[7], r[6] - r[7]
        b0, b2 = a0 + a2, a0 - a2
        b1, b3 = a1 + a3, a1 - a3
        b4, b6 = a4 + a6, a4 - a6
        b5, b7 = a5 + a7, a5 - a7
        r[0], r[4] = b0 + b4, b0 - b4
        r[1], r[5] = b1 + b5, b1 - b5
        r[2], r[6] = b2 + b6, b2 - b6
        r[3], r[7] = b3 + b7, b3 - b7


@njit(cache=True, nogil=True)
def _stage(row: NDArray[Any], distance: int) -> None:
    """One butterfly stage: the pairs (i, i + distance) become (sum, difference)."""
    for base in range(0, row.shape[0], 2 * distance):
        low = row[base : base + distance]
        high = row[base + distance : base + 2 * distance]
        for j in range(distance):
            a, b = low[j], high[j]
            low[j] = a + b
            high[j] = a - b


@njit(cache=True, nogil=True)
def _sylvester_row(row: NDArray[Any], n: int) -> None:
    """Sylvester(n) on every n consecutive elements of a row, in place; n a power of two."""
    distance = 1
    if n >= 8:
        _eight_point(row)
        distance = 8
    while distance < n:
        _stage(row, distance)
        distance *= 2


@njit(cache=True, nogil=True)
def _twelve(x: NDArray[Any], ring: NDArray[Any]) -> None:
    """H12 across the twelve runs x[0] ... x[11], in place; ring: 22 runs.

    x[0] becomes x[0] - (x[1] + ... + x[11]), and x[1 + i] becomes
    x[0] + x[1 + i] + Σ_s chi(s) · x[1 + (i - s) mod 11], chi(s) = +1 for 1 3 4 5 9. The ring holds
    x[1] ... x[11] twice, so turn s of run i is ring[11 + i - s].
    """
    width = x.shape[1]
    for i in range(11):
        for t in range(width):
            ring[i, t] = x[1 + i, t]
            ring[11 + i, t] = x[1 + i, t]
    for i in range(11):
        for t in range(width):
            plus = ring[8 + i, t] + ring[10 + i, t] + ring[7 + i, t] + ring[6 + i, t] + ring[2 + i, t]
            minus = ring[9 + i, t] + ring[5 + i, t] + ring[4 + i, t] + ring[3 + i, t] + ring[1 + i, t]
            x[1 + i, t] = (x[0, t] + ring[i, t]) + (plus - minus)
    for i in range(11):
        for t in range(width):
            x[0, t] -= ring[i, t]


@njit(cache=True, nogil=True)
def _add_conference(c: NDArray[Any], x: NDArray[Any], part: int) -> None:
    """x[1 + i, part] += c[0] + Σ_s chi(s) · c[1 + (i - s) mod 17], chi(s) = +1 for 1 2 4 8 9 13 15 16.

    c[1] ... c[17] lie there twice, so turn s of run i is c[18 + i - s].
    """
    for i in range(17):
        for t in range(c.shape[1]):
            plus = (c[17 + i, t] + c[16 + i, t] + c[14 + i, t] + c[10 + i, t]) + (
                c[9 + i, t] + c[5 + i, t] + c[3 + i, t] + c[2 + i, t]
            )
            minus = (c[15 + i, t] + c[13 + i, t] + c[12 + i, t] + c[11 + i, t]) + (
                c[8 + i, t] + c[7 + i, t] + c[6 + i, t] + c[4 + i, t]
            )
            x[1 + i, part, t] += c[0, t] + (plus - minus)


@njit(cache=True, nogil=True)
def _thirty_six(x: NDArray[Any], u: NDArray[Any], v: NDArray[Any]) -> None:
    """H36 across the eighteen pairs of runs x[i, 0], x[i, 1], in place; u and v: 35 runs each.

    With u = a + b and v = a - b of each pair, the pairs become (C·u + v, C·v - u), C of order 18 with a
    border of ones around C[1 + i][1 + j] = chi(i - j) modulo 17.
    """
    width = x.shape[2]
    for i in range(18):
        for t in range(width):
            a, b = x[i, 0, t], x[i, 1, t]
            u[i, t] = a + b
            v[i, t] = a - b
    for i in range(18):
        for t in range(width):
            x[i, 0, t] = v[i, t]
            x[i, 1, t] = -u[i, t]
    for i in range(17):
        for t in range(width):
            u[18 + i, t] = u[1 + i, t]
            v[18 + i, t] = v[1 + i, t]
            x[0, 0, t] += u[1 + i, t]
            x[0, 1, t] += v[1 + i, t]
    _add_conference(u, x, 0)
    _add_conference(v, x, 1)


@njit(cache=True, nogil=True)
def _hadamard_row(row: NDArray[Any], n: int, base: int, scratch: NDArray[Any]) -> None:
    """Transform every n consecutive elements of a row, in place; scratch: `scratch_size` elements."""
    width = n // base
    _sylvester_row(row, width)
    if base == 12 or base == 144:
        ring = scratch[: 22 * width].reshape(22, width)
        for start in range(0, row.shape[0], 12 * width):
            _twelve(row[start : start + 12 * width].reshape(12, width), ring)
    if base == 144:
        wide_ring = scratch.reshape(22, 12 * width)
        for start in range(0, row.shape[0], n):
            _twelve(row[start : start + n].reshape(12, 12 * width), wide_ring)
    if base == 36:
        u, v = scratch[: 35 * width].reshape(35, width), scratch[35 * width :].reshape(35, width)
        for start in range(0, row.shape[0], n):
            _thirty_six(row[start : start + n].reshape(18, 2, width), u, v)


def scratch_size(n: int, base: int) -> int:
    """Elements that `_hadamard_row` needs beside the row."""
    return {1: 0, 12: 22, 36: 70, 144: 22 * 12}[base] * (n // base)


@njit(cache=True, nogil=True)
def _hadamard(rows: NDArray[Any], n: int, base: int, scratch: NDArray[Any]) -> None:
    for m in range(rows.shape[0]):
        _hadamard_row(rows[m], n, base, scratch)


def check_size(name: str, n: Any, length_k: int, base: int | None = None) -> tuple[int, int]:
    """(n, base) if n = base · 2^k divides the rows' length, else a ValueError that names the legal sizes."""
    size = _check.integer(name, n, 1, 1 << 30)
    if base is not None and base not in BASES:
        raise ValueError(f"base={base!r}: expected None or one of 1, 12, 36, 144")
    odd = size // (size & -size)
    found = {1: 1, 3: 12, 9: 36}.get(odd, 0) if base is None else base
    if not found or size % found or (size // found) & (size // found - 1):
        legal = _LEGAL_SIZES if base is None else f"{base} times a power of two"
        raise ValueError(f"{name}={size}: expected {legal}")
    if length_k % size:
        raise ValueError(f"{name}={size}: expected a divisor of the row length {length_k}")
    return size, found


def hadamard_blocks(
    ints: NDArray[Any], n: int, signs: NDArray[np.int8] | None = None, *, base: int | None = None
) -> NDArray[Any]:
    """Transform blocks of n consecutive elements of each row: y = H · (signs ∘ x), exact, unnormalized.

    H = P ⊗ Sylvester(2^k), n = base · 2^k, Sylvester's H[i][j] = (-1)^popcount(i & j), and P by `base`:
    1: one. 12: H12 by Paley's first construction with q = 11 (H[i][j] = chi(i - j) inside its border; not
    symmetric; Sloane's had.12). 36: H36 by Paley's second construction with q = 17, C ⊗ [[1, 1], [1, -1]] +
    I ⊗ [[1, -1], [-1, -1]], C the conference matrix of order 18. 144: H12 ⊗ H12.

    Args:
        ints: (M, K) int32 or int64, K a multiple of n.
        n: block size.
        signs: (K,) int8 of ±1, multiplied in before the transform; None leaves the elements as they are.
        base: None: 1 for 2^k, 12 for 12 · 2^k, 36 for 36 · 2^k, as QuaRot takes 1152 and 4608 apart; 144 is
            the other way for 9 · 2^k. In these butterflies 1152 costs 23 additions an element by base 36 and
            25 by base 144 (40 with a dense H36).

    Returns:
        (M, K), dtype of ints.

    Raises:
        ValueError: an illegal size, dtype, shape or sign, or max|x| · n beyond the integer type.
    """
    checked = _check.array("ints", ints, ("int32", "int64"), 2)
    size, found = check_size("n", n, checked.shape[1], base)
    vector = _check.signs_vector(signs, checked.shape[1])
    limit = int(np.iinfo(checked.dtype).max) // size
    _check.values_within("ints", checked, -limit, limit)
    out = checked * vector if signs is not None else checked.copy()
    _hadamard(out, size, found, np.empty(scratch_size(size, found), out.dtype))
    return out


def hadamard(
    x: NDArray[Any],
    *,
    block: int | None = None,
    signs: NDArray[np.int8] | None = None,
    base: int | None = None,
) -> NDArray[Any]:
    """Hadamard transform of integers over the last axis: exact integers in, exact integers out.

    Args:
        x: (..., K) int32 or int64.
        block: size of the transformed blocks, 2^k, 12 · 2^k or 36 · 2^k; None means K.
        signs: (K,) int8 of ±1, multiplied in before the transform.
        base: order of the outer factor, for 9 · 2^k by 36 (the default) or by 144; see `hadamard_blocks`.

    Returns:
        (..., K), dtype of x: H · (signs ∘ x) per block, unnormalized (`hadamard_blocks` states H).

    Raises:
        ValueError: an illegal size, dtype, shape or sign, or max|x| · block beyond the integer type.
    """
    checked = _check.array("x", x, ("int32", "int64"))
    if checked.ndim == 0 or checked.shape[-1] == 0:
        raise ValueError(f"x.shape={checked.shape}: expected a last axis of at least 1 element")
    size, found = check_size("block", checked.shape[-1] if block is None else block, checked.shape[-1], base)
    rows = checked.reshape(-1, checked.shape[-1])
    return hadamard_blocks(rows, size, signs, base=found).reshape(checked.shape)
