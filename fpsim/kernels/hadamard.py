"""Unnormalized Hadamard transforms of integers by butterflies: exact, no rounding, no 1/sqrt(n)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check

_LEGAL_SIZES = "a power of two, or 12 times a power of two"


def _paley_12() -> NDArray[np.int8]:
    """H12 by Paley's first construction with q = 11: had.12 of N. J. A. Sloane's list, as QuaRot uses it.

    Q[i][j] = chi(i - j mod 11), chi the Legendre symbol; S borders Q with a row of -1 and a column of 1
    (corner 0); H = I + S. Then H · H^T = 12 · I. H is not symmetric.
    """
    squares = {i * i % 11 for i in range(1, 11)}
    h = np.eye(12, dtype=np.int8)
    h[0, 1:] -= 1
    h[1:, 0] += 1
    for i in range(11):
        for j in range(11):
            if i != j:
                h[1 + i, 1 + j] += 1 if (i - j) % 11 in squares else -1
    h.setflags(write=False)
    return h


_H12 = _paley_12()


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
def _twelve_row(row: NDArray[Any], width: int, h12: NDArray[np.int8]) -> None:
    """H12 across the twelve runs of `width` elements of every 12 · width elements, in place."""
    block = 12 * width
    old = np.empty(block, row.dtype)
    for base in range(0, row.shape[0], block):
        old[:] = row[base : base + block]
        for i in range(12):
            out = row[base + i * width : base + (i + 1) * width]
            out[:] = 0
            for j in range(12):
                term = old[j * width : (j + 1) * width]
                if h12[i, j] > 0:
                    for t in range(width):
                        out[t] += term[t]
                else:
                    for t in range(width):
                        out[t] -= term[t]


@njit(cache=True, nogil=True)
def _hadamard_row(row: NDArray[Any], n: int, h12: NDArray[np.int8]) -> None:
    """Transform every n consecutive elements of a row, in place."""
    twelve = n % 3 == 0
    width = n // 12 if twelve else n
    _sylvester_row(row, width)
    if twelve:
        _twelve_row(row, width, h12)


@njit(cache=True, nogil=True)
def _hadamard(rows: NDArray[Any], n: int, h12: NDArray[np.int8]) -> None:
    for m in range(rows.shape[0]):
        _hadamard_row(rows[m], n, h12)


def _check_size(name: str, n: Any, length_k: int) -> int:
    """n if it is a legal size that divides the rows' length, else a ValueError that names the legal ones."""
    size = _check.integer(name, n, 1, 1 << 30)
    power = size // 12 if size % 12 == 0 else size
    if power & (power - 1):
        raise ValueError(f"{name}={size}: expected {_LEGAL_SIZES}")
    if length_k % size:
        raise ValueError(f"{name}={size}: expected a divisor of the row length {length_k}")
    return size


def hadamard_blocks(ints: NDArray[Any], n: int, signs: NDArray[np.int8] | None = None) -> NDArray[Any]:
    """Transform blocks of n consecutive elements of each row: y = H · (signs ∘ x), exact, unnormalized.

    Args:
        ints: (M, K) int32 or int64, K a multiple of n.
        n: 2^k: Sylvester's matrix, H[i][j] = (-1)^popcount(i & j). 12 · 2^k: H12 ⊗ Sylvester(2^k), H12 by
            Paley's first construction with q = 11 (H[i][j] = chi(i - j) inside its border; not symmetric).
        signs: (K,) int8 of ±1, multiplied in before the transform; None leaves the elements as they are.

    Returns:
        (M, K), dtype of ints.

    Raises:
        ValueError: an illegal size, dtype, shape or sign, or max|x| · n beyond the integer type.
    """
    checked = _check.array("ints", ints, ("int32", "int64"), 2)
    size = _check_size("n", n, checked.shape[1])
    vector = _check.signs_vector(signs, checked.shape[1])
    limit = int(np.iinfo(checked.dtype).max) // size
    _check.values_within("ints", checked, -limit, limit)
    out = checked * vector if signs is not None else checked.copy()
    _hadamard(out, size, _H12)
    return out


def hadamard(
    x: NDArray[Any], *, block: int | None = None, signs: NDArray[np.int8] | None = None
) -> NDArray[Any]:
    """Hadamard transform of integers over the last axis: exact integers in, exact integers out.

    Args:
        x: (..., K) int32 or int64.
        block: size of the transformed blocks, 2^k or 12 · 2^k; None means K.
        signs: (K,) int8 of ±1, multiplied in before the transform.

    Returns:
        (..., K), dtype of x: H · (signs ∘ x) per block, unnormalized (`hadamard_blocks` states H).

    Raises:
        ValueError: an illegal size, dtype, shape or sign, or max|x| · block beyond the integer type.
    """
    checked = _check.array("x", x, ("int32", "int64"))
    if checked.ndim == 0 or checked.shape[-1] == 0:
        raise ValueError(f"x.shape={checked.shape}: expected a last axis of at least 1 element")
    size = _check_size("block", checked.shape[-1] if block is None else block, checked.shape[-1])
    rows = checked.reshape(-1, checked.shape[-1])
    return hadamard_blocks(rows, size, signs).reshape(checked.shape)
