"""The input side of a layer in one pass per row: align, Hadamard, amplitude, row scale, codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels import _check
from fpsim.kernels.align import _align_row, _row_exponent
from fpsim.kernels.fast_rows import finite_rows, takes
from fpsim.kernels.hadamard import _hadamard_row, check_size, scratch_size
from fpsim.kernels.quantizer import _quantize_row, _row_amax, _rule
from fpsim.kernels.row_scale import _amplitude, _row_scale_bits
from fpsim.kernels.simd import avx512_in_use


@njit(cache=True, nogil=True)
def _quantize_rows(
    x_bits: NDArray[np.uint16],
    guard_bits: int,
    hadamard_n: int,
    hadamard_base: int,
    scratch: NDArray[np.int32],
    signs: NDArray[np.int8],
    sums: NDArray[np.int64],
    ties_up: NDArray[np.bool_],
    divisor: int,
    twos_complement: bool,
    static_exp: int,
    static_amp: int,
    codes: NDArray[np.uint8],
    row_scale: NDArray[np.uint32],
    special: NDArray[np.bool_],
) -> None:
    """All rows. hadamard_n = 1: no rotation; no signs: empty; static_exp = 0: dynamic scale."""
    h = np.empty(x_bits.shape[1], np.int32)
    for m in range(x_bits.shape[0]):
        top = _row_exponent(x_bits[m])
        special[m] = top == 31
        exp = static_exp if static_exp else top
        _align_row(x_bits[m], exp, guard_bits, h)
        for k in range(signs.shape[0]):
            h[k] *= signs[k]
        if hadamard_n > 1:
            _hadamard_row(h, hadamard_n, hadamard_base, scratch)
        amp = static_amp if static_exp else _amplitude(_row_amax(h))
        row_scale[m] = _row_scale_bits(amp, exp, guard_bits)
        _quantize_row(h, amp, sums, ties_up, divisor, twos_complement, codes[m])


def quantize_rows(
    x_bits: NDArray[np.uint16],
    *,
    guard_bits: int,
    hadamard_n: int | None,
    signs: NDArray[np.int8] | None,
    fmt: str | Format,
    static: tuple[int, int] | None = None,
    hadamard_base: int | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.bool_]]:
    """FP16 rows to codes and row scales: `align`, `hadamard_blocks`, `amax`, `amplitude`, `row_scale` and
    `quantizer` in one pass: on vectors where `fast_rows.takes` them; else, and for special rows, from the
    same inner functions as those. Rows are independent, and the interpreter lock is released, so callers may
    split the rows over threads.

    Args:
        x_bits: FP16 bits, (M, K) uint16.
        guard_bits: 0 to 8.
        hadamard_n: block size, 2^k, 12 · 2^k or 36 · 2^k with (2^(11 + guard_bits) - 1) · n <= 2^30; None: no
            rotation.
        signs: (K,) int8 of ±1 before the rotation, or None; only with a rotation.
        fmt: e2m1, e3m0, e1m2 or int4.
        static: (row exponent 1 to 30, amplitude of at most 11 significant bits), or None: from each row.
        hadamard_base: order of the outer factor; None as in `hadamard_blocks`.

    Returns:
        codes (M, K) uint8; row_scale (M,) uint32 TF32 codes; special (M,) bool: the row holds an Inf or NaN.

    Raises:
        ValueError: an argument outside of the above.
    """
    bits = _check.array("x_bits", x_bits, "uint16", 2)
    rows, length_k = bits.shape
    guard = _check.integer("guard_bits", guard_bits, 0, _check.GUARD_BITS_MAX)
    sums, ties_up, divisor, twos_complement = _rule(_check.operand_format("fmt", fmt))
    size, base = 1, 1
    if hadamard_n is not None:
        size, base = check_size("hadamard_n", hadamard_n, length_k, hadamard_base)
    if ((1 << (11 + guard)) - 1) * size > _check.AMPLITUDE_MAX:
        raise ValueError(f"hadamard_n={size}: expected (2^(11 + guard_bits) - 1) * n <= 2^30")
    if signs is not None and hadamard_n is None:
        raise ValueError("signs: expected None without a rotation (hadamard_n=None)")
    vector = _check.signs_vector(signs, length_k)
    scale = None if static is None else _check.static_scale(static)
    exp, amp = scale or (0, 0)
    codes = np.empty(bits.shape, np.uint8)
    row_scale = np.empty(rows, np.uint32)
    special = np.empty(rows, np.bool_)
    found = get(fmt)
    rest: Any = slice(None)
    if avx512_in_use() and takes(found, size, base):
        finite_rows(bits, guard, size, base, vector, found, scale, codes, row_scale, special)
        if not special.any():
            return codes, row_scale, special
        rest = np.flatnonzero(special)
    others = codes[rest], row_scale[rest], special[rest]
    _quantize_rows(
        bits[rest], guard, size, base, np.empty(scratch_size(size, base), np.int32), vector, sums, ties_up,
        divisor, twos_complement, exp, amp, *others,
    )  # fmt: skip
    codes[rest], row_scale[rest], special[rest] = others
    return codes, row_scale, special
