"""`quantize_rows` on vectors: rows in blocks of 64 elements, where AVX-512 is (`vector_rows.py`).

Elements of a row stay in the order that the transform of 32 leaves, the same in each run, up to the codes:
the stages above 32 add and subtract whole runs.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format
from fpsim.kernels.align import _row_exponent
from fpsim.kernels.hadamard import _stage, _twelve, scratch_size
from fpsim.kernels.quantizer import _row_amax, _rule
from fpsim.kernels.row_scale import _amplitude, _row_scale_bits
from fpsim.kernels.simd import address, aligned_empty
from fpsim.kernels.vector_rows import (
    LANES,
    SYLVESTER,
    align_16,
    align_sylvester_32,
    codes_64,
    codes_64_rotated,
    codes_64_twos,
    codes_64_twos_rotated,
    thirty_six_16,
)

BLOCK = 64
_WIDTH = 14.4  # buckets
_NEVER = 0x7FFFFFFF


class Buckets(NamedTuple):
    """The seven thresholds of a format in buckets of equal width, at most one in each.

    The amplitude is 14.4 buckets wide, and a magnitude falls into the nearest bucket. Every threshold keeps a
    tenth of a bucket from the buckets' ends, far more than float32 loses, so the one comparison with the
    bucket's bound decides: index `below`, or one more beyond the bound.

    Attributes:
        of_threshold: (7,) int64, the bucket of each threshold.
        below: (16,) int32, by bucket, how many thresholds lie in the buckets before it.
    """

    of_threshold: NDArray[np.int64]
    below: NDArray[np.int32]


@cache
def buckets(fmt: Format) -> Buckets | None:
    """The buckets of a format; None where they do not part its thresholds (E3M0)."""
    sums, _, divisor, _ = _rule(fmt)
    places = sums / divisor * _WIDTH
    nearest = np.rint(places).astype(np.int64)
    if np.unique(nearest).size < 7 or np.abs(places - nearest).max() > 0.4 + 1e-9:
        return None
    below = (nearest[None, :] < np.arange(LANES)[:, None]).sum(axis=1).astype(np.int32)
    return Buckets(nearest, below)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_bounds(
    amp: int, sums: NDArray[np.int64], ties_up: NDArray[np.bool_], divisor: int,
    of_threshold: NDArray[np.int64], bounds: NDArray[np.int32],
) -> None:  # fmt: skip
    """Integer bounds as in `_quantize_row`, by bucket.

    The quotients of float64 have the right floor: below 2^36, a fraction of a denominator of at most 128 lies
    further from an integer above it than the division loses.
    """
    for i in range(7):
        target = int(sums[i]) * amp
        up = int(ties_up[i])
        quotient = np.int64(np.float64(target + up * (divisor - 1)) / np.float64(divisor)) - up
        bounds[of_threshold[i]] = quotient if amp else _NEVER


@njit(cache=True, nogil=True)
def _align_blocks(
    bits: NDArray[np.uint16], edge: NDArray[np.uint16], signs: NDArray[np.float32], exp: int, guard_bits: int,
    limit: np.float32 | None, rotated: bool, h: NDArray[np.int32],
) -> None:  # fmt: skip
    """A finite row to integers, in whole blocks; edge holds the last block's bits, zeros behind the row."""
    scale = np.int32((127 + 25 + guard_bits - exp) << 23).view(np.float32)
    row, last, flips, ints = address(bits), address(edge), address(signs), address(h)
    for start in range(0, h.shape[0], BLOCK):
        source = row + 2 * start
        if start + BLOCK > bits.shape[0]:
            for i in range(start, bits.shape[0]):
                edge[i - start] = bits[i]
            source = last
        for k in range(0, BLOCK, SYLVESTER):
            sign, out = flips + 4 * (start + k), ints + 4 * (start + k)
            if rotated:
                align_sylvester_32(source + 2 * k, sign, scale, limit, out)
            else:
                align_16(source + 2 * k, sign, scale, limit, out)
                align_16(source + 2 * (k + LANES), sign + 4 * LANES, scale, limit, out + 4 * LANES)


