"""Hadamard transforms whose stages round: fixed point with a shift per stage, and FP16; on arrays.

n = base · 2^k has k stages of radix 2, at distances 1, 2, 4 … 2^(k - 1), then those of the base: one of radix
12 or 36 at distance 2^k, or for base 144 two of radix 12, at 2^k and 12 · 2^k. A stage of radix r at distance
d takes every r elements that lie d apart to y[i] = Σ_j P[i][j] · x[j]. Unlike the exact transform, the order
matters here, and so every stage is a plain matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check
from fpsim.kernels._bits import bit_length
from fpsim.kernels.hadamard import check_size, hadamard_blocks

ShiftRounding = Literal["rne", "rna", "rdn"]
RNE, RNA, RDN = range(3)
SHIFT_MAX = 16
_ROUNDINGS = ("rne", "rna", "rdn")
_FP16_MAX = 65504 << 24  # FP16 numbers are integers in units of 2^-24


@cache
def _stages(n: int, base: int) -> tuple[tuple[int, NDArray[np.int64]], ...]:
    """(distance, matrix) of every stage, in order."""
    width = n // base
    stages = [(1 << s, hadamard_blocks(np.eye(2, dtype=np.int64), 2)) for s in range(width.bit_length() - 1)]
    for radix in {1: (), 12: (12,), 36: (36,), 144: (12, 12)}[base]:
        # A transform of the unit vectors is the transposed matrix.
        stages.append((width, hadamard_blocks(np.eye(radix, dtype=np.int64), radix).T.copy()))
        width *= radix
    return tuple(stages)


@njit(cache=True, nogil=True)
def _round_shift(x: int, shift: int, rounding: int) -> int:
    """x · 2^-shift as an integer."""
    if shift == 0:
        return x
    if rounding == RDN:
        return x >> shift
    if rounding == RNE:
        return (x + (1 << (shift - 1)) - 1 + ((x >> shift) & 1)) >> shift
    magnitude = (abs(x) + (1 << (shift - 1))) >> shift
    return -magnitude if x < 0 else magnitude


@njit(cache=True, nogil=True)
def _fixed_stage(
    row: NDArray[np.int64], distance: int, matrix: NDArray[np.int64], shift: int, high: int, rounding: int
) -> None:
    radix = matrix.shape[0]
    terms = np.empty(radix, np.int64)
    for start in range(row.shape[0]):
        if start // distance % radix == 0:
            for j in range(radix):
                terms[j] = row[start + j * distance]
            for i in range(radix):
                total = 0
                for j in range(radix):
                    total += matrix[i, j] * terms[j]
                total = _round_shift(total, shift, rounding)
                row[start + i * distance] = max(-high - 1, min(high, total))


@njit(cache=True, nogil=True)
def _fp16(x: int, shift: int) -> int:
    """x · 2^-shift in units of 2^-24, rounded to FP16's 11 significant bits, nearest even, and saturated."""
    magnitude = abs(x)
    drop: int = max(bit_length(magnitude) - 11, shift)
    if drop > 0:
        odd = (magnitude >> drop) & 1
        magnitude = ((magnitude + (1 << (drop - 1)) - 1 + odd) >> drop) << (drop - shift)
    magnitude = min(magnitude, _FP16_MAX)
    return -magnitude if x < 0 else magnitude


@njit(cache=True, nogil=True)
def _fp16_stage(row: NDArray[np.int64], distance: int, matrix: NDArray[np.int64], shift: int) -> None:
    radix = matrix.shape[0]
    terms = np.empty(radix, np.int64)
    for start in range(row.shape[0]):
        if start // distance % radix == 0:
            for j in range(radix):
                terms[j] = _fp16(row[start + j * distance], shift)
            for i in range(radix):
                total = matrix[i, 0] * terms[0]
                for j in range(1, radix):
                    total = _fp16(total + matrix[i, j] * terms[j], 0)
                row[start + i * distance] = total


@njit(cache=True, nogil=True)
def _from_fp16(bits: NDArray[np.uint16], out: NDArray[np.int64]) -> None:
    """FP16 bits to integers in units of 2^-24; flat, finite."""
    for i in range(bits.shape[0]):
        field = (int(bits[i]) >> 10) & 31
        magnitude = ((int(bits[i]) & 1023) | (1024 if field else 0)) << (max(field, 1) - 1)
        out[i] = -magnitude if bits[i] & 0x8000 else magnitude


@njit(cache=True, nogil=True)
def _to_fp16(units: NDArray[np.int64], out: NDArray[np.uint16]) -> None:
    """The inverse, of integers that FP16 holds; zero is +0."""
    for i in range(units.shape[0]):
        magnitude = abs(units[i])
        field = max(bit_length(magnitude) - 10, 0)
        stored = magnitude if field == 0 else (magnitude >> (field - 1)) & 1023
        out[i] = (field << 10) | stored | (0x8000 if units[i] < 0 else 0)


