"""`quantize_rows` on vectors: rows in blocks of 32 and 64 elements, where AVX-512 is (`vector_rows.py`).

Elements of a row stay in the order that the transform of 32 leaves, the same in each run, up to the codes:
the stages above 32 add and subtract whole runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format
from fpsim.kernels.row_scale import _amplitude, _row_scale_bits
from fpsim.kernels.simd import aligned_empty
from fpsim.kernels.vector_codes import WIDTH, buckets, codes_row, codes_sylvester, rule
from fpsim.kernels.vector_hadamard import four_runs, thirty_six_runs, twelve_runs, two_runs
from fpsim.kernels.vector_rows import (
    LANES,
    SYLVESTER,
    align_row,
    align_sylvester,
    largest_exponent,
    largest_magnitude,
)

BLOCK = 64


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _rotate_runs(h: int, length: int, n: int, base: int, out: int, largest: int) -> int:
    """The stages above 32 of `length` int32, between runs: the address of the result, h or out.

    Under base 36 the 16 int32 at `largest` take in the largest magnitudes of the result.
    """
    width = n // base
    distance = SYLVESTER
    while distance < width:
        runs = 4 if 2 * distance < width else 2
        for start in range(0, length, runs * distance):
            for column in range(start, start + distance, LANES):
                if runs == 4:
                    four_runs(h + 4 * column, distance)
                else:
                    two_runs(h + 4 * column, distance)
        distance *= runs
    if base == 36:
        for start in range(0, length, n):
            for column in range(start, start + width, LANES):
                thirty_six_runs(h + 4 * column, width, largest, out + 4 * column)
        return out
    while base >= 12:  # once, or twice for 144
        for start in range(0, length, 12 * width):
            for column in range(start, start + width, LANES):
                twelve_runs(h + 4 * column, width)
        base, width = base // 12, width * 12
    return h


@njit(cache=True, nogil=True, error_model="numpy")
def _finite_rows(
    x_bits: NDArray[np.uint16], guard_bits: int, n: int, base: int, static_exp: int, static_amp: int,
    row: int, flips: int, rule: int, h: int, largest: NDArray[np.int32], edge: NDArray[np.uint16],
    codes: NDArray[np.uint8], row_scale: NDArray[np.uint32], special: NDArray[np.bool_],
    to: int, largest_at: int, edge_at: int,
) -> None:  # fmt: skip
    """All rows but the special ones, which are only marked. static_exp = 0: dynamic; n = 1: no rotation.

    Addresses: row and to of the first row's bits and codes; h of twice a row's int32, in whole blocks; flips
    of a row's sign bits; largest_at and edge_at of the arrays, edge zeros.
    """
    length = x_bits.shape[1]
    runs, rest = length // SYLVESTER, length % SYLVESTER
    blocks, tail = length // BLOCK, length % BLOCK
    room = 4 * BLOCK * (blocks + 1)
    limit = np.float32((1 << (11 + guard_bits)) - 1)
    for m in range(x_bits.shape[0]):
        source, target = row + 2 * length * m, to + length * m
        top = largest_exponent(source, runs)
        if rest:
            for i in range(rest):
                edge[i] = x_bits[m, length - rest + i]
            top = max(top, largest_exponent(edge_at, 1))
        special[m] = top == 31 << 10
        if special[m]:
            continue
        exp = static_exp if static_exp else top >> 10
        scale = np.int32((127 + 25 + guard_bits - exp) << 23).view(np.float32)
        ints = h
        if n > 1:
            if static_exp:
                align_sylvester(source, flips, scale, limit, runs, h)
            else:
                align_sylvester(source, flips, scale, None, runs, h)
            if n > SYLVESTER:
                if base == 36:
                    largest[:] = 0
                ints = _rotate_runs(h, length, n, base, h + room, largest_at)
        else:
            align_row(source, flips, scale, limit, runs, h)
            if rest:
                align_row(edge_at, flips, scale, limit, 1, h + 4 * SYLVESTER * runs)
        amp = static_amp
        if not static_exp:
            if base == 36:
                amp = _amplitude(largest_magnitude(largest_at, 1))
            else:
                amp = _amplitude(largest_magnitude(ints, 2 * runs + (2 if rest else 0)))
        row_scale[m] = _row_scale_bits(amp, exp, guard_bits)
        to_buckets = np.float32(WIDTH / amp) if amp else np.float32(0)
        _code_row(ints, blocks, amp, static_exp > 0, to_buckets, rule, n > 1, target)
        if tail:
            _code_row(ints + 4 * BLOCK * blocks, 1, amp, static_exp > 0, to_buckets, rule, n > 1, edge_at)
            last = edge.view(np.uint8)
            for i in range(tail):
                codes[m, length - tail + i] = last[i]
            edge[:] = 0


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _code_row(
    h: int, blocks: int, amp: int, clamped: bool, to_buckets: Any, rule: int, rotated: bool, out: int
) -> None:
    """Codes of whole blocks; clamped: magnitudes beyond the amplitude stand for it."""
    if rotated and clamped:
        codes_sylvester(h, blocks, amp, amp, to_buckets, rule, out)
    elif rotated:
        codes_sylvester(h, blocks, amp, None, to_buckets, rule, out)
    else:
        codes_row(h, blocks, amp, amp, to_buckets, rule, out)


def takes(fmt: Format, n: int, base: int) -> bool:
    """Whether rows go this way: the thresholds part, and runs of 32 are transformed, or nothing is."""
    return buckets(fmt) is not None and (n == 1 or n // base >= SYLVESTER)


def finite_rows(
    x_bits: NDArray[np.uint16],
    guard_bits: int,
    n: int,
    base: int,
    signs: NDArray[np.int8],
    fmt: Format,
    static: tuple[int, int] | None,
    codes: NDArray[np.uint8],
    row_scale: NDArray[np.uint32],
    special: NDArray[np.bool_],
) -> None:
    """`quantize_rows` of checked arguments where this module `takes` them; special rows are left to do.

    signs: empty for none.
    """
    length = (x_bits.shape[1] // BLOCK + 1) * BLOCK
    flips = aligned_empty((length,), np.uint16)
    flips[:] = 0
    flips[: signs.shape[0]] = (signs < 0).astype(np.uint16) << 15
    ints, largest = aligned_empty((2, length), np.int32), aligned_empty((LANES,), np.int32)
    edge = aligned_empty((BLOCK,), np.uint16)
    edge[:] = 0
    exp, amp = static or (0, 0)
    record = rule(fmt)
    _finite_rows(
        x_bits, guard_bits, n, base, exp, amp, x_bits.ctypes.data, flips.ctypes.data, record.ctypes.data,
        ints.ctypes.data, largest, edge, codes, row_scale, special, codes.ctypes.data, largest.ctypes.data,
        edge.ctypes.data,
    )  # fmt: skip