@njit(cache=True, nogil=True)
def _code_blocks(
    h: NDArray[np.int32], amp: int, most: int | None, bounds: NDArray[np.int32], below: NDArray[np.int32],
    rotated: bool, twos_complement: bool, edge: NDArray[np.uint8], codes: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Codes of a row, in its own order."""
    to_buckets = np.float32(_WIDTH / amp) if amp else np.float32(0)
    ints, row, last = address(h), address(codes), address(edge)
    limits, steps = address(bounds), address(below)
    for start in range(0, h.shape[0], BLOCK):
        whole = start + BLOCK <= codes.shape[0]
        source, out = ints + 4 * start, row + start if whole else last
        if rotated and twos_complement:
            codes_64_twos_rotated(source, most, to_buckets, limits, steps, out)
        elif rotated:
            codes_64_rotated(source, most, to_buckets, limits, steps, out)
        elif twos_complement:
            codes_64_twos(source, most, to_buckets, limits, steps, out)
        else:
            codes_64(source, most, to_buckets, limits, steps, out)
        if not whole:
            for i in range(start, codes.shape[0]):
                codes[i] = edge[i - start]


@njit(cache=True, nogil=True)
def _rotate_runs(
    h: NDArray[np.int32], n: int, base: int, length: int, scratch: NDArray[np.int32], out: NDArray[np.int32]
) -> tuple[NDArray[np.int32], int]:
    """The stages above 32, between runs: the result, h or out, and its largest magnitude."""
    width = n // base
    row = h[:length]
    distance = SYLVESTER
    while distance < width:
        _stage(row, distance)
        distance *= 2
    if base != 36:
        while base >= 12:  # once, or twice for 144
            ring = scratch[: 22 * width].reshape(22, width)
            for start in range(0, length, 12 * width):
                _twelve(row[start : start + 12 * width].reshape(12, width), ring)
            base, width = base // 12, width * 12
        return h, _row_amax(row)
    largest = scratch[:LANES]
    largest[:] = 0
    for start in range(0, length, n):
        for column in range(start, start + width, LANES):
            thirty_six_16(address(h) + 4 * column, width, address(largest), address(out) + 4 * column)
    return out, _row_amax(largest)


@njit(cache=True, nogil=True)
def _finite_rows(
    x_bits: NDArray[np.uint16], guard_bits: int, n: int, base: int, signs: NDArray[np.float32],
    sums: NDArray[np.int64], ties_up: NDArray[np.bool_], divisor: int, twos_complement: bool,
    of_threshold: NDArray[np.int64], below: NDArray[np.int32],
    static: tuple[int, int] | None, limit: np.float32 | None,
    ints: NDArray[np.int32], scratch: NDArray[np.int32], bounds: NDArray[np.int32], edge: NDArray[np.uint16],
    codes: NDArray[np.uint8], row_scale: NDArray[np.uint32], special: NDArray[np.bool_],
) -> None:  # fmt: skip
    """All rows but the special ones, which are only marked. static and limit: None under a dynamic scale."""
    length = x_bits.shape[1]
    rotated = n > 1
    edge[:] = 0
    bounds[:] = _NEVER
    for m in range(x_bits.shape[0]):
        top = _row_exponent(x_bits[m])
        special[m] = top == 31
        if top == 31:
            continue
        exp = top if static is None else static[0]
        h = ints[0]
        _align_blocks(x_bits[m], edge, signs, exp, guard_bits, limit, rotated, h)
        if rotated:
            h, largest = _rotate_runs(h, n, base, length, scratch, ints[1])
        else:
            largest = _row_amax(h)
        amp = _amplitude(largest) if static is None else static[1]
        most = None if static is None else static[1]
        row_scale[m] = _row_scale_bits(amp, exp, guard_bits)
        _fill_bounds(amp, sums, ties_up, divisor, of_threshold, bounds)
        _code_blocks(h, amp, most, bounds, below, rotated, twos_complement, edge.view(np.uint8), codes[m])
        edge[:] = 0


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
    found = buckets(fmt)
    assert found is not None
    length = -(-x_bits.shape[1] // BLOCK) * BLOCK
    flips = aligned_empty((length,), np.float32)
    flips[:] = 1
    flips[: signs.shape[0]] = signs
    scratch = aligned_empty((max(scratch_size(n, base), LANES),), np.int32)
    _finite_rows(
        x_bits, guard_bits, n, base, flips, *_rule(fmt), found.of_threshold, found.below, static,
        None if static is None else np.float32((1 << (11 + guard_bits)) - 1),
        aligned_empty((2, length), np.int32), scratch, aligned_empty((LANES,), np.int32),
        aligned_empty((BLOCK,), np.uint16), codes, row_scale, special,
    )  # fmt: skip