def _check_shifts(shifts: Sequence[int] | None, count: int) -> list[int]:
    values = [0] * count if shifts is None else list(shifts)
    if len(values) != count:
        raise ValueError(f"shifts has {len(values)} elements: expected {count}, one per stage")
    return [_check.integer(f"shifts[{i}]", shift, 0, SHIFT_MAX) for i, shift in enumerate(values)]


def stage_radices(n: int, base: int | None = None) -> tuple[int, ...]:
    """The radix of every stage, in order; as many shifts are expected. n and base as in `hadamard_blocks`."""
    size, found = check_size("n", n, n, base)
    return tuple(matrix.shape[0] for _, matrix in _stages(size, found))


def hadamard_fixed(
    ints: NDArray[np.int32],
    n: int,
    shifts: Sequence[int],
    bits: int = 32,
    rounding: ShiftRounding = "rne",
    signs: NDArray[np.int8] | None = None,
    *,
    base: int | None = None,
) -> NDArray[np.int32]:
    """Blocks of n in a register of `bits` bits: each stage adds exactly, shifts right once, saturates.

    Args:
        ints: (M, K) int32 that fit the register, K a multiple of n.
        n, base: size and outer factor of the transform, as in `hadamard_blocks`.
        shifts: one per stage, 0 to 16: the stage's sums are worth 2^shift of the next stage's units.
        bits: two's complement, 2 to 32; a sum beyond it after the shift takes the nearest end.
        rounding: of the shift: "rne" nearest, ties to even; "rna" ties away from zero; "rdn" toward
            -infinity, the bits are dropped.
        signs: (K,) int8 of ±1, applied first (-2^(bits - 1) negated saturates), or None.

    Returns:
        (M, K) int32 of `bits` bits, about H · x / 2^(sum of shifts).

    Raises:
        ValueError: an argument outside of the above.
    """
    checked = _check.array("ints", ints, "int32", 2)
    size, found = check_size("n", n, checked.shape[1], base)
    _check.choice("rounding", rounding, _ROUNDINGS)
    high = (1 << (_check.integer("bits", bits, 2, 32) - 1)) - 1
    _check.values_within("ints", checked, -high - 1, high)
    stages = _stages(size, found)
    steps = _check_shifts(shifts, len(stages))
    vector = _check.signs_vector(signs, checked.shape[1])
    wide = checked.astype(np.int64)
    if signs is not None:
        wide = np.minimum(wide * vector, high)
    flat = wide.reshape(-1)
    for (distance, matrix), shift in zip(stages, steps, strict=True):
        _fixed_stage(flat, distance, matrix, shift, high, _ROUNDINGS.index(rounding))
    return wide.astype(np.int32)


def hadamard_fp16(
    x_bits: NDArray[np.uint16],
    n: int,
    shifts: Sequence[int] | None = None,
    signs: NDArray[np.int8] | None = None,
    *,
    base: int | None = None,
) -> NDArray[np.uint16]:
    """Blocks of n in FP16 adders: a stage adds its terms in order of j, each addition rounded.

    Args:
        x_bits: (M, K) finite FP16 bits, K a multiple of n.
        n, base: size and outer factor of the transform, as in `hadamard_blocks`.
        shifts: one per stage, 0 to 16: its terms are first multiplied by 2^-shift, rounded; None: no shift.
        signs: (K,) int8 of ±1, applied first, or None.

    Returns:
        (M, K) FP16 bits. Every rounding is to nearest, ties to even, subnormals kept, saturating at ±65504;
        zeros are +0.

    Raises:
        ValueError: an argument outside of the above.
    """
    checked = _check.array("x_bits", x_bits, "uint16", 2)
    size, found = check_size("n", n, checked.shape[1], base)
    special: NDArray[Any] = checked[(checked & 0x7C00) == 0x7C00]
    if special.size:
        raise ValueError(f"x_bits holds {int(special[0]):#06x}: expected finite FP16 numbers")
    stages = _stages(size, found)
    steps = _check_shifts(shifts, len(stages))
    vector = _check.signs_vector(signs, checked.shape[1])
    units = np.empty(checked.shape, np.int64)
    _from_fp16(checked.reshape(-1), units.reshape(-1))
    if signs is not None:
        units *= vector
    for (distance, matrix), shift in zip(stages, steps, strict=True):
        _fp16_stage(units.reshape(-1), distance, matrix, shift)
    out = np.empty(checked.shape, np.uint16)
    _to_fp16(units.reshape(-1), out.reshape(-1))
    return out
